"""The providers that ship; each could live in a repository of its own."""
