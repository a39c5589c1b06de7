"""Reads of partners as one tenant sees them: its roster, their records, their weeks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.model import type_named
from fxo.core.events.store import Transaction
from fxo.core.ids import NETWORK
from fxo.core.money import Money
from fxo.core.partners.availability import Availability
from fxo.core.scope import ScopeKind, TenantConfig


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
    """A partner's record as clients see it. The rating counts the public ones of all tenants, and this tenant's own others."""

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
    " p.languages, p.years, p.country, p.zone, {stars}::float / nullif({ratings}, 0), {ratings}"
    " from partners p left join partner_standing s on s.partner_id = p.id"
)
_STANDING = _PROFILE.format(stars="s.stars", ratings="coalesce(s.ratings, 0)")
_WITH_OWN = (
    _PROFILE.format(
        stars="(coalesce(s.stars, 0) + coalesce(o.stars, 0))", ratings="(coalesce(s.ratings, 0) + coalesce(o.ratings, 0))"
    )
    + " left join (select partner_id, count(*)::int as ratings, sum(stars)::int as stars from ratings"
    " where not public group by partner_id) o on o.partner_id = p.id"
)


def _columns(tx: Transaction) -> str:
    """In a tenant's scope also its own ratings that were not given as public; nobody else may read those."""
    return _WITH_OWN if tx.scope.kind is ScopeKind.TENANT else _STANDING


def _profile(row: Any) -> Profile:
    return Profile(*row[:6], *(tuple(part) for part in row[6:12]), *row[12:])


_BOOKABLE = (
    "r.ended_at is null and r.partner_id in"
    " (select b.id from partners b where b.suspended_at is null and (b.visible_to is null or b.visible_to = r.tenant_id))"
)
"""A roster entry counts while it has not ended, the operator has not suspended the partner, and nobody else has them alone."""


def on_roster(tx: Transaction) -> list[Profile]:
    """Every partner whom this tenant may book, by name."""
    return [profile for profile, _entry in roster(tx)]


def roster(tx: Transaction) -> list[tuple[Profile, RosterEntry]]:
    """The same, each with the entry that says at what price."""
    rows = tx.driver.execute(
        f"select r.price_minor, r.partner_share, {_columns(tx)} join roster r on r.tenant_id = %s and r.partner_id = p.id"
        f" and {_BOOKABLE} order by p.name",
        (tx.scope.tenant_id,),
    ).fetchall()
    return [(_profile(row[2:]), RosterEntry(row[2], *row[:2])) for row in rows]


def profile(tx: Transaction, partner_id: UUID) -> Profile:
    """One partner of the roster, also one whose entry has ended; anybody else is `NotFound`."""
    row = tx.driver.execute(f"select {_columns(tx)} where p.id = %s", (partner_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such expert here.")
    return _profile(row)


def profile_and_entry(tx: Transaction, partner_id: UUID) -> tuple[Profile, RosterEntry | None]:
    """`profile` and `roster_entry` in one, for pages that show somebody and where to book them."""
    row = tx.driver.execute(
        f"select r.price_minor, r.partner_share, r.partner_id, {_columns(tx)} left join roster r on r.tenant_id = %s"
        f" and r.partner_id = p.id and {_BOOKABLE} where p.id = %s",
        (tx.scope.tenant_id, partner_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such expert here.")
    return _profile(row[3:]), RosterEntry(partner_id, *row[:2]) if row[2] else None


def profiles(tx: Transaction, partner_ids: Collection[UUID]) -> dict[UUID, Profile]:
    """These partners of the roster, also those whose entry has ended."""
    rows = tx.driver.execute(f"select {_columns(tx)} where p.id = any(%s)", (list(partner_ids),)).fetchall()
    return {row[0]: _profile(row) for row in rows}


def roster_entry(tx: Transaction, partner_id: UUID) -> RosterEntry | None:
    """The entry of a partner whom this tenant may book now."""
    row = tx.driver.execute(
        "select r.partner_id, r.price_minor, r.partner_share from roster r where r.tenant_id = %s and r.partner_id = %s"
        f" and {_BOOKABLE}",
        (tx.scope.tenant_id, partner_id),
    ).fetchone()
    return RosterEntry(*row) if row else None


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


# What partners read of themselves, in their own scope ----------------------------------------------------------------


def standing(tx: Transaction) -> tuple[float | None, int]:
    """(average, count) of the partner's public ratings over all tenants."""
    row = tx.driver.execute(
        "select stars::float / nullif(ratings, 0), ratings from partner_standing where partner_id = %s", (tx.scope.id,)
    ).fetchone()
    return (row[0], row[1]) if row else (None, 0)


@dataclass(frozen=True, slots=True)
class WeekSet:
    """A week of the partner, with the moment from which it was in force and the version of the stream that set it."""

    version: int
    at: datetime
    week: Availability


def weeks_since(tx: Transaction, since: datetime) -> list[WeekSet]:
    """The weeks in force from that moment on, oldest first: the one that stood then, and those that came after it."""
    rows = tx.driver.execute(
        "select version, recorded_at, schema_version, data from events where tenant_id = %(t)s and stream_id = %(me)s"
        " and type = 'partner.availability_set' and version >= coalesce((select max(version) from events where tenant_id = %(t)s"
        " and stream_id = %(me)s and type = 'partner.availability_set' and recorded_at <= %(since)s), 0) order by version",
        {"t": NETWORK, "me": tx.scope.id, "since": since},
    ).fetchall()
    kind = type_named("partner.availability_set")
    return [WeekSet(version, at, Availability.from_data(kind.decode(schema, data).data)) for version, at, schema, data in rows]
