"""What the product is: the slices, the event store, durable work, scopes, and the hooks."""
