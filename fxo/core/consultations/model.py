"""The consultation: what may happen to a booking and its session, from hold to done. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from fxo.core.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from fxo.core.events.model import event
from fxo.core.events.store import StreamType
from fxo.core.money import Money
from fxo.core.scope import NO_TAX, CancellationPolicy, Tax

UNDO = timedelta(seconds=10)
"""How long a partner may take back a completion before money moves."""

EARLY = timedelta(minutes=10)
"""How long before the start the two may check in."""


class Party(StrEnum):
    """Who did it."""

    CLIENT = "client"
    PARTNER = "partner"
    OPERATOR = "operator"
    SYSTEM = "system"


# Events ------------------------------------------------------------------------------------------------------------


@event("consultation.held", 2, {1: lambda data: {**data, "tax": {}}})
@dataclass(frozen=True, slots=True)
class Held:
    """A slot is taken for this client until `until`; price, share, policy and tax are fixed here and come from the server.

    The price is what the client pays, with the tax in it.
    """

    client_id: UUID
    partner_id: UUID
    brief_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    taken_from: datetime
    taken_to: datetime
    until: datetime
    price: Money
    partner_share: int
    policy: CancellationPolicy
    tax: Tax = NO_TAX


@event("consultation.released")
@dataclass(frozen=True, slots=True)
class Released:
    """The hold ended without a booking: `expired`, `given_up`, or `replaced` by the client's next hold."""

    reason: str


@event("consultation.confirmed")
@dataclass(frozen=True, slots=True)
class Confirmed:
    """Slot and money are ours."""

    payment_id: UUID


@event("consultation.slot_lost")
@dataclass(frozen=True, slots=True)
class SlotLost:
    """The money came, but the hold had run out and the time is somebody else's (hard case 6)."""


@event("consultation.started")
@dataclass(frozen=True, slots=True)
class Started:
    """First check-in, or the start time."""

    by: Party


@event("consultation.completed")
@dataclass(frozen=True, slots=True)
class Completed:
    """The session took place; the money is taken once the partner can no longer undo this (PRD FR-2.1)."""

    by: Party


@event("consultation.completion_undone")
@dataclass(frozen=True, slots=True)
class CompletionUndone:
    """The partner took the completion back in time."""


@event("consultation.closed")
@dataclass(frozen=True, slots=True)
class Closed:
    """The time to undo is over: the completion stands, and only now is the money taken.

    It is an event of the same stream as the undo, so that exactly one of the two wins, however slow the other is.
    """


@event("consultation.cancelled")
@dataclass(frozen=True, slots=True)
class Cancelled:
    """The booking ended before the session."""

    by: Party
    reason: str


# States ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is no such consultation yet."""


@dataclass(frozen=True, slots=True)
class OnHold:
    terms: Held


@dataclass(frozen=True, slots=True)
class Booked:
    terms: Held
    payment_id: UUID
    started: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    terms: Held
    payment_id: UUID
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """Released, lost or cancelled; `how` is one of these words."""

    terms: Held
    how: str
    payment_id: UUID | None = None


State = Nothing | OnHold | Booked | Done | Ended


def evolve(state: State, happened: object) -> State:
    """The state after the event."""
    match state, happened:
        case Nothing(), Held() as terms:
            return OnHold(terms)
        case ((OnHold(terms) | Ended(terms)), Confirmed(payment_id)):
            return Booked(terms, payment_id)
        case OnHold(terms), Released():
            return Ended(terms, "released")
        case ((OnHold(terms) | Ended(terms)), SlotLost()):
            return Ended(terms, "lost")
        case Booked(), Started():
            return replace(state, started=True)
        case Booked(terms, payment_id), Completed():
            return Done(terms, payment_id)
        case Done(), Closed():
            return replace(state, closed=True)
        case Done(terms, payment_id), CompletionUndone():
            return Booked(terms, payment_id, started=True)
        case Booked(terms, payment_id), Cancelled():
            return Ended(terms, "cancelled", payment_id)
    return state


CONSULTATION = StreamType[State]("consultation", Nothing(), evolve)


