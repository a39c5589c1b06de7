"""When people are taken, asked for all of them in one call, and what is known of it for a while."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fxo.core.calendars.port import BusyTimes
from fxo.plugins.calendar_google.service import Service
from fxo.plugins.calendar_google.times import instant, text

Window = tuple[datetime, datetime]
Taken = tuple[tuple[datetime, datetime], ...]

FRESH = timedelta(seconds=20)
"""An answer this young is given again without asking: a page and the next one ask for the same people."""

KEPT = timedelta(minutes=14)
"""An answer up to this age stands in while Google does not answer; the platform takes none that is older than 15 minutes."""

MOST = 50
"""How many requests go into one call (Google's limit is 1,000; it counts each of them)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What Google said of one person."""

    window: Window
    taken: Taken
    at: datetime

    def within(self, window: Window) -> Taken:
        return tuple((start, end) for start, end in self.taken if start < window[1] and end > window[0])

    def covers(self, window: Window) -> bool:
        return self.window[0] <= window[0] and window[1] <= self.window[1]


class Busy:
    """The busy times of connected people."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[UUID, Known] = {}
        self._lock = threading.Lock()

    def times(self, people: Sequence[UUID], window: Window, now: datetime) -> BusyTimes:
        """Who cannot be read and was not read lately is left out; `as_of` is the age of the oldest answer in it."""
        ask = [each for each in people if self._usable(each, window, now, FRESH) is None]
        for n in range(0, len(ask), MOST):
            self._look(ask[n : n + MOST], window, now)
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

    def _look(self, people: Sequence[UUID], window: Window, now: datetime) -> None:
        query = {"timeMin": text(window[0]), "timeMax": text(window[1]), "timeZone": "UTC", "items": [{"id": "primary"}]}
        requests = {each: self._service.api.freebusy().query(body=query) for each in people}
        for person_id, answer in self._service.ask_all(requests).items():
            if (taken := _read(answer)) is not None:
                with self._lock:
                    self._known[person_id] = Known(window, taken, now)


def _read(answer: Any) -> Taken | None:
    """The times in UTC; None where Google could not look into the calendar."""
    if not isinstance(answer, Mapping):
        return None
    calendar = answer["calendars"].get("primary", {"errors": ["missing"]})
    if calendar.get("errors"):
        return None
    times = [(instant(one["start"]), instant(one["end"])) for one in calendar.get("busy", ())]
    return tuple((start, end) for start, end in times if start < end)
