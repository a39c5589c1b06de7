"""Companies outside as small servers of ours, built from their published references: for tests alone."""
