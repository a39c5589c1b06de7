"""The money of a booking until partners are paid: fees, refusals, refunds, disputes, payouts, receipts, and the books."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from fxo.core import record
from fxo.core.consultations import commands as consultations
from fxo.core.errors import Conflict, Invalid, NotAllowed, NotFound
from fxo.core.ids import new_id
from fxo.core.ledger import commands as payouts
from fxo.core.ledger import queries as ledger
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.payments import receipts
from fxo.core.payments.outcomes import Paper
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, partner_scope
from fxo.plugins.payments_sandbox.network import issue_token
from tests.conftest import add_member
from tests.support.flow import CARD
from tests.support.money import (
    DAY,
    DISPUTED,
    HALF,
    HOUR,
    MINUTE,
    NOTHING,
    OPERATOR,
    PRICE,
    SHORT,
    agreed,
    balances,
    decides,
    done,
    owes,
    paid_out,
    reconcile,
    reference,
    refused,
    sandbox,
)  # fmt: skip
from tests.support.sql import superuser
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


# The fee ------------------------------------------------------------------------------------------------------------


def test_of_a_hold_a_fee_is_captured_and_the_rest_is_let_go(told: Story) -> None:
    """Hard case 16: partial capture of what is held; 80/20 of what was captured."""
    booked = told.book("dana", told.ahead(2 * DAY))
    owes(told, booked, HALF)
    assert told.payment(booked)[0] == "captured"
    assert told.effects("capture", "void", "refund") == ["capture"]
    assert sandbox(told).fetch(reference(told, booked)).captured == HALF
    assert balances(told) == {"provider": 40_000, "partner": -32_000, "platform": -8_000}
    assert agreed(told) == []


def test_a_fee_of_nothing_lets_the_hold_go_once(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    owes(told, booked, NOTHING)
    owes(told, booked, NOTHING)
    assert told.payment(booked) == ("voided", "booking_ended")
    assert told.effects("capture", "void") == ["void"]


def test_a_fee_is_charged_to_a_card_that_is_only_saved(told: Story) -> None:
    booked = told.book("dana", told.ahead(20 * DAY))
    told.cancel(booked)
    owes_first = told.rows("select count(*) from work where kind = 'payments.keep_fee'")
    assert owes_first == [(1,)]
    booked = told.book("dana", told.ahead(21 * DAY))
    owes(told, booked, HALF)
    assert told.events(booked, "payment.") == [
        "payment.requested", "payment.card_saved", "payment.due", "payment.authorised", "payment.captured",
        "payment.receipt_issued",
    ]  # fmt: skip
    assert sandbox(told).fetch(reference(told, booked)).captured == HALF
    assert agreed(told) == []


def test_of_what_was_taken_already_the_rest_is_given_back(told: Story) -> None:
    booked = done(told)
    owes(told, booked, HALF, "resolved")
    assert sandbox(told).fetch(reference(told, booked)).refunded == HALF
    assert balances(told) == {"provider": 40_000, "partner": -32_000, "platform": -8_000}
    assert agreed(told) == []


def test_waiving_while_the_capture_is_on_its_way_gives_it_back_and_captures_once(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.run(CODE, payments.keep_fee, payment_id_of(booked), PRICE, "completed")
    sandbox(told).capture(reference(told, booked), PRICE, "somebody-elses-key")
    told.run(CODE, payments.keep_fee, payment_id_of(booked), NOTHING, "waived")
    told.work()
    assert told.effects("capture", "void", "refund") == ["capture", "refund"]
    assert balances(told) == {}
    assert agreed(told) == []


# FR-2: the capture flow ---------------------------------------------------------------------------------------------


def test_fr_2_1_a_partner_completes_a_session_with_one_click_and_fr_2_2_the_money_is_taken_within_five_minutes(
    told: Story,
) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    clicked = told.now
    told.live(5 * MINUTE)
    assert told.payment(booked) == ("captured", None)
    [(took,)] = told.rows("select captured_at from payments where consultation_id = %(id)s", id=booked)
    assert took - clicked < 5 * MINUTE


def test_fr_2_3_the_split_is_tracked_for_reporting_with_overrides_of_the_tenant_and_of_the_roster(told: Story) -> None:
    done(told)
    told.rows("update tenants set partner_share = 7000 where id = %(t)s returning id", t=told.config.id)
    told.rows("update roster set partner_share = 9000 where partner_id = %(p)s returning 1", p=told.partners["ines"])
    changed = told.of(told.parts.records.by_slug(told.config.slug), told.client)
    done(changed, ahead=3 * DAY)
    done(changed, ahead=4 * DAY, partner="ines")
    earned = told.rows("select amount_minor from partner_earnings order by earned_at")
    assert [minor for (minor,) in earned] == [64_000, 56_000, 72_000]
    assert agreed(told) == []


def test_fr_2_4_both_parties_get_a_payment_confirmation_and_the_clients_has_the_receipt(told: Story) -> None:
    done(told)
    [mail] = told.mails("payment_received_client", to=CLIENT_MAIL)
    assert [each.filename for each in mail.attachments] == ["R-00001.pdf"]
    assert mail.attachments[0].content.startswith(b"%PDF-")
    assert "R-00001" in mail.text
    [mail] = told.mails("payment_received_partner", to=DANA_MAIL)
    assert "$640" in mail.subject


def test_fr_2_5_a_capture_that_fails_is_retried_on_the_saved_card_and_the_operator_is_told(told: Story) -> None:
    """Hard case 3."""
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.sleep_until(starts_at + 6 * DAY)  # nobody works, so that not even the day after the end completes it
    told.complete(booked, "dana")
    told.live(MINUTE)
    assert told.payment(booked) == ("captured", None)
    assert "payment.capture_failed" in told.alarms()
    assert agreed(told) == []


def test_case_3_an_alarm_comes_a_day_before_a_hold_lapses_about_which_nobody_has_decided(told: Story) -> None:
    """Hard case 3."""
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at + 30 * MINUTE)
    told.run(told.client, consultations.object_to, booked, "not_as_agreed", "It was a sales talk.")
    told.live_until(starts_at + 3 * DAY)
    assert told.alarms() == ["session.contested"]
    told.live_until(starts_at + 5 * DAY + HOUR)
    assert told.alarms() == ["session.contested", "payment.lapses"]


def test_case_1_a_hold_that_is_too_short_is_made_anew_before_it_ends(told: Story) -> None:
    starts_at = told.ahead(4 * DAY)
    booked = told.book("dana", starts_at, SHORT)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.live(MINUTE)
    assert told.payment(booked) == ("captured", None)
    assert told.effects("capture") == ["capture"]
    assert told.effects("hold").count("hold") > 1
    assert sorted(told.attempts())[0] == "captured"
    assert told.attempts().count("authorised") == 0
    assert told.alarms() == []


# Nobody pays --------------------------------------------------------------------------------------------------------


def test_a_client_whose_card_is_refused_for_a_session_is_asked_for_another_one_and_pays(told: Story) -> None:
    booked = refused(told)
    assert told.payment(booked) == ("client_asked", "card_declined")
    [mail] = told.mails("payment_due_client")
    assert f"/sessions/{booked}/pay" in mail.text
    work_id = told.run(told.client, payments.pay_due, payments.Pay(booked, issue_token(CARD, told.now)))
    told.perform(work_id)
    told.work()
    assert told.payment(booked) == ("captured", None)
    told.live(4 * DAY)
    assert "payment.needs_person" not in told.alarms()
    assert agreed(told) == []


def test_a_client_who_does_not_pay_within_three_days_becomes_the_operators(told: Story) -> None:
    booked = refused(told)
    told.live(3 * DAY)
    assert told.payment(booked) == ("needs_person", "client_silent")
    assert "payment.needs_person" in told.alarms()


def test_an_operator_has_the_card_charged_again_and_it_works(told: Story) -> None:
    booked = refused(told)
    told.rows("update plugin_payments_sandbox.methods set card = 'works' returning 1")
    decides(told, payments.retry, booked, "The client says the bank has unlocked it.")
    assert told.payment(booked) == ("captured", None)
    assert told.effects("capture") == ["capture"]


def test_an_operator_asks_for_another_card_once_more(told: Story) -> None:
    booked = refused(told)
    told.live(3 * DAY)
    decides(told, payments.ask_client, booked, "Talked to the client.")
    assert told.payment(booked)[0] == "client_asked"
    assert len(told.mails("payment_due_client")) == 2


def test_an_operator_lets_a_client_off_with_a_reason_that_is_kept(told: Story) -> None:
    booked = refused(told)
    with pytest.raises(Invalid):
        decides(told, payments.waive, booked, "  ")
    decides(told, payments.waive, booked, "The session was cut short.")
    assert told.payment(booked) == ("abandoned", "waived")
    [(kind, actor)] = told.rows("select data ->> 'what', meta -> 'actor' ->> 'id' from events where type = 'payment.decided'")
    assert (kind, actor) == ("waive", str(OPERATOR.id))
    [(stored,)] = told.rows("select data::text from events where type = 'payment.decided'")
    assert "cut short" not in stored, "what a person writes about somebody is sealed"


def test_an_operator_enters_what_came_by_bank(told: Story) -> None:
    booked = refused(told)
    decides(told, payments.enter_by_hand, booked, "Bank transfer of 3 March.")
    assert told.payment(booked) == ("captured", "card_declined")
    assert balances(told) == {"bank": 80_000, "partner": -64_000, "platform": -16_000}
    decides(told, payments.refund, booked, HALF, "Goodwill.")
    assert balances(told) == {"bank": 40_000, "partner": -32_000, "platform": -8_000}
    assert told.effects("capture", "refund") == []
    assert agreed(told) == []


@pytest.mark.parametrize("command", [payments.retry, payments.ask_client, payments.waive, payments.enter_by_hand])
def test_only_an_operator_decides_and_only_while_something_is_owed(told: Story, command: Any) -> None:
    booked = refused(told)
    with pytest.raises(NotAllowed):
        told.run(told.client, command, payment_id_of(booked), "please")
    paid = done(told, ahead=3 * DAY)
    with pytest.raises(Conflict):
        told.run(OPERATOR, command, payment_id_of(paid), "why")


# Refunds ------------------------------------------------------------------------------------------------------------


def test_case_20_partial_refunds_split_like_their_sum_and_the_client_gets_credit_notes(told: Story) -> None:
    booked = done(told)
    for minor in (33, 33, 34_333, 1, 45_600):
        decides(told, payments.refund, booked, Money(minor, "USD"), "Goodwill.")
    assert balances(told) == {}
    codes = [paper.code for paper in told.run(told.client, receipts.mine)]
    assert codes[::-1] == ["R-00001", "C-00001", "C-00002", "C-00003", "C-00004", "C-00005"]
    assert len(told.mails("refund_client", to=CLIENT_MAIL)) == 5
    assert len(told.mails("refund_partner", to=DANA_MAIL)) == 5
    with pytest.raises(Conflict):
        decides(told, payments.refund, booked, Money(1, "USD"), "More.")
    assert agreed(told) == []


def test_nobody_but_an_operator_gives_money_back(told: Story) -> None:
    booked = done(told)
    for actor in (told.client, told.partner("dana"), Actor(new_id(), ActorKind.MEMBER, ROLES["administrator"])):
        with pytest.raises(NotAllowed):
            told.run(actor, payments.refund, payment_id_of(booked), HALF, "Please.")
    assert told.effects("refund") == []


# Disputes -----------------------------------------------------------------------------------------------------------


def test_case_21_a_dispute_freezes_the_share_is_answered_and_won(told: Story) -> None:
    booked = done(told, DISPUTED)
    reconcile(told)
    assert balances(told) == {
        "provider": -1_500, "disputed": 80_000, "frozen": -64_000, "platform": -16_000, "fees": 1_500,
    }  # fmt: skip
    assert "payment.disputed" in told.alarms()
    assert told.mails("dispute_opened_partner", to=DANA_MAIL)
    with pytest.raises(Conflict) as refusal:
        decides(told, payments.refund, booked, HALF, "Goodwill.")
    assert refusal.value.code == "disputed"
    decides(told, payments.answer_dispute, booked, "All as it should be.")
    [(evidence,)] = told.rows("select evidence from plugin_payments_sandbox.disputes")
    assert {"timeline", "policy", "joined", "mails", "record", "consent"} <= set(evidence)
    assert "consultation.completed by partner" in evidence["joined"]
    with pytest.raises(Conflict):
        decides(told, payments.answer_dispute, booked, "Again.")
    told.live(4 * DAY)
    reconcile(told)
    assert balances(told) == {"provider": 78_500, "partner": -64_000, "platform": -16_000, "fees": 1_500}
    assert told.mails("dispute_won_partner", to=DANA_MAIL)
    assert agreed(told) == []
    decides(told, payments.refund, booked, HALF, "Goodwill after all.")
    assert agreed(told) == []


def test_case_21_a_dispute_that_nobody_answers_is_an_alarm_and_lost(told: Story) -> None:
    done(told, DISPUTED)
    reconcile(told)
    told.live(5 * DAY + HOUR)
    assert "payment.dispute_ends" in told.alarms()
    told.live(2 * DAY)
    reconcile(told)
    assert balances(told) == {"provider": -1_500, "fees": 1_500}
    assert told.mails("dispute_lost_partner", to=DANA_MAIL)
    assert agreed(told) == []


def test_case_21_after_the_payout_the_partners_share_is_taken_back(told: Story) -> None:
    booked = done(told)
    paid_out(told)
    assert balances(told) == {"provider": 16_000, "platform": -16_000}
    sandbox(told).dispute(reference(told, booked))
    reconcile(told)
    assert balances(told)["partner"] == 64_000, "the partner owes it, until it is decided"
    sandbox(told).decide_dispute(reference(told, booked), won=False)
    reconcile(told)
    assert told.effects("reversal") == ["reversal"]
    assert balances(told) == {"provider": -1_500, "fees": 1_500}
    assert agreed(told) == []


def test_a_notice_of_a_dispute_lets_the_provider_be_asked_at_once(told: Story) -> None:
    booked = done(told)
    sandbox(told).dispute(reference(told, booked))
    [(attempt,)] = told.rows("select order_reference from payments where consultation_id = %(id)s", id=booked)
    assert told.notice(UUID(attempt), "sn_dispute", kind="dispute.opened").status_code == 200
    told.work()
    assert told.rows("select dispute from payments where consultation_id = %(id)s", id=booked) == [("open",)]


# Payouts ------------------------------------------------------------------------------------------------------------


def test_a_payout_pays_what_is_owed_once_with_a_statement_of_its_entries(told: Story) -> None:
    done(told)
    done(told, ahead=3 * DAY)
    [payout] = paid_out(told)
    assert paid_out(told) == []
    assert told.effects("transfer") == ["transfer"]
    assert balances(told) == {"provider": 32_000, "platform": -32_000}

    def statement(tx: Any) -> Any:
        return ledger.my_payout(tx, payout)

    found, entries = told.parts.store.run(partner_scope(told.partners["dana"]), told.partner("dana"), statement)
    assert (found.state, found.amount) == ("paid", Money(128_000, "USD"))
    assert [(entry.kind, entry.amount.minor) for entry in entries] == [("earned", 64_000)] * 2
    with pytest.raises(NotFound):
        told.parts.store.run(partner_scope(told.partners["ines"]), told.partner("ines"), statement)
    [mail] = told.mails("payout_partner", to=DANA_MAIL)
    assert "$1,280" in mail.subject
    assert agreed(told) == []


def test_case_20_a_refund_after_the_payout_takes_the_share_back_from_the_transfer(told: Story) -> None:
    booked = done(told)
    paid_out(told)
    decides(told, payments.refund, booked, HALF, "Goodwill.")
    assert told.effects("reversal") == ["reversal"]
    assert balances(told) == {"provider": 8_000, "platform": -8_000}
    assert agreed(told) == []


def test_case_20_what_cannot_be_taken_back_is_set_off_against_the_next_payout(told: Story) -> None:
    booked = done(told)
    paid_out(told)
    told.rows("update plugin_payments_sandbox.transfers set reversed = amount returning 1")
    decides(told, payments.refund, booked, HALF, "Goodwill.")
    assert balances(told)["partner"] == 32_000
    done(told, ahead=3 * DAY)
    paid_out(told)
    paid = told.rows("select amount_minor from partner_payouts order by planned_at")
    assert paid == [(64_000,), (32_000,)]
    assert balances(told).get("partner", 0) == 0


def test_a_tenant_with_an_account_of_its_own_owes_and_its_experts_are_paid_by_hand(told: Story) -> None:
    """Architecture, section 8: no transfers; the ledger books a receivable from the tenant."""
    own = told.reconfigured(providers={"payments": ["payments_sandbox"]}, deliver_to="http://127.0.0.1:1")
    assert own.config.own_payment_account
    done(own)
    assert balances(own) == {"tenant": 80_000, "partner": -64_000, "platform": -16_000}
    [payout] = paid_out(own)
    assert own.effects("transfer") == []
    own.run(OPERATOR, payouts.paid_by_hand, payout, "SEPA 2026-03-04")
    assert balances(own) == {"tenant": 80_000, "bank": -64_000, "platform": -16_000}
    assert agreed(own) == []


def test_only_an_operator_pays_out(told: Story) -> None:
    with pytest.raises(NotAllowed):
        told.run(told.client, payouts.plan, told.config, "payments_sandbox")


# Receipts and tax ---------------------------------------------------------------------------------------------------


def taxed(told: Story, **tax: Any) -> Story:
    from psycopg.types.json import Jsonb

    told.rows("update tenants set tax = %(x)s where id = %(t)s returning id", x=Jsonb(tax), t=told.config.id)
    return told.of(told.parts.records.by_slug(told.config.slug), told.client)


@pytest.mark.parametrize(("inclusive", "paid", "tax"), [(True, 80_000, 12_773), (False, 95_200, 15_200)])
def test_tax_is_in_the_price_or_comes_on_top_and_the_split_is_of_what_remains(
    told: Story, inclusive: bool, paid: int, tax: int
) -> None:
    here = taxed(told, rate=1900, inclusive=inclusive, name="MwSt", id="DE123456789", seller="Fortium GmbH\nMusterstraße 1\nŁódź")
    booked = done(here)
    net = paid - tax
    assert balances(here) == {
        "provider": paid, "partner": -Money(net, "USD").share(8_000).minor,
        "platform": -(net - Money(net, "USD").share(8_000).minor), "tax": -tax,
    }  # fmt: skip
    [paper] = here.run(here.client, receipts.mine)
    assert (paper.amount.minor, paper.tax.minor, paper.tax_id) == (paid, tax, "DE123456789")
    decides(here, payments.refund, booked, Money(paid, "USD"), "All of it.")
    assert balances(here) == {}
    credit = here.run(here.client, receipts.mine)[0]
    assert (credit.code, credit.tax.minor, credit.for_receipt) == ("C-00001", tax, 1)
    assert agreed(here) == []


@pytest.mark.parametrize("own_account", [False, True])
def test_what_another_expert_takes_over_stays_in_its_account_and_with_its_tax(told: Story, own_account: bool) -> None:
    if own_account:
        told = told.reconfigured(providers={"payments": ["payments_sandbox"]}, deliver_to="http://127.0.0.1:1")
    here = taxed(told, rate=1900, inclusive=True, name="MwSt")
    starts_at = here.ahead(2 * DAY)
    left = here.book("dana", starts_at)
    here.cancel(left, by=here.partner("dana"), reason="ill")
    kept = here.stand_in(left, "ines", starts_at)
    here.live_until(starts_at)
    here.complete(kept, "ines")
    here.live(MINUTE)
    [paper] = here.run(here.client, receipts.mine)
    assert (paper.amount.minor, paper.tax.minor, paper.tax_name) == (80_000, 12_773, "MwSt")
    split = {"partner": -53_782, "platform": -13_445}
    ours = {"tenant": 67_227} if own_account else {"provider": 80_000, "tax": -12_773}
    assert balances(here) == split | ours, "a tenant with an account of its own owes the tax itself"
    assert agreed(here) == []


def test_receipts_are_numbered_in_each_tenant_without_gaps_whoever_is_faster(told: Story) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import flask

    booked = [done(told, ahead=number * DAY) for number in (2, 3, 4)]
    numbers = told.rows("select number from receipts where kind = 'receipt' order by number")
    assert [number for (number,) in numbers] == [1, 2, 3]
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]

    def give_back(consultation_id: UUID) -> None:
        with app.app_context():
            told.run(OPERATOR, payments.refund, payment_id_of(consultation_id), HALF, "Goodwill.")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(give_back, booked))
    told.work()
    notes = told.rows("select number from receipts where kind = 'credit_note' order by number")
    assert [number for (number,) in notes] == [1, 2, 3]


def test_a_receipt_is_its_clients_alone_and_forgets_who_it_was(told: Story) -> None:
    done(told)
    other = add_member(told.config, "erik@lindqvist.example")
    with pytest.raises(NotFound):
        told.run(other, receipts.find, Paper.RECEIPT, 1)
    from fxo.core.clients import commands as clients

    told.run(told.client, clients.erase, told.client.id)
    assert told.rows("select billed_to, company, amount_minor from receipts") == [("[erased]", "", 80_000)]


# The booking record -------------------------------------------------------------------------------------------------


def test_a_booking_record_can_be_verified_and_shows_what_was_changed(told: Story) -> None:
    booked = done(told)
    body = told.run(told.client, record.export, booked)
    found = record.verify(body)
    assert (found.booking, found.broken, found.withheld) == (booked, "", 0)
    assert told.run(CODE, record.known, found.heads)
    changed = body.replace(b'"minor": 80000', b'"minor": 70000', 1)
    assert changed != body
    assert record.verify(changed).broken.startswith(("consultation", "payment"))
    with pytest.raises(Invalid):
        record.verify(b"{}")
    theirs = told.run(told.partner("dana"), record.export, booked)
    assert b"Visa ending" not in theirs
    assert record.verify(theirs).broken == ""
    assert record.verify(theirs).withheld == 2
    other = add_member(told.config, "erik@lindqvist.example")
    with pytest.raises(NotFound):
        told.run(other, record.export, booked)


# What the provider knows --------------------------------------------------------------------------------------------


def test_case_7_a_webhook_outage_of_three_days_loses_nothing(told: Story) -> None:
    """No notice arrives in any of these tests; what happens at the provider by itself is found by asking it."""
    paid, waits = done(told), told.book("dana", told.ahead(4 * DAY))
    reconcile(told)
    provider = sandbox(told)
    provider.refund(reference(told, paid), HALF, "by somebody at the provider's own desk")
    provider.void(reference(told, waits), "by the bank")
    told.sleep_until(told.now + 3 * DAY)
    reconcile(told)
    assert told.rows("select refunded_minor from payments where consultation_id = %(id)s", id=paid) == [(40_000,)]
    assert told.events(waits, "payment.")[-2:] == ["payment.hold_lapsed", "payment.authorised"]
    assert told.payment(waits) == ("authorised", None)
    assert agreed(told) == []


def test_case_7_a_capture_that_was_given_up_is_taken_up_again(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.run(CODE, payments.keep_fee, payment_id_of(booked), HALF, "cancelled")
    given_up(told, "payments.settle")
    assert told.payment(booked) == ("authorised", None)
    told.live(HOUR)
    reconcile(told)
    assert told.payment(booked) == ("captured", None)
    assert told.effects("capture") == ["capture"]
    assert told.rows("select count(*) from work where kind = 'payments.settle'") == [(1,)], "the same work, with the same key"


def test_case_7_a_refund_that_was_given_up_is_taken_up_again(told: Story) -> None:
    booked = done(told)
    told.run(OPERATOR, payments.refund, payment_id_of(booked), HALF, "Goodwill.")
    given_up(told, "payments.settle")
    assert told.effects("refund") == []
    told.live(HOUR)
    reconcile(told)
    assert told.effects("refund") == ["refund"]
    assert balances(told) == {"provider": 40_000, "partner": -32_000, "platform": -8_000}
    assert agreed(told) == []


def test_case_7_a_payout_that_was_given_up_is_taken_up_again(told: Story) -> None:
    done(told)
    [payout] = told.run(OPERATOR, payouts.plan, told.config, "payments_sandbox")
    given_up(told, "payouts.transfer")
    told.live(HOUR)
    reconcile(told)
    assert told.rows("select state from partner_payouts where id = %(id)s", id=payout) == [("paid",)]
    assert told.effects("transfer") == ["transfer"]


def given_up(told: Story, kind: str) -> None:
    """Every try has failed, for days."""
    told.rows("update work set state = 'dead' where kind = %(k)s and state = 'due' returning 1", k=kind)
    told.live(20 * MINUTE)
    reconcile(told)


def test_case_8_a_refund_whose_answer_was_lost_and_whose_key_was_forgotten_is_made_once(told: Story) -> None:
    booked = done(told)
    told.run(OPERATOR, payments.refund, payment_id_of(booked), HALF, "Goodwill.")
    [(work_id,)] = told.rows("update work set lease_no = 1 where kind = 'payments.settle' and state = 'due' returning id")
    sandbox(told).refund(reference(told, booked), HALF, "the key that is forgotten by now")
    told.perform(work_id)
    told.work()
    assert told.effects("refund") == ["refund"]
    assert told.rows("select refunded_minor from payments") == [(40_000,)]
    assert agreed(told) == []


def test_a_difference_with_the_provider_is_listed_and_raises_an_alarm(told: Story) -> None:
    booked = done(told)
    told.rows("update payments set captured_minor = 79999 where consultation_id = %(id)s returning 1", id=booked)
    found = agreed(told)
    assert {each["kind"] for each in found} == {"payment", "provider"}
    assert "ledger.differs" in told.alarms()


def test_what_the_provider_is_only_ahead_with_is_no_difference(told: Story) -> None:
    """A refund whose answer was lost, and one that was made at the provider's own desk: both are known within minutes."""
    asked, unheard = done(told), done(told, ahead=3 * DAY)
    told.run(OPERATOR, payments.refund, payment_id_of(asked), HALF, "Goodwill.")
    for booked in (asked, unheard):
        sandbox(told).refund(reference(told, booked), HALF, str(booked))
    assert agreed(told) == []
    assert "ledger.differs" not in told.alarms()
    sandbox(told).refund(reference(told, unheard), HALF, "once more")
    told.rows("update payments set refunded_minor = 1 where consultation_id = %(id)s returning 1", id=unheard)
    assert {each["kind"] for each in agreed(told)} == {"payment"}


