"""What the provider knows and we do not becomes the events that are missing, once; and what may happen to a payout."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fxo.core.errors import Conflict
from fxo.core.ids import derived_id, new_id
from fxo.core.ledger import payouts
from fxo.core.ledger.payouts import PAYOUT, PayoutFailed, PayoutPaid, PayoutPlanned, PayoutReversed, ReversalRefused, Way
from fxo.core.money import Money
from fxo.core.payments import disputes, model, settling
from fxo.core.payments.model import PAYMENT, Authorised, Requested, Saved, Voided
from fxo.core.payments.outcomes import (
    Captured,
    CaptureFailed,
    Decided,
    Disputed,
    DisputeLost,
    DisputeWon,
    Due,
    EvidenceSent,
    HoldLapsed,
    ProviderFeeKnown,
    RefundAsked,
    Refunded,
)  # fmt: skip
from fxo.core.payments.plan import Mode
from fxo.core.payments.port import Dispute, DisputeStatus, PaymentStatus, ProviderPayment
from tests.support.decisions import after
from tests.support.decisions import given as given_events

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRICE, HALF, NOTHING, FEE = Money(80_000, "USD"), Money(40_000, "USD"), Money(0, "USD"), Money(1_500, "USD")
ASKED = Requested(
    new_id(), new_id(), new_id(), new_id(), "payments_sandbox", PRICE, 8_000, Mode.AUTHORISE_NOW, None, None, None, model.CONSENT
)
HELD = Authorised(
    ASKED.attempt, ASKED.client_id, ASKED.provider, "sp_1", PRICE, NOW + timedelta(days=7), "sc_1", "sm_1", "Visa ending 4242"
)
TAKEN = Captured(ASKED.consultation_id, ASKED.client_id, ASKED.partner_id, PRICE, 8_000, "sp_1")
FULL = Due(PRICE, "completed")
PAID = (ASKED, HELD, FULL, TAKEN)
SEEN = ProviderPayment("sp_1", str(ASKED.attempt), PaymentStatus.AUTHORISED, PRICE, NOTHING, NOTHING)
CAPTURED = replace(SEEN, status=PaymentStatus.CAPTURED, captured=PRICE)
OPEN = Dispute("sd_1", DisputeStatus.OPEN, PRICE, FEE, "fraudulent", NOW + timedelta(days=7))
DISPUTED = Disputed("sd_1", TAKEN, PRICE, NOTHING, FEE, "fraudulent", OPEN.answer_by)


def given(*events: object) -> Any:
    return given_events(PAYMENT, *events)


def test_case_20_a_fee_that_the_provider_tells_late_or_changes_is_found_once() -> None:
    told, less = Money(2_350, "USD"), Money(1_175, "USD")
    known = ProviderFeeKnown(TAKEN, told, NOTHING)
    given(*PAID).when(disputes.found, replace(CAPTURED, fee=told)).then(known)
    given(*PAID, known).when(disputes.found, replace(CAPTURED, fee=told)).then()
    given(*PAID, known).when(disputes.found, CAPTURED).then()
    given(*PAID, known).when(disputes.found, replace(CAPTURED, fee=less)).then(ProviderFeeKnown(TAKEN, less, told))
    given(*PAID).when(disputes.found, replace(CAPTURED, fee=NOTHING)).then(ProviderFeeKnown(TAKEN, NOTHING, NOTHING))
    at_once = replace(TAKEN, provider_fee=told)
    given(*PAID[:3]).when(disputes.found, replace(CAPTURED, fee=told)).then(at_once)
    given(*PAID[:3], at_once).when(disputes.found, replace(CAPTURED, fee=told)).then()


def test_what_we_know_already_is_not_found_again() -> None:
    given(ASKED, HELD).when(disputes.found, SEEN).then()
    given(*PAID).when(disputes.found, CAPTURED).then()
    given(*PAID, DISPUTED).when(disputes.found, replace(CAPTURED, dispute=OPEN)).then()
    given(*PAID).when(disputes.found, replace(CAPTURED, reference="sp_other", refunded=HALF)).then()


def test_a_capture_that_we_never_heard_of_is_found() -> None:
    given(ASKED, HELD, FULL).when(disputes.found, CAPTURED).then(TAKEN)


@pytest.mark.parametrize("status", [PaymentStatus.VOIDED, PaymentStatus.EXPIRED])
def test_a_hold_that_ended_there_is_charged_again_where_something_is_owed_and_made_anew_where_nothing_is_decided(
    status: PaymentStatus,
) -> None:
    gone = replace(SEEN, status=status)
    lapsed = HoldLapsed(ASKED.attempt, f"authorisation_{status}")
    given(ASKED, HELD).when(disputes.found, gone).then(lapsed)
    assert isinstance(after(PAYMENT, ASKED, HELD, lapsed), Saved)
    given(ASKED, HELD, FULL).when(disputes.found, gone).then(CaptureFailed(f"authorisation_{status}"))
    given(ASKED, HELD, Due(NOTHING, "cancelled")).when(disputes.found, gone).then(Voided("booking_ended"))


def test_a_refund_made_at_the_providers_desk_is_found_once() -> None:
    key = derived_id(ASKED.attempt, "found", HALF.minor)
    made = Refunded(key, TAKEN, HALF, NOTHING, "sp_1")
    given(*PAID).when(disputes.found, replace(CAPTURED, refunded=HALF)).then(made)
    given(*PAID, made).when(disputes.found, replace(CAPTURED, refunded=HALF)).then()


def test_a_refund_of_ours_that_is_on_its_way_is_not_taken_for_somebody_elses() -> None:
    asked = RefundAsked(new_id(), HALF, "decided")
    given(*PAID, asked).when(disputes.found, replace(CAPTURED, refunded=HALF)).then()


def test_a_dispute_is_found_open_decided_or_both_at_once() -> None:
    won, lost = (replace(OPEN, status=status) for status in (DisputeStatus.WON, DisputeStatus.LOST))
    given(*PAID).when(disputes.found, replace(CAPTURED, dispute=OPEN)).then(DISPUTED)
    ended = DisputeWon("sd_1", TAKEN, PRICE, NOTHING)
    given(*PAID, DISPUTED).when(disputes.found, replace(CAPTURED, dispute=won)).then(ended)
    given(*PAID, DISPUTED, ended).when(disputes.found, replace(CAPTURED, dispute=won)).then()
    given(*PAID).when(disputes.found, replace(CAPTURED, dispute=lost)).then(DISPUTED, DisputeLost("sd_1", TAKEN, PRICE, NOTHING))


def test_case_21_while_a_dispute_is_open_nothing_is_given_back_and_afterwards_what_is_left() -> None:
    given(*PAID, DISPUTED).when(settling.refund, HALF, "goodwill").then(Conflict, code="disputed")
    asked = RefundAsked(derived_id(ASKED.attempt, "refund", 0), HALF, "goodwill")
    assert settling.next_step(after(PAYMENT, *PAID, asked, DISPUTED)) is None
    won = DisputeWon("sd_1", TAKEN, PRICE, NOTHING)
    assert settling.next_step(after(PAYMENT, *PAID, asked, DISPUTED, won)) is not None
    given(*PAID, DISPUTED, won).when(settling.refund, HALF, "goodwill").then(asked)
    lost = DisputeLost("sd_1", TAKEN, PRICE, NOTHING)
    given(*PAID, DISPUTED, lost).when(settling.refund, HALF, "goodwill").then(Conflict, code="over_refund")


def test_a_dispute_is_answered_once() -> None:
    given(*PAID, DISPUTED).when(disputes.answer, "Yes.").then(Decided("evidence", ASKED.client_id, "Yes."))
    sent = EvidenceSent("sd_1", ("timeline",))
    given(*PAID, DISPUTED).when(disputes.evidence_sent, "sd_1", ("timeline",)).then(sent)
    given(*PAID, DISPUTED).when(disputes.evidence_sent, "sd_0", ("timeline",)).then()
    given(*PAID, DISPUTED, sent).when(disputes.evidence_sent, "sd_1", ("timeline",)).then()
    given(*PAID, DISPUTED, sent).when(disputes.answer, "Again.").then(Conflict, code="answered")
    given(*PAID).when(disputes.answer, "What?").then(Conflict, code="no_dispute")


def test_a_hold_is_made_anew_once_and_not_once_it_is_decided_what_is_owed() -> None:
    anew = replace(HELD, attempt=new_id(), reference="sp_2")
    given(ASKED, HELD).when(settling.reauthorise, anew).then(anew)
    given(ASKED, HELD, anew).when(settling.reauthorise, anew).then()
    given(ASKED, HELD, FULL).when(settling.reauthorise, anew).then()


# Payouts ------------------------------------------------------------------------------------------------------------

PARTNER = new_id()
PLANNED = PayoutPlanned(PARTNER, PRICE, Way.TRANSFER, "payments_sandbox", (new_id(),))
PAID_OUT, REFUSED = PayoutPaid(PARTNER, PRICE, Way.TRANSFER, "st_1"), PayoutFailed(PARTNER, PRICE, "no_account")


def payout(*events: object) -> Any:
    return given_events(PAYOUT, *events)


def test_a_payout_is_planned_once_and_never_of_nothing() -> None:
    payout().when(payouts.plan, PLANNED).then(PLANNED)
    payout(PLANNED).when(payouts.plan, PLANNED).then()
    payout().when(payouts.plan, replace(PLANNED, amount=NOTHING)).then(Conflict, code="nothing_owed")


def test_a_payout_has_one_outcome() -> None:
    payout(PLANNED).when(payouts.pay, "st_1").then(PAID_OUT)
    payout(PLANNED).when(payouts.fail, "no_account").then(REFUSED)
    for outcome in (PAID_OUT, REFUSED):
        payout(PLANNED, outcome).when(payouts.pay, "st_1").then()
        payout(PLANNED, outcome).when(payouts.fail, "no_account").then()


def test_no_more_is_taken_back_than_was_paid() -> None:
    back = PayoutReversed(PARTNER, HALF, "sr_1")
    payout(PLANNED, PAID_OUT).when(payouts.take_back, HALF, "sr_1").then(back)
    payout(PLANNED, PAID_OUT, back).when(payouts.take_back, PRICE, "sr_2").then()
    payout(PLANNED).when(payouts.take_back, HALF, "sr_1").then()
    payout(PLANNED, PAID_OUT).when(payouts.refuse_back, HALF, "over_reversal").then(
        ReversalRefused(PARTNER, HALF, "over_reversal")
    )
