"""Stripe's provider against an emulator that others have written, `seahaven-stripe-world`, where one is at hand.

`FXO_TEST_STRIPE_WORLD` names a Python (3.13 or later) that has it and `uvicorn`. It speaks an older version of the API: one field
has its older name there, and it asks nobody at a bank, so it takes no address to come back to. Connect and messages it has none.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fxo.core.clock import system_now
from fxo.core.errors import Declined, Misconfigured
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments.port import Customer, DisputeStatus, Order, PaymentStatus
from fxo.embedded.processes import wait_until
from fxo.plugins.payments_stripe.provider import Stripe
from fxo.plugins.payments_stripe.settings import Settings
from fxo.testing import context

PYTHON = os.environ.get("FXO_TEST_STRIPE_WORLD", "")
LAUNCHER = Path(__file__).parents[1] / "emulators" / "stripe_world.py"
PRICE, HALF = Money(80_000, "USD"), Money(40_000, "USD")

pytestmark = pytest.mark.skipif(not PYTHON, reason="FXO_TEST_STRIPE_WORLD names no Python with seahaven-stripe-world")


class Older(httpx.HTTPTransport):
    """What we say, in the words of the version that the emulator knows."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read().replace(b"allowed_payment_method_types", b"payment_method_types")
        body = re.sub(rb"&?return_url=[^&]*", b"", body)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        return super().handle_request(httpx.Request(request.method, request.url, headers=headers, content=body))


@pytest.fixture(scope="module")
def world() -> Iterator[str]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([PYTHON, str(LAUNCHER), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/worlds/fxo"

    def there() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.put(address, json={}).is_success
        return False

    try:
        assert wait_until(there, 30), "the emulator does not start"
        yield address
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def stripe(world: str) -> Iterator[Stripe]:
    settings = Settings.model_validate({"publishable_key": "pk_test_1", "secret_key": "sk_test_1"})
    with httpx.Client(transport=Older(), timeout=10) as http:
        yield Stripe(context("payments_stripe", settings=settings, http=http), api=world)


@pytest.fixture
def card(stripe: Stripe) -> Callable[[str], str]:
    """A card by the name of its test token."""
    create = stripe._line.v1.payment_methods.create
    return lambda token: create({"type": "card", "card": {"token": token}}, {"idempotency_key": key()}).id


def order(method: str, customer: Customer | None = None) -> Order:
    return Order(f"order-{new_id()}", PRICE, customer or Customer(new_id()), method, "60-minute session", "https://acme.example/")


def key() -> str:
    return f"key-{new_id()}"


def test_money_is_held_taken_partly_and_given_back(stripe: Stripe, card: Callable[[str], str]) -> None:
    asked = order(card("tok_visa"))
    held = stripe.authorise(asked)
    assert (held.status, held.amount, held.order_reference) == (PaymentStatus.AUTHORISED, PRICE, asked.reference)
    assert held.capture_before is not None and held.capture_before > system_now() + timedelta(days=6)
    assert held.method is not None and held.method.label == "Visa ending 4242"
    assert stripe.authorise(asked) == held == stripe.find_by_reference(asked.reference)
    once = key()
    for used in (once, once, key()):
        taken = stripe.capture(held.reference, HALF, used)
        assert (taken.status, taken.captured, taken.refunded.minor) == (PaymentStatus.CAPTURED, HALF, 0)
    for _ in range(2):
        stripe.refund(held.reference, Money(10_000, "USD"), once)
    assert stripe.fetch(held.reference).refunded == Money(10_000, "USD")
    with pytest.raises(Declined, match="over_refund"):
        stripe.refund(held.reference, HALF, key())
    assert held.reference in stripe.list_changed_since(system_now() - timedelta(minutes=5))


def test_a_card_is_saved_and_charged_away_and_what_is_held_let_go(stripe: Stripe, card: Callable[[str], str]) -> None:
    person = new_id()
    kept = stripe.save_method(order(card("tok_visa"), Customer(person)))
    assert kept.status is PaymentStatus.SAVED and kept.method is not None
    held = stripe.authorise_saved(order(kept.method.reference, Customer(person, kept.method.customer)))
    assert held.status is PaymentStatus.AUTHORISED
    for _ in range(2):
        assert stripe.void(held.reference, key()).status is PaymentStatus.VOIDED
    with pytest.raises(Declined, match="voided"):
        stripe.capture(held.reference, PRICE, key())


def test_a_refused_card_is_declined(stripe: Stripe, card: Callable[[str], str]) -> None:
    asked = order(card("tok_visa_chargeDeclinedInsufficientFunds"))
    for _ in range(2):
        with pytest.raises(Declined, match="insufficient_funds"):
            stripe.authorise(asked)


def test_a_dispute_stops_refunds_and_is_answered_once(stripe: Stripe, card: Callable[[str], str]) -> None:
    held, used = stripe.authorise(order(card("tok_createDispute"))).reference, key()
    opened = stripe.capture(held, PRICE, key()).dispute or stripe.fetch(held).dispute
    assert opened is not None
    assert (opened.status, opened.amount, opened.reason, opened.fee.minor) == (DisputeStatus.OPEN, PRICE, "fraudulent", 1_500)
    with pytest.raises(Declined, match="disputed"):
        stripe.refund(held, PRICE, key())
    for _ in range(2):
        stripe.submit_evidence(held, {"joined": "both were there"}, used)
    now = stripe.fetch(held).dispute
    assert now is not None and now.status is DisputeStatus.UNDER_REVIEW


def test_a_key_is_not_used_for_another_amount(stripe: Stripe, card: Callable[[str], str]) -> None:
    held, used = stripe.authorise(order(card("tok_visa"))).reference, key()
    stripe.capture(held, PRICE, key())
    stripe.refund(held, Money(1_000, "USD"), used)
    with pytest.raises(Misconfigured):
        stripe.refund(held, Money(2_000, "USD"), used)
