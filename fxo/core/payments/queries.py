"""Reads of payments: how one stands, for the pages of those it belongs to; the cards kept for next time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.core.money import Money
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
    captured_at: datetime | None
    reason: str | None
    order_reference: str | None
    changing: str | None
    """How the try with another card stands, beside a saved one: `requested`, `challenged`, `declined`."""
    changing_reason: str | None
    refunded: Money
    due: Money | None
    """What the client owes, once that is decided."""
    due_at: datetime | None
    through: str
    dispute: str | None
    """`open`, `answered`, `won` or `lost`."""
    dispute_until: datetime | None
    provider_fee: Money | None
    """What the provider keeps of what was taken, once it has said so; without a dispute's fee."""

    @property
    def attempt(self) -> str:
        """How the attempt stands that the client is present for: `requested`, `challenged`, or something that is over."""
        return self.changing or self.state


@dataclass(frozen=True, slots=True)
class Card:
    """A card that is kept at the provider; `label` is for people (`Visa ending 4242`)."""

    id: UUID
    provider: str
    customer: str
    reference: str
    label: str
    saved_at: datetime


_COLUMNS = (
    "id, consultation_id, client_id, partner_id, state, provider, amount_minor, captured_minor, currency,"
    " method_label, provider_reference,"
    " challenge_url, capture_before, authorise_at, captured_at, reason, order_reference, changing, changing_reason,"
    " due_at, through, dispute, dispute_until, provider_fee_minor, refunded_minor, due_minor from payments"
)


def _row(row: tuple[Any, ...]) -> PaymentRow:
    currency = row[8]
    refunded, (fee, due) = Money(row[-2], currency), (None if row[at] is None else Money(row[at], currency) for at in (-3, -1))
    values: tuple[Any, ...] = (
        *row[:6], Money(row[6], currency), Money(row[7], currency), *row[9:19], refunded, due, *row[19:-3], fee,
    )  # fmt: skip
    return PaymentRow(*values)


def payment_id_of(consultation_id: UUID) -> UUID:
    """The id of a consultation's payment stream."""
    return derived_id(consultation_id, "payment")


def find(tx: Transaction, payment_id: UUID) -> PaymentRow | None:
    """The payment, for its client, its partner, operators and code; None for anybody else, or where none was asked for."""
    row = tx.driver.execute(f"select {_COLUMNS} where tenant_id = %s and id = %s", (tx.scope.tenant_id, payment_id)).fetchone()
    if row is None:
        return None
    found = _row(row)
    if tx.actor.kind in (ActorKind.CODE, ActorKind.OPERATOR):
        return found
    whose = {ActorKind.MEMBER: found.client_id, ActorKind.PARTNER: found.partner_id}
    return found if whose.get(tx.actor.kind) == tx.actor.id else None


def is_due(tx: Transaction, payment_id: UUID) -> bool:
    """Whether it is decided what the client owes."""
    row = tx.driver.execute(
        "select due_minor is not null from payments where tenant_id = %s and id = %s", (tx.scope.tenant_id, payment_id)
    ).fetchone()
    return row is not None and row[0]


OUTAGE = timedelta(days=30)
"""How far back changes are asked for where they were never asked for before."""
OVERLAP = timedelta(minutes=10)
"""Changes are asked for twice rather than not at all."""


def watched(tx: Transaction) -> dict[str, list[str]]:
    """References by provider of the payments that may change there without our doing: holds that have run out or are long due,
    and disputes; the provider names its other changes itself. For code.
    """
    rows = tx.driver.execute(
        "select provider, provider_reference from payments where tenant_id = %s and (dispute in ('open', 'answered') or"
        " (state = 'authorised' and (capture_before <= %s or due_at <= %s))) order by updated_at limit 500",
        (tx.scope.tenant_id, tx.now, tx.now - OVERLAP),
    ).fetchall()
    used = tx.driver.execute("select distinct provider from payments where tenant_id = %s", (tx.scope.tenant_id,)).fetchall()
    found: dict[str, list[str]] = {provider: [] for (provider,) in used}
    for provider, reference in rows:
        found[provider].append(reference)
    return found


FEE_PATIENCE = timedelta(days=14)
"""How long a provider is asked what it keeps of a payment that it has not told yet."""


def without_fee(tx: Transaction) -> dict[str, list[str]]:
    """References by provider of what was taken of late and of which the provider's fee is not known yet. For code."""
    rows = tx.driver.execute(
        "select provider, array_agg(provider_reference) from (select provider, provider_reference from payments"
        " where tenant_id = %s and state = 'captured' and through <> 'hand' and provider_fee_minor is null"
        " and provider_reference is not null and captured_at > %s order by captured_at desc limit 500) late group by provider",
        (tx.scope.tenant_id, tx.now - FEE_PATIENCE),
    ).fetchall()
    return dict(rows)


def looked_until(tx: Transaction) -> datetime:
    """Up to when the providers' changes are known."""
    row = tx.driver.execute(
        "select max(done_at) from work where tenant_id = %s and kind = 'payments.reconcile'",
        (tx.scope.tenant_id,),
    ).fetchone()
    return row[0] - OVERLAP if row and row[0] else tx.now - OUTAGE


