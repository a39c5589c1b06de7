"""Reads of a roster for its tenant's administrator: its entries, and who of the network may join it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotAllowed
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.scope import Permission, TenantConfig


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the roster, also one that has ended."""

    partner_id: UUID
    name: str
    title: str
    price_minor: int | None
    partner_share: int | None
    added_at: datetime
    ended_at: datetime | None
    suspended: bool
    """The operator has taken this partner off every portal."""
    elsewhere: bool
    """The partner is kept to another tenant now."""
    booked: int
    """Sessions that lie ahead here."""

    def price(self, config: TenantConfig) -> Money:
        return config.price if self.price_minor is None else Money(self.price_minor, config.price.currency)

    def share(self, config: TenantConfig) -> int:
        return config.partner_share if self.partner_share is None else self.partner_share


@dataclass(frozen=True, slots=True)
class Candidate:
    """A partner of the network whom this tenant may put on its roster."""

    partner_id: UUID
    name: str
    title: str
    headline: str
    roles: tuple[str, ...]
    industries: tuple[str, ...]
    years: int
    rating: float | None
    ratings: int
    private: bool
    """Kept to this tenant alone."""


def rows(tx: Transaction) -> list[Row]:
    """Every entry of this tenant's roster by name; in the tenant's scope."""
    _administrator(tx)
    found = tx.driver.execute(
        "select r.partner_id, p.name, p.title, r.price_minor, r.partner_share, r.added_at, r.ended_at,"
        " p.suspended_at is not null, p.visible_to is not null and p.visible_to <> r.tenant_id, coalesce(b.booked, 0)"
        " from roster r join partners p on p.id = r.partner_id left join (select c.partner_id, count(*) as booked"
        " from consultations c where c.tenant_id = %(t)s and c.state in ('confirmed', 'started') group by c.partner_id) b"
        " on b.partner_id = r.partner_id where r.tenant_id = %(t)s order by p.name, p.id",
        {"t": tx.scope.tenant_id},
    ).fetchall()
    return [Row(*row) for row in found]


_JOINABLE = (
    "p.suspended_at is null and (p.visible_to is null or p.visible_to = %(t)s)"
    " and not exists (select from roster r where r.tenant_id = %(t)s and r.partner_id = p.id and r.ended_at is null)"
)


def candidates(tx: Transaction, tenant_id: UUID) -> list[Candidate]:
    """Who may join this tenant's roster and is not on it, by name; in the system scope `roster`, for its administrator."""
    _administrator(tx)
    found = tx.driver.execute(
        "select p.id, p.name, p.title, p.headline, p.roles, p.industries, p.years, s.stars::float / nullif(s.ratings, 0),"
        " coalesce(s.ratings, 0), p.visible_to is not null from partners p left join partner_standing s on s.partner_id = p.id"
        f" where {_JOINABLE} order by p.name, p.id",
        {"t": tenant_id},
    ).fetchall()
    return [_candidate(row) for row in found]


def _candidate(row: Any) -> Candidate:
    values: tuple[Any, ...] = (*row[:4], tuple(row[4]), tuple(row[5]), *row[6:])
    return Candidate(*values)


def joinable(tx: Transaction, tenant_id: UUID, partner_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these partners who may join this tenant's roster; in the system scope `roster`, for its administrator."""
    _administrator(tx)
    found = tx.driver.execute(
        f"select p.id from partners p where p.id = any(%(ids)s) and {_JOINABLE} order by p.id",
        {"t": tenant_id, "ids": list(partner_ids)},
    ).fetchall()
    return [row[0] for row in found]


def _administrator(tx: Transaction) -> None:
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may see the roster.")
