"""What operators see of the platform, and the record of their looking; in the operator's own scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.money import Money


@dataclass(frozen=True, slots=True)
class TenantRow:
    id: UUID
    slug: str
    name: str
    hosts: tuple[str, ...]
    """Its own domains, where it has any."""
    price: Money
    partner_share: int
    open: bool
    """Visitors see matches."""
    created_at: datetime
    suspended_at: datetime | None
    partners: int
    members: int
    sessions: int
    """Booked and done."""
    ahead: int
    """Booked and not over."""
    alarms: int
    """That nobody has settled."""


@dataclass(frozen=True, slots=True)
class TenantPage:
    """One tenant with what was agreed for it."""

    row: TenantRow
    administrators: int
    mail_domains: tuple[str, ...]
    providers: Mapping[str, Sequence[Mapping[str, Any]]]
    policy: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PartnerRow:
    id: UUID
    name: str
    title: str
    zone: str
    visible_to: str
    """The one tenant whom they are kept to; empty for all."""
    suspended_at: datetime | None
    portals: tuple[str, ...]
    sessions: int
    rating: float | None
    ratings: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A partner on one tenant's roster."""

    tenant_id: UUID
    tenant: str
    price: Money
    own_price: bool
    partner_share: int
    added_at: datetime
    ended_at: datetime | None
    sessions: int
    ahead: int


@dataclass(frozen=True, slots=True)
class PartnerPage:
    row: PartnerRow
    headline: str
    roles: tuple[str, ...]
    industries: tuple[str, ...]
    country: str
    years: int
    visible_to: UUID | None
    cancelled: int
    """Sessions that the partner has cancelled."""
    missed: int
    """Sessions to which the partner did not come."""
    listings: tuple[Listing, ...]


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking as the operator sees it: states and amounts, nobody's words and no client's name."""

    id: UUID
    tenant_id: UUID
    tenant: str
    partner_id: UUID
    partner: str
    state: str
    reason: str
    starts_at: datetime
    price: Money
    partner_share: int
    confirmed_at: datetime | None
    completed_at: datetime | None
    payment: str
    """Its payment's state; empty where there is none yet."""
    provider: str
    captured: Money
    payment_reason: str
    ends_at: datetime
    ended_by: str
    fee: Money | None
    """What the client owes for a booking that ended early."""
    client_here_at: datetime | None
    partner_here_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which partners a page shows."""

    words: str = ""
    state: str = ""
    """`listed`, `unlisted`, `suspended`, or all."""
    tenant_id: UUID | None = None
    limit: int = 50
    offset: int = 0


def record_use(tx: Transaction, what: str) -> None:
    """Write down what this operator looked at or did, in the same transaction."""
    tx.driver.execute(
        "insert into operator_uses (id, operator_id, what, at) values (%s, %s, %s, %s)", (new_id(), tx.actor.id, what, tx.now)
    )


_DONE = "('confirmed', 'started', 'completed')"

_TENANTS = f"""
select t.id, t.slug, t.name, coalesce(h.hosts, '{{}}'), t.price_minor, t.currency, t.partner_share, t.visitors_may_match,
       t.created_at, t.suspended_at, coalesce(r.number, 0), coalesce(m.number, 0), coalesce(c.number, 0), coalesce(c.ahead, 0),
       coalesce(a.number, 0), coalesce(m.administrators, 0), t.mail_domains, t.providers, t.policy
from tenants t
left join (select tenant_id, array_agg(host order by host) as hosts from hosts group by tenant_id) h on h.tenant_id = t.id
left join (select tenant_id, count(*) as number from roster where ended_at is null group by tenant_id) r on r.tenant_id = t.id
left join (select tenant_id, count(*) as number, count(*) filter (where role = 'administrator') as administrators
           from members where deactivated_at is null group by tenant_id) m on m.tenant_id = t.id
left join (select tenant_id, count(*) as number, count(*) filter (where state <> 'completed' and ends_at > %(now)s) as ahead
           from consultations where state in {_DONE} group by tenant_id) c on c.tenant_id = t.id