# Decisions: the events that follow from what somebody wants, or an error that says why not ----------------------------


def hold(state: State, terms: Held, now: datetime) -> list[object]:
    """Take a slot for a client (the claim on the partner's time is taken in the same transaction)."""
    match state:
        case Nothing():
            if terms.starts_at <= now:
                raise Invalid("This time has passed. Please choose a later one.", field="start")
            return [terms]
    raise Conflict("This booking exists already.")


def release(state: State, reason: str, now: datetime) -> list[object]:
    """End a hold: by the client at any time, by the timer once it has run out. Nothing where it is no hold any more."""
    match state:
        case OnHold(terms) if reason != "expired" or terms.until <= now:
            return [Released(reason)]
        case Nothing():
            raise NotFound("There is no such booking.")
    return []


def confirm(state: State, payment_id: UUID, *, slot_is_ours: bool) -> list[object]:
    """The money is ours: book, or record that the slot is lost. Repeated for the same payment: nothing.

    `slot_is_ours` says that the claim was kept, or taken again after the hold had run out.
    """
    match state:
        case OnHold() | Ended(how="released"):
            return [Confirmed(payment_id)] if slot_is_ours else [SlotLost()]
        case Booked(payment_id=mine) | Done(payment_id=mine) if mine == payment_id:
            return []
        case Nothing():
            raise NotFound("There is no such booking.")
    raise Conflict("This booking has ended.")


def needs_slot(state: State) -> bool:
    """Whether confirming has to keep or take the partner's time."""
    return isinstance(state, OnHold) or (isinstance(state, Ended) and state.how == "released")


def start(state: State, by: Party, now: datetime) -> list[object]:
    """Begin the session: at the start time, or by the first check-in up to ten minutes before. Repeated: nothing."""
    match state:
        case Booked(terms, started=False):
            if now < terms.starts_at - EARLY:
                raise Conflict("The session has not begun. You can check in ten minutes before it starts.")
            return [Started(by)]
        case Booked() | Done():
            return []
        case Nothing():
            raise NotFound("There is no such session.")
    return [] if by is Party.SYSTEM else _not_booked(state)


def complete(state: State, by: Party, partner_id: UUID | None, now: datetime) -> list[object]:
    """Complete the session with one click: the partner of this session, once it has started. Repeated: nothing."""
    match state:
        case Booked(terms):
            if by is Party.PARTNER and terms.partner_id != partner_id:
                raise NotAllowed("Only the expert of this session may complete it.")
            if now < terms.starts_at:
                raise Conflict("The session has not begun. You can complete it once it has.")
            return [Completed(by)]
        case Done():
            return []
        case Nothing():
            raise NotFound("There is no such session.")
    return _not_booked(state)


def undo_completion(state: State, completed_at: datetime, now: datetime) -> list[object]:
    """Take a completion back within ten seconds. Not completed: nothing."""
    match state:
        case Done(closed=closed):
            if closed or now >= completed_at + UNDO:
                raise Gone("The ten seconds to undo are over. Please ask the operator if the session did not take place.")
            return [CompletionUndone()]
        case Booked():
            return []
        case Nothing():
            raise NotFound("There is no such session.")
    return _not_booked(state)


def close(state: State, completed_at: datetime, now: datetime) -> list[object]:
    """Let the completion stand once it can no longer be undone. Undone, completed again since, or closed already: nothing."""
    match state:
        case Done(closed=False) if now >= completed_at + UNDO:
            return [Closed()]
        case Nothing():
            raise NotFound("There is no such session.")
    return []


def cancel(state: State, by: Party, reason: str) -> list[object]:
    """End a booking before its session is done. Already cancelled: nothing."""
    match state:
        case Booked():
            return [Cancelled(by, reason)]
        case Ended(how="cancelled"):
            return []
        case Nothing():
            raise NotFound("There is no such session.")
        case Done():
            raise Conflict("The session is completed and can no longer be cancelled.")
    return _not_booked(state)


def _not_booked(state: State) -> list[object]:
    raise Conflict("This booking is not confirmed yet." if isinstance(state, OnHold) else "This booking has ended.")
