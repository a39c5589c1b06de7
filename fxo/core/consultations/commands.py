"""What changes a consultation: each loads, decides, and appends in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core.consultations import absences, changes, claims, model, queries, slots
from fxo.core.consultations.model import CONSULTATION, Ended, Held, OnHold, Party
from fxo.core.errors import Conflict, Invalid, NotAllowed, NotFound
from fxo.core.events.store import Stream, Transaction
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.scope import ActorKind, Permission, TenantConfig

SESSION = timedelta(minutes=60)

LONGEST = 1_000
"""Characters of what somebody writes about a booking."""


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


def hold(
    tx: Transaction, config: TenantConfig, wanted: Hold, *, minutes: int, external: slots.Busy | None = ()
) -> Stream[model.State]:
    """Claim the slot for this client for so many minutes. `external` are busy times from the partner's calendars; where they
    cannot be read (None), the partner is asked first, since unknown is not free (hard cases 5 and 10).

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
    unknown = external is None
    during = slots.during(availability, wanted.starts_at)
    terms = Held(
        client_id=tx.actor.id, partner_id=wanted.partner_id, brief_id=wanted.brief_id,
        starts_at=wanted.starts_at, ends_at=wanted.starts_at + SESSION, taken_from=during[0], taken_to=during[1],
        until=tx.now + timedelta(minutes=minutes),
        price=config.tax.gross(entry.price(config)), partner_share=entry.share(config), policy=config.policy, tax=config.tax,
        asks=unknown or config.asks_first or not availability.instant, fee_bearer=config.fee_bearer,
    )  # fmt: skip
    happened = model.hold(consultation.state, terms, tx.now)
    open_but_for_claims = slots.is_open(availability, external or (), start=wanted.starts_at, now=tx.now)
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
    return model.confirm(consultation.state, payment_id, slot_is_ours=ours, ask_until=_ask_until(tx, consultation.state))


def _ask_until(tx: Transaction, state: model.State) -> datetime:
    if isinstance(state, model.Nothing) or not state.terms.asks:
        return tx.now
    notice = partners.availability_of(tx, state.terms.partner_id).notice_hours
    return changes.answer_until(state.terms.starts_at, timedelta(hours=notice), tx.now)


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


# Before the session -----------------------------------------------------------------------------------------------------


def accept(tx: Transaction, consultation_id: UUID) -> None:
    """The partner takes the booking that a client has asked for."""
    consultation = tx.load(CONSULTATION, consultation_id)
    _as(tx, consultation, Party.PARTNER)
    tx.append((consultation, changes.accept(consultation.state, tx.now)))


def end_request(tx: Transaction, consultation_id: UUID, words: str = "") -> None:
    """The partner declines, the client takes the request back, or the timer says that nobody has answered."""
    consultation = tx.load(CONSULTATION, consultation_id)
    party = _own(tx, consultation)
    happened = changes.end_request(consultation.state, party, tx.now)
    tx.append((consultation, happened and [*happened, *_explained(tx, party, words)]))


def cancel(
    tx: Transaction, config: TenantConfig, consultation_id: UUID, reason: str, *, words: str = "", agreed: Money | None = None,
    waived: bool = False,
) -> None:  # fmt: skip
    """End a booking: the client for what the page said (`agreed`; raises `PriceChanged` where it costs something else now), the
    partner for nothing, the operator for the client's fee or, `waived`, for nothing.
    """
    consultation = tx.load(CONSULTATION, consultation_id)
    party = _own(tx, consultation)
    wanted = changes.Cancel(party, reason, agreed, rescue=_others(tx, config, consultation.state), waived=waived)
    happened = changes.cancel(consultation.state, wanted, tx.now)
    tx.append((consultation, happened and [*happened, *_explained(tx, party, words)]))


