"""Open slots: the rules by name, the odd zones, and agreement with a slow implementation that is obviously right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxo.core.consultations.slots import Busy, Slot, during, is_open, nearest, next_free, open_slots, open_slots_of, without
from fxo.core.partners.availability import Availability, DayException, Window

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
ANN, BOB = UUID(int=1), UUID(int=2)


def hours(*windows: tuple[int, int, int], zone: str = "UTC", **rules: object) -> Availability:
    """Weekly hours as (weekday, start hour, end hour), hourly starts, without buffers and notice unless said otherwise."""
    weekly = tuple(Window(weekday, start * 60, end * 60) for weekday, start, end in windows)
    plain = {"buffer_after_minutes": 0, "notice_hours": 0, "horizon_days": 366, "grid_minutes": 60, "weekly": weekly}
    return Availability(zone=zone, **{**plain, **rules})  # type: ignore[arg-type]


def every_day(start: int, end: int, zone: str = "UTC", **rules: object) -> Availability:
    return hours(*((weekday, start, end) for weekday in range(7)), zone=zone, **rules)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(
    availability: Availability, first: str, last: str, *busy: tuple[str, str], now: str = "", minutes: int = 60
) -> list[str]:
    """The open starts from the first day to the last, as "dd hh:mm" in UTC."""
    window = (utc(first), utc(last) + DAY)
    taken = [(utc(start), utc(end)) for start, end in busy]
    starts = open_slots(availability, taken, now=utc(now or first), window=window, duration_minutes=minutes)
    return [f"{start:%d %H:%M}" for start in starts]


# --- hours ---


def test_a_session_fits_wholly_into_the_hours() -> None:
    assert shown(hours((0, 9, 12)), "2026-05-04", "2026-05-10") == ["04 09:00", "04 10:00", "04 11:00"]
    assert shown(hours((0, 9, 12)), "2026-05-04", "2026-05-10", minutes=90) == ["04 09:00", "04 10:00"]


def test_starts_lie_on_the_grid_of_the_wall_clock_and_not_of_the_window() -> None:
    odd = hours(weekly=(Window(0, 9 * 60 + 10, 11 * 60),), grid_minutes=30)
    assert shown(odd, "2026-05-04", "2026-05-04") == ["04 09:30", "04 10:00"]


def test_adjacent_windows_are_one_and_a_gap_parts_them() -> None:
    assert shown(hours((0, 9, 10), (0, 10, 11)), "2026-05-04", "2026-05-04", minutes=120) == ["04 09:00"]
    assert shown(hours((0, 9, 10), (0, 11, 12)), "2026-05-04", "2026-05-04", minutes=120) == []


def test_a_slot_may_cross_local_midnight() -> None:
    late = hours((0, 22, 24), (1, 0, 1), grid_minutes=30)
    assert shown(late, "2026-05-04", "2026-05-05") == ["04 22:00", "04 22:30", "04 23:00", "04 23:30", "05 00:00"]


def test_a_slot_may_cross_from_sunday_into_monday() -> None:
    assert shown(hours((6, 23, 24), (0, 0, 1)), "2026-05-10", "2026-05-11", minutes=120) == ["10 23:00"]


def test_an_exception_replaces_the_hours_of_its_local_day() -> None:
    rules = every_day(9, 11, exceptions=(DayException(date(2026, 5, 5)), DayException(date(2026, 5, 6), ((840, 900),))))
    assert shown(rules, "2026-05-04", "2026-05-06") == ["04 09:00", "04 10:00", "06 14:00"]


def test_an_exception_may_open_a_day_that_is_otherwise_closed() -> None:
    assert shown(hours(exceptions=(DayException(date(2026, 5, 9), ((600, 660),)),)), "2026-05-04", "2026-05-10") == ["09 10:00"]


def test_a_partner_without_hours_has_no_slots() -> None:
    assert shown(hours(), "2026-05-04", "2026-05-10") == []


# --- busy times and buffers ---


def test_what_is_busy_is_not_offered_and_touching_is_not_overlapping() -> None:
    busy = ("2026-05-04T10:00", "2026-05-04T11:00")
    assert shown(hours((0, 9, 13)), "2026-05-04", "2026-05-04", busy) == ["04 09:00", "04 11:00", "04 12:00"]


def test_buffers_keep_their_distance_from_busy_times_but_may_lie_outside_the_hours() -> None:
    rules = hours((0, 9, 14), grid_minutes=15, buffer_before_minutes=15, buffer_after_minutes=30)
    busy = ("2026-05-04T10:30", "2026-05-04T11:30")
    assert shown(rules, "2026-05-04", "2026-05-04", busy) == [
        "04 09:00", "04 11:45", "04 12:00", "04 12:15", "04 12:30", "04 12:45", "04 13:00",
    ]  # fmt: skip


def test_a_busy_time_of_seconds_takes_the_slots_that_it_touches() -> None:
    assert shown(hours((0, 9, 11)), "2026-05-04", "2026-05-04", ("2026-05-04T09:59:59", "2026-05-04T10:00:00")) == ["04 10:00"]
    assert shown(hours((0, 9, 11)), "2026-05-04", "2026-05-04", ("2026-05-04T10:00:00", "2026-05-04T10:00:01")) == ["04 09:00"]


def test_an_empty_busy_time_takes_nothing() -> None:
    assert shown(hours((0, 9, 10)), "2026-05-04", "2026-05-04", ("2026-05-04T09:30", "2026-05-04T09:30")) == ["04 09:00"]


def test_busy_times_may_overlap_and_come_in_any_order() -> None:
    busy = [
        ("2026-05-04T12:30", "2026-05-04T13:00"),
        ("2026-05-04T09:00", "2026-05-04T12:00"),
        ("2026-05-04T10:00", "2026-05-04T10:30"),
    ]
    assert shown(hours((0, 9, 15)), "2026-05-04", "2026-05-04", *busy) == ["04 13:00", "04 14:00"]


def test_a_claim_covers_the_session_and_its_buffers() -> None:
    rules = hours(buffer_before_minutes=10, buffer_after_minutes=20)
    assert during(rules, utc("2026-05-04T09:00")) == (utc("2026-05-04T08:50"), utc("2026-05-04T10:20"))
    berlin = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert during(rules, berlin, 90) == (utc("2026-10-25T00:20"), utc("2026-10-25T02:20"))


# --- notice and horizon ---


def test_the_notice_is_elapsed_time_and_exactly_enough_is_enough() -> None:
    rules = hours((0, 9, 12), notice_hours=2)
    assert shown(rules, "2026-05-04", "2026-05-04", now="2026-05-04T08:00") == ["04 10:00", "04 11:00"]
    assert shown(rules, "2026-05-04", "2026-05-04", now="2026-05-04T08:00:01") == ["04 11:00"]


def test_the_notice_counts_the_hour_that_spring_takes_away() -> None:
    rules = every_day(8, 12, "Europe/Berlin", notice_hours=12)
    now = datetime(2026, 3, 28, 21, 30, tzinfo=ZoneInfo("Europe/Berlin"))  # 12 hours later the clock shows 10:30
    starts = open_slots(rules, [], now=now, window=(now, now + DAY))
    assert [f"{start.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" for start in starts] == ["11:00"]


def test_nothing_starts_at_the_horizon_or_after() -> None:
    rules = every_day(9, 11, horizon_days=1)
    assert shown(rules, "2026-05-04", "2026-05-07", now="2026-05-04T10:00") == ["04 10:00", "05 09:00"]
    assert shown(rules, "2026-05-04", "2026-05-07", now="2026-05-04T10:00:01") == ["05 09:00", "05 10:00"]


def test_the_window_holds_its_start_and_not_its_end() -> None:
    window = (utc("2026-05-04T10:00"), utc("2026-05-04T12:00"))
    assert open_slots(hours((0, 9, 14)), [], now=utc("2026-05-01"), window=window) == [window[0], window[0] + HOUR]


def test_a_session_may_end_beyond_the_window_but_not_in_a_busy_time_there() -> None:
    start = utc("2026-05-04T10:00")
    window, busy = (start, start + MINUTE), [(start + 30 * MINUTE, start + HOUR)]
    assert open_slots(hours((0, 9, 14)), [], now=utc("2026-05-01"), window=window) == [start]
    assert open_slots(hours((0, 9, 14)), busy, now=utc("2026-05-01"), window=window) == []


def test_a_naive_time_is_refused() -> None:
    naive = datetime(2026, 5, 4, 9)  # noqa: DTZ001
    with pytest.raises(TypeError):
        is_open(hours((0, 9, 12)), [], start=naive, now=utc("2026-05-01"))
    with pytest.raises(TypeError):
        during(hours(), naive)


# --- daylight saving and odd zones (hard cases 13 and 14) ---


def test_in_spring_a_missing_wall_time_in_berlin_gives_no_slot() -> None:
    night = every_day(1, 5, "Europe/Berlin", grid_minutes=30)
    assert shown(night, "2026-03-29", "2026-03-29") == [
        "29 00:00", "29 00:30", "29 01:00", "29 01:30", "29 02:00", "29 23:00", "29 23:30",
    ]  # fmt: skip


def test_a_session_over_the_missing_hour_lasts_sixty_elapsed_minutes() -> None:
    night = hours((6, 1, 4), zone="Europe/Berlin", grid_minutes=30)
    assert shown(night, "2026-03-29", "2026-03-29") == ["29 00:00", "29 00:30", "29 01:00"]  # 01:00, 01:30 and 03:00 there


def test_hours_wholly_inside_the_missing_hour_have_no_slot() -> None:
    assert shown(hours((6, 2, 3), zone="Europe/Berlin"), "2026-03-29", "2026-03-29") == []


def test_in_autumn_a_repeated_wall_time_in_berlin_gives_one_slot_the_first() -> None:
    night = hours((6, 1, 4), zone="Europe/Berlin")
    assert shown(night, "2026-10-24", "2026-10-25") == ["24 23:00", "25 00:00", "25 02:00"]  # 01:00, 02:00 (summer), 03:00


def test_a_session_may_run_through_the_repeated_hour() -> None:
    assert shown(hours((6, 1, 3), zone="Europe/Berlin"), "2026-10-24", "2026-10-25", minutes=180) == ["24 23:00"]


def test_new_york_changes_on_its_own_days() -> None:
    night = hours((6, 0, 4), zone="America/New_York")
    assert shown(night, "2026-03-08", "2026-03-08") == ["08 05:00", "08 06:00", "08 07:00"]  # 00:00, 01:00, 03:00
    assert shown(night, "2026-11-01", "2026-11-01") == [
        "01 04:00",
        "01 05:00",
        "01 07:00",
        "01 08:00",
    ]  # 00:00, 01:00, 02:00, 03:00


def test_lord_howe_changes_by_half_an_hour() -> None:
    night = hours((6, 1, 4), zone="Australia/Lord_Howe", grid_minutes=30)
    # Spring: 02:00 becomes 02:30. Starts 01:00, 01:30, 02:30, 03:00.
    assert shown(night, "2027-10-02", "2027-10-02") == ["02 14:30", "02 15:00", "02 15:30", "02 16:00"]
    # Autumn: 02:00 becomes 01:30. Starts 01:00, 01:30 (the first), 02:00, 02:30, 03:00.
    assert shown(night, "2027-04-03", "2027-04-03") == ["03 14:00", "03 14:30", "03 15:30", "03 16:00", "03 16:30"]


def test_kathmandu_is_five_hours_and_three_quarters_ahead() -> None:
    assert shown(hours((0, 9, 11), zone="Asia/Kathmandu"), "2026-05-04", "2026-05-04") == ["04 03:15", "04 04:15"]


def test_apia_skipped_a_whole_day_at_the_date_line() -> None:
    daily = every_day(9, 10, "Pacific/Apia")
    assert shown(daily, "2011-12-28", "2011-12-31") == ["28 19:00", "29 19:00", "30 19:00", "31 19:00"]
    friday = hours((4, 9, 10), zone="Pacific/Apia")  # 30 December 2011 was a Friday, and never came
    assert shown(friday, "2011-12-28", "2012-01-04") == []
    through = hours((3, 22, 24), (5, 0, 2), zone="Pacific/Apia")  # from Thursday's last hour straight into Saturday
    assert shown(through, "2011-12-30", "2011-12-30", minutes=180) == ["30 08:00", "30 09:00"]


def test_a_clock_that_goes_back_over_midnight_shows_each_time_once() -> None:
    # Cuba's clock went from 01:00 back to 00:00 on 1 November 2026; Paraguay's from 24:00 back to 23:00 on 24 March 2024.
    assert shown(hours((6, 0, 2), zone="America/Havana"), "2026-11-01", "2026-11-01") == ["01 04:00", "01 06:00"]
    late = hours((5, 22, 24), (6, 0, 1), zone="America/Asuncion")
    assert shown(late, "2024-03-24", "2024-03-24") == ["24 01:00", "24 02:00", "24 04:00"]


def test_a_clock_that_goes_back_into_yesterday_keeps_the_order() -> None:
    # Newfoundland's clock went from 00:01 on 7 November 2010 back to 23:01 on the 6th.
    late = every_day(0, 24, "America/St_Johns")
    assert shown(late, "2010-11-07", "2010-11-07")[:4] == ["07 00:30", "07 01:30", "07 02:30", "07 04:30"]
    saturday = hours((5, 23, 24), zone="America/St_Johns")  # two hours on that day, with a minute of Sunday between them
    assert shown(saturday, "2010-11-07", "2010-11-07") == ["07 01:30"]
    assert shown(saturday, "2010-11-07", "2010-11-07", minutes=90) == []


def test_kiritimati_and_baker_island_are_a_day_apart() -> None:
    assert shown(hours((0, 0, 1), zone="Pacific/Kiritimati"), "2026-05-01", "2026-05-06") == ["03 10:00"]
    assert shown(hours((0, 23, 24), zone="Etc/GMT+12"), "2026-05-01", "2026-05-06") == ["05 11:00"]


# --- many partners, the nearest, the next ---


def test_each_partner_has_a_list_even_an_empty_one() -> None:
    window = (utc("2026-05-04"), utc("2026-05-05"))
    found = open_slots_of({ANN: (hours((0, 9, 10)), []), BOB: (hours(), [])}, now=window[0], window=window)
    assert found == {ANN: [utc("2026-05-04T09:00")], BOB: []}


def test_the_nearest_starts_come_first_and_the_earlier_of_two() -> None:
    noon = utc("2026-05-04T12:00")
    starts = [noon - 5 * HOUR, noon - HOUR, noon + HOUR, noon + 3 * HOUR]
    assert nearest(starts, noon) == [noon - HOUR, noon + HOUR, noon + 3 * HOUR]
    assert nearest(starts, noon, 1) == [noon - HOUR]
    assert nearest([], noon) == []


def test_the_next_free_slots_are_the_first_open_ones_of_each_partner() -> None:
    now = utc("2026-05-04T09:30")
    rare = hours(exceptions=(DayException(date(2026, 6, 20), ((600, 720),)),))
    partners: dict[UUID, tuple[Availability, Busy]] = {ANN: (hours((0, 9, 11)), []), BOB: (rare, [])}
    found = next_free(partners, now=now, window=(now - 30 * DAY, now + 60 * DAY), count=3)
    assert [slot.start for slot in found[ANN]] == [utc("2026-05-04T10:00"), utc("2026-05-11T09:00"), utc("2026-05-11T10:00")]
    assert found[BOB] == [
        Slot(BOB, utc("2026-06-20T10:00"), utc("2026-06-20T11:00")),
        Slot(BOB, utc("2026-06-20T11:00"), utc("2026-06-20T12:00")),
    ]
    assert next_free(partners, now=now, window=(now, now + HOUR), count=3)[BOB] == []


# --- against a slow implementation that is obviously right ---

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Chatham",
    "America/Havana", "America/Asuncion", "America/St_Johns", "Africa/Casablanca", "Asia/Tehran",
)  # fmt: skip
CHANGES = (
    "2010-11-06", "2011-12-29", "2024-03-23", "2026-03-08", "2026-03-28", "2026-06-15", "2026-10-24", "2026-11-01",
    "2027-04-03", "2027-10-02",
)  # fmt: skip


def reference(
    availability: Availability, busy: Busy, *, now: datetime, window: tuple[datetime, datetime], duration_minutes: int
) -> list[datetime]:
    """Asks of each minute of the window everything that the rules say, by the clock that the zone shows then."""
    zone = ZoneInfo(availability.zone)

    def works(instant: datetime) -> bool:
        local = instant.astimezone(zone)
        minute = local.hour * 60 + local.minute
        for entry in availability.exceptions:
            if entry.date == local.date():
                return any(start <= minute < end for start, end in entry.windows)
        return any(w.weekday == local.weekday() and w.start_minute <= minute < w.end_minute for w in availability.weekly)

    def fits(start: datetime) -> bool:
        local = start.astimezone(zone)
        if (local.hour * 60 + local.minute) % availability.grid_minutes or local.fold:
            return False
        if start < now + availability.notice_hours * HOUR or start >= now + availability.horizon_days * DAY:
            return False
        claim = (
            start - availability.buffer_before_minutes * MINUTE,
            start + (duration_minutes + availability.buffer_after_minutes) * MINUTE,
        )
        if any(begin < claim[1] and claim[0] < end for begin, end in busy if begin < end):
            return False
        return all(works(start + elapsed * MINUTE) for elapsed in range(duration_minutes))

    first = window[0].replace(second=0, microsecond=0)
    minutes = (first + elapsed * MINUTE for elapsed in range(int((window[1] - first) / MINUTE) + 1))
    return [minute for minute in minutes if window[0] <= minute < window[1] and fits(minute)]


Situation: TypeAlias = tuple[Availability, list[tuple[datetime, datetime]], datetime, tuple[datetime, datetime], int]


@st.composite
def day_hours(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Up to three windows of one day that do not overlap; often they touch each other or midnight."""
    edges = draw(
        st.lists(st.sampled_from([0, 0, 30, 75, 120, 180, 540, 720, 1_200, 1_320, 1_410, 1_440]), max_size=6, unique=True)
    )
    edges = sorted(edges)
    if draw(st.booleans()):
        return tuple(pairwise(edges))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    begins = utc(draw(st.sampled_from(CHANGES))) + draw(st.integers(0, 2_880)) * MINUTE
    days = st.integers(0, 3).map(lambda day: (begins + day * DAY).date())
    availability = Availability(
        zone=draw(st.sampled_from(ZONES)),
        weekly=tuple(Window(weekday, *hours) for weekday in range(7) for hours in draw(day_hours())),
        exceptions=tuple(DayException(day, draw(day_hours())) for day in draw(st.lists(days, max_size=2, unique=True))),
        buffer_before_minutes=draw(st.sampled_from([0, 5, 10, 60])),
        buffer_after_minutes=draw(st.sampled_from([0, 15, 45])),
        notice_hours=draw(st.sampled_from([0, 1, 23])),
        horizon_days=draw(st.sampled_from([1, 2, 60])),
        grid_minutes=draw(st.sampled_from([15, 20, 30, 60, 120])),
    )
    seconds = st.integers(-7_200, 3 * 86_400)
    starts = draw(st.lists(seconds | seconds.map(lambda second: second // 900 * 900), max_size=8))
    busy = [(begins + timedelta(seconds=at), begins + timedelta(seconds=at + draw(st.integers(0, 14_400)))) for at in starts]
    now = begins - draw(st.sampled_from([0, 1, 59, 3_600, 90_000, 1_000_000])) * timedelta(seconds=1)
    window = (begins, begins + draw(st.integers(0, 2_900)) * MINUTE)
    return availability, busy, now, window, draw(st.sampled_from([30, 60, 90, 180]))


@settings(max_examples=150)
@given(situations())
def test_open_slots_are_those_that_a_slow_and_obvious_search_finds(
    situation: Situation,
) -> None:
    availability, busy, now, window, duration = situation
    expected = reference(availability, busy, now=now, window=window, duration_minutes=duration)
    assert open_slots(availability, busy, now=now, window=window, duration_minutes=duration) == expected


@settings(max_examples=60)
@given(situations())
def test_a_start_is_open_exactly_where_it_is_shown(
    situation: Situation,
) -> None:
    availability, busy, now, (begins, _), duration = situation
    window = (begins, begins + DAY)
    starts = open_slots(availability, busy, now=now, window=window, duration_minutes=duration)
    candidates = [begins.replace(second=0) + minute * MINUTE for minute in range(0, 1_440, 5)] + starts
    for start in candidates:
        is_shown = start in starts
        assert is_open(availability, busy, start=start, now=now, duration_minutes=duration) == is_shown
        assert not is_open(availability, busy, start=start + timedelta(seconds=1), now=now, duration_minutes=duration)


@settings(max_examples=100)
@given(situations())
def test_every_open_slot_keeps_to_the_rules(
    situation: Situation,
) -> None:
    availability, busy, now, window, duration = situation
    starts = open_slots(availability, busy, now=now, window=window, duration_minutes=duration)
    assert starts == sorted(set(starts))
    for start in starts:
        assert window[0] <= start < window[1]
        assert now + availability.notice_hours * HOUR <= start < now + availability.horizon_days * DAY
        claimed = during(availability, start, duration)
        assert not overlapping(claimed, busy)
        assert start not in open_slots(availability, [*busy, claimed], now=now, window=window, duration_minutes=duration)


@settings(max_examples=60)
@given(situations(), st.integers(1, 12))
def test_the_next_free_slots_are_a_prefix_of_the_open_ones(situation: Situation, count: int) -> None:
    availability, busy, now, (begins, _), duration = situation
    window = (begins, begins + 25 * DAY)
    starts = open_slots(availability, busy, now=now, window=window, duration_minutes=duration)
    found = next_free({ANN: (availability, busy)}, now=now, window=window, count=count, duration_minutes=duration)
    assert found == {ANN: [Slot(ANN, start, start + duration * MINUTE) for start in starts[:count]]}


def overlapping(claimed: tuple[datetime, datetime], busy: Sequence[tuple[datetime, datetime]]) -> bool:
    return any(start < claimed[1] and claimed[0] < end for start, end in busy if start < end)


def test_a_session_that_is_to_move_is_not_in_its_own_way_and_nothing_else_is_free_for_that() -> None:
    own = utc("2026-05-04 10:00"), utc("2026-05-04 11:00")
    before, after = (utc("2026-05-04 08:00"), utc("2026-05-04 09:00")), (utc("2026-05-04 12:00"), utc("2026-05-04 13:00"))
    assert without([before, own, after], own) == [before, after]
    merged = [(utc("2026-05-04 09:30"), utc("2026-05-04 11:30"))]
    assert without(merged, own) == [(utc("2026-05-04 09:30"), own[0]), (own[1], utc("2026-05-04 11:30"))]
    assert without([], own) == []
