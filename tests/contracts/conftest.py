"""What tests of Stripe's provider may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fxo.plugins.payments_stripe.provider import Stripe
from tests.emulators import stripe as emulators
from tests.support.stripe import Time, providers


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def company(time: Time) -> Iterator[emulators.Stripe]:
    """Stripe itself, emulated."""
    with emulators.running(time.now) as emulated:
        yield emulated


@pytest.fixture
def make(company: emulators.Stripe, time: Time) -> Iterator[Callable[..., Stripe]]:
    """Makes the provider for a tenant, with these settings: `make(tenant_id, webhook_secret="")`."""
    with providers(company, time) as provider:
        yield provider


@pytest.fixture
def stripe(make: Callable[..., Stripe]) -> Stripe:
    return make()
