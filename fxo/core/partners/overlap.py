"""How many hours a week a partner's open hours share with a reader's working day. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from fxo.core.partners.availability import Availability

WORKING_DAY = (9, 17)
"""The reader's working day, Monday to Friday, in hours of their own clock."""
WORKING_DAYS = 5

_Span = tuple[datetime, datetime]


@lru_cache(maxsize=8_192)
def hours_a_day(week: Availability, zone: str, day: date) -> float:
    """The hours that the partner's week, as it is in the seven days from `day` on, shares with a working day there, on average.

    By the weekly hours alone: what is booked or off in one week says nothing about how the two usually fit.
    """
    return sum(minutes_shared(_open(week, day), _working(zone, day))) / 60 / WORKING_DAYS


def minutes_shared(ones: list[_Span], others: list[_Span]) -> Iterator[float]:
    """For each pair of spans that overlap, for how many minutes they do."""
    for start, end in ones:
        for begin, finish in others:
            shared = (min(end, finish) - max(start, begin)).total_seconds() / 60
            if shared > 0:
                yield shared


def _open(week: Availability, day: date) -> list[_Span]:
    """The weekly hours of these seven days and of the one on either side, which reaches into them from another zone."""
    found = []
    for ahead in range(-1, 8):
        on = day + timedelta(ahead)
        for window in week.weekly:
            if window.weekday == on.weekday():
                found.append((_at(week.zone, on, window.start_minute), _at(week.zone, on, window.end_minute)))
    return found


def _working(zone: str, day: date) -> list[_Span]:
    days = (day + timedelta(ahead) for ahead in range(7))
    return [
        (_at(zone, on, WORKING_DAY[0] * 60), _at(zone, on, WORKING_DAY[1] * 60)) for on in days if on.weekday() < WORKING_DAYS
    ]


def _at(zone: str, day: date, minute: int) -> datetime:
    """The wall clock's minute of that day there, in UTC."""
    on = datetime.combine(day + timedelta(minute // 1_440), time(minute % 1_440 // 60, minute % 60), ZoneInfo(zone))
    return on.astimezone(UTC)
