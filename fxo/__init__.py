"""fxo: describe a problem, meet the right fractional executive, pay after the session."""

__version__ = "0.1.0"