def by_references(tx: Transaction, references: Collection[str]) -> dict[str, UUID]:
    """The payments that these references of providers belong to: where another expert stood in, that of their booking."""
    rows = tx.driver.execute(
        "select provider_reference, id from payments where tenant_id = %s and provider_reference = any(%s)"
        " and state <> 'handed_over'",
        (tx.scope.tenant_id, list(references)),
    ).fetchall()
    return dict(rows)


def unsettled(tx: Transaction) -> list[UUID]:
    """The payments for which it is decided what the client owes, and nothing has come of it for a while."""
    rows = tx.driver.execute(
        "select id from payments where tenant_id = %s and state in ('authorised', 'owing') and due_at <= %s"
        " order by due_at limit 500",
        (tx.scope.tenant_id, tx.now - OVERLAP),
    ).fetchall()
    return [row[0] for row in rows]


def waiting(tx: Transaction) -> list[UUID]:
    """The attempts that wait for an answer of a client or a bank; each is the id of its work."""
    rows = tx.driver.execute(
        "select order_reference::uuid from payments where tenant_id = %s and (state in ('requested', 'challenged')"
        " or changing in ('requested', 'challenged')) and updated_at < %s",
        (tx.scope.tenant_id, tx.now - OVERLAP / 5),
    ).fetchall()
    return [row[0] for row in rows]


def of_sessions(tx: Transaction, consultation_ids: Collection[UUID]) -> dict[UUID, PaymentRow]:
    """The payments of these sessions, by session, as far as they are the reader's own; for code all."""
    rows = tx.driver.execute(
        f"select {_COLUMNS} where tenant_id = %s and consultation_id = any(%s)", (tx.scope.tenant_id, list(consultation_ids))
    ).fetchall()
    found = (_row(row) for row in rows)
    everything = tx.actor.kind is ActorKind.CODE
    return {row.consultation_id: row for row in found if everything or tx.actor.id in (row.client_id, row.partner_id)}


def refused(tx: Transaction) -> list[UUID]:
    """The sessions of the client who acts whose saved card was refused and is still waited for, the next one first."""
    rows = tx.driver.execute(
        "select consultation_id from payments where tenant_id = %s and client_id = %s and state = 'card_saved'"
        " and reason is not null order by authorise_at",
        (tx.scope.tenant_id, tx.actor.id),
    ).fetchall()
    return [row[0] for row in rows]


def plan(tx: Transaction, payment_id: UUID) -> str:
    """What `model.Saved.plan` is now: when its card is to be authorised, where that was planned anew."""
    row = tx.driver.execute(
        "select type, data ->> 'authorise_at' from events where tenant_id = %s and stream_id = %s"
        " and type in ('payment.replanned', 'payment.hold_lapsed') order by version desc limit 1",
        (tx.scope.tenant_id, payment_id),
    ).fetchone()
    return datetime.fromisoformat(row[1]).isoformat() if row and row[1] else ""


def by_attempt(tx: Transaction, order_reference: str) -> PaymentRow:
    """The payment that this attempt belongs to; for what providers send back."""
    row = tx.driver.execute(
        f"select {_COLUMNS} where tenant_id = %s and order_reference = %s", (tx.scope.tenant_id, order_reference)
    ).fetchone()
    if row is None:
        raise NotFound("No payment of this tenant has this reference.")
    return _row(row)


def cards(tx: Transaction, client_id: UUID, provider: str | None = None) -> list[Card]:
    """The cards that this client keeps, the one used last first, each once; for themselves and for code."""
    if tx.actor.kind is not ActorKind.CODE and tx.actor.id != client_id:
        return []
    rows = tx.driver.execute(
        "select distinct on (provider, label) id, provider, customer, reference, label, saved_at from saved_methods"
        " where tenant_id = %s and client_id = %s and provider = coalesce(%s, provider) order by provider, label, saved_at desc",
        (tx.scope.tenant_id, client_id, provider),
    ).fetchall()
    return sorted((Card(*row) for row in rows), key=lambda card: card.saved_at, reverse=True)


def newest_card(tx: Transaction, client_id: UUID, provider: str) -> Card | None:
    """The card that this client used last at this provider."""
    return next(iter(cards(tx, client_id, provider)), None)


def everything_of(tx: Transaction, card: Card, client_id: UUID) -> tuple[str, ...]:
    """Every reference that the provider has of this card: each use that was typed anew has made one."""
    rows = tx.driver.execute(
        "select reference from saved_methods where tenant_id = %s and client_id = %s and provider = %s and label = %s order by 1",
        (tx.scope.tenant_id, client_id, card.provider, card.label),
    ).fetchall()
    return tuple(row[0] for row in rows)


def waiting_for(tx: Transaction, client_id: UUID, label: str) -> UUID | None:
    """A booking of this client that is still to be held on the card with this label."""
    row = tx.driver.execute(
        "select consultation_id from payments where tenant_id = %s and client_id = %s and state = 'card_saved'"
        " and method_label = %s order by authorise_at limit 1",
        (tx.scope.tenant_id, client_id, label),
    ).fetchone()
    return row[0] if row else None
