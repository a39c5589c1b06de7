"""Who books: the client's profile in one tenant."""
