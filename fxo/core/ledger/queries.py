"""Reads of the ledger, for the operator and for a partner's earnings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fxo.core.events.store import Transaction
from fxo.core.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    tenant: str
    account: str
    payment_id: UUID
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Earning:
    tenant: str
    consultation_id: UUID
    amount: Money
    at: datetime


def newest(tx: Transaction, limit: int = 200) -> list[Line]:
    """The newest lines of all tenants; in the operator's scope."""
    rows = tx.driver.execute(
        "select t.name, p.account, p.payment_id, p.amount_minor, p.currency, p.at from postings p join tenants t on"
        " t.id = p.tenant_id"
        " order by p.at desc, p.event_id, p.line limit %s",
        (limit,),
    ).fetchall()
    return [
        Line(name, account, payment_id, Money(minor, currency), at) for name, account, payment_id, minor, currency, at in rows
    ]


def balances(tx: Transaction) -> list[tuple[str, str, Money]]:
    """(tenant, account, balance) of all tenants; in the operator's scope. Each tenant and currency adds up to zero."""
    rows = tx.driver.execute(
        "select t.name, p.account, sum(p.amount_minor)::bigint, p.currency from postings p join tenants t on t.id = p.tenant_id"
        " group by t.name, p.account, p.currency order by t.name, p.account"
    ).fetchall()
    return [(name, account, Money(minor, currency)) for name, account, minor, currency in rows]


def earnings(tx: Transaction) -> list[Earning]:
    """What the partner has earned, newest first; in the partner's own scope."""
    rows = tx.driver.execute(
        "select tenant_name, consultation_id, amount_minor, currency, earned_at from partner_earnings where partner_id = %s"
        " order by earned_at desc",
        (tx.scope.id,),
    ).fetchall()
    return [Earning(name, consultation_id, Money(minor, currency), at) for name, consultation_id, minor, currency, at in rows]
