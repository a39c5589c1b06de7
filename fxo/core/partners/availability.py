"""When a partner can be booked: weekly hours in the partner's own wall time, days that differ, buffers, notice and horizon."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from fxo.core.errors import Invalid
from fxo.core.zones import zone_names

DAY = 1_440
"""Minutes in a day on the wall clock."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# What each number may be. A partner's rules are data from a form or a file, so an absurd one is refused and not obeyed.
_LIMITS = {
    "buffer_before_minutes": (0, 240),
    "buffer_after_minutes": (0, 240),
    "notice_hours": (0, 720),
    "horizon_days": (1, 366),
    "grid_minutes": (5, 240),
}
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Hours on one weekday (0 is Monday) in minutes after midnight, the end excluded; 1,440 is midnight at the end of the day.

    A window past midnight is two windows; a session may run from the first into the second.
    """

    weekday: int
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True, order=True)
class DayException:
    """A local date with its own hours in place of the weekly ones, as (start, end) minutes; without any it is a day off."""

    date: date
    windows: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The rules by which a partner's slots are computed (`fxo.core.consultations.slots`).

    Hours are wall time in `zone`, an IANA name; notice and horizon are elapsed time; slots start where the wall clock shows a
    multiple of `grid_minutes`. Windows and exceptions are kept in order, so that equal rules are equal values.
    Raises `Invalid`, naming the field and how to mend it.
    """

    zone: str
    weekly: tuple[Window, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 15
    notice_hours: int = 12
    horizon_days: int = 60
    grid_minutes: int = 30
    instant: bool = True
    """False: a booking is a request that the partner confirms."""

    def __post_init__(self) -> None:
        _check_zone(self.zone)
        for name, (low, high) in _LIMITS.items():
            _check_number(name, getattr(self, name), low, high)
        if DAY % self.grid_minutes:
            raise Invalid(
                "Starts repeat every day: choose a grid that divides a day, such as 15, 30 or 60.", field="grid_minutes"
            )
        if self.notice_hours >= 24 * self.horizon_days:
            raise Invalid("Nobody could ever book: the notice must be shorter than the horizon.", field="notice_hours")
        if not isinstance(self.instant, bool):
            raise Invalid("Say true for instant booking, or false to confirm each request.", field="instant")
        for window in self.weekly:
            _check_weekday(window.weekday)
        object.__setattr__(self, "weekly", tuple(sorted(self.weekly)))
        ordered = (DayException(day.date, tuple(sorted(day.windows))) for day in self.exceptions)
        object.__setattr__(self, "exceptions", tuple(sorted(ordered)))
        for weekday, name in enumerate(WEEKDAYS):
            _check_hours("weekly", name, [(w.start_minute, w.end_minute) for w in self.weekly if w.weekday == weekday])
        for day in self.exceptions:
            _check_hours("exceptions", str(day.date), day.windows)
        for one, other in pairwise(self.exceptions):
            if one.date == other.date:
                raise Invalid("%(day)s is listed twice: put all its hours into one entry.", field="exceptions", day=one.date)

    def to_data(self) -> dict[str, Any]:
        """The rules as JSON data: times as "09:00" (and "24:00"), dates as "2026-12-24"; `from_data` reads it back."""
        return asdict(self) | {
            "weekly": [{"weekday": w.weekday, **_times(w.start_minute, w.end_minute)} for w in self.weekly],
            "exceptions": [{"date": str(day.date), "windows": [_times(*w) for w in day.windows]} for day in self.exceptions],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Availability:
        """The rules that the JSON data spells; what is left out has its default, except the zone.

        Raises `Invalid`, naming the field and how to mend it.
        """
        known = [field.name for field in fields(cls)]
        for name in _object(data, "availability", "the rules"):
            if name not in known:
                raise Invalid(
                    "There is no rule called %(name)r. The rules are: %(known)s.",
                    field=str(name),
                    name=name,
                    known=", ".join(known),
                )
        return cls(
            **{
                "zone": "",
                **data,
                "weekly": tuple(_window(entry) for entry in _list(data.get("weekly", ()), "weekly", "weekly hours")),
                "exceptions": tuple(_exception(entry) for entry in _list(data.get("exceptions", ()), "exceptions", "exceptions")),
            }
        )


def _check_zone(zone: object) -> None:
    if isinstance(zone, str) and zone in zone_names():
        return
    near = get_close_matches(zone[:64], zone_names(), n=1) if isinstance(zone, str) else []
    given = str(zone)[:64]
    if near:
        raise Invalid("%(zone)r is not a time zone: did you mean %(near)s?", field="zone", zone=given, near=near[0])
    raise Invalid("%(zone)r is not a time zone: use an IANA name such as Europe/Berlin.", field="zone", zone=given)


def _check_number(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        label = name.replace("_", " ").capitalize()
        raise Invalid("%(label)s must be a whole number from %(low)s to %(high)s.", field=name, label=label, low=low, high=high)


def _check_weekday(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value not in range(7):
        raise Invalid("%(value)r is not a weekday: use 0 for Monday to 6 for Sunday.", field="weekly", value=value)


def _check_hours(field: str, day: str, windows: Sequence[tuple[int, int]]) -> None:
    for start, end in windows:
        if not 0 <= start < end <= DAY:
            raise Invalid(
                "%(day)s %(hours)s: hours end after they start, by 24:00; past midnight, add the rest to the next day.",
                field=field,
                day=day,
                hours=_hours(start, end),
            )
    for (start, end), (later, latest) in pairwise(windows):
        if later < end:
            raise Invalid(
                "%(day)s %(hours)s and %(others)s overlap: make them one, or change one of them.",
                field=field,
                day=day,
                hours=_hours(start, end),
                others=_hours(later, latest),
            )


def _window(entry: object) -> Window:
    found = _object(entry, "weekly", "each window")
    return Window(found.get("weekday", -1), *_minutes(found, "weekly"))


def _exception(entry: object) -> DayException:
    found = _object(entry, "exceptions", "each exception")
    try:
        day = date.fromisoformat(found["date"])
    except (KeyError, TypeError, ValueError):
        raise Invalid("%(value)r is not a date: write it as 2026-12-24.", field="exceptions", value=found.get("date")) from None
    windows = _list(found.get("windows", ()), "exceptions", "windows")
    return DayException(day, tuple(_minutes(_object(w, "exceptions", "each window"), "exceptions") for w in windows))


def _minutes(window: Mapping[str, Any], field: str) -> tuple[int, int]:
    return _minute(window.get("start"), field), _minute(window.get("end"), field)


def _minute(text: object, field: str) -> int:
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        raise Invalid(
            "%(value)r is not a time of day: write it as 09:00, with 24:00 for midnight at the end.", field=field, value=text
        )
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _object(value: object, field: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid("Write %(what)s as an object with named values.", field=field, what=what)
    return value


def _list(value: object, field: str, what: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise Invalid("Write %(what)s as a list.", field=field, what=what)
    return value


def _times(start: int, end: int) -> dict[str, str]:
    return {"start": _clock(start), "end": _clock(end)}


def _hours(start: int, end: int) -> str:
    return f"{_clock(start)}-{_clock(end)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