def move(
    tx: Transaction, consultation_id: UUID, starts_at: datetime, *, external: slots.Busy = ()
) -> None:  # fmt: skip
    """The client takes another time of the same partner: the new one is taken and the old one freed in one step (hard case 18).

    `external` are busy times from the partner's calendars. Raises `SlotTaken` where the time is not free; then nothing changes.
    """
    consultation = tx.load(CONSULTATION, consultation_id)
    party = _as(tx, consultation, Party.CLIENT)
    state = consultation.state
    if not isinstance(state, model.Booked):
        raise model.not_booked(state)
    terms = state.terms
    availability = partners.availability_of(tx, terms.partner_id)
    during = slots.during(availability, starts_at)
    happened = changes.move(state, changes.Move(party, starts_at, starts_at + SESSION, *during), tx.now)
    if not happened:
        return
    proposed = state.proposal is not None and starts_at in state.proposal.times  # the partner has said that it suits
    if not (proposed or slots.is_open(availability, external, start=starts_at, now=tx.now)):
        raise SlotTaken(terms.partner_id, starts_at)
    if not claims.move(tx, consultation_id, during):
        raise SlotTaken(terms.partner_id, starts_at)
    tx.append((consultation, happened))


def propose(tx: Transaction, consultation_id: UUID, times: Sequence[datetime], *, words: str = "") -> None:
    """The partner cannot keep the time, and proposes up to three others of their own."""
    consultation = tx.load(CONSULTATION, consultation_id)
    party = _as(tx, consultation, Party.PARTNER)
    happened = changes.propose(consultation.state, times, tx.now)
    if isinstance(consultation.state, model.Booked) and happened:
        free = queries.open_for_move(tx, tx.actor.id, consultation.state.terms.starts_at)
        if not set(times) <= set(free):
            raise Invalid("One of these times is not free any more. Please choose among those shown.", field="slot")
    tx.append((consultation, happened and [*happened, *_explained(tx, party, words)]))


def withdraw_proposal(tx: Transaction, consultation_id: UUID) -> None:
    """The partner can keep the time after all."""
    consultation = tx.load(CONSULTATION, consultation_id)
    _as(tx, consultation, Party.PARTNER)
    tx.append((consultation, changes.withdraw_proposal(consultation.state)))


def refuse_move(tx: Transaction, consultation_id: UUID) -> None:
    """None of the proposed times suits the client, who goes free of charge."""
    consultation = tx.load(CONSULTATION, consultation_id)
    _as(tx, consultation, Party.CLIENT)
    tx.append((consultation, changes.refuse_move(consultation.state, tx.now)))


def stand_in(
    tx: Transaction, config: TenantConfig, left: Stream[model.State], fresh: Stream[model.State], wanted: Hold, payment_id: UUID,
    *, external: slots.Busy = (),
) -> tuple[list[object], list[object]]:  # fmt: skip
    """Claim an equal partner's time for the client whom another one has left; decides for both bookings, the caller appends
    (`life.rescue`). A partner who is late is said not to have come. Raises `SlotTaken`.
    """
    _as(tx, left, Party.CLIENT)
    state = left.state
    given_up: list[object] = []
    if isinstance(state, model.Booked):
        given_up = absences.report(state, Party.CLIENT, Party.PARTNER, tx.now)
        for each in given_up:
            state = CONSULTATION.evolve(state, each)
    given_up += changes.rescue(state, wanted.consultation_id, tx.now)
    assert not isinstance(state, model.Nothing)
    before = state.terms
    if wanted.partner_id not in queries.equals(tx, config, before.partner_id, before.price):
        raise NotFound("This expert cannot stand in here.")
    entry, availability = partners.roster_entry(tx, wanted.partner_id), partners.availability_of(tx, wanted.partner_id)
    assert entry is not None
    during = slots.during(availability, wanted.starts_at)
    terms = replace(
        before, partner_id=wanted.partner_id, starts_at=wanted.starts_at, ends_at=wanted.starts_at + SESSION,
        taken_from=during[0], taken_to=during[1], until=tx.now, price=config.tax.gross(entry.price(config)), tax=config.tax,
        partner_share=entry.share(config), asks=False, rescues=left.id, fee_bearer=config.fee_bearer,
    )  # fmt: skip
    booked = [*model.hold(fresh.state, terms, tx.now), model.Confirmed(payment_id)]
    free = slots.is_open(availability, external, start=wanted.starts_at, now=tx.now)
    if not free or not claims.take(tx, terms.partner_id, during, wanted.consultation_id, None):
        raise SlotTaken(wanted.partner_id, wanted.starts_at)
    return given_up, booked


