"""Reads of clients, for the client's own pages and for what is sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.scope import ActorKind


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a client can be reached beside their mailbox: a number in E.164, or a browser's push subscription as JSON."""

    id: UUID
    client_id: UUID
    channel: str
    address: str
    label: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ClientRow:
    id: UUID
    name: str
    email: str
    company: str
    zone: str
    title: str
    """What they are at their company."""
    mails_without: tuple[str, ...]
    """The mails that they do without, by the keys of `notifications.choices`."""


def find(tx: Transaction, client_id: UUID) -> ClientRow:
    """The client, for themselves and for code; for anybody else `NotFound`."""
    if tx.actor.kind is not ActorKind.CODE and tx.actor.id != client_id:
        raise NotFound("There is no such client here.")
    row = tx.driver.execute(
        "select id, name, email, company, zone, title, mails_without from clients where tenant_id = %s and id = %s",
        (tx.scope.tenant_id, client_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such client here.")
    values: tuple[Any, ...] = (*row[:6], tuple(row[6]))
    return ClientRow(*values)


_CONTACT = "select id, client_id, channel, address, label, added_at from contacts where tenant_id = %s"


def contacts(tx: Transaction, client_id: UUID) -> list[Contact]:
    """Where the client can be reached, oldest first; for themselves and for code, empty for anybody else."""
    if tx.actor.kind is not ActorKind.CODE and tx.actor.id != client_id:
        return []
    rows = tx.driver.execute(f"{_CONTACT} and client_id = %s order by added_at, id", (tx.scope.tenant_id, client_id)).fetchall()
    return [Contact(*row) for row in rows]


def contact(tx: Transaction, contact_id: UUID) -> Contact | None:
    """One of them, for code; None where it was removed."""
    row = tx.driver.execute(f"{_CONTACT} and id = %s", (tx.scope.tenant_id, contact_id)).fetchone()
    return Contact(*row) if row else None
