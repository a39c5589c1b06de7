"""What changes partners and rosters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from fxo.core.errors import Conflict, Invalid, NotAllowed, NotFound
from fxo.core.events.store import Stream, Transaction
from fxo.core.ids import NETWORK, derived_id
from fxo.core.partners import model
from fxo.core.partners.availability import Availability
from fxo.core.partners.importing import PartnerImport
from fxo.core.partners.model import PARTNER, ROSTER_ENTRY, AvailabilitySet, ProfileSet, roster_id_of
from fxo.core.partners.own import OwnProfile
from fxo.core.scope import Permission

LONGEST_REASON = 500
DEFAULT_HOURS = tuple({"weekday": day, "start": "09:00", "end": "17:00"} for day in range(5))


def partner_id_of(source: str) -> UUID:
    """The id of the partner whom a file names so; the same in later files."""
    return derived_id(NETWORK, "partner", source.lower())


def import_partners(tx: Transaction, found: Sequence[PartnerImport], tenants: Mapping[str, UUID]) -> list[UUID]:
    """Keep every partner of a file, all or nothing; in the system scope `partners`. Unchanged records append nothing.

    `tenants` are ids by slug, for `visible_to`. Who has no week in the file gets office hours in their own zone at first.
    """
    streams = [(item, tx.load(PARTNER, partner_id_of(item.id))) for item in found]
    changes = []
    for item, stream in streams:
        if item.visible_to and item.visible_to not in tenants:
            raise Invalid(f"{item.id}: there is no tenant {item.visible_to!r} to be visible to.", field="visible_to")
        profile = ProfileSet(
            partner_id=stream.id,
            source=item.id,
            name=item.name,
            email=item.email,
            title=item.title,
            headline=item.headline,
            bio=item.bio,
            roles=item.roles,
            skills=item.skills,
            industries=item.industries,
            certifications=item.certifications,
            cases=item.case_studies,
            languages=item.languages,
            years=item.years_experience,
            country=item.country,
            zone=item.timezone,
            visible_to=tenants[item.visible_to] if item.visible_to else None,
        )
        events: list[object] = [] if stream.state.profile == profile else [profile]
        week = item.availability.to_data() if item.availability else stream.state.week
        week = week or Availability.from_data({"zone": item.timezone, "weekly": list(DEFAULT_HOURS)}).to_data()
        if week != stream.state.week:
            events.append(AvailabilitySet(stream.id, week))
        changes.append((stream, events))
    tx.append(*changes)
    return [stream.id for _, stream in streams]


def set_availability(tx: Transaction, availability: Availability) -> None:
    """The partner's own week, in the partner's own scope."""
    if not tx.actor.may(Permission.EDIT_OWN_PROFILE):
        raise NotAllowed("Only the expert may change this week.")
    partner = tx.load(PARTNER, tx.actor.id)
    if partner.state.week != availability.to_data():
        tx.append((partner, [AvailabilitySet(tx.actor.id, availability.to_data())]))


def change_availability(tx: Transaction, change: Callable[[Availability], Availability]) -> None:
    """The partner's own week as `change` makes it of the one that stands; who has none yet begins with an empty one."""
    partner = tx.load(PARTNER, tx.actor.id)
    zone = partner.state.profile.zone if partner.state.profile else "UTC"
    set_availability(tx, change(Availability.from_data(partner.state.week or {"zone": zone})))


def restore_availability(tx: Transaction, version: int) -> None:
    """Undo the change of the own week that stands at this version of the stream, unless it was changed again since."""
    partner = tx.load(PARTNER, tx.actor.id)
    weeks = [item for item in partner.events if isinstance(item.value, AvailabilitySet)]
    if len(weeks) < 2 or weeks[-1].version != version:
        raise Conflict("The week was changed again since then, so there is nothing to take back. It stands as you see it here.")
    set_availability(tx, Availability.from_data(weeks[-2].value.data))


