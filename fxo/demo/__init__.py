"""The demo: its network of partners and its example briefs, as data."""
