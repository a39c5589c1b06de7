"""What plugin authors import in their tests: a contract suite per port, and a context that needs no platform."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "fxo.testing.calendars", "fxo.testing.matching", "fxo.testing.notifications", "fxo.testing.payments"
)

from fxo.testing.calendars import CalendarContract  # noqa: E402
from fxo.testing.context import context  # noqa: E402
from fxo.testing.matching import MatchingContract  # noqa: E402
from fxo.testing.notifications import NotificationContract, Received  # noqa: E402
from fxo.testing.payments import PaymentContract, PaymentWorld  # noqa: E402

__all__ = [
    "CalendarContract",
    "MatchingContract",
    "NotificationContract",
    "PaymentContract",
    "PaymentWorld",
    "Received",
    "context",
]