left join (select tenant_id, count(*) as number from alarms where settled_at is null group by tenant_id) a
       on a.tenant_id = t.id"""


def _tenant(row: Any) -> TenantRow:
    return TenantRow(*row[:3], tuple(row[3]), Money(row[4], row[5]), *row[6:15])


def tenants(tx: Transaction) -> list[TenantRow]:
    """Every tenant by name, with roster, members, sessions and open alarms."""
    rows = tx.driver.execute(f"{_TENANTS} order by t.name, t.id", {"now": tx.now}).fetchall()
    return [_tenant(row) for row in rows]


def names(tx: Transaction) -> dict[UUID, str]:
    """What each tenant is called."""
    return dict(tx.driver.execute("select id, name from tenants").fetchall())


def tenant(tx: Transaction, tenant_id: UUID) -> TenantPage:
    """One tenant."""
    row = tx.driver.execute(f"{_TENANTS} where t.id = %(id)s", {"now": tx.now, "id": tenant_id}).fetchone()
    if row is None:
        raise NotFound("There is no such tenant.")
    return TenantPage(_tenant(row), row[15], tuple(row[16]), row[17], row[18])


_PARTNERS = f"""
select p.id, p.name, p.title, p.zone, coalesce(sole.name, ''), p.suspended_at, coalesce(r.portals, '{{}}'), coalesce(c.number, 0),
       s.stars::float / nullif(s.ratings, 0), coalesce(s.ratings, 0), p.headline, p.roles, p.industries, p.country, p.years,
       p.visible_to, coalesce(c.cancelled, 0), coalesce(c.missed, 0)
from partners p
left join tenants sole on sole.id = p.visible_to
left join partner_standing s on s.partner_id = p.id
left join (select r.partner_id, array_agg(t.name order by t.name) as portals, array_agg(t.id) as ids
           from roster r join tenants t on t.id = r.tenant_id where r.ended_at is null group by r.partner_id) r
       on r.partner_id = p.id
left join (select partner_id, count(*) filter (where state in {_DONE}) as number,
                  count(*) filter (where state = 'cancelled' and ended_by = 'partner') as cancelled,
                  count(*) filter (where state = 'missed' and missing = 'partner') as missed
           from consultations group by partner_id) c on c.partner_id = p.id"""

_STATES = {
    "": "true", "listed": "p.suspended_at is null and r.portals is not null", "suspended": "p.suspended_at is not null",
    "unlisted": "p.suspended_at is null and r.portals is null",
}  # fmt: skip


def _partner(row: Any) -> PartnerRow:
    return PartnerRow(*row[:6], tuple(row[6]), *row[7:10])


def partners(tx: Transaction, wanted: Wanted | None = None) -> tuple[list[PartnerRow], int]:
    """Partners of the network by name, and how many answer to what is wanted."""
    wanted = wanted or Wanted()
    words = "%" + wanted.words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    rows = tx.driver.execute(
        f"select q.*, count(*) over () from ({_PARTNERS} where {_STATES[wanted.state]}"
        " and (p.name ilike %(words)s or p.title ilike %(words)s)"
        " and (%(tenant)s::uuid is null or %(tenant)s = any(r.ids))) q order by q.name, q.id limit %(limit)s offset %(offset)s",
        {"words": words, "tenant": wanted.tenant_id, "limit": wanted.limit, "offset": wanted.offset},
    ).fetchall()
    return [_partner(row) for row in rows], rows[0][-1] if rows else 0


def partner_counts(tx: Transaction) -> dict[str, int]:
    """How many partners there are: all, on a roster, on none, suspended."""
    row = tx.driver.execute(
        "select count(*), count(*) filter (where suspended_at is null and on_one),"
        " count(*) filter (where suspended_at is null and not on_one), count(*) filter (where suspended_at is not null)"
        " from (select p.suspended_at, exists (select from roster r where r.partner_id = p.id and r.ended_at is null) as on_one"
        " from partners p) q"
    ).fetchone()
    assert row is not None
    return dict(zip(("", "listed", "unlisted", "suspended"), row, strict=True))


def partner(tx: Transaction, partner_id: UUID) -> PartnerPage:
    """One partner with the rosters they are or were on."""
    row = tx.driver.execute(f"{_PARTNERS} where p.id = %s", (partner_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such expert.")
    listings = tx.driver.execute(
        "select t.id, t.name, coalesce(r.price_minor, t.price_minor), t.currency, r.price_minor is not null,"
        " coalesce(r.partner_share, t.partner_share), r.added_at, r.ended_at, coalesce(c.number, 0), coalesce(c.ahead, 0)"
        " from roster r join tenants t on t.id = r.tenant_id left join (select tenant_id, count(*) as number,"
        f" count(*) filter (where state <> 'completed' and ends_at > %(now)s) as ahead from consultations where state in {_DONE}"
        " and partner_id = %(id)s group by tenant_id) c on c.tenant_id = r.tenant_id"
        " where r.partner_id = %(id)s order by r.ended_at is not null, t.name",
        {"id": partner_id, "now": tx.now},
    ).fetchall()
    return PartnerPage(
        _partner(row), row[10], tuple(row[11]), tuple(row[12]), row[13], row[14], *row[15:18],
        tuple(Listing(each[0], each[1], Money(each[2], each[3]), *each[4:]) for each in listings),
    )  # fmt: skip


def booking(tx: Transaction, tenant_id: UUID, consultation_id: UUID) -> Booking:
    """One booking with its payment."""
    row = tx.driver.execute(
        "select c.id, t.id, t.name, p.id, p.name, c.state, coalesce(c.reason, ''), c.starts_at, c.price_minor, c.currency,"
        " c.partner_share, c.confirmed_at, c.completed_at, coalesce(y.state, ''), coalesce(y.provider, ''),"
        " coalesce(y.captured_minor, 0), coalesce(y.reason, ''), c.ends_at, coalesce(c.ended_by, ''), c.fee_minor,"
        " c.client_here_at, c.partner_here_at from consultations c join tenants t on t.id = c.tenant_id"
        " join partners p on p.id = c.partner_id left join payments y on y.tenant_id = c.tenant_id and y.id = c.payment_id"
        " where c.tenant_id = %s and c.id = %s",
        (tenant_id, consultation_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such booking.")
    price, captured = Money(row[8], row[9]), Money(row[15], row[9])
    fee = None if row[19] is None else Money(row[19], row[9])
    return Booking(*row[:8], price, *row[10:15], captured, *row[16:19], fee, *row[20:])


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A session about which its two people do not agree, as the queue lists it."""

    tenant_id: UUID
    tenant: str
    consultation_id: UUID
    partner: str
    opened_at: datetime
    opened_by: str
    says: str
    heard: int
    """How many of the two have said how they saw it."""
    price: Money
    fee: Money | None
    decided_at: datetime | None


