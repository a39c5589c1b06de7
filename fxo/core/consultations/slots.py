"""Open slots: a pure function of a partner's availability, what is busy, and the time; the same code shows and checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from heapq import nsmallest
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from fxo.core.partners.availability import DAY, Availability

Busy: TypeAlias = Sequence[tuple[datetime, datetime]]
"""Taken times in UTC as (start, end), the end excluded, in any order; claims among them include their buffers."""

SESSION_MINUTES = 60

# Inside this module a time is a whole number of UTC minutes since 1970, and a day a whole number of days.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MINUTE = timedelta(minutes=1)
_FURTHEST = 16 * 60  # no zone's clock has ever been further than this from UTC
_PROBE = 8 * 60  # no zone changes its offset twice within this time


@dataclass(frozen=True, slots=True)
class Slot:
    """A bookable time of one partner, in UTC, without the buffers."""

    partner_id: UUID
    start: datetime
    end: datetime


def open_slots(
    availability: Availability,
    busy: Busy,
    *,
    now: datetime,
    window: tuple[datetime, datetime],
    duration_minutes: int = SESSION_MINUTES,
) -> list[datetime]:
    """The starts, in UTC and in order, at which the partner can be booked, from the window's start and before its end.

    The session lies wholly inside the availability; the session with its buffers overlaps nothing busy; it starts no sooner
    than the notice allows and before the horizon. Its end may lie beyond the window, so busy times must be known that far.
    The rules are wall time in the partner's zone: a time that daylight saving skips has no slot, one that it repeats has one,
    the first. Duration, notice, horizon and buffers are elapsed time.
    """
    return [_EPOCH + timedelta(0, 60 * start) for start in _starts(availability, busy, now, window, duration_minutes)]


def open_slots_of(
    partners: Mapping[UUID, tuple[Availability, Busy]],
    *,
    now: datetime,
    window: tuple[datetime, datetime],
    duration_minutes: int = SESSION_MINUTES,
) -> dict[UUID, list[datetime]]:
    """The open starts of each partner, as `open_slots` gives them; partners without any have an empty list."""
    return {
        partner_id: open_slots(availability, busy, now=now, window=window, duration_minutes=duration_minutes)
        for partner_id, (availability, busy) in partners.items()
    }


def is_open(
    availability: Availability, busy: Busy, *, start: datetime, now: datetime, duration_minutes: int = SESSION_MINUTES
) -> bool:
    """Whether the start is one that `open_slots` shows."""
    start = _utc(start)
    return start in open_slots(availability, busy, now=now, window=(start, start + _MINUTE), duration_minutes=duration_minutes)


def without(busy: Busy, own: tuple[datetime, datetime]) -> list[tuple[datetime, datetime]]:
    """The busy times but for one's own: a session that is to move stands in its expert's calendar too."""
    parts = [part for start, end in busy for part in ((start, min(end, own[0])), (max(start, own[1]), end))]
    return [(start, end) for start, end in parts if start < end]


def during(availability: Availability, start: datetime, duration_minutes: int = SESSION_MINUTES) -> tuple[datetime, datetime]:
    """The time that a session claims of its partner: from the buffer before it to the buffer after it, in UTC."""
    start = _utc(start)
    return (
        start - availability.buffer_before_minutes * _MINUTE,
        start + (duration_minutes + availability.buffer_after_minutes) * _MINUTE,
    )


def next_free(
    partners: Mapping[UUID, tuple[Availability, Busy]],
    *,
    now: datetime,
    window: tuple[datetime, datetime],
    count: int = 3,
    duration_minutes: int = SESSION_MINUTES,
) -> dict[UUID, list[Slot]]:
    """The first open slots of each partner in the window, at most `count`, as `open_slots` gives them."""
    length = timedelta(minutes=duration_minutes)
    return {
        partner_id: [
            Slot(partner_id, start, start + length) for start in _first(availability, busy, now, window, count, duration_minutes)
        ]
        for partner_id, (availability, busy) in partners.items()
    }


def nearest(starts: Iterable[datetime], wanted: datetime, count: int = 3) -> list[datetime]:
    """The starts nearest to the wanted time, the nearest first; of two equally near, the earlier."""
    return nsmallest(count, starts, key=lambda start: (abs(start - wanted), start))


def _first(
    availability: Availability, busy: Busy, now: datetime, window: tuple[datetime, datetime], count: int, duration: int
) -> list[datetime]:
    """Looks week by week, since most partners are free in the first."""
    found: list[datetime] = []
    begin, end = max(window[0], now), window[1]
    while begin < end and len(found) < count:
        until = min(begin + timedelta(days=7), end)
        found += open_slots(availability, busy, now=now, window=(begin, until), duration_minutes=duration)
        begin = until
    return found[:count]


def _starts(availability: Availability, busy: Busy, now: datetime, window: tuple[datetime, datetime], duration: int) -> list[int]:
    """One sweep over the partner's hours and the times at which no session may start, both in order."""
    grid = availability.grid_minutes
    earliest = max(_up(window[0]), _up(now) + availability.notice_hours * 60)
    latest = min(_up(window[1]), _up(now) + availability.horizon_days * DAY)  # excluded
    closed = _closed(availability, busy, duration)
    at, last = 0, len(closed)
    starts: list[int] = []
    for first, end in _runs(availability, earliest, latest, duration):
        start, stop = first + _round_up(max(earliest - first, 0), grid), min(end, latest)
        while start < stop:
            while at < last and closed[at][1] <= start:
                at += 1
            if at < last and closed[at][0] < start:
                start += _round_up(closed[at][1] - start, grid)
            else:
                until = min(closed[at][0] + 1, stop) if at < last else stop
                starts.extend(range(start, until, grid))
                start += _round_up(until - start, grid)
    return starts


