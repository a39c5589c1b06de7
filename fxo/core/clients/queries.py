"""Reads of clients, for the client's own pages and for what is sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.scope import ActorKind


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
