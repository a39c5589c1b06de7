"""Reads of payments: how one stands, for the pages of those it belongs to; the cards kept for next time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.payments.port import SavedMethod
from fxo.core.scope import ActorKind


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment as its pages show it."""

    id: UUID
    consultation_id: UUID
    client_id: UUID
    partner_id: UUID
    state: str
    provider: str
    amount: Money
    captured: Money
    method_label: str | None
    provider_reference: str | None
    challenge_url: str | None
    capture_before: datetime | None
    authorise_at: datetime | None
    reason: str | None
    order_reference: str | None


_COLUMNS = (
    "id, consultation_id, client_id, partner_id, state, provider, amount_minor, captured_minor, currency,"
    " method_label, provider_reference,"
    " challenge_url, capture_before, authorise_at, reason, order_reference from payments"
)


def _row(row: tuple[Any, ...]) -> PaymentRow:
    values: tuple[Any, ...] = (*row[:6], Money(row[6], row[8]), Money(row[7], row[8]), *row[9:])
    return PaymentRow(*values)


def payment_id_of(consultation_id: UUID) -> UUID:
    """The id of a consultation's payment stream."""
    return derived_id(consultation_id, "payment")


def find(tx: Transaction, payment_id: UUID) -> PaymentRow | None:
    """The payment, for its client, its partner and code; None for anybody else, or where none was asked for."""
    row = tx.driver.execute(f"select {_COLUMNS} where tenant_id = %s and id = %s", (tx.scope.tenant_id, payment_id)).fetchone()
    if row is None:
        return None
    found = _row(row)
    allowed = {ActorKind.MEMBER: found.client_id, ActorKind.PARTNER: found.partner_id, ActorKind.CODE: tx.actor.id}
    return found if allowed.get(tx.actor.kind) == tx.actor.id else None


def by_attempt(tx: Transaction, order_reference: str) -> PaymentRow:
    """The payment that this attempt belongs to; for what providers send back."""
    row = tx.driver.execute(
        f"select {_COLUMNS} where tenant_id = %s and order_reference = %s", (tx.scope.tenant_id, order_reference)
    ).fetchone()
    if row is None:
        raise NotFound("No payment of this tenant has this reference.")
    return _row(row)


def saved_method(tx: Transaction, client_id: UUID, provider: str) -> SavedMethod | None:
    """The card that this client kept for next time at this provider."""
    row = tx.driver.execute(
        "select customer, reference, label from saved_methods where tenant_id = %s and client_id = %s and provider = %s",
        (tx.scope.tenant_id, client_id, provider),
    ).fetchone()
    return SavedMethod(*row) if row else None
