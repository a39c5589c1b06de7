"""Reads of the ledger, for the operator and for a partner's earnings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    tenant: str
    account: str
    event_id: UUID
    subject_id: UUID
    """The payment, or the payout."""
    what: str
    """The type of the event that booked it."""
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
        "select t.name, p.account, p.event_id, coalesce(p.payment_id, p.payout_id), e.type, p.amount_minor, p.currency, p.at"
        " from postings p join tenants t on t.id = p.tenant_id join events e on e.tenant_id = p.tenant_id"
        " and e.stream_id = coalesce(p.payment_id, p.payout_id) and e.event_id = p.event_id"
        " order by p.at desc, p.event_id, p.line limit %s",
        (limit,),
    ).fetchall()
    return [_line(row) for row in rows]


def _line(row: tuple[Any, ...]) -> Line:
    values: tuple[Any, ...] = (*row[:5], Money(row[5], row[6]), row[7])
    return Line(*values)


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
        " and kind <> 'returned' order by earned_at desc",
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
        "select date_trunc('month', earned_at at time zone %s)::date, currency, sum(amount_minor)::bigint,"
        " count(*) filter (where kind = 'earned') from partner_earnings where partner_id = %s and kind <> 'returned'"
        " group by 1, 2 order by 1 desc, 3 desc",
        (zone, tx.scope.id),
    ).fetchall()
    return [Month(first, Money(minor, currency), sessions) for first, currency, minor, sessions in rows]


def earned(tx: Transaction, since: datetime, until: datetime) -> list[Month]:
    """What the partner has earned within this time, by currency, each as a month that begins with it."""
    rows = tx.driver.execute(
        "select currency, sum(amount_minor)::bigint, count(*) filter (where kind = 'earned') from partner_earnings"
        " where partner_id = %s and earned_at >= %s and earned_at <= %s and kind <> 'returned' group by currency",
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
    """What remains for them, also of a provider's fee that they bear."""
    fee: Money
    """What they bear of it."""
    state: str
    """`earned`, `on_its_way`, or `failed` where a person has to look."""


_OF_SESSIONS = (
    "(select tenant_id, consultation_id, partner_id, min(earned_at) as earned_at, sum(amount_minor)::bigint as amount_minor,"
    " sum(fee_minor)::bigint as fee_minor, min(currency) as currency"
    " from partner_earnings where partner_id = %(me)s and consultation_id is not null"
    " group by tenant_id, consultation_id, partner_id)"
)
"""What remains of each session for its partner, with all that was given back since."""


