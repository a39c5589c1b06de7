"""A circuit breaker: who fails again and again is left alone for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fxo.core.errors import Unavailable


class Breaker:
    """Opens after so many failures in a row, lets one call try after the pause, and closes with its success.

    `clock` is real time in seconds. One breaker serves one tenant at one provider, in one process.
    """

    def __init__(self, clock: Callable[[], float], *, failures: int = 5, pause: float = 30.0) -> None:
        self._clock = clock
        self._limit = failures
        self._pause = pause
        self._failed = 0
        self._open_since: float | None = None
        self._lock = threading.Lock()

    def admit(self) -> None:
        """Raise `Unavailable` while open. The one call let through afterwards starts the pause anew for all others."""
        with self._lock:
            if self._open_since is None:
                return
            left = self._open_since + self._pause - self._clock()
            if left > 0:
                raise Unavailable("has failed several times and is left alone for a while", after=left)
            self._open_since = self._clock()

    @property
    def resting(self) -> bool:
        """Whether calls are refused at the moment."""
        with self._lock:
            return self._open_since is not None and self._open_since + self._pause > self._clock()

    def succeeded(self) -> None:
        """It answered; a refusal is an answer too."""
        with self._lock:
            self._failed, self._open_since = 0, None

    def failed(self) -> None:
        """It raised, hung or lied."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                self._open_since = self._clock()