def test_an_entry_that_was_tampered_with_is_found(told: Story) -> None:
    done(told)
    told.rows("update postings set amount_minor = -63999 where account = 'partner' returning 1")
    assert {each["kind"] for each in agreed(told)} == {"unbalanced", "posted_otherwise", "payment", "account"}


# Currencies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("currency", "price", "partner"), [("JPY", 99_999, 79_999), ("KWD", 245_675, 196_540)])
def test_currencies_without_and_with_three_decimals_go_all_the_way(told: Story, currency: str, price: int, partner: int) -> None:
    told.rows(
        "update tenants set currency = %(c)s, price_minor = %(p)s where id = %(t)s returning id",
        c=currency, p=price, t=told.config.id,
    )  # fmt: skip
    here = told.of(told.parts.records.by_slug(told.config.slug), told.client)
    booked = done(here)
    assert balances(here) == {"provider": price, "partner": -partner, "platform": partner - price}
    decides(here, payments.refund, booked, Money(1, currency), "Rounding.")
    decides(here, payments.refund, booked, Money(price - 1, currency), "The rest.")
    assert balances(here) == {}
    [mail] = here.mails("payment_received_client")
    assert str(Money(price, currency)) in mail.subject
    assert agreed(here) == []


def test_the_pdf_of_a_receipt_is_one_page(told: Story) -> None:
    done(told)
    [mail] = told.mails("payment_received_client")
    body = mail.attachments[0].content
    assert BytesIO(body).read(5) == b"%PDF-"
    assert body.count(b"/Type /Page\n") <= 1


