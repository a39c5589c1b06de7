"""What is known of people's busy times for a while: for providers that ask a company outside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core.calendars.port import BusyTimes

Window = tuple[datetime, datetime]
Taken = tuple[tuple[datetime, datetime], ...]
Look = Callable[[Sequence[UUID], Window], Mapping[UUID, Taken]]
"""Asks the company outside; who cannot be read is left out."""

FRESH = timedelta(seconds=20)
"""An answer this young is given again without asking: a page and the next one ask for the same people."""

KEPT = timedelta(minutes=14)
"""An answer up to this age stands in while nobody answers; the platform takes none that is older than 15 minutes."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was said of one person."""

    window: Window
    taken: Taken
    at: datetime

    def within(self, window: Window) -> Taken:
        return tuple((start, end) for start, end in self.taken if start < window[1] and end > window[0])

    def covers(self, window: Window) -> bool:
        return self.window[0] <= window[0] and window[1] <= self.window[1]


class KeptBusy:
    """Busy times with a memory; in one process, for one tenant."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._known: dict[UUID, Known] = {}
        self._lock = threading.Lock()

    def times(self, people: Sequence[UUID], window: Window, now: datetime) -> BusyTimes:
        """Who cannot be read and was not read lately is left out; `as_of` is the age of the oldest answer in it."""
        ask = [each for each in people if self._usable(each, window, now, FRESH) is None]
        if ask:
            seen = {each: Known(window, taken, now) for each, taken in self._look(ask, window).items()}
            with self._lock:
                self._known.update(seen)
        found = {each: known for each in people if (known := self._usable(each, window, now, KEPT))}
        oldest = min((known.at for known in found.values()), default=now)
        return BusyTimes({each: known.within(window) for each, known in found.items()}, oldest)

    def forget(self, person_id: UUID) -> None:
        """Their calendar has changed."""
        with self._lock:
            self._known.pop(person_id, None)

    def _usable(self, person_id: UUID, window: Window, now: datetime, age: timedelta) -> Known | None:
        known = self._known.get(person_id)
        return known if known and known.covers(window) and now - known.at <= age else None
