"""How a payment follows its booking: to another time, to an acceptance, and to the expert who stands in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fxo.core.errors import Conflict
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments import model, replanning
from fxo.core.payments.model import (
    PAYMENT,
    Authorisation,
    AuthorisationRefused,
    Authorised,
    CardSaved,
    Closed,
    HandedOver,
    Replanned,
    Requested,
    Saved,
    Voided,
)
from fxo.core.payments.outcomes import Captured, Due, Through
from fxo.core.payments.plan import AuthorisationWindows, Mode, Offer, Plan, for_
from fxo.core.scope import CancellationPolicy
from tests.support.decisions import after
from tests.support.decisions import given as given_events

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRICE = Money(80_000, "USD")
WINDOWS = AuthorisationWindows(client_present=7 * DAY, off_session=4 * DAY + 18 * HOUR)


def plan_for(start: datetime, *, client_present: bool = False) -> Plan:
    return for_(Offer(PRICE, 60, CancellationPolicy()), start, WINDOWS, now=NOW, client_present=client_present)


def times(plan: Plan) -> tuple[datetime, datetime, datetime]:
    assert plan.authorise_at and plan.retry_at and plan.give_up_at
    return plan.authorise_at, plan.retry_at, plan.give_up_at


SOON, LATER = plan_for(NOW + 3 * DAY), plan_for(NOW + 20 * DAY)
ASKED = Requested(
    new_id(), new_id(), new_id(), new_id(), "payments_sandbox", PRICE, 8_000, Mode.SAVE_CARD, *times(SOON), model.CONSENT
)
CARD = CardSaved(ASKED.attempt, ASKED.client_id, ASKED.provider, "sc_1", "sm_1", "Visa ending 4242", times(SOON)[0])
HELD = Authorised(
    ASKED.attempt, ASKED.client_id, ASKED.provider, "sp_1", PRICE, NOW + 7 * DAY, "sc_1", "sm_1", "Visa ending 4242"
)
REFUSED = AuthorisationRefused(new_id(), "card_declined")
REPLANNED = Replanned(*times(LATER))
TAKEN = Captured(ASKED.consultation_id, ASKED.client_id, ASKED.partner_id, PRICE, 8_000, "sp_1")
FULL, FREE = Due(PRICE, "completed"), Due(Money(0, "USD"), "cancelled")
OTHER = new_id()
WANTED = replace(ASKED, attempt=new_id(), consultation_id=OTHER, partner_id=new_id())


def given(*events: object) -> Any:
    return given_events(PAYMENT, *events)


# To another time (hard case 18) -------------------------------------------------------------------------------------


def test_case_18_a_saved_card_is_authorised_at_the_new_times_and_its_refusals_are_forgotten() -> None:
    given(ASKED, CARD, REFUSED).when(replanning.replan, LATER).then(REPLANNED)
    state = after(PAYMENT, ASKED, CARD, REFUSED, REPLANNED)
    assert isinstance(state, Saved)
    assert (state.request.authorise_at, state.refused) == (times(LATER)[0], frozenset())


def test_case_18_what_is_held_is_held_anew_only_where_it_does_not_reach_to_the_last_capture() -> None:
    given(ASKED, HELD).when(replanning.replan, SOON).then()
    given(ASKED, HELD).when(replanning.replan, LATER).then(REPLANNED)
    state = after(PAYMENT, ASKED, HELD, REPLANNED)
    assert isinstance(state, Saved)
    assert state.held == HELD, "until the new amount is held, the old one stays held"


def test_the_same_times_again_are_no_plan_anew() -> None:
    given(ASKED, CARD).when(replanning.replan, SOON).then()
    given(ASKED, CARD, REPLANNED).when(replanning.replan, LATER).then()


def test_a_plan_that_authorises_at_once_leaves_a_saved_card_to_its_own_times() -> None:
    given(ASKED, CARD).when(replanning.replan, plan_for(NOW + 2 * DAY, client_present=True)).then()


@pytest.mark.parametrize(
    "past", [(), (ASKED,), (ASKED, HELD, FULL), (ASKED, HELD, FULL, TAKEN), (ASKED, HELD, FREE, Voided("x"))]
)
def test_what_is_decided_or_not_there_is_not_planned_anew(past: tuple[object, ...]) -> None:
    given(*past).when(replanning.replan, LATER).then()


# To the expert who stands in (hard case 15) -------------------------------------------------------------------------


def test_case_15_a_hold_goes_with_the_booking_that_stands_in() -> None:
    given(ASKED, HELD).when(replanning.hand_over, OTHER).then(HandedOver(OTHER))
    assert after(PAYMENT, ASKED, HELD, HandedOver(OTHER)) == Closed(ASKED, "handed_over")
    at_once = replace(WANTED, mode=Mode.AUTHORISE_NOW, authorise_at=None, retry_at=None, give_up_at=None)
    given(ASKED, HELD).when(replanning.take_over, WANTED).then(at_once, HELD)
    assert after(PAYMENT, at_once, HELD) == Authorisation(at_once, HELD)


def test_case_15_a_saved_card_goes_with_it_too_and_is_authorised_by_the_new_plan() -> None:
    wanted = replace(WANTED, authorise_at=times(LATER)[0])
    card = replace(CARD, attempt=wanted.attempt, authorise_at=times(LATER)[0])
    given(ASKED, CARD).when(replanning.hand_over, OTHER).then(HandedOver(OTHER))
    given(ASKED, CARD).when(replanning.take_over, wanted).then(wanted, card)
    assert after(PAYMENT, wanted, card) == Saved(wanted, card)


def test_case_15_it_stays_with_the_provider_and_the_account_where_it_is_held() -> None:
    own = replace(ASKED, provider="payments_own", through=Through.TENANT)
    wanted = replace(WANTED, provider="", tax_rate=2_500)
    for past in (HELD, CARD):
        begun = replanning.take_over(after(PAYMENT, own, past), wanted)[0]
        assert isinstance(begun, Requested)
        assert (begun.provider, begun.through, begun.tax_rate) == ("payments_own", Through.TENANT, 2_500)


@pytest.mark.parametrize("past", [(), (ASKED,), (ASKED, HELD, FULL, TAKEN), (ASKED, HELD, HandedOver(OTHER))])
def test_case_15_what_is_taken_gone_or_was_never_held_stays(past: tuple[object, ...]) -> None:
    given(*past).when(replanning.hand_over, OTHER).then(Conflict, code="no_rescue")
    given(*past).when(replanning.take_over, WANTED).then(Conflict, code="no_rescue")


def test_what_the_client_owes_for_the_old_booking_is_not_handed_over() -> None:
    given(ASKED, HELD, FULL).when(replanning.hand_over, OTHER).then(Conflict, code="no_rescue")
