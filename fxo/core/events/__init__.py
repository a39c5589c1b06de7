"""The event store: append, load, projections, subscriptions."""
