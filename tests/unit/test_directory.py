"""The directory over a roster in memory: who answers to what is wanted, in which order, and how many there would be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fxo.core.clients.favourites import FAVOURITES, MOST, Dropped, Kept, choose
from fxo.core.consultations.slots import Slot
from fxo.core.errors import Conflict
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.partners.availability import Availability
from fxo.core.partners.directory import Entry, Wanted, folded, relax, search, similar, trust, worth
from fxo.core.partners.overlap import hours_a_day
from fxo.core.partners.queries import Profile
from fxo.web.portal.times import offered
from tests.support.decisions import given

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def profile(name: str, **values: Any) -> Profile:
    usual: dict[str, Any] = {
        "slug": folded(name), "title": "", "headline": "", "bio": "", "roles": ("CIO",), "skills": (), "industries": (),
        "certifications": (), "cases": (), "languages": ("English",), "years": 10, "country": "", "zone": "UTC", "rating": None,
        "ratings": 0,
    }  # fmt: skip
    return Profile(id=new_id(), name=name, **usual | values)


def entry(name: str, *, price: int = 80_000, free: timedelta | None = None, shared: float | None = None, kept: bool = False,
          **values: Any) -> Entry:  # fmt: skip
    return Entry(profile(name, **values), Money(price, "USD"), NOW + free if free is not None else None, shared, kept)


ADA = entry(
    "Ada Łukowska", roles=("CISO",), skills=("ransomware recovery", "ISO 27001"), industries=("Healthcare",), years=21,
    languages=("English", "Polish"), rating=4.9, ratings=60, free=2 * HOUR, shared=6.0,
)  # fmt: skip
BO = entry(
    "Bo Åkerlund", skills=("ERP renewal", "ransomware recovery"), industries=("Manufacturing",),
    cases=("Rescued an SAP programme.",), rating=5.0, ratings=1, free=3 * DAY, shared=2.5, price=60_000,
)  # fmt: skip
CY = entry("Cy Zamora", roles=("CTO",), skills=("C++", "hiring"), industries=("Manufacturing", "Fintech"), years=30, kept=True)
ALL = (CY, BO, ADA)


def names(wanted: Wanted) -> list[str]:
    return [found.profile.name for found in search(ALL, wanted, NOW).entries]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(words="lukowska"), ["Ada Łukowska"]),
        (Wanted(words="AKER"), ["Bo Åkerlund"]),
        (Wanted(words="sap programme"), ["Bo Åkerlund"]),
        (Wanted(words="c++"), ["Cy Zamora"]),
        (Wanted(words="amora"), []),
        (Wanted(words="ransomware hiring"), []),
        (Wanted(words="...  !"), []),
        (Wanted(roles=("CISO", "CTO")), ["Ada Łukowska", "Cy Zamora"]),
        (Wanted(skills=("ransomware recovery",), industries=("Manufacturing",)), ["Bo Åkerlund"]),
        (Wanted(languages=("Polish",)), ["Ada Łukowska"]),
        (Wanted(overlap=4), ["Ada Łukowska"]),
        (Wanted(free="48h"), ["Ada Łukowska"]),
        (Wanted(free="week"), ["Ada Łukowska", "Bo Åkerlund"]),
        (Wanted(kept=True), ["Cy Zamora"]),
        (Wanted(roles=("Nobody's",)), []),
    ],
    ids=str,
)  # fmt: skip
def test_a_filter_lets_through_who_answers_to_it(wanted: Wanted, expected: list[str]) -> None:
    assert names(wanted) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("best", ["Ada", "Bo", "Cy"]),
        ("rating", ["Ada", "Bo", "Cy"]),
        ("sessions", ["Ada", "Bo", "Cy"]),
        ("experience", ["Cy", "Ada", "Bo"]),
        ("soonest", ["Ada", "Bo", "Cy"]),
        ("price", ["Bo", "Ada", "Cy"]),
        ("name", ["Ada", "Bo", "Cy"]),
    ],
)
def test_each_order_is_what_it_says(sort: str, expected: list[str]) -> None:
    assert [name.split()[0] for name in names(Wanted(sort=sort))] == expected


def test_one_five_star_session_is_not_better_than_sixty_of_nearly_five() -> None:
    assert trust(ADA.profile) > trust(BO.profile) > trust(CY.profile)


def test_a_word_in_a_skill_counts_more_than_one_in_a_biography() -> None:
    told = entry("Di", bio="Once saw ransomware recovery done.")
    assert worth(ADA.profile, "ransomware") > worth(told.profile, "ransomware") > 0
    assert [one.profile.name for one in search((told, ADA), Wanted(words="ransomware"), NOW).entries] == ["Ada Łukowska", "Di"]


def test_counts_say_how_many_there_would_be_with_that_value_and_all_other_filters() -> None:
    counts = search(ALL, Wanted(industries=("Manufacturing",)), NOW).counts
    assert counts["industries"] == {"Manufacturing": 2, "Healthcare": 1, "Fintech": 1}, "its own filter does not narrow it"
    assert counts["roles"] == {"CIO": 1, "CTO": 1}
    assert counts["free"] == {"48h": 0, "week": 1, "fortnight": 1}
    assert counts["overlap"] == {"2": 1, "4": 0, "6": 0}
    assert counts["kept"] == {"1": 1}


def test_where_nobody_is_found_it_says_which_filter_to_take_off() -> None:
    wanted = Wanted(words="ransomware", roles=("CTO",), languages=("Polish",))
    assert names(wanted) == []
    assert relax(ALL, wanted, NOW) == [("roles", 1)]
    assert relax(ALL, Wanted(words="nothing such"), NOW) == [("words", 3)]


def test_who_is_alike_shares_skills_first_and_never_is_the_same_person() -> None:
    twin = profile("Eve", skills=("ransomware recovery",), roles=("CISO",))
    found = similar(twin, [twin, *(one.profile for one in ALL)])
    assert [one.name for one in found] == ["Ada Łukowska", "Bo Åkerlund"], "Cy shares nothing with her"


# Hours that are shared --------------------------------------------------------------------------------------------------


def week(zone: str, *hours: tuple[str, str], days: range = range(5)) -> Availability:
    return Availability.from_data(
        {"zone": zone, "weekly": [{"weekday": day, "start": start, "end": end} for day in days for start, end in hours]}
    )


@pytest.mark.parametrize(
    ("theirs", "mine", "expected"),
    [
        (week("Europe/Berlin", ("09:00", "17:00")), "Europe/Stockholm", 8.0),
        (week("America/New_York", ("09:00", "17:00")), "Europe/Stockholm", 2.0),
        (week("Australia/Sydney", ("09:00", "17:00")), "Europe/Stockholm", 0.0),
        (week("Asia/Kathmandu", ("09:00", "17:00")), "Europe/Stockholm", 3.25),
        (week("Pacific/Auckland", ("07:00", "12:00"), days=range(7)), "America/Los_Angeles", 5.0),
        (week("UTC", ("00:00", "24:00"), days=range(7)), "Asia/Tokyo", 8.0),
        (week("UTC", ("08:00", "10:00"), ("16:00", "18:00"), days=range(1)), "UTC", 0.4),
        (week("UTC"), "UTC", 0.0),
    ],
)
def test_hours_are_shared_with_the_readers_working_day(theirs: Availability, mine: str, expected: float) -> None:
    for ahead in range(7):
        assert hours_a_day(theirs, mine, date(2026, 11, 25) + ahead * DAY) == pytest.approx(expected)


def test_a_week_in_which_only_one_of_two_zones_changes_its_clock_is_counted_as_it_is() -> None:
    office = week("America/New_York", ("09:00", "17:00"))
    assert hours_a_day(office, "Europe/Stockholm", date(2026, 10, 26)) == pytest.approx(3.0)
    assert hours_a_day(office, "Europe/Stockholm", date(2026, 11, 2)) == pytest.approx(2.0)


# The times that are offered ---------------------------------------------------------------------------------------------


def slots(*starts: str) -> list[Slot]:
    found = [datetime.fromisoformat(f"2026-11-{start}:00+00:00") for start in starts]
    return [Slot(ADA.id, start, start + HOUR) for start in found]


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (("26T09:00", "26T09:30", "26T10:00", "26T12:00", "26T15:30"), ["26T09:00", "26T12:00", "26T15:30"]),
        (("26T02:00", "26T02:30", "26T09:00", "27T03:00"), ["26T02:00", "26T09:00", "27T03:00"]),
        (("26T09:00", "26T09:30", "26T10:00"), ["26T09:00", "26T09:30", "26T10:00"]),
        (("26T01:00", "26T01:30"), ["26T01:00", "26T01:30"]),
        ((), []),
    ],
)
def test_times_are_offered_that_differ_and_lie_in_the_readers_day_as_far_as_there_are(
    free: tuple[str, ...], expected: list[str]
) -> None:
    assert [f"{slot.start:%dT%H:%M}" for slot in offered(slots(*free), "UTC")] == expected


# Favourites -------------------------------------------------------------------------------------------------------------

SARAH, DANA = new_id(), new_id()


def test_an_expert_is_kept_once_and_dropped_once() -> None:
    given(FAVOURITES).when(choose, SARAH, DANA, keep=True).then(Kept(SARAH, DANA))
    given(FAVOURITES, Kept(SARAH, DANA)).when(choose, SARAH, DANA, keep=True).then()
    given(FAVOURITES, Kept(SARAH, DANA)).when(choose, SARAH, DANA, keep=False).then(Dropped(SARAH, DANA))
    given(FAVOURITES, Kept(SARAH, DANA), Dropped(SARAH, DANA)).when(choose, SARAH, DANA, keep=False).then()


def test_there_is_an_end_to_keeping() -> None:
    given(FAVOURITES, *(Kept(SARAH, new_id()) for _ in range(MOST))).when(choose, SARAH, DANA, keep=True).then(Conflict)
