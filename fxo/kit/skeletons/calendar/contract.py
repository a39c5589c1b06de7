"""The calendar against its port."""

from __future__ import annotations

import pytest
from calendar_acme.provider import AcmeCalendar, Settings

from fxo.testing import CalendarContract, context


class TestContract(CalendarContract):
    @pytest.fixture
    def provider(self) -> AcmeCalendar:
        return AcmeCalendar(context("calendar_acme", settings=Settings(webhook_secret="for tests")))
