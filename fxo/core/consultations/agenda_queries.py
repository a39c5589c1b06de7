"""Reads of a partner's agenda over all tenants; in the partner's own scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.money import Money


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """A booking or session as its partner sees it, whichever tenant it belongs to."""

    tenant_id: UUID
    consultation_id: UUID
    tenant_name: str
    client_id: UUID
    client_name: str
    client_company: str
    client_zone: str
    brief: str
    state: str
    """`confirmed`, `started`, `completed` or `cancelled`."""
    starts_at: datetime
    ends_at: datetime
    completed_at: datetime | None
    join_url: str | None
    price: Money
    partner_share: int

    @property
    def earns(self) -> Money:
        """The partner's part of the price, as it was fixed when the slot was held."""
        return self.price.share(self.partner_share)


_SELECT = (
    "select tenant_id, consultation_id, tenant_name, client_id, client_name, client_company, client_zone, brief, state,"
    " starts_at, ends_at, completed_at, join_url, price_minor, currency, partner_share from partner_agenda where partner_id = %s"
)


def _row(row: tuple[Any, ...]) -> AgendaRow:
    values: tuple[Any, ...] = (*row[:13], Money(row[13], row[14]), row[15])
    return AgendaRow(*values)


def ahead(tx: Transaction) -> list[AgendaRow]:
    """What is booked, under way, or over and not completed yet; the earliest first."""
    rows = tx.driver.execute(f"{_SELECT} and state in ('confirmed', 'started') order by starts_at", (tx.scope.id,)).fetchall()
    return [_row(row) for row in rows]


def done(tx: Transaction, limit: int = 50) -> list[AgendaRow]:
    """What was completed or cancelled, the newest first."""
    rows = tx.driver.execute(
        f"{_SELECT} and state in ('completed', 'cancelled') order by starts_at desc limit %s", (tx.scope.id, limit)
    ).fetchall()
    return [_row(row) for row in rows]


def find(tx: Transaction, consultation_id: UUID) -> AgendaRow:
    """One session of this partner; another partner's is `NotFound`, like one that does not exist."""
    row = tx.driver.execute(f"{_SELECT} and consultation_id = %s", (tx.scope.id, consultation_id)).fetchone()
    if row is None:
        raise NotFound("There is no such session here.")
    return _row(row)


def among(tx: Transaction, consultation_ids: Collection[UUID]) -> dict[UUID, AgendaRow]:
    """Those of these sessions that are this partner's, by id."""
    rows = tx.driver.execute(f"{_SELECT} and consultation_id = any(%s)", (tx.scope.id, list(consultation_ids))).fetchall()
    return {found.consultation_id: found for found in map(_row, rows)}
