"""How much time a partner has offered: the hours of the week that was in force on each day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fxo.core.partners.availability import Availability
from fxo.core.partners.exceptions import hours_on

History = Sequence[tuple[datetime, Availability]]
"""Each week with the moment from which it was in force, oldest first."""


def offered_minutes(history: History, since: datetime, until: datetime) -> int:
    """Minutes that clients could have been offered within this time, booked or not; before the first week there are none.

    Elapsed time: an hour that daylight saving skips counts for nothing, one that it repeats counts twice.
    """
    total = timedelta()
    for number, (begins, week) in enumerate(history, 1):
        ends = history[number][0] if number < len(history) else until
        start, end = max(begins, since), min(ends, until)
        if start < end:
            total += sum((min(b, end) - max(a, start) for a, b in _open(week, start, end) if a < end and b > start), timedelta())
    return total // timedelta(minutes=1)


def _open(week: Availability, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The open hours of every local day that touches this time, in UTC."""
    zone = ZoneInfo(week.zone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for opening, closing in hours_on(week, day):
            yield _at(day, opening, zone), _at(day, closing, zone)
        day += timedelta(days=1)


def _at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    moment = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    return moment.astimezone(UTC)
