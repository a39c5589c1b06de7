"""Text messages by Twilio, for what is critical."""

from __future__ import annotations

from pathlib import Path

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_notification_provider() -> ProviderSpec:
    from .provider import Settings, Twilio

    return ProviderSpec("notifications_twilio", "notifications", Twilio, settings=Settings, live=True)


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