def set_profile(tx: Transaction, wanted: OwnProfile) -> None:
    """The partner's own record from now on, in the partner's own scope. Unchanged: nothing."""
    if not tx.actor.may(Permission.EDIT_OWN_PROFILE):
        raise NotAllowed("Only the expert may change this profile.")
    partner = tx.load(PARTNER, tx.actor.id)
    stands = partner.state.profile
    if stands is None:
        raise NotFound("There is no such profile here.")
    profile = replace(stands, **{name: getattr(wanted, name) for name in OwnProfile.model_fields})
    if profile != stands:
        tx.append((partner, [profile]))


def add_to_roster(
    tx: Transaction, partner_ids: Sequence[UUID], *, price_minor: int | None = None, partner_share: int | None = None
) -> None:
    """Let this tenant book these partners; by its administrator, or code. Who is on the roster already stays as they are.

    Whether the network shows them to this tenant is asked before, where that can be seen (`roster.joinable`).
    """
    _may_change_roster(tx)
    entries = [(tx.load(ROSTER_ENTRY, roster_id_of(tx.scope.tenant_id, each)), each) for each in partner_ids]
    tx.append(*((entry, model.add(entry.state, partner_id, price_minor, partner_share)) for entry, partner_id in entries))


def end_roster_entry(tx: Transaction, partner_id: UUID) -> None:
    """Stop booking this partner here; what is booked stands."""
    _may_change_roster(tx)
    entry = _entry(tx, partner_id)
    tx.append((entry, model.end(entry.state, partner_id)))


def restore_roster_entry(tx: Transaction, partner_id: UUID) -> None:
    """Undo the end of an entry."""
    _may_change_roster(tx)
    entry = _entry(tx, partner_id)
    tx.append((entry, model.restore(entry.state, partner_id)))


def set_roster_price(tx: Transaction, partner_id: UUID, price_minor: int | None) -> int | None:
    """Another price for new holds of this partner here, or (none) the tenant's own; returns what it was before."""
    _may_change_roster(tx)
    entry = _entry(tx, partner_id)
    tx.append((entry, model.reprice(entry.state, partner_id, price_minor)))
    return entry.state.price_minor


def _may_change_roster(tx: Transaction) -> None:
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may change the roster.")


def _entry(tx: Transaction, partner_id: UUID) -> Stream[model.Entry]:
    entry = tx.load(ROSTER_ENTRY, roster_id_of(tx.scope.tenant_id, partner_id))
    if not entry:
        raise NotFound("There is no such expert on this roster.")
    return entry


def suspend(tx: Transaction, partner_id: UUID, reason: str) -> None:
    """Show and book this partner nowhere; what is booked stands. By an operator, in the system scope `partners`."""
    partner = _partner(tx, partner_id)
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"Please shorten the reason to {LONGEST_REASON} characters.", field="reason")
    tx.append((partner, model.suspend(partner.state, partner_id, reason)))


def why_suspended(tx: Transaction, partner_id: UUID) -> str:
    """What an operator wrote down; empty where nothing was, or the partner is not suspended. In the system scope `partners`."""
    return _partner(tx, partner_id).state.reason


def approve(tx: Transaction, partner_id: UUID) -> None:
    """Let this partner be shown and booked again. By an operator, in the system scope `partners`."""
    partner = _partner(tx, partner_id)
    tx.append((partner, model.approve(partner.state, partner_id)))


def show_to(tx: Transaction, partner_id: UUID, tenant_id: UUID | None) -> None:
    """Keep this partner to one tenant, or offer them to all. By an operator, in the system scope `partners`."""
    partner = _partner(tx, partner_id)
    if tenant_id and not tx.driver.execute("select 1 from tenants where id = %s", (tenant_id,)).fetchone():
        raise Invalid("There is no such tenant. Please choose one of the list.", field="visible_to")
    tx.append((partner, model.show_to(partner.state, partner_id, tenant_id)))


def _partner(tx: Transaction, partner_id: UUID) -> Stream[model.Partner]:
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may decide this about an expert.")
    return tx.load(PARTNER, partner_id)
