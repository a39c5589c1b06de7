"""A partner of the network and a tenant's roster. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fxo.core.errors import Conflict, NotFound
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


@event("partner.suspended")
@dataclass(frozen=True, slots=True)
class Suspended:
    """Shown and booked nowhere from now on; what is booked stands. The reason is the operator's own words, for operators."""

    partner_id: UUID
    reason: Annotated[str, Personal("partner_id")]


@event("partner.approved")
@dataclass(frozen=True, slots=True)
class Approved:
    """May be shown and booked again."""

    partner_id: UUID


@event("partner.visibility_set")
@dataclass(frozen=True, slots=True)
class VisibilitySet:
    """Whom the partner may be offered to: one tenant alone, or (none named) every tenant that puts them on its roster."""

    partner_id: UUID
    visible_to: UUID | None


@dataclass(frozen=True, slots=True)
class Partner:
    profile: ProfileSet | None = None
    week: dict[str, Any] | None = None
    suspended: bool = False
    reason: str = ""
    """Why, as an operator wrote it down."""


def _evolve(state: Partner, happened: object) -> Partner:
    match happened:
        case ProfileSet():
            return replace(state, profile=happened)
        case AvailabilitySet(data=data):
            return replace(state, week=data)
        case Suspended(reason=reason):
            return replace(state, suspended=True, reason=reason)
        case Approved():
            return replace(state, suspended=False, reason="")
        case VisibilitySet(visible_to=tenant_id) if state.profile:
            return replace(state, profile=replace(state.profile, visible_to=tenant_id))
    return state


PARTNER = StreamType[Partner]("partner", Partner(), _evolve)


def suspend(state: Partner, partner_id: UUID, reason: str) -> list[object]:
    """Take the partner off every portal; who is suspended already stays so."""
    _known(state)
    return [] if state.suspended else [Suspended(partner_id, reason)]


def approve(state: Partner, partner_id: UUID) -> list[object]:
    """Let the partner be shown and booked again."""
    _known(state)
    return [Approved(partner_id)] if state.suspended else []


def show_to(state: Partner, partner_id: UUID, tenant_id: UUID | None) -> list[object]:
    """Keep the partner to one tenant, or offer them to all."""
    profile = _known(state)
    return [] if profile.visible_to == tenant_id else [VisibilitySet(partner_id, tenant_id)]


def _known(state: Partner) -> ProfileSet:
    if state.profile is None:
        raise NotFound("There is no such expert.")
    return state.profile


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


@event("roster.price_changed")
@dataclass(frozen=True, slots=True)
class PriceChanged:
    """What new holds of this partner cost here (minor units); none named: what the tenant asks for everybody."""

    partner_id: UUID
    price_minor: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A roster entry: whether it is on, and its own price and split where it has any; an ended one remembers them."""

    on: bool = False
    price_minor: int | None = None
    partner_share: int | None = None


def _entry(state: Entry, happened: object) -> Entry:
    match happened:
        case Added(price_minor=price, partner_share=share):
            return Entry(True, price, share)
        case PriceChanged(price_minor=price):
            return replace(state, price_minor=price)
        case RosterEnded():
            return replace(state, on=False)
    return state


ROSTER_ENTRY = StreamType[Entry]("roster_entry", Entry(), _entry)


def add(state: Entry, partner_id: UUID, price_minor: int | None, partner_share: int | None) -> list[object]:
    """Put the partner on the roster. A split that was agreed for an earlier entry is kept."""
    return [] if state.on else [Added(partner_id, price_minor, state.partner_share if partner_share is None else partner_share)]


def end(state: Entry, partner_id: UUID) -> list[object]:
    """Take the partner off the roster; what is booked stands."""
    return [RosterEnded(partner_id)] if state.on else []


def restore(state: Entry, partner_id: UUID) -> list[object]:
    """Undo the end of an entry: it is as it was, with its own price and split."""
    return [] if state.on else [Added(partner_id, state.price_minor, state.partner_share)]


def reprice(state: Entry, partner_id: UUID, price_minor: int | None) -> list[object]:
    """Another price for new holds of this partner here."""
    if not state.on:
        raise Conflict("This expert is not on the roster any more. Add them first, then set a price.")
    return [] if state.price_minor == price_minor else [PriceChanged(partner_id, price_minor)]


def roster_id_of(tenant_id: UUID, partner_id: UUID) -> UUID:
    """The id of the stream of one roster entry."""
    return derived_id(tenant_id, "roster", partner_id)