def end_rescue(tx: Transaction, consultation_id: UUID, reason: str) -> None:
    """The client wants nobody to stand in (`not_wanted`), or the timer says that the time for it is over (`expired`)."""
    consultation = tx.load(CONSULTATION, consultation_id)
    if reason != "expired":
        _as(tx, consultation, Party.CLIENT)
    tx.append((consultation, changes.end_rescue(consultation.state, reason, tx.now)))


# Who came ---------------------------------------------------------------------------------------------------------------


def arrive(tx: Transaction, consultation_id: UUID, how: str = "checked_in") -> None:
    """The client or the partner is there, by the button or through the way in."""
    consultation = tx.load(CONSULTATION, consultation_id)
    tx.append((consultation, absences.arrive(consultation.state, _own(tx, consultation), how, tx.now)))


def report_absence(tx: Transaction, consultation_id: UUID, missing: Party, *, words: str = "") -> None:
    """One side says that the other one, or they themselves, did not come."""
    consultation = tx.load(CONSULTATION, consultation_id)
    party = _own(tx, consultation)
    happened = absences.report(consultation.state, party, missing, tx.now)
    tx.append((consultation, happened and [*happened, *_explained(tx, party, words)]))


def object_to(tx: Transaction, consultation_id: UUID, says: str, words: str) -> None:
    """One side says that it was not as the other says; or, where there is a case already, how they saw it."""
    consultation = tx.load(CONSULTATION, consultation_id)
    party, state = _own(tx, consultation), consultation.state
    if not words.strip():
        raise Invalid("Please say in a sentence or two what happened.", field="words")
    until = getattr(getattr(state, "terms", None), "ends_at", tx.now) + model.ANSWER
    if isinstance(state, model.Absent):
        until = state.stands_at
    elif isinstance(state, model.Done):
        until = completed_at(consultation) + model.ANSWER
    happened = absences.object_to(state, party, says, until, tx.now)
    tx.append((consultation, [*happened, *_explained(tx, party, words)]))


def conclude(tx: Transaction, consultation_id: UUID) -> None:
    """A day after the end: what nobody has objected to stands; for the timer."""
    consultation = tx.load(CONSULTATION, consultation_id)
    tx.append((consultation, absences.conclude(consultation.state, tx.now)))


def decide(tx: Transaction, consultation_id: UUID, fee: Money, words: str) -> None:
    """The operator decides what the client owes after hearing both, and says why."""
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may decide this.")
    if not words.strip():
        raise Invalid("Please say in a sentence why; both of them read it.", field="words")
    consultation = tx.load(CONSULTATION, consultation_id)
    happened = absences.decide(consultation.state, fee)
    tx.append((consultation, [*_explained(tx, Party.OPERATOR, words), *happened]))


def _others(tx: Transaction, config: TenantConfig, state: model.State) -> bool:
    """Whether somebody else of the same role could be booked for no more: only then others can stand in."""
    return isinstance(state, model.Booked) and bool(queries.equals(tx, config, state.terms.partner_id, state.terms.price))


def _explained(tx: Transaction, party: Party, words: str) -> list[object]:
    words = words.strip()
    if len(words) > LONGEST:
        raise Invalid("Please shorten it to %(most)s characters.", field="words", most=LONGEST)
    return [model.Explained(party, tx.actor.id, words)] if words else []


def _as(tx: Transaction, consultation: Stream[model.State], party: Party) -> Party:
    """Refuse anybody but this side of the consultation."""
    if _own(tx, consultation) is not party:
        raise NotAllowed("This is for the other one of this session to do.")
    return party


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
