"""Sessions in a company's Slack channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxo.core.hookspecs import Booking, hookimpl

if TYPE_CHECKING:
    from pydantic import BaseModel

    from fxo.core.plugins import ProviderContext


@hookimpl
def fxo_settings_model() -> type[BaseModel]:
    from .channel import Settings

    return Settings


@hookimpl
def fxo_booking_confirmed(booking: Booking, context: ProviderContext) -> None:
    from .channel import tell

    tell(context, booking, "booked", "A session is booked")


@hookimpl
def fxo_booking_rescheduled(booking: Booking, context: ProviderContext) -> None:
    from .channel import tell

    tell(context, booking, "moved", "A session has a new time")


@hookimpl
def fxo_booking_cancelled(booking: Booking, context: ProviderContext) -> None:
    from .channel import tell

    tell(context, booking, "cancelled", "A session is cancelled")


@hookimpl
def fxo_session_completed(booking: Booking, context: ProviderContext) -> None:
    from .channel import tell

    tell(context, booking, "held", "A session was held")


@hookimpl
def fxo_session_rated(booking: Booking, context: ProviderContext) -> None:
    from .channel import tell

    tell(context, booking, "rated", "A session was rated")
