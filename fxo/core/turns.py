"""Turns: the long work of a process, a little at a time, and first what somebody waits for soonest.

A hundred rankings that share one interpreter are all late. Here a few work and the others stand in line; who waits for an
answer from outside stands aside meanwhile. What is due first goes first: work is due when it came and as much later as who
asked for it can wait, so that nothing waits for ever (PRD AR-1.2).
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

AT_ONCE = 3
"""So many work at a time in a process: some compute together while others wait for the database."""

LIST, TIMES, REFINING = 0.0, 2.0, 4.0
"""Seconds that somebody can wait: for a first list, for the times beside it, for a better list."""


class Turns:
    """So many places, and who stands in line for them, the earliest due first. `clock` is real time in seconds."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = places
        self._clock = clock
        self._line: list[tuple[float, int, threading.Event]] = []
        self._numbers = count()
        self._lock = threading.Lock()
        self._due: ContextVar[float | None] = ContextVar("due", default=None)

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    @contextmanager
    def taken(self, patience: float) -> Iterator[None]:
        """Work while it is this thread's turn. Who has one already goes on."""
        if self._due.get() is not None:
            yield
            return
        due = self._clock() + patience
        self._enter(due)
        token = self._due.set(due)
        try:
            yield
        finally:
            self._due.reset(token)
            self._leave()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others work meanwhile, and go on when it is this thread's turn again. Who has none just goes on."""
        due = self._due.get()
        if due is None:
            yield
            return
        self._leave()
        try:
            yield
        finally:
            self._enter(due)

    def _enter(self, due: float) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            called = threading.Event()
            heapq.heappush(self._line, (due, next(self._numbers), called))
        called.wait()

    def _leave(self) -> None:
        with self._lock:
            if self._line:
                heapq.heappop(self._line)[2].set()
            else:
                self._free += 1


turns = Turns(AT_ONCE)
"""Those of this process."""
