"""The consultation: what may happen to a booking and its session, from hold to done. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fxo.core.errors import Conflict, FxoError, Gone, Invalid, NotAllowed, NotFound
from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType
from fxo.core.money import Money
from fxo.core.scope import NO_TAX, CancellationPolicy, FeeBearer, Tax

UNDO = timedelta(seconds=10)
"""How long a partner may take back a completion before money moves."""

EARLY = timedelta(minutes=10)
"""How long before the start the two may check in."""

ANSWER = timedelta(hours=24)
"""How long after a session's end one may object; what nobody objects to stands from then on."""


class Party(StrEnum):
    """Who did it."""

    CLIENT = "client"
    PARTNER = "partner"
    OPERATOR = "operator"
    SYSTEM = "system"


# Events ------------------------------------------------------------------------------------------------------------


@event(
    "consultation.held", 3,
    {
        1: lambda data: {**data, "tax": {}, "asks": False, "rescues": None},
        2: lambda data: {**data, "fee_bearer": "platform"},
    },
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class Held:
    """A slot is taken for this client until `until`; price, share, policy, tax and who bears the payment provider's fee are
    fixed here and come from the server.

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
    asks: bool = False
    """The expert is asked first: with a card saved it is a request, and a booking once they accept (hard case 5)."""
    rescues: UUID | None = None
    """The consultation that its expert could not keep and this one stands in for (hard case 15)."""
    fee_bearer: FeeBearer = FeeBearer.PLATFORM


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


@event("consultation.requested")
@dataclass(frozen=True, slots=True)
class Requested:
    """The card is saved, the time is kept, and the expert is asked until `until`; nothing is held on the card."""

    payment_id: UUID
    until: datetime


@event("consultation.request_ended")
@dataclass(frozen=True, slots=True)
class RequestEnded:
    """The request did not become a booking: the expert declined, the client took it back, or (by the system) nobody answered."""

    by: Party


@event("consultation.moved")
@dataclass(frozen=True, slots=True)
class Moved:
    """The same session at another time; `by` is who wanted it. The old time is free, the new one taken, in one step."""

    by: Party
    starts_at: datetime
    ends_at: datetime
    taken_from: datetime
    taken_to: datetime


@event("consultation.move_proposed")
@dataclass(frozen=True, slots=True)
class MoveProposed:
    """The expert cannot keep the time and proposes others; the client takes one, or is free to go."""

    times: tuple[datetime, ...]


@event("consultation.proposal_withdrawn")
@dataclass(frozen=True, slots=True)
class ProposalWithdrawn:
    """The expert can keep the time after all."""


@event("consultation.arrived")
@dataclass(frozen=True, slots=True)
class Arrived:
    """Evidence that this side was there: `checked_in` by the button, or `joined` through their own session page."""

    by: Party
    how: str


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


def _free(data: dict[str, Any]) -> dict[str, Any]:
    """Before cancelling had a price, it was always free; `XXX` is no currency (ISO 4217)."""
    return data | {"fee": {"minor": 0, "currency": "XXX"}, "borne_by": str(Party.PARTNER), "rescue_until": None}


@event("consultation.cancelled", version=2, upcasters={1: _free})
@dataclass(frozen=True, slots=True)
class Cancelled:
    """The booking ended before the session. The client owes `fee` by the accepted policy; `borne_by` says whose loss it is."""

    by: Party
    reason: str
    """One of our codes, such as `plans_changed`, `ill`, `payment`, `move_refused`."""
    fee: Money
    borne_by: Party
    rescue_until: datetime | None
    """Until when an equal expert may stand in, with the same brief and the same payment (hard case 15)."""


@event("consultation.missed")
@dataclass(frozen=True, slots=True)
class Missed:
    """One side did not come, as `reported_by` says. The client owes `fee`, unless somebody objects in time."""

    missing: Party
    reported_by: Party
    fee: Money
    borne_by: Party
    rescue_until: datetime | None
    """For an absent expert: until when an equal one may stand in."""


@event("consultation.absence_settled")
@dataclass(frozen=True, slots=True)
class AbsenceSettled:
    """Nobody has objected to the client's absence: the session counts as done, and the fee is due."""

    fee: Money


@event("consultation.objected")
@dataclass(frozen=True, slots=True)
class Objected:
    """The two do not agree about what happened: a person decides, and no money moves before (hard case 17)."""

    by: Party
    says: str
    """`was_there`, `other_absent`, `not_as_agreed`."""


@event("consultation.decided")
@dataclass(frozen=True, slots=True)
class Decided:
    """The operator has heard both: the client owes `fee`, all, a part, or nothing."""

    fee: Money
    borne_by: Party


@event("consultation.explained")
@dataclass(frozen=True, slots=True)
class Explained:
    """What somebody wrote about what they did: a reason, or how they saw it."""

    by: Party
    author_id: UUID
    words: Annotated[str, Personal("author_id")]


@event("consultation.rescued")
@dataclass(frozen=True, slots=True)
class Rescued:
    """Another expert stands in; the payment goes with that booking."""

    consultation_id: UUID


@event("consultation.rescue_ended")
@dataclass(frozen=True, slots=True)
class RescueEnded:
    """Nobody stands in: `not_wanted` by the client, or `expired`. What is held is let go."""

    reason: str
    fee: Money


# States ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is no such consultation yet."""


@dataclass(frozen=True, slots=True)
class OnHold:
    terms: Held


@dataclass(frozen=True, slots=True)
class OnRequest:
    """The expert is asked."""

    terms: Held
    payment_id: UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class Booked:
    terms: Held
    payment_id: UUID
    started: bool = False
    moves: int = 0
    """How often the client has moved it; what the policy counts."""
    proposal: MoveProposed | None = None
    arrived: frozenset[Party] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    terms: Held
    payment_id: UUID
    closed: bool = False
    arrived: frozenset[Party] = frozenset()


@dataclass(frozen=True, slots=True)
class Absent:
    """One side did not come; until it is settled, either may object."""

    terms: Held
    payment_id: UUID
    missing: Party
    fee: Money
    settled: bool = False
    rescue_until: datetime | None = None
    """Until when another expert may stand in; None where none may (any more)."""
    said_so: bool = False
    """Whether the absent one says so themselves: there is nobody to object."""

    @property
    def stands_at(self) -> datetime:
        """When the absence stands for good: a day after the end, or, where nobody is there to object, when nobody can stand in
        any more.
        """
        day = self.terms.ends_at + ANSWER
        if self.rescue_until is None:
            return day
        return self.rescue_until if self.said_so else max(self.rescue_until, day)


@dataclass(frozen=True, slots=True)
class Contested:
    """A case that waits for the operator."""

    terms: Held
    payment_id: UUID
    heard: frozenset[Party] = frozenset()


@dataclass(frozen=True, slots=True)
class Ended:
    """Released, declined, lost, cancelled or decided; `how` is one of these words."""

    terms: Held
    how: str
    payment_id: UUID | None = None
    rescue_until: datetime | None = None


State = Nothing | OnHold | OnRequest | Booked | Done | Absent | Contested | Ended


def evolve(state: State, happened: object) -> State:
    """The state after the event."""
    match state, happened:
        case Nothing(), Held() as terms:
            return OnHold(terms)
        case ((OnHold(terms) | Ended(terms)), Requested(payment_id, until)):
            return OnRequest(terms, payment_id, until)
        case OnRequest(terms, payment_id), RequestEnded():
            return Ended(terms, "declined", payment_id)
        case ((OnHold(terms) | Ended(terms) | OnRequest(terms)), Confirmed(payment_id)):
            return Booked(terms, payment_id)
        case OnHold(terms), Released():
            return Ended(terms, "released")
        case ((OnHold(terms) | Ended(terms)), SlotLost()):
            return Ended(terms, "lost")
        case Booked(), _:
            return _after_booking(state, happened)
        case Done(), Closed():
            return replace(state, closed=True)
        case Done(terms, payment_id), CompletionUndone():
            return Booked(terms, payment_id, started=True, arrived=state.arrived)
        case Absent(), AbsenceSettled():
            return replace(state, settled=True)
        case ((Done() | Absent() | Contested()), Objected(by)):
            heard = state.heard if isinstance(state, Contested) else frozenset()
            return Contested(state.terms, state.payment_id, heard | {by})
        case Contested(), Explained(by) if by is not Party.OPERATOR:
            return replace(state, heard=state.heard | {by})
        case Contested(terms, payment_id), Decided():
            return Ended(terms, "decided", payment_id)
        case Absent(), (Rescued() | RescueEnded()):
            return replace(state, settled=True, rescue_until=None)
        case Ended(), (Rescued() | RescueEnded()):
            return replace(state, rescue_until=None)
    return state


def _after_booking(state: Booked, happened: object) -> State:
    terms, payment_id = state.terms, state.payment_id
    match happened:
        case Arrived(by):
            return replace(state, arrived=state.arrived | {by})
        case Started():
            return replace(state, started=True)
        case Completed():
            return Done(terms, payment_id, arrived=state.arrived)
        case Moved(by, starts_at, ends_at, taken_from, taken_to):
            moved = replace(terms, starts_at=starts_at, ends_at=ends_at, taken_from=taken_from, taken_to=taken_to)
            return Booked(moved, payment_id, moves=state.moves + (by is Party.CLIENT))
        case MoveProposed():
            return replace(state, proposal=happened)
        case ProposalWithdrawn():
            return replace(state, proposal=None)
        case Cancelled(rescue_until=until):
            return Ended(terms, "cancelled", payment_id, until)
        case Missed(missing, by, fee, _, until):
            return Absent(terms, payment_id, missing, fee, rescue_until=until, said_so=missing is by)
        case Objected(by):
            return Contested(terms, payment_id, frozenset({by}))
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


def confirm(state: State, payment_id: UUID, *, slot_is_ours: bool, ask_until: datetime) -> list[object]:
    """The money is ours: book, or ask the expert where they are asked first, or record that the slot is lost. Repeated for the
    same payment: nothing.

    `slot_is_ours` says that the claim was kept, or taken again after the hold had run out; `ask_until` when a request lapses.
    """
    match state:
        case OnHold(terms) | Ended(terms, how="released"):
            if not slot_is_ours:
                return [SlotLost()]
            return [Requested(payment_id, ask_until) if terms.asks else Confirmed(payment_id)]
        case OnRequest(payment_id=mine) | Booked(payment_id=mine) | Done(payment_id=mine) if mine == payment_id:
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
            if now >= terms.starts_at - EARLY:
                return [Started(by)]
            if by is Party.SYSTEM:
                return []  # it has been moved since
            raise Conflict("The session has not begun. You can check in ten minutes before it starts.")
        case Booked() | Done() | Absent() | Contested():
            return []
        case Nothing():
            raise NotFound("There is no such session.")
    if by is Party.SYSTEM:
        return []
    raise not_booked(state)


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
    raise not_booked(state)


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
    raise not_booked(state)


def close(state: State, completed_at: datetime, now: datetime) -> list[object]:
    """Let the completion stand once it can no longer be undone. Undone, completed again since, or closed already: nothing."""
    match state:
        case Done(closed=False) if now >= completed_at + UNDO:
            return [Closed()]
        case Nothing():
            raise NotFound("There is no such session.")
    return []


def not_booked(state: State) -> FxoError:
    """Why what only a booking allows is refused: there is none yet, or none any more."""
    match state:
        case Nothing():
            return NotFound("There is no such session.")
        case OnHold() | OnRequest():
            return Conflict("This booking is not confirmed yet.")
        case Done():
            return Conflict("The session is completed and can no longer be changed.")
        case Absent() | Contested():
            return Conflict("What happened in this session is being looked at. It can no longer be changed.")
    return Conflict("This booking has ended.")
