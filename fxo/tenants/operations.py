"""What operators see of the platform, and the record of their looking; in the operator's own scope."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.money import Money


@dataclass(frozen=True, slots=True)
class TenantRow:
    id: UUID
    slug: str
    name: str
    host: str | None
    """Its own domain, where it has one."""
    price: Money
    partners: int
    sessions: int


@dataclass(frozen=True, slots=True)
class PartnerRow:
    id: UUID
    name: str
    title: str
    zone: str
    portals: tuple[str, ...]
    sessions: int


def record_use(tx: Transaction, what: str) -> None:
    """Write down what this operator looked at or did, in the same transaction."""
    tx.driver.execute(
        "insert into operator_uses (id, operator_id, what, at) values (%s, %s, %s, %s)", (new_id(), tx.actor.id, what, tx.now)
    )


def tenants(tx: Transaction) -> list[TenantRow]:
    """Every tenant by name, with the size of its roster and how many sessions were booked there."""
    rows = tx.driver.execute(
        "select t.id, t.slug, t.name, (select min(h.host) from hosts h where h.tenant_id = t.id), t.price_minor, t.currency,"
        " (select count(*) from roster r where r.tenant_id = t.id and r.ended_at is null),"
        " (select count(*) from consultations c where c.tenant_id = t.id and c.state in ('confirmed', 'started', 'completed'))"
        " from tenants t order by t.name"
    ).fetchall()
    return [TenantRow(*row[:4], Money(row[4], row[5]), *row[6:]) for row in rows]


def partners(tx: Transaction) -> list[PartnerRow]:
    """Every partner of the network by name, with the portals that offer them and how many sessions they were booked for."""
    rows = tx.driver.execute(
        "select p.id, p.name, p.title, p.zone,"
        " array(select t.name from roster r join tenants t on t.id = r.tenant_id"
        " where r.partner_id = p.id and r.ended_at is null order by t.name),"
        " (select count(*) from consultations c where c.partner_id = p.id and c.state in ('confirmed', 'started', 'completed'))"
        " from partners p order by p.name, p.id"
    ).fetchall()
    return [PartnerRow(*row[:4], tuple(row[4]), row[5]) for row in rows]
