"""A way to bring messages to people, as fxo sees it: hook implementations and nothing else, so that no SDK is imported."""

from __future__ import annotations

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_notification_provider() -> ProviderSpec:
    from .provider import AcmeMessages, Settings

    return ProviderSpec("notifications_acme", "notifications", AcmeMessages, settings=Settings)
