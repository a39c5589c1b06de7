"""Reads of the ledger, for the operator and for a partner's earnings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Month:
    """What a partner has earned in one month, by its first day and currency."""

    first: date
    amount: Money
    sessions: int


def months(tx: Transaction, zone: str) -> list[Month]:
    """What the partner has earned by month in the wall time of the zone, the newest first; in the partner's own scope."""
    rows = tx.driver.execute(
        "select date_trunc('month', earned_at at time zone %s)::date, currency, sum(amount_minor)::bigint, count(*)"
        " from partner_earnings where partner_id = %s group by 1, 2 order by 1 desc, 3 desc",
        (zone, tx.scope.id),
    ).fetchall()
    return [Month(first, Money(minor, currency), sessions) for first, currency, minor, sessions in rows]


def earned(tx: Transaction, since: datetime, until: datetime) -> list[Month]:
    """What the partner has earned within this time, by currency, each as a month that begins with it."""
    rows = tx.driver.execute(
        "select currency, sum(amount_minor)::bigint, count(*) from partner_earnings where partner_id = %s and earned_at >= %s"
        " and earned_at <= %s group by currency",
        (tx.scope.id, since, until),
    ).fetchall()
    return [Month(since.date(), Money(minor, currency), sessions) for currency, minor, sessions in rows]


@dataclass(frozen=True, slots=True)
class Statement:
    """A session that was completed, as its partner's accounts have it."""

    consultation_id: UUID
    tenant: str
    client: str
    company: str
    starts_at: datetime
    at: datetime
    """When the money was taken; until then, when the session was completed."""
    price: Money
    share: Money
    state: str
    """`earned`, `on_its_way`, or `failed` where a person has to look."""


def statement(tx: Transaction, since: datetime | None = None, until: datetime | None = None) -> list[Statement]:
    """The partner's completed sessions of that time, newest first; in the partner's own scope."""
    rows = tx.driver.execute(
        "select a.consultation_id, a.tenant_name, a.client_name, a.client_company, a.starts_at,"
        " coalesce(e.earned_at, a.completed_at) as at, a.price_minor, a.currency, a.partner_share, e.amount_minor, e.currency,"
        " a.money from partner_agenda a left join partner_earnings e"
        " on e.tenant_id = a.tenant_id and e.consultation_id = a.consultation_id and e.partner_id = a.partner_id"
        " where a.partner_id = %(me)s and (e.payment_id is not null or a.state = 'completed')"
        " and (%(since)s::timestamptz is null or coalesce(e.earned_at, a.completed_at) >= %(since)s)"
        " and (%(until)s::timestamptz is null or coalesce(e.earned_at, a.completed_at) < %(until)s)"
        " order by at desc, a.consultation_id",
        {"me": tx.scope.id, "since": since, "until": until},
    ).fetchall()
    found = []
    for row in rows:
        price = Money(row[6], row[7])
        share = Money(row[9], row[10]) if row[10] else price.share(row[8])
        state = "earned" if row[10] else "failed" if row[11] == "failed" else "on_its_way"
        values: tuple[Any, ...] = (*row[:6], price, share, state)
        found.append(Statement(*values))
    return found


def on_its_way(tx: Transaction) -> list[Money]:
    """The partner's shares of sessions that are completed and whose money is not taken yet; in the partner's own scope."""
    rows = tx.driver.execute(
        "select a.price_minor, a.currency, a.partner_share from partner_agenda a left join partner_earnings e"
        " on e.tenant_id = a.tenant_id and e.consultation_id = a.consultation_id and e.partner_id = a.partner_id"
        " where a.partner_id = %s and a.state = 'completed' and e.payment_id is null",
        (tx.scope.id,),
    ).fetchall()
    return [Money(minor, currency).share(share) for minor, currency, share in rows]