def statement(tx: Transaction, since: datetime | None = None, until: datetime | None = None) -> list[Statement]:
    """The partner's completed sessions of that time, newest first; in the partner's own scope."""
    rows = tx.driver.execute(
        "select a.consultation_id, a.tenant_name, a.client_name, a.client_company, a.starts_at,"
        " coalesce(e.earned_at, a.completed_at) as at, a.price_minor, a.currency, a.partner_share, e.amount_minor, e.currency,"
        f" a.money, coalesce(e.fee_minor, 0) from partner_agenda a left join {_OF_SESSIONS} e"
        " on e.tenant_id = a.tenant_id and e.consultation_id = a.consultation_id and e.partner_id = a.partner_id"
        " where a.partner_id = %(me)s and (e.earned_at is not null or a.state = 'completed')"
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
        values: tuple[Any, ...] = (*row[:6], price, share, Money(row[12], share.currency), state)
        found.append(Statement(*values))
    return found


def on_its_way(tx: Transaction) -> list[Money]:
    """The partner's shares of sessions that are completed and whose money is not taken yet; in the partner's own scope."""
    rows = tx.driver.execute(
        f"select a.price_minor, a.currency, a.partner_share from partner_agenda a left join {_OF_SESSIONS} e"
        " on e.tenant_id = a.tenant_id and e.consultation_id = a.consultation_id and e.partner_id = a.partner_id"
        " where a.partner_id = %(me)s and a.state = 'completed' and e.earned_at is null",
        {"me": tx.scope.id},
    ).fetchall()
    return [Money(minor, currency).share(share) for minor, currency, share in rows]


# Accounts and payouts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a partner's account."""

    event_id: UUID
    kind: str
    """`earned`, `fee`, `refunded`, `frozen`, `released` or `returned`."""
    consultation_id: UUID | None
    tenant: str
    amount: Money
    fee: Money
    """What of it is the provider's fee; taken off already."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """What one partner has in one tenant and currency that no payout has settled; below zero they owe it."""

    tenant_id: UUID
    tenant: str
    partner_id: UUID
    partner: str
    amount: Money
    entries: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout as its pages show it."""

    id: UUID
    tenant_id: UUID
    tenant: str
    partner_id: UUID
    partner: str
    state: str
    way: str
    amount: Money
    reversed: Money
    provider: str
    reference: str | None
    reason: str | None
    planned_at: datetime
    paid_at: datetime | None


def unpaid(tx: Transaction, partner_id: UUID | None = None) -> dict[tuple[UUID, str], list[tuple[UUID, int]]]:
    """The entries that no payout has settled, (event, minor units) by partner and currency; in the tenant's scope."""
    rows = tx.driver.execute(
        "select partner_id, currency, event_id, amount_minor from partner_earnings where tenant_id = %(t)s and payout_id is null"
        " and (%(p)s::uuid is null or partner_id = %(p)s) order by earned_at, event_id",
        {"t": tx.scope.tenant_id, "p": partner_id},
    ).fetchall()
    found: dict[tuple[UUID, str], list[tuple[UUID, int]]] = {}
    for partner, currency, event_id, minor in rows:
        found.setdefault((partner, currency), []).append((event_id, minor))
    return found


def accounts(tx: Transaction) -> list[Account]:
    """The accounts of all partners in all tenants with something in them, the largest first; in the operator's scope."""
    rows = tx.driver.execute(
        "select e.tenant_id, t.name, e.partner_id, p.name, sum(e.amount_minor)::bigint, e.currency, count(*), min(e.earned_at)"
        " from partner_earnings e join tenants t on t.id = e.tenant_id join partners p on p.id = e.partner_id"
        " where e.payout_id is null group by e.tenant_id, t.name, e.partner_id, p.name, e.currency"
        " order by sum(e.amount_minor) desc, p.name, t.name"
    ).fetchall()
    return [
        Account(tenant_id, tenant, partner_id, partner, Money(minor, currency), number, since)
        for tenant_id, tenant, partner_id, partner, minor, currency, number, since in rows
    ]


_PAYOUT = (
    "select y.id, y.tenant_id, y.tenant_name, y.partner_id, {name}, y.state, y.way, y.amount_minor, y.currency,"
    " y.reversed_minor, y.provider, y.reference, y.reason, y.planned_at, y.paid_at from partner_payouts y"
)


def _payout(row: tuple[Any, ...]) -> Payout:
    values: tuple[Any, ...] = (*row[:7], Money(row[7], row[8]), Money(row[9], row[8]), *row[10:])
    return Payout(*values)


def payouts(tx: Transaction, limit: int = 100) -> list[Payout]:
    """The newest payouts of all tenants; in the operator's scope."""
    rows = tx.driver.execute(
        _PAYOUT.format(name="p.name") + " join partners p on p.id = y.partner_id order by y.planned_at desc, y.id limit %s",
        (limit,),
    ).fetchall()
    return [_payout(row) for row in rows]


def my_payouts(tx: Transaction) -> list[Payout]:
    """The partner's payouts, the newest first; in the partner's own scope."""
    rows = tx.driver.execute(
        _PAYOUT.format(name="''") + " where y.partner_id = %s order by y.planned_at desc, y.id", (tx.scope.id,)
    ).fetchall()
    return [_payout(row) for row in rows]


def my_payout(tx: Transaction, payout_id: UUID) -> tuple[Payout, list[Entry]]:
    """One payout of this partner with the entries that it settled; another's is `NotFound`."""
    found = next((each for each in my_payouts(tx) if each.id == payout_id), None)
    if found is None:
        raise NotFound("There is no such payout here.")
    return found, entries(tx, payout_id)


def entries(tx: Transaction, payout_id: UUID | None) -> list[Entry]:
    """The partner's entries that this payout settled, or (None) that wait for one; in the partner's own scope."""
    rows = tx.driver.execute(
        "select event_id, kind, consultation_id, tenant_name, amount_minor, fee_minor, currency, earned_at from partner_earnings"
        " where partner_id = %s and payout_id is not distinct from %s order by earned_at, event_id",
        (tx.scope.id, payout_id),
    ).fetchall()
    return [
        Entry(event_id, kind, consultation_id, tenant, Money(minor, currency), Money(fee, currency), at)
        for event_id, kind, consultation_id, tenant, minor, fee, currency, at in rows
    ]


def newest_paid(tx: Transaction, partner_id: UUID, currency: str) -> list[UUID]:
    """The transfers to this partner of which something is left, the newest first; in the tenant's scope."""
    rows = tx.driver.execute(
        "select id from partner_payouts where tenant_id = %s and partner_id = %s and currency = %s and state = 'paid'"
        " and way = 'transfer' and reversed_minor < amount_minor order by paid_at desc",
        (tx.scope.tenant_id, partner_id, currency),
    ).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class Check:
    """What the newest check of a tenant's books has found."""

    tenant: str
    at: datetime | None
    compared: int
    differences: list[dict[str, str]]


def newest_checks(tx: Transaction) -> list[Check]:
    """The newest check of each tenant, by name; in the operator's scope."""
    rows = tx.driver.execute(
        "select t.name, c.at, coalesce(c.compared, 0), coalesce(c.differences, '[]'::jsonb) from tenants t"
        " left join (select distinct on (tenant_id) * from ledger_checks order by tenant_id, at desc) c on c.tenant_id = t.id"
        " order by t.name"
    ).fetchall()
    return [Check(*row) for row in rows]
