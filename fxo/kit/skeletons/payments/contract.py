"""The payments against their port."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from payments_acme.provider import AcmePayments, Settings

from fxo.testing import PaymentContract, PaymentWorld, context


class Time:
    """Business time, moved by hand."""

    now = datetime(2030, 5, 6, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, time: timedelta) -> None:
        self.now += time


class TestContract(PaymentContract):
    @pytest.fixture
    def time(self) -> Time:
        return Time()

    @pytest.fixture
    def provider(self, time: Time) -> AcmePayments:
        return AcmePayments(context("payments_acme", settings=Settings(webhook_secret="for tests"), clock=time))

    @pytest.fixture
    def world(self, provider: AcmePayments, time: Time) -> PaymentWorld:
        return PaymentWorld(
            good="card_works",
            declined="card_declined",
            challenged="card_asks",
            challenged_off_session="card_asks_later",
            confirm=provider.company.confirm,
            pass_time=time.pass_,
            now=time,
            webhooks=lambda: list(provider.company.sent),
        )
