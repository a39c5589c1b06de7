"""Receipts and credit notes: numbered in their tenant without gaps, each fixed in an event of its payment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.clients import queries as clients
from fxo.core.consultations import queries as consultations
from fxo.core.errors import NotFound
from fxo.core.events.model import ERASED
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.payments.model import PAYMENT
from fxo.core.payments.outcomes import Captured, Paper, ReceiptIssued, Refunded
from fxo.core.scope import ActorKind, TenantConfig


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt or credit note, with all that stands on it."""

    kind: Paper
    number: int
    payment_id: UUID
    consultation_id: UUID
    client_id: UUID
    amount: Money
    tax: Money
    tax_rate: int
    tax_name: str
    tax_id: str
    seller: str
    billed_to: str
    company: str
    expert: str
    starts_at: datetime
    what: str
    for_receipt: int | None
    issued_at: datetime

    @property
    def code(self) -> str:
        """What people call it: `R-00042`, and `C-00003` for a credit note."""
        return code_of(self.kind, self.number)


def code_of(kind: Paper, number: int) -> str:
    """The number as it stands on the document."""
    return f"{'R' if kind is Paper.RECEIPT else 'C'}-{number:05d}"


def issue(tx: Transaction, config: TenantConfig, payment_id: UUID) -> None:
    """Issue a receipt or credit note for whatever was taken or given back without one, in its order; for code.

    Numbers are taken one after the other within the tenant: the lock lasts until the commit, so that none is left out.
    """
    payment = tx.load(PAYMENT, payment_id)
    tx.append((payment, papers(tx, config, [item.value for item in payment.events])))


def papers(tx: Transaction, config: TenantConfig, events: Sequence[object]) -> list[object]:
    """The documents that a payment with these events still lacks; the caller appends them in the same transaction."""
    moved = [each for each in events if isinstance(each, Captured | Refunded)]
    issued = [each for each in events if isinstance(each, ReceiptIssued)]
    if len(issued) >= len(moved):
        return []
    made: list[ReceiptIssued] = []
    numbers = _last_numbers(tx)
    for each in moved[len(issued) :]:
        kind = Paper.RECEIPT if isinstance(each, Captured) else Paper.CREDIT_NOTE
        numbers[kind] += 1
        receipt = next((paper.number for paper in [*issued, *made] if paper.kind is Paper.RECEIPT), None)
        made.append(_paper(tx, config, each, kind, numbers[kind], receipt))
    return list(made)


def _last_numbers(tx: Transaction) -> dict[Paper, int]:
    tx.driver.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"receipts/{tx.scope.tenant_id}",))
    rows = tx.driver.execute(
        "select kind, max(number) from receipts where tenant_id = %s group by kind", (tx.scope.tenant_id,)
    ).fetchall()
    return dict.fromkeys(Paper, 0) | {Paper(kind): number for kind, number in rows}


def _paper(
    tx: Transaction, config: TenantConfig, moved: Captured | Refunded, kind: Paper, number: int, receipt: int | None
) -> ReceiptIssued:
    taken = moved if isinstance(moved, Captured) else moved.taken
    row = consultations.find(tx, taken.consultation_id)
    tax = row.tax
    try:
        client = clients.find(tx, taken.client_id)
        name, company = client.name, client.company
    except NotFound:
        name, company = ERASED, ""
    if isinstance(moved, Captured):
        within = moved.amount.tax_within(taken.tax_rate)
    else:
        standing = taken.amount - moved.before
        within = standing.tax_within(taken.tax_rate) - (standing - moved.amount).tax_within(taken.tax_rate)
    return ReceiptIssued(
        kind, number, taken.client_id, taken.consultation_id, moved.amount, within, taken.tax_rate, tax.name, tax.id,
        tax.seller or config.name, name, company, partners.contact(tx, row.partner_id)[0], row.starts_at,
        _what(row.state), receipt if kind is Paper.CREDIT_NOTE else None,
    )  # fmt: skip


def _what(state: str) -> str:
    """What the money is for: the session, also where a person had to decide what it was worth, or one that did not take place."""
    return {"cancelled": "cancelled", "missed": "missed", "settled": "missed"}.get(state, "session")


_COLUMNS = (
    "kind, number, payment_id, consultation_id, client_id, amount_minor, tax_minor, tax_rate, tax_name, tax_id, seller,"
    " billed_to, company, expert, starts_at, what, for_receipt, issued_at, currency from receipts"
)


def _row(row: tuple[Any, ...]) -> Receipt:
    currency = row[18]
    values: tuple[Any, ...] = (Paper(row[0]), *row[1:5], Money(row[5], currency), Money(row[6], currency), *row[7:18])
    return Receipt(*values)


def of_payment(tx: Transaction, payment_id: UUID) -> list[Receipt]:
    """The documents about a payment, oldest first: for its client, for code, and for who administers or operates."""
    rows = tx.driver.execute(
        f"select {_COLUMNS} where tenant_id = %s and payment_id = %s order by issued_at, kind desc, number",
        (tx.scope.tenant_id, payment_id),
    ).fetchall()
    return [found for found in map(_row, rows) if _readable(tx, found)]


def mine(tx: Transaction) -> list[Receipt]:
    """The documents of the client who acts, the newest first."""
    rows = tx.driver.execute(
        f"select {_COLUMNS} where tenant_id = %s and client_id = %s order by issued_at desc, number desc",
        (tx.scope.tenant_id, tx.actor.id),
    ).fetchall()
    return [_row(row) for row in rows]


def find(tx: Transaction, kind: Paper, number: int) -> Receipt:
    """One document; another client's is `NotFound`."""
    row = tx.driver.execute(
        f"select {_COLUMNS} where tenant_id = %s and kind = %s and number = %s", (tx.scope.tenant_id, str(kind), number)
    ).fetchone()
    if row is None or not _readable(tx, _row(row)):
        raise NotFound("There is no such receipt here.")
    return _row(row)


def _readable(tx: Transaction, found: Receipt) -> bool:
    match tx.actor.kind:
        case ActorKind.CODE | ActorKind.OPERATOR:
            return True
        case ActorKind.MEMBER:
            return tx.actor.id == found.client_id
    return False
