"""Reads of partners as one tenant sees them: its roster, their records, their weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.partners.availability import Availability
from fxo.core.scope import TenantConfig


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A partner whom the tenant may book; price and split only where they differ from the tenant's own."""

    partner_id: UUID
    price_minor: int | None
    partner_share: int | None

    def price(self, config: TenantConfig) -> Money:
        return config.price if self.price_minor is None else Money(self.price_minor, config.price.currency)

    def share(self, config: TenantConfig) -> int:
        return config.partner_share if self.partner_share is None else self.partner_share


@dataclass(frozen=True, slots=True)
class Profile:
    """A partner's record as clients see it, with the ratings given in this tenant and the public count over all."""

    id: UUID
    slug: str
    name: str
    title: str
    headline: str
    bio: str
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    industries: tuple[str, ...]
    certifications: tuple[str, ...]
    cases: tuple[str, ...]
    languages: tuple[str, ...]
    years: int
    country: str
    zone: str
    rating: float | None
    ratings: int


_PROFILE = (
    "p.id, p.slug, p.name, p.title, p.headline, p.bio, p.roles, p.skills, p.industries, p.certifications, p.cases,"
    " p.languages, p.years,"
    " p.country, p.zone, s.stars::float / nullif(s.ratings, 0), coalesce(s.ratings, 0)"
    " from partners p left join partner_standing s on s.partner_id = p.id"
)


def _profile(row: Any) -> Profile:
    return Profile(*row[:6], *(tuple(part) for part in row[6:12]), *row[12:])


_BOOKABLE = (
    "r.ended_at is null and r.partner_id in"
    " (select b.id from partners b where b.suspended_at is null and (b.visible_to is null or b.visible_to = r.tenant_id))"
)
"""A roster entry counts while it has not ended, the operator has not suspended the partner, and nobody else has them alone."""


def on_roster(tx: Transaction) -> list[Profile]:
    """Every partner whom this tenant may book, by name."""
    rows = tx.driver.execute(
        f"select {_PROFILE} join roster r on r.tenant_id = %s and r.partner_id = p.id and {_BOOKABLE} order by p.name",
        (tx.scope.tenant_id,),
    ).fetchall()
    return [_profile(row) for row in rows]


def profile(tx: Transaction, partner_id: UUID) -> Profile:
    """One partner of the roster, also one whose entry has ended; anybody else is `NotFound`."""
    row = tx.driver.execute(f"select {_PROFILE} where p.id = %s", (partner_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such expert here.")
    return _profile(row)


def roster_entry(tx: Transaction, partner_id: UUID) -> RosterEntry | None:
    """The entry of a partner whom this tenant may book now."""
    row = tx.driver.execute(
        "select r.partner_id, r.price_minor, r.partner_share from roster r where r.tenant_id = %s and r.partner_id = %s"
        f" and {_BOOKABLE}",
        (tx.scope.tenant_id, partner_id),
    ).fetchone()
    return RosterEntry(*row) if row else None


def roster_entries(tx: Transaction) -> dict[UUID, RosterEntry]:
    """The entries of every partner whom this tenant may book now, by partner."""
    rows = tx.driver.execute(
        f"select r.partner_id, r.price_minor, r.partner_share from roster r where r.tenant_id = %s and {_BOOKABLE}",
        (tx.scope.tenant_id,),
    ).fetchall()
    return {row[0]: RosterEntry(*row) for row in rows}


def availability(tx: Transaction, partner_ids: Sequence[UUID]) -> dict[UUID, Availability]:
    """The weeks of these partners; one who has not set any is left out and has no slots."""
    rows = tx.driver.execute(
        "select partner_id, data from availability where partner_id = any(%s)", (list(partner_ids),)
    ).fetchall()
    return {partner_id: Availability.from_data(data) for partner_id, data in rows}


def availability_of(tx: Transaction, partner_id: UUID) -> Availability:
    """The partner's week; `NotFound` where none is set, since then nothing can be booked."""
    found = availability(tx, [partner_id]).get(partner_id)
    if found is None:
        raise NotFound("This expert has no open times.")
    return found


def contact(tx: Transaction, partner_id: UUID) -> tuple[str, str, str]:
    """(name, mail address, zone) of a partner of the roster, for mails and invitations."""
    row = tx.driver.execute(
        "select p.name, c.email, p.zone from partners p join partner_contacts c on c.partner_id = p.id where p.id = %s",
        (partner_id,),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such expert here.")
    return row[0], row[1], row[2]
