"""A partner of the network and a tenant's roster. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType
from fxo.core.ids import derived_id


@event("partner.profile_set")
@dataclass(frozen=True, slots=True)
class ProfileSet:
    """The partner's record as it is from now on. `source` is the id in the file that it came from."""

    partner_id: UUID
    source: str
    name: Annotated[str, Personal("partner_id")]
    email: Annotated[str, Personal("partner_id")]
    title: str
    headline: str
    bio: Annotated[str, Personal("partner_id")]
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    industries: tuple[str, ...]
    certifications: tuple[str, ...]
    cases: tuple[str, ...]
    languages: tuple[str, ...]
    years: int
    country: str
    zone: str
    visible_to: UUID | None


@event("partner.availability_set")
@dataclass(frozen=True, slots=True)
class AvailabilitySet:
    """The partner's week from now on (`Availability.to_data`)."""

    partner_id: UUID
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Partner:
    profile: ProfileSet | None = None
    week: dict[str, Any] | None = None


def _evolve(state: Partner, happened: object) -> Partner:
    match happened:
        case ProfileSet():
            return replace(state, profile=happened)
        case AvailabilitySet(data=data):
            return replace(state, week=data)
    return state


PARTNER = StreamType[Partner]("partner", Partner(), _evolve)


@event("roster.added")
@dataclass(frozen=True, slots=True)
class Added:
    """The tenant may book this partner; price (minor units) and share only where they differ from its own."""

    partner_id: UUID
    price_minor: int | None
    partner_share: int | None


@event("roster.ended")
@dataclass(frozen=True, slots=True)
class RosterEnded:
    """The tenant can book this partner no more; what is booked stands."""

    partner_id: UUID


ROSTER_ENTRY = StreamType[bool]("roster_entry", False, lambda state, happened: isinstance(happened, Added))


def roster_id_of(tenant_id: UUID, partner_id: UUID) -> UUID:
    """The id of the stream of one roster entry."""
    return derived_id(tenant_id, "roster", partner_id)
