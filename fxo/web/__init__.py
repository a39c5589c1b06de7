"""The web: blueprints by who uses them, and the look."""
