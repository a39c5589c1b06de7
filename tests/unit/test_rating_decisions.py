"""What a client may say of a session, decision by decision, and in any order."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.errors import Conflict, Invalid
from fxo.core.ids import new_id
from fxo.core.ratings import model
from fxo.core.ratings.model import RATING, Answered, Edited, Given
from tests.support.decisions import after
from tests.support.decisions import given as given_events

FIVE = Given(new_id(), new_id(), new_id(), 5, "She had been there before.", True)


def given(*events: object) -> Any:
    return given_events(RATING, *events)


def edited(wanted: Given) -> Edited:
    return Edited(**asdict(wanted))


@pytest.mark.parametrize("stars", [1, 5])
def test_a_session_is_rated_with_one_to_five_stars(stars: int) -> None:
    wanted = replace(FIVE, stars=stars)
    given().when(model.rate, wanted).then(wanted)


@pytest.mark.parametrize("stars", [-1, 0, 6])
def test_any_other_number_of_stars_is_refused(stars: int) -> None:
    given().when(model.rate, replace(FIVE, stars=stars)).then(Invalid)
    given(FIVE).when(model.rate, replace(FIVE, stars=stars)).then(Invalid)


def test_a_comment_has_at_most_two_thousand_characters() -> None:
    longest = replace(FIVE, comment="ä" * 2_000)
    given().when(model.rate, longest).then(longest)
    given().when(model.rate, replace(FIVE, comment="ä" * 2_001)).then(Invalid)


@pytest.mark.parametrize("change", [{"stars": 2}, {"comment": "On reflection, less."}, {"public": False}])
def test_a_client_may_think_again(change: dict[str, Any]) -> None:
    wanted = replace(FIVE, **change)
    given(FIVE).when(model.rate, wanted).then(edited(wanted))


def test_the_same_rating_again_changes_nothing() -> None:
    given(FIVE).when(model.rate, FIVE).then()
    four = replace(FIVE, stars=4)
    given(FIVE, edited(four)).when(model.rate, four).then()


def test_its_expert_answers_a_rating_and_may_think_again() -> None:
    thanks = Answered(FIVE.consultation_id, FIVE.partner_id, "Thank you.")
    given(FIVE).when(model.answer, "Thank you.").then(thanks)
    given(FIVE, thanks).when(model.answer, "Thank you.").then()
    given(FIVE, thanks, edited(replace(FIVE, stars=4))).when(model.answer, "Thank you.").then()
    given(FIVE, thanks).when(model.answer, "Good luck with the board.").then(replace(thanks, text="Good luck with the board."))


def test_an_answer_has_a_rating_and_a_measure() -> None:
    given().when(model.answer, "Thank you.").then(Conflict)
    given(FIVE).when(model.answer, "").then(Invalid)
    given(FIVE).when(model.answer, "ä" * 1_001).then(Invalid)


@for_any(
    st.lists(
        st.builds(replace, st.just(FIVE), stars=st.integers(0, 6), comment=st.sampled_from(["", "Good."]), public=st.booleans())
    )
)
def test_a_session_has_one_rating_however_often_it_is_rated(wishes: list[Given]) -> None:
    past: list[Any] = []
    for wish in wishes:
        try:
            happened = model.rate(after(RATING, *past), wish)
        except Invalid:
            continue
        past += happened
        assert model.rate(after(RATING, *past), wish) == []
    valid = [wish for wish in wishes if 1 <= wish.stars <= 5]
    assert [type(item) for item in past[:1]] == [Given][: len(valid)]
    assert all(isinstance(item, Edited) for item in past[1:])
    rating = after(RATING, *past).rating
    assert (asdict(rating) if rating else None) == (asdict(valid[-1]) if valid else None)
