"""Mail by SMTP; without a server, into the outbox of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fxo.core.hookspecs import Erasure, ProviderSpec, hookimpl

if TYPE_CHECKING:
    from fxo.core.plugins import ProviderContext


@hookimpl
def fxo_register_notification_provider() -> ProviderSpec:
    from .provider import Email, Settings

    return ProviderSpec("notifications_email", "notifications", Email, settings=Settings, label="Mail")


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def fxo_person_erased(erasure: Erasure, context: ProviderContext) -> None:
    from .outbox import empty

    empty(context.tenant_id, erasure.message_ids)