def test_after_all_of_it_every_counter_is_zero(told: Story) -> None:
    from fxo.core.integrity import COUNTERS, counters

    booked = done(told, DISPUTED)
    reconcile(told)
    decides(told, payments.answer_dispute, booked, "All as it should be.")
    owes(told, told.book("dana", told.ahead(2 * DAY)), HALF)
    done(told, ahead=3 * DAY)
    paid_out(told)
    told.work()
    assert counters(told.parts.store) == dict.fromkeys(COUNTERS, 0)


@pytest.mark.parametrize(
    ("counter", "statement"),
    [
        ("paid_without_slot", "delete from partner_time returning 1"),
        ("slot_without_payment", "update payments set state = 'voided' returning 1"),
        ("unbalanced", "update postings set amount_minor = amount_minor + 1 where account = 'partner' returning 1"),
        ("captured_twice", "update partner_earnings set payment_id = (select min(payment_id::text)::uuid from partner_earnings)"
         " returning 1"),
        ("work_overdue", "update work set due_at = due_at - interval '400 days' where state = 'due' returning 1"),
        ("without_link", "with gone as (delete from meetings returning 1) update consultations set confirmed_at = starts_at -"
         " interval '5 days', starts_at = starts_at - interval '95 hours' where state = 'confirmed' returning 1"),
        ("about_to_lapse", "update payments set capture_before = updated_at, due_minor = 0 where state = 'authorised'"
         " returning 1"),
    ],
)  # fmt: skip
def test_what_must_never_be_is_counted(told: Story, counter: str, statement: str) -> None:
    from fxo.core.integrity import counters

    done(told)
    done(told, ahead=3 * DAY)
    told.book("dana", told.ahead(4 * DAY))
    assert counters(told.parts.store)[counter] == 0
    told.rows(statement)
    assert counters(told.parts.store)[counter] > 0


def test_not_even_overlaps_would_go_unseen(told: Story) -> None:
    """The database refuses them (hard case 4); they are counted all the same."""
    from fxo.core.integrity import counters

    told.book("dana", told.ahead(4 * DAY))
    with superuser(told.settings) as connection:
        connection.execute("alter table partner_time drop constraint partner_is_in_one_place")
        connection.execute(
            "insert into partner_time (partner_id, during, tenant_id, consultation_id, expires_at)"
            " select partner_id, during, tenant_id, gen_random_uuid(), null from partner_time"
        )
    assert counters(told.parts.store)["overlaps"] == 1
