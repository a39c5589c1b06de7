"""Stripe against the payment port, by its own SDK over HTTP, and that each thing happens once whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from fxo.core.clock import system_now
from fxo.core.errors import Declined, Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments.port import Customer, DisputeStatus, Order, PaymentProvider, PaymentStatus, SavedMethod
from fxo.core.scope import TenantConfig
from fxo.plugins.payments_stripe.provider import Stripe
from fxo.testing import PaymentContract, PaymentWorld
from tests.emulators import stripe as emulators
from tests.support.stripe import (
    ASKS_ALWAYS,
    ASKS_ONCE,
    DECLINED,
    GOOD,
    HALF,
    PRICE,
    RETURN,
    Time,
    answer_bank,
    challenged,
    key,
    order,
    saved,
)


class TestPaymentsStripe(PaymentContract):
    @pytest.fixture
    def provider(self, app: Flask, make: Callable[..., Stripe], tenant: TenantConfig) -> PaymentProvider:
        return make(tenant.id)

    @pytest.fixture
    def world(self, provider: PaymentProvider, company: emulators.Stripe, time: Time) -> PaymentWorld:
        def onboard(partner_id: UUID) -> None:
            provider.payout_onboarding(partner_id, "https://partners.example/earnings")
            company.books.onboard(company.of_kind("account")[-1]["id"])

        return PaymentWorld(
            good=GOOD,
            declined=DECLINED,
            challenged=ASKS_ONCE,
            challenged_off_session=ASKS_ALWAYS,
            confirm=lambda url: answer_bank(url, "approve"),
            pass_time=time.pass_,
            now=time.now,
            webhooks=company.messages,
            onboard=onboard,
        )


# Once is once, whatever is lost.


def at_once(call: Callable[[], object], threads: int = 8) -> list[object]:
    start = Barrier(threads)

    def run(_: int) -> object:
        start.wait()
        try:
            return call()
        except ProviderError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_the_same_order_from_eight_threads_holds_the_money_once(stripe: Stripe, company: emulators.Stripe) -> None:
    asked = order()
    at_once(lambda: stripe.authorise(asked))
    assert stripe.authorise(asked).status is PaymentStatus.AUTHORISED
    assert [len(company.of_kind(kind)) for kind in ("customer", "payment_intent", "charge")] == [1, 1, 1]


def test_of_capture_and_void_at_once_exactly_one_wins(stripe: Stripe, company: emulators.Stripe) -> None:
    held = stripe.authorise(order()).reference
    both: list[Callable[[], object]] = [lambda: stripe.capture(held, PRICE, key()), lambda: stripe.void(held, key())]
    calls = iter(both * 4)
    at_once(lambda: next(calls)())
    (charge,) = company.of_kind("charge")
    assert stripe.fetch(held).status is (PaymentStatus.CAPTURED if charge["captured"] else PaymentStatus.VOIDED)


def test_refunds_at_once_never_give_back_too_much(stripe: Stripe, company: emulators.Stripe) -> None:
    held = stripe.authorise(order()).reference
    stripe.capture(held, PRICE, key())
    at_once(lambda: stripe.refund(held, Money(30_000, "USD"), key()))
    assert stripe.fetch(held).refunded == Money(60_000, "USD")


VERBS: dict[str, Callable[[Stripe, Order], Any]] = {
    "authorise": lambda provider, asked: provider.authorise(asked),
    "save_method": lambda provider, asked: provider.save_method(asked),
    "authorise_saved": lambda provider, asked: provider.authorise_saved(asked),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", ["refused", "lost", "error"])
@pytest.mark.parametrize("where", ["customers", "intents$", "confirm"])
@pytest.mark.parametrize("a_day_later", [False, True])
def test_an_attempt_whose_answer_was_lost_anywhere_is_asked_again_and_has_one_effect(
    stripe: Stripe, company: emulators.Stripe, verb: str, fault: str, where: str, a_day_later: bool
) -> None:
    asked = order()
    company.fail(fault, where=where)
    with pytest.raises(Unavailable):
        VERBS[verb](stripe, asked)
    if a_day_later:
        company.forget_keys()
    done = VERBS[verb](stripe, asked)
    assert done.order_reference == asked.reference
    assert VERBS[verb](stripe, asked) == done
    if verb == "save_method":
        assert [each["status"] for each in company.of_kind("setup_intent")][-1] == "succeeded"
        assert len(company.of_kind("payment_method")) == 1
    else:
        assert len(company.of_kind("charge")) == 1


@pytest.mark.parametrize(
    ("fault", "where", "known"),
    [
        ("refused", "intents$", None),
        ("lost", "intents$", None),
        ("refused", "confirm", PaymentStatus.BEGUN),
        ("lost", "confirm", PaymentStatus.AUTHORISED),
    ],
)
def test_what_came_of_a_lost_answer_is_found_by_our_reference(
    stripe: Stripe, company: emulators.Stripe, fault: str, where: str, known: PaymentStatus | None
) -> None:
    asked = order()
    company.fail(fault, where=where)
    with pytest.raises(Unavailable):
        stripe.authorise(asked)
    found = stripe.find_by_reference(asked.reference)
    assert (found.status if found else None) is known
    if found:
        assert stripe.void(found.reference, key()).status is PaymentStatus.VOIDED
        with pytest.raises(Declined, match="voided"):
            stripe.authorise(asked)


def test_an_answer_that_is_too_slow_is_unknown_and_not_a_refusal(make: Callable[..., Stripe], company: emulators.Stripe) -> None:
    hasty, asked = make(seconds=0.2), order()
    company.fail("slow", where="confirm")
    with pytest.raises(Unavailable):
        hasty.authorise(asked)
    company.go_on()
    found = hasty.find_by_reference(asked.reference)
    assert found is not None and found.status is PaymentStatus.AUTHORISED


@pytest.mark.parametrize("fault", ["refused", "lost", "error", "garbled"])
@pytest.mark.parametrize("a_day_later", [False, True])
def test_a_capture_whose_answer_was_lost_takes_the_money_once(
    stripe: Stripe, company: emulators.Stripe, fault: str, a_day_later: bool
) -> None:
    held, used = stripe.authorise(order()).reference, key()
    company.fail(fault, where="capture")
    with pytest.raises(Unavailable):
        stripe.capture(held, HALF, used)
    if a_day_later:
        company.forget_keys()
    assert stripe.capture(held, HALF, used).captured == HALF
    assert sum(each["amount_captured"] for each in company.of_kind("charge")) == HALF.minor


@pytest.mark.parametrize("fault", ["refused", "lost", "error", "garbled"])
def test_a_void_whose_answer_was_lost_ends_the_hold_once(stripe: Stripe, company: emulators.Stripe, fault: str) -> None:
    held, used = stripe.authorise(order()).reference, key()
    company.fail(fault, where="cancel")
    with pytest.raises(Unavailable):
        stripe.void(held, used)
    assert stripe.void(held, used).status is PaymentStatus.VOIDED


@pytest.mark.parametrize("fault", ["refused", "lost", "error", "garbled"])
@pytest.mark.parametrize("a_day_later", [False, True])
def test_a_refund_whose_answer_was_lost_gives_back_once(
    stripe: Stripe, company: emulators.Stripe, fault: str, a_day_later: bool
) -> None:
    held, used = stripe.authorise(order()).reference, key()
    stripe.capture(held, PRICE, key())
    company.fail(fault, where="POST /v1/refunds")
    with pytest.raises(Unavailable):
        stripe.refund(held, HALF, used)
    if a_day_later:
        company.forget_keys()
    assert stripe.refund(held, HALF, used) == stripe.refund(held, HALF, used)
    assert stripe.fetch(held).refunded == HALF


def test_a_failure_that_stripe_keeps_for_a_key_is_not_the_last_word(stripe: Stripe, company: emulators.Stripe) -> None:
    held, used = stripe.authorise(order()).reference, key()
    company.fail("error", where="capture")
    for _ in range(2):
        with suppress(Unavailable):
            stripe.capture(held, PRICE, used)
    assert stripe.fetch(held).captured == PRICE


def test_a_limit_on_requests_is_asked_again_after_the_time_that_stripe_says(stripe: Stripe, company: emulators.Stripe) -> None:
    company.fail("patience", where="capture")
    held = stripe.authorise(order()).reference
    with pytest.raises(Retryable) as refusal:
        stripe.capture(held, PRICE, key())
    assert not isinstance(refusal.value, Unavailable)
    assert refusal.value.after == 3


def test_nobody_at_all_is_unavailable_for_every_question(stripe: Stripe, company: emulators.Stripe) -> None:
    held, partner = stripe.authorise(order()).reference, new_id()
    company.down = True
    calls: list[Callable[[], object]] = [
        lambda: stripe.authorise(order()), lambda: stripe.save_method(order()), lambda: stripe.authorise_saved(order()),
        lambda: stripe.capture(held, PRICE, key()), lambda: stripe.void(held, key()), lambda: stripe.refund(held, PRICE, key()),
        lambda: stripe.fetch(held), lambda: stripe.find_by_reference("order-x"), lambda: stripe.list_changed_since(system_now()),
        lambda: stripe.forget_method(SavedMethod("cus_x", "pm_x", "Visa ending 4242")),
        lambda: stripe.submit_evidence(held, {"joined": "both"}, key()), lambda: stripe.payout_onboarding(partner, RETURN),
        lambda: stripe.transfer(partner, PRICE, key()), lambda: stripe.reverse_transfer("tr_1", PRICE, key()),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(Unavailable):
            call()
    assert stripe.windows().client_present == timedelta(days=7)
    assert stripe.client_setup().module_url == "/plugins/payments_stripe/card.js"


def test_after_a_restored_database_an_attempt_is_found_by_search(make: Callable[..., Stripe], stripe: Stripe, time: Time) -> None:
    tenant_id, asked = new_id(), order()
    held = make(tenant_id).authorise(asked)
    restored = make(tenant_id)  # a state of its own, with nothing in it
    assert restored.find_by_reference(asked.reference) is None, "a search is a minute behind"
    time.pass_(timedelta(minutes=2))
    assert restored.find_by_reference(asked.reference) == held
    assert stripe.find_by_reference(asked.reference) is None
    assert stripe.find_by_reference("order' OR metadata['order']:'x") is None


def test_an_order_reference_is_not_used_for_another_order(stripe: Stripe) -> None:
    asked = order()
    stripe.authorise(asked)
    for again in (
        lambda: stripe.authorise(replace(asked, amount=HALF)),
        lambda: stripe.authorise(replace(asked, amount=Money(80_000, "EUR"))),
        lambda: stripe.save_method(asked),
    ):
        with pytest.raises(Misconfigured) as refusal:
            again()
        assert refusal.value.field == "reference"


# Cards.


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (DECLINED, "card_declined"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ],
)
def test_a_refused_card_is_declined_for_holding_and_for_saving(stripe: Stripe, card: str, reason: str) -> None:
    for verb in (stripe.authorise, stripe.save_method):
        asked = order(card)
        with pytest.raises(Declined) as refusal:
            verb(asked)
        assert refusal.value.reason == reason
        found = stripe.find_by_reference(asked.reference)
        assert found is not None and (found.status, found.reason) == (PaymentStatus.DECLINED, reason)
        assert found.reference == refusal.value.reference


def test_what_the_card_field_hands_over_is_used_once(stripe: Stripe) -> None:
    create = stripe._line.v1.test_helpers.confirmation_tokens.create
    token = create({"payment_method": GOOD, "setup_future_usage": "off_session"}).id
    asked = order(token)
    held = stripe.authorise(asked)
    assert held.method is not None and held.method.label == "Visa ending 4242"
    assert stripe.authorise(asked) == held
    with pytest.raises(Declined, match="unknown_card"):
        stripe.authorise(order(token))
    with pytest.raises(Declined, match="unknown_card"):
        stripe.authorise(order("ctoken_never"))


def test_a_saved_card_of_somebody_else_is_unknown(stripe: Stripe) -> None:
    _, method = saved(stripe)
    with pytest.raises(Declined, match="unknown_card"):
        stripe.authorise_saved(order(method.reference))


def test_a_card_that_was_saved_may_be_declined_away_and_asks_when_present(stripe: Stripe) -> None:
    person, method = saved(stripe, "pm_card_chargeCustomerFail")
    with pytest.raises(Declined, match="card_declined"):
        stripe.authorise_saved(order(method.reference, customer=person))
    someone = Customer(new_id())
    asked = order(ASKS_ALWAYS, customer=someone)
    answer_bank(challenged(stripe, asked, "save_method").url, "approve")
    kept = stripe.save_method(asked).method
    assert kept is not None
    known = Customer(someone.person_id, kept.customer)
    with pytest.raises(Declined, match="authentication_required"):
        stripe.authorise_saved(order(kept.reference, customer=known))
    challenged(stripe, order(kept.reference, customer=known))


def test_a_refused_challenge_is_declined_for_good(stripe: Stripe) -> None:
    for verb in ("authorise", "save_method"):
        asked = order(ASKS_ONCE)
        action = challenged(stripe, asked, verb)
        answer_bank(action.url, "refuse")
        found = stripe.fetch(action.reference)
        assert (found.status, found.reason) == (PaymentStatus.DECLINED, "authentication_failed")
        with pytest.raises(Declined, match="authentication_failed"):
            getattr(stripe, verb)(asked)


def test_a_challenge_that_was_voided_holds_nothing_when_approved_later(stripe: Stripe, company: emulators.Stripe) -> None:
    action = challenged(stripe, order(ASKS_ONCE))
    assert stripe.void(action.reference, key()).status is PaymentStatus.VOIDED
    answer_bank(action.url, "approve")
    assert stripe.fetch(action.reference).status is PaymentStatus.VOIDED
    assert company.of_kind("charge") == []


def test_a_payer_who_is_gone_at_stripe_is_made_anew(stripe: Stripe, company: emulators.Stripe) -> None:
    person = Customer(new_id())
    first = stripe.authorise(order(customer=person)).method
    assert first is not None
    company.books.delete_customer(first.customer)
    again = stripe.authorise(order(customer=Customer(person.person_id, first.customer))).method
    assert again is not None and again.customer != first.customer
    with pytest.raises(Declined, match="unknown_card"):
        stripe.authorise_saved(order(first.reference, customer=person))


def test_a_person_who_is_forgotten_is_forgotten_at_stripe_with_every_card_and_what_was_paid_stays(
    stripe: Stripe, company: emulators.Stripe
) -> None:
    person, other = Customer(new_id()), Customer(new_id())
    held = stripe.authorise(order(customer=person))
    stripe.capture(held.reference, PRICE, key())
    stripe.authorise(order(customer=other))
    company.down = True
    with pytest.raises(Unavailable):
        stripe.forget(person.person_id)
    company.down = False
    for _ in range(2):
        stripe.forget(person.person_id)
    assert [each["metadata"]["person"] for each in company.of_kind("customer")] == [str(other.person_id)]
    assert held.method is not None
    with pytest.raises(Declined, match="unknown_card"):
        stripe.authorise_saved(order(held.method.reference, customer=person))
    assert stripe.fetch(held.reference).captured == PRICE
    stripe.refund(held.reference, PRICE, key())


# Holds, captures, refunds.


def test_the_end_of_a_hold_is_read_from_the_charge(stripe: Stripe, company: emulators.Stripe, time: Time) -> None:
    company.books.hold = timedelta(days=2)
    held = stripe.authorise(order())
    assert held.capture_before is not None
    assert abs(held.capture_before - time.now() - timedelta(days=2)) < timedelta(seconds=5)


def test_a_hold_whose_end_is_not_told_is_not_assumed(stripe: Stripe, company: emulators.Stripe) -> None:
    asked = order()
    held = stripe.authorise(asked)
    del company.of_kind("charge")[0]["payment_method_details"]["card"]["capture_before"]
    with pytest.raises(Retryable):
        stripe.fetch(held.reference)


def test_a_hold_made_while_the_client_is_away_is_shorter(stripe: Stripe, time: Time) -> None:
    person, method = saved(stripe)
    held = stripe.authorise_saved(order(method.reference, customer=person))
    assert held.capture_before is not None
    assert abs(held.capture_before - time.now() - timedelta(days=4, hours=18)) < timedelta(seconds=5)
    assert held.method == method


def test_what_a_partial_capture_lets_go_is_not_a_refund(stripe: Stripe) -> None:
    held = stripe.authorise(order()).reference
    taken = stripe.capture(held, HALF, key())
    assert (taken.captured, taken.refunded.minor) == (HALF, 0)
    with pytest.raises(Declined, match="already_captured"):
        stripe.capture(held, PRICE, key())
    with pytest.raises(Declined, match="over_refund"):
        stripe.refund(held, PRICE, key())
    stripe.refund(held, Money(10_000, "USD"), key())
    assert stripe.fetch(held).refunded == Money(10_000, "USD")
    assert stripe.refund(held, Money(30_000, "USD"), key()).amount == Money(30_000, "USD")


def test_a_key_belongs_to_one_verb_of_one_payment(stripe: Stripe) -> None:
    used = key()
    for _ in range(2):
        held = stripe.authorise(order()).reference
        assert stripe.capture(held, HALF, used).captured == HALF
        assert stripe.refund(held, HALF, used).amount == HALF
        assert stripe.void(stripe.authorise(order()).reference, used).status is PaymentStatus.VOIDED


def test_a_key_is_not_used_for_another_amount(stripe: Stripe) -> None:
    held, used = stripe.authorise(order()).reference, key()
    stripe.capture(held, PRICE, key())
    stripe.refund(held, Money(1_000, "USD"), used)
    with pytest.raises(Misconfigured) as refusal:
        stripe.refund(held, Money(2_000, "USD"), used)
    assert refusal.value.field == "key"


@pytest.mark.parametrize("amount", [Money(120_000, "JPY"), Money(250_500, "KWD"), Money(9_900, "ISK"), Money(50_000, "UGX")])
def test_currencies_are_counted_as_stripe_counts_them(stripe: Stripe, company: emulators.Stripe, amount: Money) -> None:
    held = stripe.authorise(order(amount=amount))
    stripe.capture(held.reference, amount, key())
    part = Money(100, amount.currency)
    stripe.refund(held.reference, part, key())
    now = stripe.fetch(held.reference)
    assert (now.amount, now.captured, now.refunded) == (amount, amount, part)
    factor = 100 if amount.currency in ("ISK", "UGX") else 1
    assert company.of_kind("payment_intent")[0]["amount"] == amount.minor * factor


def test_an_amount_that_stripe_would_round_is_refused(stripe: Stripe) -> None:
    with pytest.raises(Misconfigured) as refusal:
        stripe.authorise(order(amount=Money(250_501, "KWD")))
    assert refusal.value.field == "amount"


# What Stripe keeps.


def test_the_fee_is_known_once_the_charge_is_entered_in_the_balance(stripe: Stripe, company: emulators.Stripe) -> None:
    company.books.fees_late = True
    held = stripe.authorise(order()).reference
    assert stripe.capture(held, Money(40_000, "USD"), key()).fee is None
    assert stripe.fetch(held).fee == Money(1_190, "USD")
    stripe.refund(held, Money(40_000, "USD"), key())
    assert stripe.fetch(held).fee == Money(1_190, "USD"), "which Stripe keeps"


@pytest.mark.parametrize(
    ("amount", "settles", "fee"),
    [
        (Money(80_000, "EUR"), ("usd", 1.25), Money(2_344, "EUR")),
        (Money(120_000, "JPY"), ("usd", 0.64), Money(3_527, "JPY")),
        (Money(120_000, "JPY"), None, Money(3_510, "JPY")),
    ],
)  # fmt: skip
def test_a_fee_in_the_currency_of_the_balance_is_turned_back(
    stripe: Stripe, company: emulators.Stripe, amount: Money, settles: tuple[str, float] | None, fee: Money
) -> None:
    company.books.settles = settles
    held = stripe.authorise(order(amount=amount)).reference
    assert stripe.capture(held, amount, key()).fee == fee


# Disputes.


def test_a_dispute_is_read_answered_once_and_decided(stripe: Stripe, company: emulators.Stripe) -> None:
    held, used = stripe.authorise(order("pm_card_createDisputeProductNotReceived")).reference, key()
    stripe.capture(held, PRICE, key())
    opened = stripe.fetch(held).dispute
    assert opened is not None
    assert (opened.status, opened.amount, opened.fee.minor, opened.reason) == (DisputeStatus.OPEN, PRICE, 1_500, "not_received")
    with pytest.raises(Declined, match="disputed"):
        stripe.refund(held, PRICE, key())
    bundle = {"service": "A session", "joined": "both", "mails": "a mail", "record": "x" * 30_000}
    company.fail("lost", where="POST /v1/disputes")
    with pytest.raises(Unavailable):
        stripe.submit_evidence(held, bundle, used)
    stripe.submit_evidence(held, bundle, used)
    (asked,) = company.of_kind("dispute")
    assert asked["evidence_details"]["submission_count"] == 1
    assert (asked["evidence"]["product_description"], asked["evidence"]["access_activity_log"]) == ("A session", "both")
    assert asked["evidence"]["uncategorized_text"].startswith("MAILS\na mail\n\nRECORD\nxxx")
    assert stripe.fetch(held).dispute == replace(opened, status=DisputeStatus.UNDER_REVIEW)
    with pytest.raises(Declined, match="dispute_closed"):
        stripe.submit_evidence(held, bundle, key())
    company.books.decide(held, won=False)
    assert stripe.fetch(held).dispute == replace(opened, status=DisputeStatus.LOST)
    with pytest.raises(Declined, match="over_refund"):
        stripe.refund(held, PRICE, key())


def test_what_remains_of_a_won_dispute_can_be_refunded(stripe: Stripe, company: emulators.Stripe) -> None:
    held = stripe.authorise(order("pm_card_createDispute")).reference
    stripe.capture(held, PRICE, key())
    company.books.decide(held, won=True)
    assert stripe.refund(held, PRICE, key()).amount == PRICE


def test_an_inquiry_draws_nothing_and_is_no_dispute(stripe: Stripe) -> None:
    held = stripe.authorise(order("pm_card_createDisputeInquiry")).reference
    stripe.capture(held, PRICE, key())
    assert stripe.fetch(held).dispute is None
    with pytest.raises(Declined, match="no_dispute"):
        stripe.submit_evidence(held, {"joined": "both"}, key())
    assert stripe.refund(held, PRICE, key()).amount == PRICE
