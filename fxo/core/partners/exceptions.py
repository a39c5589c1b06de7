"""Single days that differ from a partner's week: away, free besides the week, and as usual again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from fxo.core.errors import Invalid
from fxo.core.partners.availability import DAY, Availability, DayException

Hours = tuple[int, int]
"""Start and end in minutes after midnight, the end excluded."""


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
