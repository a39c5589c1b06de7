"""Measurements, as figures and ratios of one run (`make bench`)."""
