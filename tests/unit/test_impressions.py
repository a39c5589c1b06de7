"""Who was shown and opened: each once for each ranking."""

from __future__ import annotations

from fxo.core.ids import new_id
from fxo.core.matching.impressions import IMPRESSIONS, Opened, Place, Shown, opened, shown
from tests.support.decisions import given

BRIEF, DANA, KOFI = new_id(), new_id(), new_id()
BOTH = Shown(BRIEF, 2, "local 3", (Place(DANA, 1), Place(KOFI, 2)))


def test_what_is_on_the_page_is_counted_once_for_each_ranking() -> None:
    given(IMPRESSIONS).when(shown, BRIEF, 2, "local 3", [DANA, KOFI]).then(BOTH)
    given(IMPRESSIONS, BOTH).when(shown, BRIEF, 2, "local 3", [DANA, KOFI]).then()
    given(IMPRESSIONS, BOTH).when(shown, BRIEF, 4, "local 3", [KOFI]).then(Shown(BRIEF, 4, "local 3", (Place(KOFI, 1),)))


def test_the_place_is_the_one_where_they_were_seen_first() -> None:
    given(IMPRESSIONS, BOTH).when(shown, BRIEF, 2, "local 3", [KOFI, DANA]).then()


def test_who_comes_into_view_when_a_filter_is_taken_off_is_added() -> None:
    filtered = Shown(BRIEF, 2, "local 3", (Place(KOFI, 1),))
    given(IMPRESSIONS, filtered).when(shown, BRIEF, 2, "local 3", [DANA, KOFI]).then(
        Shown(BRIEF, 2, "local 3", (Place(DANA, 1),))
    )


def test_an_experts_page_counts_once_and_only_where_they_were_shown() -> None:
    seen = Shown(BRIEF, 2, "local 3", (Place(DANA, 1),))
    given(IMPRESSIONS, seen).when(opened, BRIEF, 2, DANA).then(Opened(BRIEF, 2, DANA))
    given(IMPRESSIONS, seen, Opened(BRIEF, 2, DANA)).when(opened, BRIEF, 2, DANA).then()
    given(IMPRESSIONS, seen).when(opened, BRIEF, 2, KOFI).then()
    given(IMPRESSIONS, seen).when(opened, BRIEF, 4, DANA).then()
