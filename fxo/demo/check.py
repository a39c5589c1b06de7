"""`fxo demo --check`: drives the whole flow as a client, a partner and an operator would, and looks only at what they see."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

from fxo.demo.acts import booking, changes, money, session
from fxo.demo.seed import Signins
from fxo.demo.stage import Stage
from fxo.demo.step import Step

ACTS = (booking.STEPS, session.STEPS, money.STEPS, changes.STEPS, money.LAST)
"""Each is a list of steps: a name, and what is done and looked at."""


def drive(address: tuple[str, int], base_domain: str, signins: Signins, flush_redis: Callable[[], object]) -> Iterator[Step]:
    """Each step as it is done; the first that does not hold ends the drive, since the next ones stand on it."""
    with closing(Stage(address, base_domain, signins, flush_redis)) as stage:
        for name, act in (step for steps in ACTS for step in steps):
            begun = time.monotonic()
            try:
                detail = act(stage) or ""
            except Exception as error:
                # The edge of a step: what it did not foresee is a step that failed, with the reason for who reads it.
                yield Step(name, False, (time.monotonic() - begun) * 1000, f"{type(error).__name__}: {error}"[:800])
                return
            yield Step(name, True, (time.monotonic() - begun) * 1000, detail)
