"""What clients say after a session."""
