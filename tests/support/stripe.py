"""Stripe's provider for tests: made for a tenant, over HTTP to the emulator, on a clock that a test can move."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from fxo.core.clock import system_now
from fxo.core.errors import ActionRequired
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments.port import Customer, Order, SavedMethod
from fxo.core.plugins.context import ProviderContext
from fxo.plugins.payments_stripe.provider import Stripe
from fxo.plugins.payments_stripe.settings import Settings
from fxo.testing import context
from tests.emulators import stripe as emulators
from tests.emulators.stripe import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET

PRICE, HALF = Money(80_000, "USD"), Money(40_000, "USD")
GOOD, DECLINED, ASKS_ONCE, ASKS_ALWAYS = (
    "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_authenticationRequiredOnSetup", "pm_card_authenticationRequired",
)  # fmt: skip
RETURN = "https://acme.example/book/return"
TRUST = ssl.create_default_context()
"""Read once: it takes longer than a test."""


@dataclass
class Time:
    """Business time that a test can move."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return system_now() + self.ahead

    def pass_(self, by: timedelta) -> None:
        self.ahead += by


def settings(**values: Any) -> Settings:
    given = {"publishable_key": PUBLISHABLE_KEY, "secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}
    return Settings.model_validate(given | values)


@contextmanager
def providers(company: emulators.Stripe, time: Time) -> Iterator[Callable[..., Stripe]]:
    """Makes the provider for a tenant, with these settings."""
    made: list[ProviderContext] = []

    def provider(tenant_id: UUID | None = None, *, seconds: float = 5, **values: Any) -> Stripe:
        http = httpx.Client(timeout=seconds, verify=TRUST)
        given = context("payments_stripe", settings=settings(**values), tenant_id=tenant_id, clock=time.now, http=http)
        made.append(given)
        return Stripe(given, api=company.address)

    yield provider
    for each in made:
        each.http.close()


def order(method: str = GOOD, amount: Money = PRICE, *, customer: Customer | None = None) -> Order:
    return Order(f"order-{new_id()}", amount, customer or Customer(new_id()), method, "60-minute session", RETURN)


def key() -> str:
    return f"key-{new_id()}"


def answer_bank(url: str, word: str) -> None:
    assert httpx.post(url, data={"answer": word}, verify=TRUST).status_code == 303


def challenged(provider: Stripe, asked: Order, verb: str = "authorise") -> ActionRequired:
    with pytest.raises(ActionRequired) as action:
        getattr(provider, verb)(asked)
    return action.value


def saved(provider: Stripe, method: str = GOOD) -> tuple[Customer, SavedMethod]:
    person = new_id()
    kept = provider.save_method(order(method, customer=Customer(person))).method
    assert kept is not None
    return Customer(person, kept.customer), kept