def cases(tx: Transaction, *, decided: bool, limit: int = 200) -> list[CaseRow]:
    """Cases of all tenants: open ones the oldest first, decided ones the last decided first."""
    order = "k.decided_at desc" if decided else "k.opened_at"
    rows = tx.driver.execute(
        "select k.tenant_id, t.name, k.consultation_id, p.name, k.opened_at, k.opened_by, k.says,"
        " (k.client_words <> '')::int + (k.partner_words <> '')::int, c.price_minor, c.fee_minor, c.currency, k.decided_at"
        " from cases k join tenants t on t.id = k.tenant_id join partners p on p.id = k.partner_id"
        " join consultations c on c.tenant_id = k.tenant_id and c.id = k.consultation_id"
        f" where k.decided_at is {'not ' if decided else ''}null order by {order}, k.consultation_id limit %s",
        (limit,),
    ).fetchall()
    return [
        CaseRow(*row[:8], Money(row[8], row[10]), None if row[9] is None else Money(row[9], row[10]), row[11]) for row in rows
    ]  # fmt: skip


def bookings_of(tx: Transaction, subjects: Sequence[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    """The booking that each of these (tenant, subject) of alarms is about, where it is about one, its payment, or its work."""
    if not subjects:
        return {}
    rows = tx.driver.execute(
        "select s.id, c.id from unnest(%s::uuid[], %s::uuid[]) as s(tenant_id, id)"
        " left join work w on w.tenant_id = s.tenant_id and w.id = s.id"
        " left join payments p on p.tenant_id = s.tenant_id and p.id = coalesce(w.stream_id, s.id)"
        " join consultations c on c.tenant_id = s.tenant_id and c.id = coalesce(p.consultation_id, w.stream_id, s.id)",
        ([tenant_id for tenant_id, _ in subjects], [subject for _, subject in subjects]),
    ).fetchall()
    return dict(rows)
