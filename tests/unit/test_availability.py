"""A partner's rules: what is refused and why, and that they survive JSON."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from fxo.core.errors import Invalid
from fxo.core.partners.availability import Availability, DayException, Window

RULES = Availability(
    zone="Asia/Kathmandu",
    weekly=(Window(0, 540, 720), Window(0, 780, 1_440), Window(1, 0, 90)),
    exceptions=(DayException(date(2026, 12, 24)), DayException(date(2026, 12, 27), ((600, 660), (720, 900)))),
    buffer_before_minutes=10,
    buffer_after_minutes=20,
    notice_hours=6,
    horizon_days=45,
    grid_minutes=15,
    instant=False,
)


def test_rules_survive_json() -> None:
    assert Availability.from_data(json.loads(json.dumps(RULES.to_data()))) == RULES


def test_json_spells_times_and_dates_for_people() -> None:
    data = RULES.to_data()
    assert data["weekly"][1] == {"weekday": 0, "start": "13:00", "end": "24:00"}
    assert data["exceptions"] == [
        {"date": "2026-12-24", "windows": []},
        {"date": "2026-12-27", "windows": [{"start": "10:00", "end": "11:00"}, {"start": "12:00", "end": "15:00"}]},
    ]


def test_what_is_left_out_has_its_default() -> None:
    assert Availability.from_data({"zone": "Europe/Berlin"}) == Availability(zone="Europe/Berlin")


def test_rules_are_equal_in_any_order() -> None:
    shuffled = Availability(zone="UTC", weekly=(Window(3, 600, 660), Window(0, 540, 600)))
    assert shuffled == Availability(zone="UTC", weekly=(Window(0, 540, 600), Window(3, 600, 660)))
    days = DayException(date(2026, 5, 2), ((700, 800), (500, 600))), DayException(date(2026, 5, 1))
    assert Availability(zone="UTC", exceptions=days) == Availability(
        zone="UTC", exceptions=(DayException(date(2026, 5, 1)), DayException(date(2026, 5, 2), ((500, 600), (700, 800))))
    )


def test_adjacent_windows_do_not_overlap() -> None:
    assert len(Availability(zone="UTC", weekly=(Window(0, 540, 600), Window(0, 600, 660))).weekly) == 2


def monday(*hours: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"weekday": 0, "start": start, "end": end} for start, end in hours]


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"zone": "Europe/Berln"}, "zone", "did you mean Europe/Berlin?"),
        ({"zone": "somewhere"}, "zone", "is not a time zone"),
        ({"zone": "../../etc/passwd"}, "zone", "is not a time zone"),
        ({"zone": "Europe"}, "zone", "is not a time zone"),
        ({"zone": "\0"}, "zone", "is not a time zone"),
        ({"zone": "x" * 1_000_000}, "zone", "is not a time zone"),
        ({"zone": 5}, "zone", "use an IANA name such as Europe/Berlin"),
        ({"zone": ""}, "zone", "use an IANA name such as Europe/Berlin"),
        ({"weekly": monday(("09:00", "12:00"), ("11:30", "13:00"))}, "weekly", "Monday 09:00-12:00 and 11:30-13:00 overlap"),
        ({"weekly": monday(("09:00", "12:00"), ("09:00", "12:00"))}, "weekly", "overlap: make them one"),
        ({"weekly": monday(("12:00", "12:00"))}, "weekly", "hours end after they start"),
        ({"weekly": monday(("22:00", "02:00"))}, "weekly", "past midnight, add the rest to the next day"),
        ({"weekly": monday(("9", "12:00"))}, "weekly", "'9' is not a time of day: write it as 09:00"),
        ({"weekly": monday(("09:00", "24:30"))}, "weekly", "'24:30' is not a time of day"),
        ({"weekly": [{"weekday": 0, "start": 540, "end": 600}]}, "weekly", "540 is not a time of day"),
        ({"weekly": [{"weekday": 0, "start": "09:00"}]}, "weekly", "None is not a time of day"),
        ({"weekly": [{"weekday": 7, "start": "09:00", "end": "10:00"}]}, "weekly", "7 is not a weekday: use 0 for Monday"),
        ({"weekly": [{"weekday": "Mon", "start": "09:00", "end": "10:00"}]}, "weekly", "'Mon' is not a weekday"),
        ({"weekly": [{"start": "09:00", "end": "10:00"}]}, "weekly", "is not a weekday"),
        ({"weekly": ["09:00"]}, "weekly", "Write each window as an object"),
        ({"weekly": {"monday": "09:00"}}, "weekly", "Write weekly hours as a list"),
        ({"weekly": None}, "weekly", "Write weekly hours as a list"),
        ({"exceptions": [{"date": "2026-02-30"}]}, "exceptions", "'2026-02-30' is not a date: write it as 2026-12-24"),
        ({"exceptions": [{"windows": []}]}, "exceptions", "None is not a date"),
        ({"exceptions": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]}, "exceptions", "2026-12-24 is listed twice"),
        (
            {"exceptions": [{"date": "2026-12-24", "windows": [{"start": "10:00", "end": "09:00"}]}]},
            "exceptions",
            "2026-12-24 10:00-09:00",
        ),
        ({"exceptions": [{"date": "2026-12-24", "windows": "all day"}]}, "exceptions", "Write windows as a list"),
        ({"buffer_before_minutes": -1}, "buffer_before_minutes", "Buffer before minutes must be a whole number from 0 to 240"),
        ({"buffer_after_minutes": 15.0}, "buffer_after_minutes", "must be a whole number"),
        ({"notice_hours": "6"}, "notice_hours", "must be a whole number"),
        ({"notice_hours": True}, "notice_hours", "must be a whole number"),
        ({"notice_hours": 48, "horizon_days": 2}, "notice_hours", "the notice must be shorter than the horizon"),
        ({"horizon_days": 0}, "horizon_days", "from 1 to 366"),
        ({"grid_minutes": 0}, "grid_minutes", "from 5 to 240"),
        ({"grid_minutes": 50}, "grid_minutes", "choose a grid that divides a day"),
        ({"instant": "yes"}, "instant", "Say true for instant booking"),
        ({"buffer": 5}, "buffer", "There is no rule called 'buffer'. The rules are: zone, weekly,"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_field_and_how_to_mend_it(wrong: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        Availability.from_data({"zone": "Europe/Berlin", **wrong})
    assert refused.value.field == field
    assert sentence in refused.value.message
    assert len(refused.value.message) < 200


def test_data_that_is_no_object_is_refused() -> None:
    with pytest.raises(Invalid, match="Write the rules as an object"):
        Availability.from_data(["Europe/Berlin"])  # type: ignore[arg-type]


def test_a_weekday_that_does_not_exist_is_refused_in_code_too() -> None:
    with pytest.raises(Invalid, match="7 is not a weekday"):
        Availability(zone="UTC", weekly=(Window(7, 540, 600),))
