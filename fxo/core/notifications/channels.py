"""Which of a tenant's providers serve a channel."""

from __future__ import annotations

from fxo.core.errors import ProviderError
from fxo.core.notifications.port import Channel, NotificationProvider
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig

MAIL = "notifications_email"
"""Brings mail where a tenant has chosen nobody who does."""


def serving(providers: Providers, config: TenantConfig, channel: Channel) -> list[tuple[str, NotificationProvider]]:
    """The tenant's providers of this channel in their order, each with its name; for mail there is always one.

    A provider that cannot be made is among them, so that whoever asks it learns why.
    """
    found = [(name, each) for name, each in providers.chain(config, "notifications") if _serves(each, channel) is not False]
    if channel is Channel.MAIL and not any(_serves(each, channel) for _, each in found):
        found.append((MAIL, providers.named(config, "notifications", MAIL)))
    return found


def _serves(provider: NotificationProvider, channel: Channel) -> bool | None:
    """None where nobody knows, since the provider cannot be made."""
    try:
        return channel in provider.capabilities.channels
    except ProviderError:
        return None
