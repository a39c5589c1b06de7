"""Loading what stays for the life of the process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """What the block loads stays: looking through it for garbage, again and again, is a sixth of the time that loading takes."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
