"""Payments of all tenants as the operator sees them: the queue, and one payment. In the operator's scope; no client's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.scope import FeeBearer

TABS: dict[str, str] = {
    "": "y.state in ('needs_person', 'client_asked') or y.dispute = 'open' or (y.state in ('owing', 'authorised')"
    " and y.due_at < %(late)s)",
    "disputes": "y.dispute is not null",
    "refunds": "y.refunded_minor > 0",
    "all": "true",
}
"""What stands on each list: what needs a person (owed and refused, disputed, or on its way for too long), and so on."""

LATE = timedelta(minutes=15)
"""What is owed is charged within this time, or somebody should look."""


@dataclass(frozen=True, slots=True)
class Row:
    """A payment in the list, and on its own page."""

    tenant_id: UUID
    tenant: str
    id: UUID
    consultation_id: UUID
    partner_id: UUID
    partner: str
    starts_at: datetime
    booking: str
    """The state of the consultation."""
    state: str
    reason: str | None
    amount: Money
    captured: Money
    refunded: Money
    lost: Money
    due: Money | None
    due_reason: str | None
    provider: str
    through: str
    provider_reference: str | None
    card: str | None
    capture_before: datetime | None
    captured_at: datetime | None
    dispute: str | None
    dispute_until: datetime | None
    disputed: Money | None
    updated_at: datetime
    provider_fee: Money | None
    """What the provider keeps of it, with what disputes have cost; None where it has not told."""
    fee_bearer: FeeBearer

    @property
    def kept(self) -> Money:
        """What remains of what was taken."""
        return self.captured - self.refunded - self.lost


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which payments a list shows."""

    tab: str = ""
    tenant_id: UUID | None = None
    limit: int = 50
    offset: int = 0


_SELECT = """
select y.tenant_id, t.name, y.id, y.consultation_id, y.partner_id, p.name, c.starts_at, c.state, y.state, y.reason,
       y.amount_minor, y.captured_minor, y.refunded_minor, y.lost_minor, y.due_minor, y.due_reason, y.provider, y.through,
       y.provider_reference, y.method_label, y.capture_before, y.captured_at, y.dispute, y.dispute_until, y.dispute_minor,
       y.updated_at, y.currency, y.provider_fee_minor + y.dispute_fees_minor, c.fee_bearer
from payments y join tenants t on t.id = y.tenant_id join partners p on p.id = y.partner_id
join consultations c on c.tenant_id = y.tenant_id and c.id = y.consultation_id"""


def _row(row: tuple[Any, ...]) -> Row:
    currency = row[26]

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    values: tuple[Any, ...] = (
        *row[:10], *map(money, row[10:15]), *row[15:24], money(row[24]), row[25], money(row[27]), FeeBearer(row[28]),
    )  # fmt: skip
    return Row(*values)


def find(tx: Transaction, wanted: Wanted) -> tuple[list[Row], int]:
    """A page of the list, what waited longest first in the queue and the newest first elsewhere; and how many there are."""
    values: dict[str, Any] = {
        "tenant": wanted.tenant_id, "late": tx.now - LATE, "limit": wanted.limit, "offset": wanted.offset,
    }  # fmt: skip
    order = "y.updated_at desc" if wanted.tab else "y.updated_at"
    where = f"({TABS[wanted.tab]}) and (%(tenant)s::uuid is null or y.tenant_id = %(tenant)s)"
    rows = tx.driver.execute(
        f"select q.*, count(*) over () from ({_SELECT} where {where} order by {order}, y.id) q limit %(limit)s offset %(offset)s",
        values,
    ).fetchall()
    return [_row(row) for row in rows], rows[0][-1] if rows else 0


def counts(tx: Transaction) -> dict[str, int]:
    """How many payments stand on each list."""
    columns = ", ".join(f"count(*) filter (where {where})" for where in TABS.values())
    row = tx.driver.execute(f"select {columns} from payments y", {"late": tx.now - LATE}).fetchone()
    assert row is not None
    return dict(zip(TABS, row, strict=True))


def one(tx: Transaction, tenant_id: UUID, payment_id: UUID) -> Row:
    """One payment."""
    row = tx.driver.execute(f"{_SELECT} where y.tenant_id = %s and y.id = %s", (tenant_id, payment_id)).fetchone()
    if row is None:
        raise NotFound("There is no such payment.")
    return _row(row)


def held(tx: Transaction) -> list[Money]:
    """What is held on cards at the moment, by currency."""
    rows = tx.driver.execute(
        "select sum(amount_minor)::bigint, currency from payments where state = 'authorised' group by currency order by currency"
    ).fetchall()
    return [Money(minor, currency) for minor, currency in rows]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it took from the decision what a client owes until the money was taken, in the last thirty days."""

    number: int
    usual: timedelta
    slowest: timedelta


def pace(tx: Transaction) -> Pace | None:
    """How fast money is taken (PRD FR-2.2: within five minutes); None where none was."""
    row = tx.driver.execute(
        "select count(*), percentile_disc(0.95) within group (order by captured_at - due_at), max(captured_at - due_at)"
        " from payments where captured_at > %s and due_at is not null",
        (tx.now - timedelta(days=30),),
    ).fetchone()
    return Pace(*row) if row and row[0] else None
