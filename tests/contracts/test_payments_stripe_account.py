"""Stripe's provider and its account: who finds what, keys and secrets, what Stripe sends and lists, experts who are paid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from pydantic import ValidationError

from fxo.core.clock import system_now
from fxo.core.errors import Declined, Misconfigured, Retryable, Unavailable
from fxo.core.ids import new_id
from fxo.plugins.payments_stripe.provider import Stripe
from tests.emulators import stripe as emulators
from tests.emulators.stripe import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET
from tests.support.stripe import (
    DECLINED,
    HALF,
    PRICE,
    RETURN,
    Time,
    key,
    order,
    settings,
)

# Tenants, keys, what is told to Stripe.


def test_another_tenant_finds_nothing_of_this_one(make: Callable[..., Stripe], stripe: Stripe) -> None:
    asked = order()
    held = stripe.authorise(asked)
    other = make()
    assert other.find_by_reference(asked.reference) is None
    assert other.list_changed_since(system_now() - timedelta(hours=1)) == ()
    for call in (
        lambda: other.fetch(held.reference),
        lambda: other.capture(held.reference, PRICE, key()),
        lambda: other.void(held.reference, key()),
        lambda: other.refund(held.reference, PRICE, key()),
    ):
        with pytest.raises(Declined, match="unknown_payment"):
            call()
    assert other.authorise(asked).reference != held.reference


def test_stripe_is_told_ids_and_amounts_and_nobody_s_name(make: Callable[..., Stripe], company: emulators.Stripe) -> None:
    tenant_id, asked = new_id(), order()
    make(tenant_id, statement_suffix="SESSION").authorise(asked)
    (intent,), (customer,) = company.of_kind("payment_intent"), company.of_kind("customer")
    assert intent["metadata"] == {"order": asked.reference, "tenant": str(tenant_id)}
    assert (intent["description"], intent["statement_descriptor_suffix"]) == ("60-minute session", "SESSION")
    assert customer["metadata"] == {"person": str(asked.customer.person_id), "tenant": str(tenant_id)}


def test_what_an_order_does_not_say_is_not_sent(stripe: Stripe, company: emulators.Stripe) -> None:
    stripe.authorise(replace(order(), description="", return_url=""))
    assert company.of_kind("payment_intent")[0]["description"] is None


def test_a_wrong_key_is_a_matter_of_settings_and_is_not_repeated_in_the_error(make: Callable[..., Stripe]) -> None:
    with pytest.raises(Misconfigured) as refusal:
        make(secret_key="sk_test_another").authorise(order())
    assert refusal.value.field == "secret_key"
    assert "sk_test" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_no_secret_and_no_card_reaches_a_log(stripe: Stripe, company: emulators.Stripe, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    held = stripe.authorise(order()).reference
    with pytest.raises(Declined):
        stripe.authorise(order(DECLINED))
    company.fail("error", where="capture")
    with pytest.raises(Unavailable):
        stripe.capture(held, PRICE, key())
    stripe.read_webhook(*company.messages()[0])
    assert held in caplog.text
    assert SECRET_KEY not in caplog.text and WEBHOOK_SECRET not in caplog.text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"secret_key": "sk_live_x"}, ""),
        ({"publishable_key": "pk_live_x"}, ""),
        ({"secret_key": "pk_test_x"}, "secret_key"),
        ({"publishable_key": SECRET_KEY}, "publishable_key"),
        ({"webhook_secret": "secret"}, "webhook_secret"),
        ({"statement_suffix": "more than twelve"}, "statement_suffix"),
        ({"statement_suffix": "1234"}, "statement_suffix"),
        ({"country": "usa"}, "country"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_field_and_without_the_secret(values: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings(**values)
    (problem,) = refusal.value.errors(include_input=False, include_url=False)
    assert ".".join(map(str, problem["loc"])) == field
    assert problem["msg"]


def test_two_live_keys_go_together_and_no_secret_shows() -> None:
    live = settings(publishable_key="pk_live_x", secret_key="rk_live_x")
    assert live.live and not settings().live
    assert "rk_live_x" not in repr(live)


def test_the_page_gets_public_values_only(stripe: Stripe) -> None:
    setup = stripe.client_setup()
    assert setup.public_config["publishable_key"] == PUBLISHABLE_KEY
    assert SECRET_KEY not in repr(setup) and WEBHOOK_SECRET not in repr(setup)
    assert all(source.startswith("https://") for sources in setup.csp_sources.values() for source in sources)


# Messages.


def test_messages_of_every_kind_lead_to_the_intent(stripe: Stripe, company: emulators.Stripe) -> None:
    asked = order("pm_card_createDispute")
    held = stripe.authorise(asked).reference
    stripe.capture(held, PRICE, key())
    notices = [notice for sent in company.messages() for notice in stripe.read_webhook(*sent)]
    assert {notice.kind: notice.order_reference for notice in notices} == {
        "payment_intent.amount_capturable_updated": asked.reference,
        "charge.captured": asked.reference,
        "payment_intent.succeeded": asked.reference,
        "charge.dispute.created": None,
    }
    assert {notice.reference for notice in notices} == {held}


def test_an_old_message_is_refused_and_a_changed_secret_too(stripe: Stripe, company: emulators.Stripe) -> None:
    stripe.authorise(order())
    event = company.books.events[-1]
    now = int(datetime.now(UTC).timestamp())
    assert stripe.read_webhook(*company.message(event, at=now - 290))
    for sent in (company.message(event, at=now - 301), company.message(event, secret="whsec_other")):
        with pytest.raises(Declined, match="bad_signature"):
            stripe.read_webhook(*sent)


def test_a_message_of_an_unknown_kind_or_the_other_mode_is_answered_and_means_nothing(
    stripe: Stripe, company: emulators.Stripe
) -> None:
    stripe.authorise(order())
    event = company.books.events[-1]
    for other in ({"type": "invoice.paid"}, {"type": "payment_intent.of_next_year"}, {"livemode": True}):
        assert stripe.read_webhook(*company.message(event | other)) == ()
    assert stripe.read_webhook(*company.message(event | {"data": {"object": {"object": "charge", "payment_intent": None}}})) == ()


@pytest.mark.parametrize("body", [{}, {"object": "event"}, {"object": "event", "type": "charge.captured"}])
def test_a_signed_body_that_is_no_event_is_declined(stripe: Stripe, company: emulators.Stripe, body: dict[str, Any]) -> None:
    with pytest.raises(Declined, match="bad_notice"):
        stripe.read_webhook(*company.message(body))


def test_without_a_secret_no_message_is_believed(make: Callable[..., Stripe], company: emulators.Stripe) -> None:
    closed = make(webhook_secret="")
    with pytest.raises(Misconfigured) as refusal:
        closed.read_webhook(*company.message({"object": "event"}))
    assert refusal.value.field == "webhook_secret"


def test_what_was_changed_there_is_listed_page_by_page(stripe: Stripe, company: emulators.Stripe, time: Time) -> None:
    before = time.now() - timedelta(seconds=1)
    held = [stripe.authorise(order()).reference for _ in range(60)]
    stripe.capture(held[0], PRICE, key())
    time.pass_(timedelta(days=8))
    since = time.now() - timedelta(days=1, hours=2)
    assert set(stripe.list_changed_since(before)) == set(held)
    assert company.asked.count("GET /v1/events") > 1
    assert set(stripe.list_changed_since(since)) == set(held[1:]), "the holds ran out"
    company.books.dispute(held[0])
    assert held[0] in stripe.list_changed_since(time.now() - timedelta(minutes=1)), "a dispute does not name its order"


# Paying experts.


def test_an_expert_has_one_account_for_all_tenants(app: Flask, make: Callable[..., Stripe], company: emulators.Stripe) -> None:
    partner, here, there = new_id(), make(), make()
    for provider in (here, there):
        with pytest.raises(Declined, match="not_onboarded"):
            provider.transfer(partner, PRICE, key())
        assert provider.payout_onboarding(partner, RETURN).startswith("https://connect.stripe.com/")
    (account,) = company.of_kind("account")
    with pytest.raises(Declined, match="not_onboarded"):
        here.transfer(partner, PRICE, key())
    company.books.onboard(account["id"])
    paid = here.transfer(partner, PRICE, key())
    there.transfer(partner, HALF, key())
    assert [each["destination"] for each in company.of_kind("transfer")] == [account["id"]] * 2
    with pytest.raises(Declined, match="unknown_transfer"):
        there.reverse_transfer(paid.reference, PRICE, key())


@pytest.mark.parametrize("fault", ["refused", "lost", "error"])
def test_a_transfer_and_its_reversal_whose_answer_was_lost_happen_once(
    app: Flask, stripe: Stripe, company: emulators.Stripe, fault: str
) -> None:
    partner, paying, taking = new_id(), key(), key()
    stripe.payout_onboarding(partner, RETURN)
    company.books.onboard(company.of_kind("account")[0]["id"])
    company.fail(fault, where="POST /v1/transfers$")
    with pytest.raises(Unavailable):
        stripe.transfer(partner, PRICE, paying)
    company.forget_keys()
    paid = stripe.transfer(partner, PRICE, paying)
    company.fail(fault, where="POST .*reversals")
    with pytest.raises(Unavailable):
        stripe.reverse_transfer(paid.reference, HALF, taking)
    company.forget_keys()
    stripe.reverse_transfer(paid.reference, HALF, taking)
    (transfer,) = company.of_kind("transfer")
    assert (transfer["amount"], transfer["amount_reversed"]) == (PRICE.minor, HALF.minor)


def test_a_transfer_waits_for_money_that_has_not_come_in(app: Flask, stripe: Stripe, company: emulators.Stripe) -> None:
    partner, used = new_id(), key()
    stripe.payout_onboarding(partner, RETURN)
    company.books.onboard(company.of_kind("account")[0]["id"])
    company.books.balance = 0
    with pytest.raises(Retryable) as refusal:
        stripe.transfer(partner, PRICE, used)
    assert not isinstance(refusal.value, Unavailable) and refusal.value.after >= 60
    company.books.balance = PRICE.minor
    assert stripe.transfer(partner, PRICE, used).amount == PRICE
