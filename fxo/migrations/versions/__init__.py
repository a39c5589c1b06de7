"""The migrations of the platform's tables, in order: each a module that runs an SQL file beside it."""
