"""Days that differ from the week: given a week, when a day is changed, then these are its hours."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxo.core.errors import Invalid
from fxo.core.partners import exceptions
from fxo.core.partners.availability import DAY, Availability, DayException, Window

MONDAY = date(2026, 12, 21)
WEEK = Availability(zone="Europe/Berlin", weekly=(Window(0, 540, 720), Window(0, 780, 1020), Window(1, 540, 1020)))
windows = st.tuples(st.integers(0, DAY - 1), st.integers(1, DAY)).filter(lambda pair: pair[0] < pair[1])


def test_a_day_off_has_no_hours() -> None:
    assert exceptions.away(WEEK, MONDAY).exceptions == (DayException(MONDAY),)


def test_hours_away_are_cut_out_of_the_day() -> None:
    week = exceptions.away(WEEK, MONDAY, (600, 840))
    assert exceptions.hours_on(week, MONDAY) == ((540, 600), (840, 1020))


def test_further_hours_are_joined_with_those_they_touch() -> None:
    week = exceptions.also(WEEK, MONDAY, (1020, 1080))
    assert exceptions.hours_on(week, MONDAY) == ((540, 720), (780, 1080))


def test_changes_of_one_day_add_up() -> None:
    week = exceptions.also(exceptions.away(WEEK, MONDAY), MONDAY, (600, 660))
    assert exceptions.hours_on(week, MONDAY) == ((600, 660),)


def test_a_day_that_is_as_its_weekday_is_no_exception() -> None:
    week = exceptions.also(exceptions.away(WEEK, MONDAY, (540, 600)), MONDAY, (540, 600))
    assert week == WEEK


def test_a_day_is_as_usual_again_and_others_stay() -> None:
    other = date(2026, 12, 28)
    week = exceptions.away(exceptions.away(WEEK, MONDAY), other)
    assert exceptions.as_usual(week, MONDAY).exceptions == (DayException(other),)


@pytest.mark.parametrize("hours", [(600, 600), (700, 600), (-10, 60), (0, DAY + 1)])
def test_hours_that_end_before_they_start_are_refused(hours: tuple[int, int]) -> None:
    for change in (exceptions.away, exceptions.also):
        with pytest.raises(Invalid):
            change(WEEK, MONDAY, hours)


@given(st.lists(st.tuples(st.booleans(), windows), max_size=6))
def test_the_hours_are_what_a_minute_by_minute_count_says(changes: list[tuple[bool, tuple[int, int]]]) -> None:
    week = WEEK
    open_minutes = {minute for start, end in exceptions.weekly_hours(WEEK, MONDAY) for minute in range(start, end)}
    for free, hours in changes:
        week = (exceptions.also if free else exceptions.away)(week, MONDAY, hours)
        open_minutes = open_minutes | set(range(*hours)) if free else open_minutes - set(range(*hours))
    found = exceptions.hours_on(week, MONDAY)
    assert {minute for start, end in found for minute in range(start, end)} == open_minutes
    assert exceptions.minutes(found) == len(open_minutes)
