"""Days that differ from a partner's week, one or a range: away, free besides the week, and as usual again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fxo.core.errors import Invalid
from fxo.core.partners.availability import DAY, Availability, DayException

Hours = tuple[int, int]
"""Start and end in minutes after midnight, the end excluded."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row that differ alike; `hours` are what is open on each of them, nothing for days off."""

    first: date
    last: date
    hours: tuple[Hours, ...]


def away(week: Availability, day: date, hours: Hours | None = None) -> Availability:
    """Not bookable on this day, or only not within these hours."""
    if hours is None:
        return _with(week, day, ())
    start, end = _checked(hours)
    left = [
        part
        for window in hours_on(week, day)
        for part in ((window[0], min(window[1], start)), (max(window[0], end), window[1]))
        if part[0] < part[1]
    ]
    return _with(week, day, left)


def also(week: Availability, day: date, hours: Hours) -> Availability:
    """Bookable within these hours too, besides what the day offers already."""
    return _with(week, day, [*hours_on(week, day), _checked(hours)])


def as_usual(week: Availability, day: date) -> Availability:
    """The day has its weekly hours again."""
    return replace(week, exceptions=tuple(one for one in week.exceptions if one.date != day))


def away_between(week: Availability, first: date, last: date) -> Availability:
    """Not bookable on any day from the first to the last."""
    off = tuple(DayException(day) for day in _days(first, last) if weekly_hours(week, day))
    return replace(as_usual_between(week, first, last), exceptions=(*_outside(week, first, last), *off))


def as_usual_between(week: Availability, first: date, last: date) -> Availability:
    """Every day from the first to the last has its weekly hours again."""
    return replace(week, exceptions=_outside(week, first, last))


def spans(week: Availability, since: date) -> list[Span]:
    """The exceptions from that day on, days off in a row as one; a day that is off every week does not interrupt a holiday."""
    found: list[Span] = []
    for one in week.exceptions:
        if one.date < since:
            continue
        if found and not one.windows and not found[-1].hours and _nothing_between(week, found[-1].last, one.date):
            found[-1] = replace(found[-1], last=one.date)
        else:
            found.append(Span(one.date, one.date, one.windows))
    return found


def _nothing_between(week: Availability, before: date, after: date) -> bool:
    return (after - before).days <= 7 and not any(hours_on(week, day) for day in _days(before, after))


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _outside(week: Availability, first: date, last: date) -> tuple[DayException, ...]:
    return tuple(one for one in week.exceptions if not first <= one.date <= last)


def hours_on(week: Availability, day: date) -> tuple[Hours, ...]:
    """The hours of this day: its own, or those of its weekday."""
    own = [one.windows for one in week.exceptions if one.date == day]
    return own[0] if own else weekly_hours(week, day)


def weekly_hours(week: Availability, day: date) -> tuple[Hours, ...]:
    """The hours of this day's weekday."""
    return tuple((window.start_minute, window.end_minute) for window in week.weekly if window.weekday == day.weekday())


def minutes(hours: Iterable[Hours]) -> int:
    """How long these hours are together."""
    return sum(end - start for start, end in hours)


def _checked(hours: Hours) -> Hours:
    if not 0 <= hours[0] < hours[1] <= DAY:
        raise Invalid("Please let the hours end after they start, on the same day.", field="exception")
    return hours


def _with(week: Availability, day: date, hours: Iterable[Hours]) -> Availability:
    joined: list[Hours] = []
    for start, end in sorted(hours):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    usual = as_usual(week, day)
    if tuple(joined) == weekly_hours(week, day):
        return usual
    return replace(usual, exceptions=(*usual.exceptions, DayException(day, tuple(joined))))
