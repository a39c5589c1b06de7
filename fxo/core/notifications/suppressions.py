"""Addresses that are left alone, per tenant: what bounced, who complained or opted out. Kept by a key that nobody can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fxo.core.events.store import Stream, Transaction
from fxo.core.ids import derived_id
from fxo.core.notifications import model
from fxo.core.notifications.about_accounts import ACCOUNTS
from fxo.core.notifications.choices import choice_of
from fxo.core.notifications.model import SUPPRESSION, Began, Lifted
from fxo.core.notifications.port import Channel


@dataclass(frozen=True, slots=True)
class Suppressed:
    reason: str
    since: datetime


def find(tx: Transaction, channel: Channel, address: str) -> Suppressed | None:
    """Why and since when this address is left alone in this tenant; None where it is not."""
    row = tx.driver.execute(
        "select reason, since from suppressions where tenant_id = %s and channel = %s and key = %s",
        (tx.scope.tenant_id, channel, _key(tx, channel, address)),
    ).fetchone()
    return Suppressed(*row) if row else None


def dead_among(tx: Transaction, channel: Channel, addresses: Sequence[str]) -> set[str]:
    """Those of these addresses where nobody is."""
    keys = {_key(tx, channel, address): address for address in addresses}
    rows = tx.driver.execute(
        "select key from suppressions where tenant_id = %s and channel = %s and key = any(%s) and reason in ('bounced', 'gone')",
        (tx.scope.tenant_id, channel, list(keys)),
    ).fetchall()
    return {keys[key] for (key,) in rows}


def keeps_back(tx: Transaction, channel: Channel, address: str, kind: str) -> bool:
    """Whether this kind of message is not sent there.

    Who has complained still gets what keeps their account theirs; who has unsubscribed gets what cannot be left out.
    """
    match found := find(tx, channel, address):
        case None:
            return False
        case Suppressed("unsubscribed"):
            return choice_of(kind) is not None
        case Suppressed("complained"):
            return kind not in ACCOUNTS
    return bool(found)


def stream_of(tx: Transaction, channel: Channel, address: str) -> tuple[Stream[model.Suppression], str]:
    """The stream of this address, loaded, and the key that stands for it."""
    key = _key(tx, channel, address)
    return tx.load(SUPPRESSION, stream_id(tx.scope.tenant_id, channel, key)), key


def begin(tx: Transaction, channel: Channel, address: str, reason: str) -> None:
    """Leave this address alone from now on."""
    stream, key = stream_of(tx, channel, address)
    tx.append((stream, model.suppress(stream.state, Began(channel, key, reason))))


def lift(tx: Transaction, channel: Channel, address: str) -> None:
    """Write to this address again: its owner says that it works."""
    stream, key = stream_of(tx, channel, address)
    lift_loaded(tx, stream, channel, key)


def lift_loaded(tx: Transaction, stream: Stream[model.Suppression], channel: Channel, key: str) -> None:
    """The same, for a command that changes more."""
    tx.append((stream, model.lift(stream.state, Lifted(channel, key))))


def stream_id(tenant_id: UUID, channel: Channel, key: str) -> UUID:
    return derived_id(tenant_id, "suppression", channel, key)


def _key(tx: Transaction, channel: Channel, address: str) -> str:
    return tx.store.keyring.blind(tx.scope.tenant_id, f"{channel}/{_folded(address)}")


def _folded(address: str) -> str:
    """However it is written: providers tell of a domain in ASCII, people write it in their script."""
    local, at, domain = address.strip().casefold().rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}" if at else address.strip()
    except UnicodeError:
        return address.strip().casefold()
