"""Who was shown, opened: each once for each ranking."""

from __future__ import annotations

from functools import reduce

from fxo.core.ids import new_id
from fxo.core.matching.impressions import Opened, Place, Seen, Shown, evolve, opened, shown

BRIEF, DANA, KOFI = new_id(), new_id(), new_id()


def given(*events: object) -> Seen:
    return reduce(evolve, events, Seen())


def test_what_is_on_the_page_is_counted_once_for_each_ranking() -> None:
    first = Shown(BRIEF, 2, "local 3", (Place(DANA, 1), Place(KOFI, 2)))
    assert shown(given(), BRIEF, 2, "local 3", [DANA, KOFI]) == [first]
    assert shown(given(first), BRIEF, 2, "local 3", [DANA, KOFI]) == []
    assert shown(given(first), BRIEF, 2, "local 3", [KOFI, DANA]) == [], "the place is the one where they were seen first"
    assert shown(given(first), BRIEF, 4, "local 3", [KOFI]) == [Shown(BRIEF, 4, "local 3", (Place(KOFI, 1),))]


def test_who_comes_into_view_when_a_filter_is_taken_off_is_added() -> None:
    filtered = Shown(BRIEF, 2, "local 3", (Place(KOFI, 1),))
    assert shown(given(filtered), BRIEF, 2, "local 3", [DANA, KOFI]) == [Shown(BRIEF, 2, "local 3", (Place(DANA, 1),))]


def test_an_experts_page_counts_once_and_only_where_they_were_shown() -> None:
    seen = Shown(BRIEF, 2, "local 3", (Place(DANA, 1),))
    assert opened(given(seen), BRIEF, 2, DANA) == [Opened(BRIEF, 2, DANA)]
    assert opened(given(seen, Opened(BRIEF, 2, DANA)), BRIEF, 2, DANA) == []
    assert opened(given(seen), BRIEF, 2, KOFI) == []
    assert opened(given(seen), BRIEF, 4, DANA) == []
