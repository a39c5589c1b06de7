"""How much time a partner has offered, exceptions over ranges, and when the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fxo.core.partners import exceptions
from fxo.core.partners.availability import Availability, DayException, Window
from fxo.core.partners.daylight import Change, next_change
from fxo.core.partners.exceptions import Span
from fxo.core.partners.offered import offered_minutes

OFFICE = Availability(zone="UTC", weekly=tuple(Window(day, 9 * 60, 17 * 60) for day in range(5)))
MORNINGS = Availability(zone="UTC", weekly=tuple(Window(day, 9 * 60, 12 * 60) for day in range(5)))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(day: int, hour: int = 0, month: int = 6) -> datetime:
    """A moment of June 2026, which begins with a Monday."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_offered_hours_are_those_of_the_week_on_each_day() -> None:
    assert offered_minutes([(LONG_AGO, OFFICE)], at(1), at(8)) == 5 * 8 * 60
    assert offered_minutes([(LONG_AGO, OFFICE)], at(6), at(8)) == 0
    assert offered_minutes([], at(1), at(8)) == 0


def test_the_month_so_far_ends_now_and_not_with_the_day() -> None:
    assert offered_minutes([(LONG_AGO, OFFICE)], at(1, 10), at(1, 12)) == 120


def test_a_week_counts_from_when_it_was_set() -> None:
    assert offered_minutes([(at(3), OFFICE)], at(1), at(8)) == 3 * 8 * 60
    changed = [(LONG_AGO, OFFICE), (at(3), MORNINGS)]
    assert offered_minutes(changed, at(1), at(8)) == 2 * 8 * 60 + 3 * 3 * 60
    assert offered_minutes([(LONG_AGO, OFFICE), (at(20), MORNINGS)], at(1), at(8)) == 5 * 8 * 60


def test_days_off_and_extra_hours_count_as_they_are() -> None:
    unlike = (DayException(date(2026, 6, 2)), DayException(date(2026, 6, 6), ((600, 660),)))
    week = Availability(zone="UTC", weekly=OFFICE.weekly, exceptions=unlike)
    assert offered_minutes([(LONG_AGO, week)], at(1), at(8)) == 4 * 8 * 60 + 60


@pytest.mark.parametrize(("day", "minutes"), [(date(2026, 3, 29), 23 * 60), (date(2026, 10, 25), 25 * 60)])
def test_the_days_on_which_clocks_are_changed_are_as_long_as_they_are(day: date, minutes: int) -> None:
    always = Availability(zone="Europe/Berlin", weekly=tuple(Window(weekday, 0, 1_440) for weekday in range(7)))
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=2)
    assert offered_minutes([(LONG_AGO, always)], start, start + timedelta(hours=30)) == 30 * 60
    only = Availability(zone="Europe/Berlin", weekly=(Window(6, 0, 1_440),))
    assert offered_minutes([(LONG_AGO, only)], start, start + timedelta(days=3)) == minutes


# Holidays ------------------------------------------------------------------------------------------------------------


def test_a_holiday_takes_out_its_working_days_and_is_one_line() -> None:
    off = exceptions.away_between(OFFICE, date(2026, 12, 19), date(2027, 1, 3))
    assert [one.date.weekday() for one in off.exceptions] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert exceptions.spans(off, date(2026, 6, 1)) == [Span(date(2026, 12, 21), date(2027, 1, 1), ())]
    assert exceptions.as_usual_between(off, date(2026, 12, 21), date(2027, 1, 1)) == OFFICE


def test_a_day_of_work_between_two_days_off_is_no_holiday() -> None:
    off = exceptions.away(exceptions.away(OFFICE, date(2026, 6, 2)), date(2026, 6, 4))
    assert [span.first for span in exceptions.spans(off, date(2026, 6, 1))] == [date(2026, 6, 2), date(2026, 6, 4)]
    assert exceptions.spans(off, date(2026, 6, 3)) == [Span(date(2026, 6, 4), date(2026, 6, 4), ())]


def test_extra_hours_inside_a_holiday_stay_a_line_of_their_own() -> None:
    off = exceptions.away_between(OFFICE, date(2026, 6, 1), date(2026, 6, 5))
    week = exceptions.also(off, date(2026, 6, 3), (600, 660))
    assert [(s.first.day, s.last.day, s.hours) for s in exceptions.spans(week, date(2026, 6, 1))] == [
        (1, 2, ()), (3, 3, ((600, 660),)), (4, 5, ()),
    ]  # fmt: skip


def test_a_holiday_takes_the_place_of_what_was_said_of_its_days_before() -> None:
    week = exceptions.also(OFFICE, date(2026, 6, 6), (600, 660))
    assert exceptions.away_between(week, date(2026, 6, 6), date(2026, 6, 7)) == OFFICE


# Daylight saving -----------------------------------------------------------------------------------------------------


def test_the_next_change_of_clocks_is_known_to_the_minute() -> None:
    assert next_change("Europe/Berlin", at(1), 200) == Change(datetime(2026, 10, 25, 1, tzinfo=UTC), -60)
    assert next_change("America/New_York", at(1, month=1), 90) == Change(datetime(2026, 3, 8, 7, tzinfo=UTC), 60)
    assert next_change("Australia/Lord_Howe", at(1), 200) == Change(datetime(2026, 10, 3, 15, 30, tzinfo=UTC), 30)


def test_a_change_that_is_far_away_or_never_comes_is_none() -> None:
    assert next_change("Europe/Berlin", at(1), 60) is None
    assert next_change("Asia/Kolkata", at(1), 366) is None
