"""Mail by SMTP; without a server, into the outbox of the demo."""

from __future__ import annotations

from pathlib import Path

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_notification_provider() -> ProviderSpec:
    from .provider import Email, Settings

    return ProviderSpec("notifications_email", "notifications", Email, settings=Settings)


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
