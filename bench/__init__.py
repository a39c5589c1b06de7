"""Measurements, as figures and ratios of one run (`make bench`)."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported: as in the product
