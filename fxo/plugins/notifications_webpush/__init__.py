"""Notifications in the browsers that somebody has allowed to show them."""

from __future__ import annotations

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_notification_provider() -> ProviderSpec:
    from .provider import Settings, WebPush

    return ProviderSpec(
        "notifications_webpush", "notifications", WebPush, settings=Settings, live=True, label="Browser notifications"
    )
