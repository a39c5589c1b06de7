"""One stream per payment, and the provider port that moves the money."""
