"""Things that tests share."""
