"""The texts against the notification port."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from notifications_acme.provider import AcmeMessages, Settings

from fxo.testing import NotificationContract, Received, context


class TestContract(NotificationContract):
    address = "+15551230000"

    @pytest.fixture
    def provider(self) -> AcmeMessages:
        return AcmeMessages(context("notifications_acme", settings=Settings(webhook_secret="for tests")))

    @pytest.fixture
    def received(self, provider: AcmeMessages) -> Callable[[], Sequence[Received]]:
        return lambda: [Received(to, text) for to, text in provider.sent.values()]
