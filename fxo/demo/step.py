"""One step of `fxo demo --check`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What was tried, whether it held, how many milliseconds it took, and what to know where it did not."""

    name: str
    ok: bool
    ms: float
    detail: str = ""
