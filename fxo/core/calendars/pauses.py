"""Leaving somebody's calendar alone after it was too much for the company outside, or it has failed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from uuid import UUID

from fxo.core.errors import Retryable

LONGEST = 64.0
"""Seconds: no pause of our own is longer."""


class Pauses:
    """Who is left alone until when: as long as the company says, otherwise twice as long each time, with some chance in it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[UUID, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def left(self, person_id: UUID) -> float:
        """Seconds for which it is not to be asked for this person; 0 for nobody else."""
        return max(0.0, self._until.get(person_id, (0.0, 0))[0] - self._clock())

    def heed(self, person_id: UUID, company: str) -> None:
        """Raises `Retryable` while it is not to be asked for this person."""
        if (left := self.left(person_id)) > 0:
            raise Retryable(f"{company} has asked to be left alone for a while", after=left)

    def begin(self, person_id: UUID, asked: str | None) -> float:
        """Seconds until it may be asked again."""
        with self._lock:
            times = self._until.get(person_id, (0.0, 0))[1] + 1
            own = min(2.0 ** (times - 1), LONGEST) + random.random()  # noqa: S311 - so that not all come back at once
            seconds = float(asked) if asked and asked.isdigit() else own
            self._until[person_id] = (self._clock() + seconds, times)
        return seconds

    def end(self, person_id: UUID) -> None:
        """It has answered."""
        if person_id in self._until:
            with self._lock:
                self._until.pop(person_id, None)
