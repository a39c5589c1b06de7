"""Stand-ins for companies outside, as strict as the real ones; for tests alone."""
