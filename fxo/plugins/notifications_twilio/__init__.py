"""Text messages by Twilio, for what is critical."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fxo.core.hookspecs import ProviderSpec, hookimpl

if TYPE_CHECKING:
    from fxo.core.plugins import ProviderContext


@hookimpl
def fxo_register_notification_provider() -> ProviderSpec:
    from .provider import Settings, Twilio

    def check(context: ProviderContext) -> None:
        Twilio(context).look_at_account()

    return ProviderSpec(
        "notifications_twilio", "notifications", Twilio, settings=Settings, live=True, label="Twilio (texts)", check=check
    )


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
