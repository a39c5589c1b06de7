"""What happens around a provider that is down, slow, lying or crowded: one policy for all of them, on one page.

| what | where it is decided |
| --- | --- |
| time limit | `Limits.seconds`: the shortest of the platform's, the port's for the member, the tenant's own |
| repeating | `Port.repeats`: what only reads is asked once more; all else durable work repeats, with the same key |
| breaker | `Breaker`: one a tenant and provider in each process |
| bulkhead | `Bulkhead`: so many calls at a time into one provider, for all tenants of the process |
| who is asked instead | `Providers.chain`, in the tenant's order, and `first_answer` |
| how it fares | `faring` counts every call, `fared` tells pages and `fxo doctor` |
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from fxo.core.errors import ActionRequired, Declined, ProviderError, Unavailable
from fxo.core.plugins.port import Port
from fxo.core.turns import turns

P = TypeVar("P")
T = TypeVar("T")
log = logging.getLogger(__name__)
Around = Callable[[], AbstractContextManager[Any]]
"""Called by the thread that asks, entered by the thread that calls the plugin: brings the application's context along."""

ASKING_SECONDS = 0.3
"""How long a page waits for one plugin that is asked about a booking, or how it is."""
STRIKES = 5
"""So many failures in a row, and a provider is left alone."""
PAUSE = 30.0
"""Seconds for which it is left alone; then one call tries."""
QUICK = 0.1
"""Seconds in which what computes here answers; who waits longer lets others have their turn meanwhile."""
PLACES = 16
"""So many calls into one provider at a time, in one process."""
SHORTEST = 1.0
"""Seconds: no tenant's time limit is below it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The time limits of one tenant's provider: the platform's, the port's by member, and the tenant's own."""

    platform: float
    port: Port
    own: float | None = None

    def seconds(self, member: str) -> float:
        """How long a call of this member may take, with waiting for a place."""
        longest = self.platform if self.own is None else min(self.platform, max(SHORTEST, self.own))
        return min(longest, self.port.seconds.get(member, longest))


class Slow(Unavailable):
    """It did not answer within its time limit."""


class Crowded(Unavailable):
    """All places are taken. It says nothing about the next call, and nothing that the breaker has to know."""


class Resting(Unavailable):
    """It has failed several times and is left alone for a while: it was not asked."""


class Breaker:
    """Opens after so many failures in a row, lets one call try after the pause, and closes with its success.

    `clock` is real time in seconds. One breaker serves one tenant at one provider, in one process.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed = 0
        self._open_since: float | None = None
        self._lock = threading.Lock()

    def admit(self) -> None:
        """Raise `Resting` while open. The one call let through afterwards starts the pause anew for all others."""
        with self._lock:
            if self._open_since is None:
                return
            left = self._open_since + PAUSE - self._clock()
            if left > 0:
                raise Resting("has failed several times and is left alone for a while", after=left)
            self._open_since = self._clock()

    def try_now(self) -> None:
        """Let the next call try, without waiting for the end of the pause."""
        with self._lock:
            if self._open_since is not None:
                self._open_since = self._clock() - PAUSE

    @property
    def resting(self) -> bool:
        """Whether calls are refused at the moment."""
        with self._lock:
            return self._open_since is not None and self._open_since + PAUSE > self._clock()

    def succeeded(self) -> None:
        """It answered; a refusal is an answer too."""
        with self._lock:
            self._failed, self._open_since = 0, None

    def failed(self) -> None:
        """It raised, hung or lied."""
        with self._lock:
            self._failed += 1
            if self._failed >= STRIKES:
                self._open_since = self._clock()


class Bulkhead:
    """So many calls into one plugin at a time, each in a thread of its own; one that hangs holds its place until it returns."""

    def __init__(self, name: str, around: Around) -> None:
        self.name = name
        self._around = around
        self._places = threading.BoundedSemaphore(PLACES)

    @property
    def full(self) -> bool:
        """Whether there is no place at the moment."""
        if not self._places.acquire(blocking=False):
            return True
        self._places.release()
        return False

    def run(self, call: Callable[[], T], seconds: float, *, waits: bool = True) -> T:
        """What the call returns or raises; `Slow` where it takes longer than that, with waiting for a place."""
        deadline = time.monotonic() + seconds
        if not (self._places.acquire(blocking=False) or (waits and self._gets_place(seconds))):
            raise Crowded(f"{self.name} has all its places taken")
        context = self._around()
        done = threading.Event()
        answer: list[T] = []
        failure: list[BaseException] = []

        def work() -> None:
            try:
                with context:
                    answer.append(call())
            except BaseException as error:
                failure.append(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))
            finally:
                self._places.release()
                done.set()

        threading.Thread(target=work, name=f"plugin {self.name}", daemon=True).start()
        if not (done.wait(min(seconds, QUICK)) or self._answers(done, deadline)):
            raise Slow(f"{self.name} did not answer within {seconds:g} s")
        if failure:
            raise failure[0]
        return answer[0]

    def _gets_place(self, seconds: float) -> bool:
        """Whether a place is given back in time; others have their turn meanwhile."""
        with turns.aside():
            return self._places.acquire(timeout=seconds)

    def _answers(self, done: threading.Event, deadline: float) -> bool:
        """Whether it answers in time; others have their turn meanwhile."""
        with turns.aside():
            return done.wait(max(0.0, deadline - time.monotonic()))


def first_answer(chain: Sequence[tuple[str, P]], call: Callable[[P], T]) -> tuple[str, T]:
    """The first answer along the chain, with the name of who gave it.

    The next provider is asked when one cannot answer (`Retryable`, `Unavailable`, `Misconfigured`); a refusal
    (`Declined`, `ActionRequired`) is an answer. Raises what the first one raised where nobody can.
    """
    failures: list[ProviderError] = []
    for name, provider in chain:
        try:
            return name, call(provider)
        except (Declined, ActionRequired):
            raise
        except ProviderError as error:
            log.warning("%s cannot answer: %s", name, error)
            failures.append(error)
    raise failures[0] if failures else Unavailable("there is no provider to ask")
