"""What the settings page shows of where a client can be reached beside their mailbox."""

from __future__ import annotations

from typing import Any

from fxo import platform
from fxo.core.clients import queries as client_rows
from fxo.core.errors import ProviderError
from fxo.core.events.store import Transaction
from fxo.core.notifications import suppressions
from fxo.core.notifications.channels import serving
from fxo.core.notifications.port import Channel
from fxo.tenants import numbers
from fxo.web.places import here


def serves(channel: Channel) -> bool:
    """Whether this tenant has somebody who brings messages this way; asked outside a transaction."""
    return bool(serving(platform.current().providers, here().tenant, channel))


def push_key() -> str:
    """The key that a browser subscribes with; empty where this tenant notifies no browsers."""
    for _, provider in serving(platform.current().providers, here().tenant, Channel.PUSH):
        try:
            return provider.capabilities.push_key
        except ProviderError:
            continue
    return ""


def browsers_of_client(tx: Transaction) -> list[dict[str, str]]:
    """The browsers that the signed-in client has allowed to notify them."""
    found = client_rows.contacts(tx, tx.actor.id)
    return [{"id": str(each.id), "label": each.label} for each in found if each.channel == Channel.PUSH]


def of_client(tx: Transaction) -> dict[str, Any]:
    """What the settings page shows of the signed-in client's number."""
    found = [each for each in client_rows.contacts(tx, tx.actor.id) if each.channel == Channel.SMS]
    number = found[0] if found else None
    stopped = suppressions.find(tx, Channel.SMS, number.address) if number else None
    return {
        "id": str(number.id) if number else "",
        "number": number.address if number else "",
        "stopped": stopped.reason if stopped else "",
        "waiting": numbers.waiting(tx),
    }
