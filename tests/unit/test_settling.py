"""How a payment comes to its end, decision by decision: the fee is kept, the rest let go or given back, and never both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.errors import Conflict, FxoError
from fxo.core.ids import derived_id, new_id
from fxo.core.money import Money
from fxo.core.payments import model, settling
from fxo.core.payments.model import (
    PAYMENT,
    Abandoned,
    Authorisation,
    Authorised,
    Captured,
    CaptureFailed,
    CardSaved,
    ChargeRefused,
    Closed,
    Declined,
    Due,
    Owing,
    Paid,
    RefundAsked,
    Refunded,
    RefundFailed,
    Requested,
    Stage,
    Voided,
)
from fxo.core.payments.outcomes import Decided, NeedsPerson, Through
from fxo.core.payments.plan import Mode
from fxo.core.payments.settling import Capture, Charge, GiveBack, LetGo
from tests.support.decisions import after
from tests.support.decisions import given as given_events

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRICE, HALF, NOTHING = Money(80_000, "USD"), Money(40_000, "USD"), Money(0, "USD")
FIRST, SECOND = new_id(), new_id()
ASKED = Requested(
    FIRST, new_id(), new_id(), new_id(), "payments_sandbox", PRICE, 8_000, Mode.AUTHORISE_NOW, None, None, None, model.CONSENT
)
CARD = CardSaved(FIRST, ASKED.client_id, ASKED.provider, "sc_1", "sm_1", "Visa ending 4242", NOW + timedelta(days=7))
HELD = Authorised(
    FIRST, ASKED.client_id, ASKED.provider, "sp_1", PRICE, NOW + timedelta(days=7), "sc_1", "sm_1", "Visa ending 4242"
)
CHARGE = derived_id(FIRST, "charge", 0)
CHARGED = replace(HELD, attempt=CHARGE, reference="sp_2", amount=HALF)
TAKEN = Captured(ASKED.consultation_id, ASKED.client_id, ASKED.partner_id, PRICE, 8_000, "sp_1")
TAKEN_HALF = replace(TAKEN, amount=HALF)
FULL, LATE, FREE = Due(PRICE, "completed"), Due(HALF, "cancelled"), Due(NOTHING, "cancelled")
FAILED, VOIDED = CaptureFailed("authorisation_expired"), Voided("booking_ended")
REFUSED = ChargeRefused(CHARGE, "card_declined")
BACK = RefundAsked(derived_id(FIRST, "refund", 0), HALF, "goodwill")
RETURNED = Refunded(BACK.id, TAKEN, HALF, NOTHING, "se_1")


def given(*events: object) -> Any:
    return given_events(PAYMENT, *events)


def step(*events: object) -> settling.Step | None:
    return settling.next_step(after(PAYMENT, *events))


# What the client owes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("due", "fee"), [(FULL, PRICE), (LATE, HALF), (FREE, NOTHING)])
def test_of_what_is_held_the_fee_is_owed(due: Due, fee: Money) -> None:
    given(ASKED, HELD).when(settling.keep_fee, fee, due.reason).then(due)


def test_a_fee_is_charged_to_the_saved_card_where_nothing_is_held_yet() -> None:
    given(ASKED, CARD).when(settling.keep_fee, HALF, "cancelled").then(LATE)
    assert step(ASKED, CARD, LATE) == Charge(CHARGE, HALF, "sc_1", "sm_1")


def test_a_saved_card_of_which_nothing_is_owed_is_let_alone() -> None:
    given(ASKED, CARD).when(settling.keep_fee, NOTHING, "cancelled").then(FREE, Abandoned("cancelled"))


def test_of_what_was_taken_the_rest_is_given_back() -> None:
    given(ASKED, HELD, FULL, TAKEN).when(settling.keep_fee, HALF, "resolved").then(replace(BACK, reason="resolved"))


@pytest.mark.parametrize(
    ("past", "fee"),
    [
        ((ASKED, HELD, LATE), HALF),
        ((ASKED, HELD, FREE), NOTHING),
        ((ASKED, CARD, LATE), HALF),
        ((ASKED, HELD, FULL, TAKEN), PRICE),
        ((ASKED, HELD, FULL, TAKEN, BACK), HALF),
        ((ASKED, HELD, FULL, TAKEN, BACK, RETURNED), HALF),
        ((ASKED, CARD, FREE, Abandoned("cancelled")), NOTHING),
        ((ASKED, HELD, FREE, VOIDED), NOTHING),
        ((), NOTHING),
    ],
)
def test_the_same_fee_again_changes_nothing(past: tuple[object, ...], fee: Money) -> None:
    given(*past).when(settling.keep_fee, fee, "cancelled").then()


@pytest.mark.parametrize(
    ("past", "fee"), [((), HALF), ((ASKED, HELD, FREE, VOIDED), HALF), ((ASKED, HELD, LATE, TAKEN_HALF), PRICE)]
)
def test_what_is_neither_held_nor_kept_cannot_be_owed(past: tuple[object, ...], fee: Money) -> None:
    given(*past).when(settling.keep_fee, fee, "completed").then(Conflict, code="nothing_to_capture")


# The next step ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [(), (ASKED,), (ASKED, HELD), (ASKED, CARD), (ASKED, HELD, FULL, TAKEN)])
def test_without_a_decision_the_provider_is_asked_for_nothing(past: tuple[object, ...]) -> None:
    assert step(*past) is None


def test_a_hold_is_captured_in_full_in_part_or_let_go() -> None:
    key = str(derived_id(FIRST, "capture"))
    assert step(ASKED, HELD, FULL) == Capture(HELD, PRICE, key)
    assert step(ASKED, HELD, LATE) == Capture(HELD, HALF, key)
    assert step(ASKED, HELD, FREE) == LetGo(HELD, str(derived_id(FIRST, "void")))


def test_no_more_than_what_is_held_is_captured() -> None:
    more = Due(Money(90_000, "USD"), "resolved")
    assert step(ASKED, HELD, more) == Capture(HELD, PRICE, str(derived_id(FIRST, "capture")))


def test_what_could_not_be_captured_is_charged_to_the_saved_card_and_then_captured() -> None:
    """Hard case 3."""
    assert step(ASKED, HELD, LATE, FAILED) == Charge(CHARGE, HALF, "sc_1", "sm_1")
    given(ASKED, HELD, LATE, FAILED).when(model.authorise, CHARGED).then(CHARGED)
    assert step(ASKED, HELD, LATE, FAILED, CHARGED) == Capture(CHARGED, HALF, str(derived_id(CHARGE, "capture")))


def test_each_charge_of_the_saved_card_has_a_key_of_its_own() -> None:
    again = after(PAYMENT, ASKED, HELD, LATE, FAILED, CHARGED, FAILED)
    assert isinstance(again, Owing)
    assert settling.next_step(again) == Charge(derived_id(FIRST, "charge", 1), HALF, "sc_1", "sm_1")


def test_a_card_that_is_refused_for_what_is_owed_is_not_charged_again_and_the_client_is_asked() -> None:
    past = (ASKED, HELD, LATE, FAILED)
    given(*past).when(settling.refuse_charge, CHARGE, "card_declined").then(REFUSED)
    given(*past, REFUSED).when(settling.refuse_charge, CHARGE, "card_declined").then()
    given(*past).when(settling.refuse_charge, SECOND, "card_declined").then()
    state = after(PAYMENT, *past, REFUSED)
    assert isinstance(state, Owing)
    assert (state.stage, settling.next_step(state)) == (Stage.CLIENT, None)


def test_a_charge_that_was_refused_and_held_after_all_changes_nothing() -> None:
    given(ASKED, HELD, LATE, FAILED, REFUSED).when(model.authorise, CHARGED).then()


def test_the_client_pays_what_is_owed_with_another_card() -> None:
    asked = replace(ASKED, attempt=SECOND, amount=HALF)
    held = replace(HELD, attempt=SECOND, amount=HALF, reference="sp_3")
    past = (ASKED, HELD, LATE, FAILED, REFUSED)
    given(*past).when(model.change_card, asked).then(asked)
    given(*past, asked).when(model.change_card, asked).then(Conflict, code="payment_running")
    given(*past, asked).when(model.decline, SECOND, "card_declined").then(Declined(SECOND, "card_declined"))
    assert after(PAYMENT, *past, asked, Declined(SECOND, "card_declined")) == after(PAYMENT, *past)
    given(*past, asked).when(model.authorise, held).then(held)
    assert step(*past, asked, held) == Capture(held, HALF, str(derived_id(SECOND, "capture")))


# Taking, or letting go ----------------------------------------------------------------------------------------------


def test_held_money_is_captured_with_all_that_the_ledger_needs() -> None:
    given(ASKED, HELD, FULL).when(settling.capture, PRICE).then(TAKEN)


def test_what_was_held_on_the_saved_card_is_captured_under_its_own_reference() -> None:
    away = replace(HELD, attempt=new_id(), reference="sp_2")
    given(ASKED, CARD, away, FULL).when(settling.capture, PRICE).then(replace(TAKEN, reference="sp_2"))


ENDED = [(ASKED, HELD, FULL, TAKEN), (ASKED, HELD, FREE, VOIDED), (ASKED, CARD, Abandoned("refused"))]


def test_what_is_held_and_cannot_be_taken_is_owed_and_charged_to_the_card() -> None:
    given(ASKED, HELD, FULL).when(settling.fail_capture, "authorisation_expired").then(FAILED)
    assert step(ASKED, HELD, FULL, FAILED) == Charge(CHARGE, PRICE, "sc_1", "sm_1")


@pytest.mark.parametrize("past", [(), (ASKED,), (ASKED, CARD), (ASKED, HELD, FULL, FAILED), *ENDED])
@pytest.mark.parametrize(
    ("decision", "answer"), [(settling.capture, PRICE), (settling.void, "booking_ended"), (settling.fail_capture, "expired")]
)
def test_money_is_taken_or_let_go_once_and_only_while_it_is_held(
    past: tuple[object, ...], decision: Callable[..., list[object]], answer: Any
) -> None:
    given(*past).when(decision, answer).then()


def test_a_capture_that_was_on_its_way_when_less_became_due_is_given_back_in_part() -> None:
    given(ASKED, HELD, LATE).when(settling.capture, PRICE).then(TAKEN, replace(BACK, reason="owed_less"))
    given(ASKED, HELD, FREE).when(settling.capture, PRICE).then(TAKEN, replace(BACK, amount=PRICE, reason="owed_less"))


def test_a_hold_that_was_let_go_before_something_became_due_is_charged_to_the_card() -> None:
    given(ASKED, HELD, LATE).when(settling.void, "booking_ended").then(VOIDED)
    assert step(ASKED, HELD, LATE, VOIDED) == Charge(CHARGE, HALF, "sc_1", "sm_1")
    assert after(PAYMENT, ASKED, HELD, FREE, VOIDED) == Closed(ASKED, "voided")


# Giving back --------------------------------------------------------------------------------------------------------


def test_part_of_what_was_taken_is_given_back_and_then_the_rest() -> None:
    past = (ASKED, HELD, FULL, TAKEN)
    given(*past).when(settling.refund, HALF, "goodwill").then(BACK)
    assert step(*past, BACK) == GiveBack(BACK, "sp_1", NOTHING)
    given(*past, BACK).when(settling.refunded, BACK, "se_1").then(RETURNED)
    rest = replace(BACK, id=derived_id(FIRST, "refund", 1))
    given(*past, BACK, RETURNED).when(settling.refund, HALF, "goodwill").then(rest)
    given(*past, BACK, RETURNED, rest).when(settling.refunded, rest, "se_2").then(
        replace(RETURNED, id=rest.id, before=HALF, reference="se_2")
    )


@pytest.mark.parametrize("amount", [NOTHING, Money(80_001, "USD"), Money(-1, "USD")])
def test_no_more_than_what_was_taken_is_given_back(amount: Money) -> None:
    given(ASKED, HELD, FULL, TAKEN).when(settling.refund, amount, "goodwill").then(Conflict, code="over_refund")


def test_what_is_on_its_way_back_is_not_given_back_again() -> None:
    given(ASKED, HELD, FULL, TAKEN, BACK).when(settling.refund, PRICE, "goodwill").then(Conflict, code="over_refund")


@pytest.mark.parametrize("past", [(), (ASKED, HELD), (ASKED, CARD), (ASKED, HELD, FREE, VOIDED)])
def test_what_was_not_taken_is_not_given_back(past: tuple[object, ...]) -> None:
    given(*past).when(settling.refund, HALF, "goodwill").then(Conflict, code="nothing_taken")


def test_a_refund_has_one_outcome() -> None:
    past = (ASKED, HELD, FULL, TAKEN, BACK)
    failed = RefundFailed(BACK.id, "disputed")
    given(*past).when(settling.fail_refund, BACK, "disputed").then(failed)
    for done in (RETURNED, failed):
        given(*past, done).when(settling.refunded, BACK, "se_1").then()
        given(*past, done).when(settling.fail_refund, BACK, "disputed").then()
    state = after(PAYMENT, *past, failed)
    assert isinstance(state, Paid)
    assert state.kept == PRICE


def test_an_operator_gives_back_and_says_why() -> None:
    past = (ASKED, HELD, FULL, TAKEN)
    back = replace(BACK, reason="decided")
    given(*past).when(settling.decided_refund, HALF, "Half an hour was lost.").then(
        Decided("refund", ASKED.client_id, "Half an hour was lost."), back
    )
    given(*past, back).when(settling.decided_refund, PRICE, "All of it.").then(Conflict, code="over_refund")
    given(ASKED, HELD).when(settling.decided_refund, HALF, "Too soon.").then(Conflict, code="nothing_taken")


# A person decides -----------------------------------------------------------------------------------------------------

UNPAID = (ASKED, HELD, LATE, FAILED, REFUSED)
SILENT = NeedsPerson("client_silent")


def decided(what: str) -> Decided:
    return Decided(what, ASKED.client_id, "They have called.")


def test_where_neither_card_nor_client_has_paid_a_person_is_asked_once() -> None:
    given(*UNPAID).when(settling.needs_person, "client_silent").then(SILENT)
    given(*UNPAID, SILENT).when(settling.needs_person, "client_silent").then()


@pytest.mark.parametrize("past", [(), (ASKED, HELD), (ASKED, CARD), *ENDED])
def test_nobody_is_asked_about_a_payment_of_which_nothing_is_owed(past: tuple[object, ...]) -> None:
    given(*past).when(settling.needs_person, "client_silent").then()


def test_an_operator_has_the_card_charged_once_more_as_a_charge_of_its_own() -> None:
    given(*UNPAID, SILENT).when(settling.retry, "They have called.").then(decided("retry"))
    assert step(*UNPAID, SILENT, decided("retry")) == Charge(derived_id(FIRST, "charge", 1), HALF, "sc_1", "sm_1")


def test_an_operator_asks_the_client_for_another_card_once_more() -> None:
    given(*UNPAID, SILENT).when(settling.ask_client, "They have called.").then(decided("ask_client"))
    assert after(PAYMENT, *UNPAID, SILENT, decided("ask_client")) == after(PAYMENT, *UNPAID)


def test_an_operator_lets_the_client_off() -> None:
    waived = (decided("waive"), Due(NOTHING, "waived"), Abandoned("waived"))
    given(*UNPAID, SILENT).when(settling.waive, "They have called.").then(*waived)
    assert after(PAYMENT, *UNPAID, SILENT, *waived) == Closed(ASKED, "abandoned")


def test_an_operator_enters_what_was_received_by_another_way_and_gives_it_back_by_hand_too() -> None:
    entered = (decided("by_hand"), replace(TAKEN_HALF, reference="by hand", through=Through.HAND))
    given(*UNPAID, SILENT).when(settling.by_hand, "They have called.").then(*entered)
    returned = Refunded(BACK.id, entered[1], HALF, NOTHING, "by hand")
    given(*UNPAID, SILENT, *entered).when(settling.refund, HALF, "goodwill").then(BACK, returned)
    assert step(*UNPAID, SILENT, *entered, BACK, returned) is None


@pytest.mark.parametrize("decision", [settling.retry, settling.ask_client, settling.waive, settling.by_hand])
def test_a_person_decides_about_what_is_owed_alone_and_not_while_the_bank_is_asked(decision: Callable[..., list[object]]) -> None:
    for past in [(), (ASKED, HELD), *ENDED]:
        given(*past).when(decision, "They have called.").then(Conflict, code="nothing_owed")
    another = replace(ASKED, attempt=SECOND, amount=HALF)
    for past in [(ASKED, HELD, LATE, FAILED), (*UNPAID, another), (*UNPAID, SILENT, decided("retry"))]:
        given(*past).when(decision, "They have called.").then(Conflict, code="payment_running")


# In any order -------------------------------------------------------------------------------------------------------

MOVES = ["owe all", "owe half", "owe nothing", "answer", "answer taken", "refuse", "refund half", "pay with another card"]


@for_any(st.booleans(), st.lists(st.sampled_from(MOVES), max_size=14))
def test_whatever_is_decided_in_whatever_order_the_client_pays_what_is_owed_and_once(saved: bool, moves: list[str]) -> None:
    """The provider is played by an honest ledger of what it did for which key."""
    past: list[Any] = [ASKED, CARD if saved else HELD]
    taken: dict[str, int] = {}
    given_back: dict[str, int] = {}
    for number, move in enumerate(moves):
        state = after(PAYMENT, *past)
        asked = settling.next_step(state)
        try:
            match move, asked:
                case "owe all", _:
                    past += settling.keep_fee(state, PRICE, "completed")
                case "owe half", _:
                    past += settling.keep_fee(state, HALF, "cancelled")
                case "owe nothing", _:
                    past += settling.keep_fee(state, NOTHING, "waived")
                case "refund half", _:
                    past += settling.refund(state, HALF, "goodwill")
                case "pay with another card", _:
                    if isinstance(state, Owing):
                        wanted = replace(ASKED, attempt=derived_id(FIRST, "other", number), amount=state.due)
                        past += model.change_card(state, wanted)
                        held = replace(HELD, attempt=wanted.attempt, amount=state.due, reference=f"sp_{number}")
                        past += model.authorise(after(PAYMENT, *past), held)
                case "answer", Capture(held, amount):
                    taken[held.reference] = amount.minor
                    past += settling.capture(state, amount)
                case "answer taken", Capture(held):
                    taken[held.reference] = held.amount.minor
                    past += settling.capture(state, held.amount)
                case "answer", LetGo():
                    past += settling.void(state, "booking_ended")
                case "answer", Charge(attempt, amount):
                    past += model.authorise(state, replace(HELD, attempt=attempt, amount=amount, reference=f"sp_{number}"))
                case "answer", GiveBack(back):
                    given_back[str(back.id)] = back.amount.minor
                    past += settling.refunded(state, back, "se")
                case "refuse", Capture():
                    past += settling.fail_capture(state, "authorisation_expired")
                case "refuse", Charge(attempt):
                    past += settling.refuse_charge(state, attempt, "card_declined")
        except FxoError:
            continue
    kinds = [type(item) for item in past]
    assert kinds.count(Captured) <= 1
    assert not (Captured in kinds and kinds.count(Voided) and isinstance(after(PAYMENT, *past), Closed))
    state = after(PAYMENT, *past)
    match state:
        case Paid(captured=captured):
            assert sum(taken.values()) == captured.amount.minor
            assert state.refunded.minor == sum(given_back.values())
            assert NOTHING <= state.kept <= captured.amount
        case Closed() | Authorisation() | Owing():
            assert taken == given_back == {}
