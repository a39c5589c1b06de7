"""What changes a consultation: each loads, decides, and appends in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core.consultations import claims, model, queries, slots
from fxo.core.consultations.model import CONSULTATION, Ended, Held, OnHold, Party
from fxo.core.errors import Conflict, NotAllowed, NotFound
from fxo.core.events.store import Stream, Transaction
from fxo.core.partners import queries as partners
from fxo.core.scope import ActorKind, Permission, TenantConfig

SESSION = timedelta(minutes=60)


class SlotTaken(Conflict):
    """Somebody else has the time (hard case 4). What else is free is asked afterwards, when no lock is held."""

    code = "slot_taken"

    def __init__(self, partner_id: UUID, wanted: datetime) -> None:
        super().__init__("Somebody was a moment faster and has this time now. Nothing was charged. Please choose another one.")
        self.partner_id = partner_id
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Hold:
    """A client wants this partner at this time. The id is made by the caller, so that a repeat is the same hold."""

    consultation_id: UUID
    partner_id: UUID
    starts_at: datetime
    brief_id: UUID | None = None


def hold(tx: Transaction, config: TenantConfig, wanted: Hold, *, minutes: int, external: slots.Busy = ()) -> Stream[model.State]:
    """Claim the slot for this client for so many minutes. `external` are busy times from the partner's calendars.

    Raises `SlotTaken`, `NotFound` for a partner who is not on the roster.
    """
    if not tx.actor.may(Permission.BOOK):
        raise NotAllowed("Please sign in to book.")
    consultation = tx.load(CONSULTATION, wanted.consultation_id)
    if isinstance(consultation.state, OnHold) and consultation.state.terms.client_id == tx.actor.id:
        return consultation
    earlier = [tx.load(CONSULTATION, held_id) for held_id in queries.held_by(tx, tx.actor.id)]
    entry = partners.roster_entry(tx, wanted.partner_id)
    if entry is None:
        raise NotFound("This expert cannot be booked here.")
    availability = partners.availability_of(tx, wanted.partner_id)
    during = slots.during(availability, wanted.starts_at)
    terms = Held(
        client_id=tx.actor.id, partner_id=wanted.partner_id, brief_id=wanted.brief_id,
        starts_at=wanted.starts_at, ends_at=wanted.starts_at + SESSION, taken_from=during[0], taken_to=during[1],
        until=tx.now + timedelta(minutes=minutes),
        price=config.tax.gross(entry.price(config)), partner_share=entry.share(config), policy=config.policy, tax=config.tax,
    )  # fmt: skip
    happened = model.hold(consultation.state, terms, tx.now)
    open_but_for_claims = slots.is_open(availability, external, start=wanted.starts_at, now=tx.now)
    if not open_but_for_claims or not _claimed(tx, terms, wanted.consultation_id, earlier):
        raise SlotTaken(wanted.partner_id, wanted.starts_at)
    replaced = [(stream, model.release(stream.state, "replaced", tx.now)) for stream in earlier]
    return tx.advance(consultation, tx.append((consultation, happened), *replaced))


def _claimed(tx: Transaction, terms: Held, consultation_id: UUID, earlier: Sequence[Stream[model.State]]) -> bool:
    """Claim the time, giving back the client's earlier holds: one checks out one slot at a time.

    The partner's lock comes first and other partners' times are given back last, so that two who swap never wait for each other.
    """
    claims.lock(tx, terms.partner_id)
    same = {
        stream.id for stream in earlier if isinstance(stream.state, OnHold) and stream.state.terms.partner_id == terms.partner_id
    }
    for stream_id in same:
        claims.free(tx, stream_id)
    if not claims.take(tx, terms.partner_id, (terms.taken_from, terms.taken_to), consultation_id, terms.until):
        return False
    for stream in earlier:
        if stream.id not in same:
            claims.free(tx, stream.id)
    return True


def release(tx: Transaction, consultation_id: UUID, reason: str) -> None:
    """End a hold and give the time back; nothing where it is no hold any more."""
    consultation = tx.load(CONSULTATION, consultation_id)
    if reason != "expired":
        _own(tx, consultation)
    happened = model.release(consultation.state, reason, tx.now)
    tx.append((consultation, happened))
    if happened:
        claims.free(tx, consultation_id)


def settle(tx: Transaction, consultation: Stream[model.State], payment_id: UUID) -> list[object]:
    """Keep the claim, or take the time again if it is free, and decide; the caller appends (`process.payment_settled`)."""
    ours = True
    if model.needs_slot(consultation.state):
        assert isinstance(consultation.state, OnHold | Ended)
        terms = consultation.state.terms
        ours = claims.keep(tx, consultation.id) or claims.take(
            tx, terms.partner_id, (terms.taken_from, terms.taken_to), consultation.id, None
        )
    return model.confirm(consultation.state, payment_id, slot_is_ours=ours)


def check_in(tx: Transaction, consultation_id: UUID) -> None:
    """The client or the partner is there."""
    consultation = tx.load(CONSULTATION, consultation_id)
    tx.append((consultation, model.start(consultation.state, _own(tx, consultation), tx.now)))


def start(tx: Transaction, consultation_id: UUID) -> None:
    """The start time has come; for the timer."""
    consultation = tx.load(CONSULTATION, consultation_id)
    if consultation:
        tx.append((consultation, model.start(consultation.state, Party.SYSTEM, tx.now)))


def complete(tx: Transaction, consultation_id: UUID) -> None:
    """The partner completes the session with one click (PRD FR-2.1)."""
    if not tx.actor.may(Permission.COMPLETE_SESSIONS):
        raise NotAllowed("Only the expert of a session may complete it.")
    consultation = tx.load(CONSULTATION, consultation_id)
    party = _own(tx, consultation)
    tx.append((consultation, model.complete(consultation.state, party, tx.actor.id, tx.now)))


def undo_completion(tx: Transaction, consultation_id: UUID) -> None:
    """The partner takes the completion back within ten seconds."""
    if not tx.actor.may(Permission.COMPLETE_SESSIONS):
        raise NotAllowed("Only the expert of a session may undo its completion.")
    consultation = tx.load(CONSULTATION, consultation_id)
    _own(tx, consultation)
    tx.append((consultation, model.undo_completion(consultation.state, completed_at(consultation), tx.now)))


def close(tx: Transaction, consultation_id: UUID) -> None:
    """The ten seconds to undo are over; for the timer."""
    consultation = tx.load(CONSULTATION, consultation_id)
    tx.append((consultation, model.close(consultation.state, completed_at(consultation), tx.now)))


def completed_at(consultation: Stream[model.State]) -> datetime:
    """When it was last completed; the beginning of time where it never was."""
    times = [item.recorded_at for item in consultation.events if isinstance(item.value, model.Completed)]
    return times[-1] if times else datetime.min.replace(tzinfo=consultation.events[0].recorded_at.tzinfo)


def _own(tx: Transaction, consultation: Stream[model.State]) -> Party:
    """Which side of this consultation the actor is on. Anybody else is told that there is no such thing."""
    if isinstance(consultation.state, model.Nothing):
        raise NotFound("There is no such session.")
    terms = consultation.state.terms
    match tx.actor.kind:
        case ActorKind.MEMBER if terms.client_id == tx.actor.id:
            return Party.CLIENT
        case ActorKind.PARTNER if terms.partner_id == tx.actor.id:
            return Party.PARTNER
        case ActorKind.OPERATOR:
            return Party.OPERATOR
        case ActorKind.CODE:
            return Party.SYSTEM
    raise NotFound("There is no such session.")
