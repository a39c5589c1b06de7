"""What may happen to the money of one booking, decision by decision, and in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.errors import Conflict, FxoError
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments import model, settling
from fxo.core.payments.model import (
    PAYMENT,
    Abandoned,
    Authorisation,
    AuthorisationRefused,
    Authorised,
    Captured,
    CaptureFailed,
    CardSaved,
    ChallengeAsked,
    Closed,
    Declined,
    Paid,
    Requested,
    Saved,
    Voided,
)
from fxo.core.payments.plan import Mode
from tests.support.decisions import after
from tests.support.decisions import given as given_events

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRICE = Money(80_000, "USD")
FIRST, SECOND, AWAY, AGAIN = new_id(), new_id(), new_id(), new_id()
ASKED = Requested(
    FIRST, new_id(), new_id(), new_id(), "payments_sandbox", PRICE, 8_000, Mode.AUTHORISE_NOW, None, None, None, model.CONSENT
)
ASKED_AGAIN = replace(ASKED, attempt=SECOND)
QUESTION = ChallengeAsked(FIRST, "sp_1", "https://bank.example/1")
DECLINED = Declined(FIRST, "card_declined")
CARD = CardSaved(FIRST, ASKED.client_id, ASKED.provider, "sc_1", "sm_1", "Visa ending 4242", NOW + timedelta(days=7))
HELD = Authorised(
    FIRST, ASKED.client_id, ASKED.provider, "sp_1", PRICE, NOW + timedelta(days=7), "sc_1", "sm_1", "Visa ending 4242"
)
HELD_AWAY = replace(HELD, attempt=AWAY, reference="sp_2")
CAPTURED = Captured(ASKED.consultation_id, ASKED.client_id, ASKED.partner_id, PRICE, 8_000, "sp_1")
REFUSED = AuthorisationRefused(AWAY, "card_declined")
VOIDED, FAILED, ABANDONED = Voided("booking_ended"), CaptureFailed("authorisation_expired"), Abandoned("refused")
ENDINGS = {
    "captured": (ASKED, HELD, CAPTURED), "voided": (ASKED, HELD, VOIDED), "abandoned": (ASKED, CARD, ABANDONED),
}  # fmt: skip
ended = pytest.mark.parametrize("past", ENDINGS.values(), ids=ENDINGS.keys())


def given(*events: object) -> Any:
    return given_events(PAYMENT, *events)


# Asking -------------------------------------------------------------------------------------------------------------


def test_a_payment_begins_with_a_request() -> None:
    given().when(model.request, ASKED).then(ASKED)


def test_after_a_refusal_the_next_attempt_has_a_key_of_its_own() -> None:
    given(ASKED, DECLINED).when(model.request, ASKED_AGAIN).then(ASKED_AGAIN)


@pytest.mark.parametrize("past", [(ASKED,), (ASKED, QUESTION), (ASKED, DECLINED, ASKED_AGAIN)])
def test_one_attempt_runs_at_a_time(past: tuple[object, ...]) -> None:
    given(*past).when(model.request, replace(ASKED, attempt=new_id())).then(Conflict, code="payment_running")


@pytest.mark.parametrize("past", [(ASKED, HELD), (ASKED, CARD), *ENDINGS.values()])
def test_what_is_paid_for_is_not_asked_for_again(past: tuple[object, ...]) -> None:
    given(*past).when(model.request, ASKED_AGAIN).then(Conflict, code="already_paid")


def test_the_bank_asks_the_client() -> None:
    given(ASKED).when(model.challenge, FIRST, QUESTION.reference, QUESTION.url).then(QUESTION)


@pytest.mark.parametrize("past", [(ASKED, QUESTION), (ASKED, DECLINED), (ASKED, HELD), (ASKED, CARD), (), *ENDINGS.values()])
def test_the_bank_asks_once(past: tuple[object, ...]) -> None:
    given(*past).when(model.challenge, FIRST, QUESTION.reference, QUESTION.url).then()


@pytest.mark.parametrize("past", [(ASKED,), (ASKED, QUESTION)])
def test_an_attempt_is_declined(past: tuple[object, ...]) -> None:
    given(*past).when(model.decline, FIRST, "card_declined").then(DECLINED)


@pytest.mark.parametrize("past", [(), (ASKED, DECLINED), (ASKED, HELD), (ASKED, CARD), *ENDINGS.values()])
def test_an_attempt_is_declined_once_and_never_after_it_succeeded(past: tuple[object, ...]) -> None:
    given(*past).when(model.decline, FIRST, "card_declined").then()


@pytest.mark.parametrize("past", [(ASKED,), (ASKED, QUESTION)])
def test_a_card_is_saved(past: tuple[object, ...]) -> None:
    given(*past).when(model.save_card, CARD).then(CARD)


@pytest.mark.parametrize("past", [(), (ASKED, DECLINED), (ASKED, HELD), (ASKED, CARD), *ENDINGS.values()])
def test_a_card_is_saved_once_for_a_request(past: tuple[object, ...]) -> None:
    given(*past).when(model.save_card, CARD).then()


@pytest.mark.parametrize("past", [(ASKED,), (ASKED, QUESTION)])
def test_the_amount_is_held_with_the_client_present(past: tuple[object, ...]) -> None:
    given(*past).when(model.authorise, HELD).then(HELD)


@pytest.mark.parametrize("past", [(ASKED, CARD), (ASKED, CARD, REFUSED)])
def test_the_amount_is_held_on_the_saved_card(past: tuple[object, ...]) -> None:
    given(*past).when(model.authorise, HELD_AWAY).then(HELD_AWAY)


@pytest.mark.parametrize("past", [(), (ASKED, DECLINED), (ASKED, HELD), *ENDINGS.values()])
def test_the_amount_is_held_once(past: tuple[object, ...]) -> None:
    given(*past).when(model.authorise, HELD).then()


@pytest.mark.parametrize(
    ("decision", "answer"),
    [
        (model.challenge, (FIRST, "sp_1", "https://bank.example/1")),
        (model.decline, (FIRST, "card_declined")),
        (model.save_card, (CARD,)),
        (model.authorise, (HELD,)),
    ],
)
def test_a_late_answer_about_an_earlier_attempt_changes_nothing(decision: Any, answer: tuple[Any, ...]) -> None:
    given(ASKED, DECLINED, ASKED_AGAIN).when(decision, *answer).then()


# The saved card -----------------------------------------------------------------------------------------------------


def test_the_saved_card_is_refused() -> None:
    given(ASKED, CARD).when(model.refuse, AWAY, "card_declined").then(REFUSED)


def test_one_try_at_the_saved_card_is_refused_once() -> None:
    given(ASKED, CARD, REFUSED).when(model.refuse, AWAY, "card_declined").then()


def test_the_next_try_at_the_saved_card_may_be_refused_too() -> None:
    given(ASKED, CARD, REFUSED).when(model.refuse, AGAIN, "card_declined").then(AuthorisationRefused(AGAIN, "card_declined"))


@pytest.mark.parametrize("past", [(), (ASKED,), (ASKED, CARD, HELD_AWAY), *ENDINGS.values()])
def test_only_a_saved_card_is_refused_while_the_client_is_away(past: tuple[object, ...]) -> None:
    given(*past).when(model.refuse, AWAY, "card_declined").then()


@pytest.mark.parametrize("past", [(ASKED,), (ASKED, CARD), (ASKED, CARD, REFUSED)])
def test_a_payment_that_holds_nothing_is_abandoned(past: tuple[object, ...]) -> None:
    given(*past).when(model.abandon, "refused").then(ABANDONED)


@pytest.mark.parametrize("past", [(), (ASKED, DECLINED), (ASKED, HELD), *ENDINGS.values()])
def test_a_payment_is_abandoned_once_and_never_while_it_holds_money(past: tuple[object, ...]) -> None:
    given(*past).when(model.abandon, "refused").then()


@ended
@pytest.mark.parametrize("late", [QUESTION, DECLINED, CARD, HELD, CAPTURED, VOIDED, FAILED, ABANDONED, REFUSED])
def test_nothing_changes_a_payment_that_has_ended(past: tuple[object, ...], late: object) -> None:
    state = after(PAYMENT, *past)
    assert isinstance(state, Paid | Closed)
    assert PAYMENT.evolve(state, late) == state


# Another card than the saved one ------------------------------------------------------------------------------------

CHANGING = (ASKED, CARD, REFUSED, ASKED_AGAIN)
CARD_AGAIN, HELD_AGAIN = replace(CARD, attempt=SECOND, method="sm_2"), replace(HELD, attempt=SECOND, reference="sp_3")


@pytest.mark.parametrize("past", [(ASKED, CARD), (ASKED, CARD, REFUSED), (*CHANGING, Declined(SECOND, "card_declined"))])
def test_a_saved_card_may_be_changed_whether_it_was_refused_or_not(past: tuple[object, ...]) -> None:
    given(*past).when(model.change_card, replace(ASKED, attempt=AGAIN)).then(replace(ASKED, attempt=AGAIN))


@pytest.mark.parametrize("past", [(), (ASKED,), (ASKED, DECLINED), (ASKED, HELD), *ENDINGS.values()])
def test_where_no_card_is_waited_for_none_is_changed(past: tuple[object, ...]) -> None:
    given(*past).when(model.change_card, ASKED_AGAIN).then(Conflict, code="no_card_wanted")


def test_one_card_is_tried_at_a_time() -> None:
    given(*CHANGING).when(model.change_card, replace(ASKED, attempt=AGAIN)).then(Conflict, code="payment_running")


def test_until_the_other_card_has_an_answer_the_saved_one_stands_with_its_refusals() -> None:
    for past in (CHANGING, (*CHANGING, ChallengeAsked(SECOND, "sp_3", "https://bank.example/3"))):
        state = after(PAYMENT, *past)
        assert isinstance(state, Saved)
        assert (state.card, state.refused) == (CARD, frozenset({AWAY}))
    assert after(PAYMENT, *CHANGING, Declined(SECOND, "card_declined")) == after(PAYMENT, ASKED, CARD, REFUSED)


def test_the_other_card_takes_the_place_of_the_saved_one_or_is_held_at_once() -> None:
    given(*CHANGING).when(model.save_card, CARD_AGAIN).then(CARD_AGAIN)
    assert after(PAYMENT, *CHANGING, CARD_AGAIN) == Saved(ASKED_AGAIN, CARD_AGAIN)
    given(*CHANGING).when(model.authorise, HELD_AGAIN).then(HELD_AGAIN)
    assert after(PAYMENT, *CHANGING, HELD_AGAIN) == Authorisation(ASKED_AGAIN, HELD_AGAIN)


def test_an_answer_about_an_attempt_that_is_over_changes_nothing() -> None:
    given(*CHANGING).when(model.save_card, CARD).then()
    given(*CHANGING).when(model.decline, FIRST, "card_declined").then()
    given(*CHANGING, Declined(SECOND, "card_declined")).when(model.challenge, SECOND, "sp_3", "https://bank.example/3").then()


def test_the_saved_card_may_be_held_while_another_one_is_tried() -> None:
    assert after(PAYMENT, *CHANGING, HELD_AWAY) == Authorisation(ASKED, HELD_AWAY)


def test_a_booking_that_ends_takes_the_change_with_it() -> None:
    given(*CHANGING).when(model.abandon, "refused").then(ABANDONED)
    assert after(PAYMENT, *CHANGING, ABANDONED) == Closed(ASKED, "abandoned")


# In any order -------------------------------------------------------------------------------------------------------

Wish = Callable[[model.State], list[object]]
_ATTEMPTS = (FIRST, SECOND, AWAY)
_WISHES: dict[str, Wish] = {
    "capture": lambda state: settling.capture(state, PRICE),
    "void": lambda state: settling.void(state, "booking_ended"),
    "abandon": lambda state: model.abandon(state, "refused"),
}
for _number, _attempt in enumerate(_ATTEMPTS):
    _WISHES |= {
        f"request {_number}": lambda state, a=_attempt: model.request(state, replace(ASKED, attempt=a)),
        f"change {_number}": lambda state, a=_attempt: model.change_card(state, replace(ASKED, attempt=a)),
        f"challenge {_number}": lambda state, a=_attempt: model.challenge(state, a, "sp", "https://bank.example"),
        f"decline {_number}": lambda state, a=_attempt: model.decline(state, a, "card_declined"),
        f"save {_number}": lambda state, a=_attempt: model.save_card(state, replace(CARD, attempt=a)),
        f"authorise {_number}": lambda state, a=_attempt: model.authorise(state, replace(HELD, attempt=a)),
        f"refuse {_number}": lambda state, a=_attempt: model.refuse(state, a, "card_declined"),
    }


@for_any(st.lists(st.sampled_from(sorted(_WISHES) + ["request 0", "authorise 0", "save 0", "capture", "void"] * 2), max_size=16))
def test_whatever_is_answered_in_whatever_order_money_moves_once(wishes: list[str]) -> None:
    past: list[Any] = []
    for wish in wishes:
        state = after(PAYMENT, *past)
        try:
            happened = _WISHES[wish](state)
        except FxoError:
            continue
        now = state
        for item in happened:
            before, now = now, PAYMENT.evolve(now, item)
            assert now != before, f"{item} was decided and changes nothing"
        try:
            again = _WISHES[wish](now)
        except FxoError:
            again = []
        assert again == [], f"{wish} again says {again}"
        past += happened
    kinds = [type(item) for item in past]
    assert kinds.count(Authorised) <= 1
    assert sum(kinds.count(kind) for kind in (Captured, Voided, CaptureFailed, Abandoned)) <= 1
    for kind in (Captured, Voided):
        if kind in kinds:
            assert kinds[-2:] == [Authorised, kind], "money is taken or let go right after it was held, and then nothing follows"
    requested = [item.attempt for item in past if isinstance(item, Requested)]
    for item in past:
        if isinstance(item, ChallengeAsked | Declined | CardSaved):
            assert item.attempt in requested, "no answer without a question"
    match after(PAYMENT, *past):
        case Authorisation(held=held):
            assert kinds[-1] is Authorised
            assert held.amount == PRICE
        case Saved(refused=refused):
            since = len(kinds) - kinds[::-1].index(CardSaved)
            assert len(refused) == kinds[since:].count(AuthorisationRefused)
        case Paid(captured=captured):
            assert captured.amount == PRICE