def _closed(availability: Availability, busy: Busy, duration: int) -> list[tuple[int, int]]:
    """The open intervals in which no session may start, so that none overlaps a busy time with its buffers; in order."""
    before, after = availability.buffer_before_minutes, availability.buffer_after_minutes
    return sorted((_down(start) - duration - after, _up(end) + before) for start, end in busy if start < end)


def _runs(availability: Availability, earliest: int, latest: int, duration: int) -> Iterator[tuple[int, int]]:
    """The hours in order as (first start on the grid, end of starts), where a session from each start fits into open hours."""
    grid = availability.grid_minutes
    weekly: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for hours in availability.weekly:
        weekly[hours.weekday].append((hours.start_minute, hours.end_minute))
    special = {entry.date.toordinal() - _EPOCH_DAY: entry.windows for entry in availability.exceptions}
    pieces = []
    for day in range((earliest - _FURTHEST) // DAY, (latest + duration + _FURTHEST) // DAY + 1):
        if windows := special.get(day, weekly[(day + 3) % 7]):  # 1 January 1970 was a Thursday
            for low, high, midnight, repeated in _stretches(availability.zone, day):
                for opening, closing in windows:
                    start, end = max(opening, low), min(closing, high)
                    if start < end:
                        pieces.append((midnight + start, midnight + end, midnight + _round_up(max(start, repeated), grid)))
    pieces.sort()
    reach = begins = 0  # the end of the unbroken hours that a piece belongs to: a session may cross midnight
    runs = []
    for start, end, first in reversed(pieces):
        reach = reach if end == begins else end
        begins = start
        runs.append((first, min(end, reach - duration + 1)))
    return reversed(runs)


@lru_cache(maxsize=16_384)
def _stretches(zone: str, day: int) -> tuple[tuple[int, int, int, int], ...]:
    """What a local day is made of: (from minute, to minute of its wall clock, UTC of minute 0, minute up to which it repeats).

    One stretch on an ordinary day, two where the clock is changed, none for a day that the zone skipped.
    """
    low, high = day * DAY - _FURTHEST, (day + 1) * DAY + _FURTHEST
    tz = ZoneInfo(zone)
    changes, offset = [low], _offset(tz, low)
    for probe in range(low + _PROBE, high + _PROBE, _PROBE):
        if (later := _offset(tz, probe)) != offset:
            changes.append(_change(tz, probe - _PROBE, probe))
            offset = later
    stretches = []
    seen = 0
    for begins, ends in zip(changes, [*changes[1:], high], strict=True):
        midnight = day * DAY - _offset(tz, begins)
        start, end = max(begins - midnight, 0), min(ends - midnight, DAY)
        if start < end:
            stretches.append((start, end, midnight, seen))
            seen = max(seen, end)
    return tuple(stretches)


def _change(tz: ZoneInfo, before: int, after: int) -> int:
    """The first minute with the new offset; the offset changes once between the two."""
    old = _offset(tz, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(tz, middle) == old else (before, middle)
    return after


def _offset(tz: ZoneInfo, minute: int) -> int:
    """Minutes by which the zone's wall clock is ahead of UTC."""
    ahead = (_EPOCH + minute * _MINUTE).astimezone(tz).utcoffset()
    return (ahead or timedelta()) // _MINUTE


def _utc(instant: datetime) -> datetime:
    """The same instant in UTC; a naive time raises TypeError and is not taken for the machine's."""
    return _EPOCH + (instant - _EPOCH)


def _down(instant: datetime) -> int:
    return (instant - _EPOCH) // _MINUTE


def _up(instant: datetime) -> int:
    return -((_EPOCH - instant) // _MINUTE)


def _round_up(minutes: int, grid: int) -> int:
    return -(-minutes // grid) * grid
