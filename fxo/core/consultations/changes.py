"""What the people of a booking may change before the session: accept or decline it, cancel it, move it, let another stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core.consultations.model import (
    Absent,
    Booked,
    Cancelled,
    Confirmed,
    Ended,
    Moved,
    MoveProposed,
    OnRequest,
    Party,
    ProposalWithdrawn,
    RequestEnded,
    Rescued,
    RescueEnded,
    State,
    not_booked,
)
from fxo.core.consultations.policy import cancellation_charge, move_allowed
from fxo.core.errors import Conflict, Gone, Invalid
from fxo.core.money import Money

ASK = timedelta(hours=12)
"""How long an expert may take to answer a request, where the session leaves so much time (hard case 5)."""

ASK_AT_LEAST = timedelta(hours=1)
"""How long they may take in any case, or half the time that is left where that is less."""

RESCUE = timedelta(hours=2)
"""How long what is held on the card is kept for an expert who stands in."""

MOST_TIMES = 3
"""How many times an expert may propose at once."""

REASONS = {
    Party.CLIENT: ("plans_changed", "not_needed", "found_other", "other"),
    Party.PARTNER: ("ill", "conflict", "wrong_person", "other"),
    Party.OPERATOR: ("client_asked", "expert_asked", "mistake", "other"),
}
"""Why a booking is cancelled, by who says so."""


class PriceChanged(Conflict):
    """Cancelling costs something else now than the page said; the person is asked again."""

    code = "price_changed"

    def __init__(self, fee: Money) -> None:
        super().__init__("What cancelling costs has changed since you opened the page. Please look again.")
        self.fee = fee


# A request ------------------------------------------------------------------------------------------------------------


def answer_until(starts_at: datetime, notice: timedelta, now: datetime) -> datetime:
    """When a request lapses: after twelve hours, and by the expert's notice before the start; always ahead."""
    at_least = now + min(ASK_AT_LEAST, (starts_at - now) / 2)
    return max(min(now + ASK, starts_at - notice), at_least)


def accept(state: State, now: datetime) -> list[object]:
    """The expert takes the booking. Accepted already: nothing."""
    match state:
        case OnRequest(_, payment_id, until):
            if now >= until:
                raise Gone("The time to answer is over, and the client was told.")
            return [Confirmed(payment_id)]
        case Booked():
            return []
        case Ended(how="declined"):
            raise Gone("This request has ended already.")
    raise not_booked(state)


def end_request(state: State, by: Party, now: datetime) -> list[object]:
    """The expert declines, the client takes it back, or nobody has answered in time. Ended already: nothing."""
    match state:
        case OnRequest(until=until):
            return [RequestEnded(by)] if by is not Party.SYSTEM or now >= until else []
        case Ended(how="declined"):
            return []
    if by is Party.SYSTEM:
        return []
    raise not_booked(state)


# Cancelling -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cancel:
    """Who cancels and why. `agreed` is what the client was told that it costs; None where nobody was asked.

    `rescue` says that others could stand in; `waived` that the operator asks nothing of a client.
    """

    by: Party
    reason: str
    agreed: Money | None = None
    rescue: bool = False
    waived: bool = False


def cancel(state: State, wanted: Cancel, now: datetime) -> list[object]:
    """End a booking before its session is done, for what the accepted policy says at this moment. Already cancelled: nothing.

    An expert's cancellation is always free, the platform's own too (architecture, section 8).
    """
    match state:
        case Booked(terms):
            if wanted.by in REASONS and wanted.reason not in REASONS[wanted.by] + ("move_refused",):
                raise Invalid("Please choose a reason from the list.", field="reason")
            fee = cancellation_charge(terms.policy, terms.price, terms.starts_at, now)
            if wanted.by in (Party.PARTNER, Party.SYSTEM) or wanted.waived or wanted.reason == "move_refused":
                fee = Money(0, terms.price.currency)
            if wanted.agreed is not None and wanted.agreed != fee:
                raise PriceChanged(fee)
            if wanted.by is Party.PARTNER and now >= terms.ends_at:
                raise Conflict("The session's time is over. Please say what happened instead of cancelling it.")
            bears = Party.CLIENT if fee.minor else Party.PARTNER
            rescue_until = now + RESCUE if wanted.by is Party.PARTNER and wanted.rescue else None
            return [Cancelled(wanted.by, wanted.reason, fee, bears, rescue_until)]
        case Ended(how="cancelled"):
            return []
    raise not_booked(state)


def refuse_move(state: State, now: datetime) -> list[object]:
    """None of the expert's proposed times suits the client, who goes free of charge."""
    match state:
        case Booked(proposal=None):
            raise Conflict("The expert has taken the proposal back: the session is as it was.")
    return cancel(state, Cancel(Party.CLIENT, "move_refused"), now)


# Moving ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Move:
    """Where a session goes: its hour, and the time that it takes of its expert, buffers included."""

    by: Party
    starts_at: datetime
    ends_at: datetime
    taken_from: datetime
    taken_to: datetime


def move(state: State, wanted: Move, now: datetime) -> list[object]:
    """Take another time for a booking. To where it is already: nothing.

    The client may do so as often and as late as the accepted policy says; one of the expert's proposed times does not count.
    """
    match state:
        case Booked(terms, started=False, proposal=proposal):
            if wanted.starts_at == terms.starts_at:
                return []
            proposed = proposal is not None and wanted.starts_at in proposal.times
            if wanted.by is Party.CLIENT and not proposed:
                may_move(state, now)
            if wanted.starts_at <= now:
                raise Invalid("This time has passed. Please choose a later one.", field="slot")
            if now >= terms.starts_at:
                raise Conflict("The session has begun and can no longer be moved.")
            by = Party.PARTNER if proposed else wanted.by
            return [Moved(by, wanted.starts_at, wanted.ends_at, wanted.taken_from, wanted.taken_to)]
        case Booked():
            raise Conflict("The session has begun and can no longer be moved.")
    raise not_booked(state)


def may_move(state: State, now: datetime) -> None:
    """Refuse a client's move that the accepted policy does not allow, and say which of its two rules it is."""
    match state:
        case Booked(terms, moves=moves):
            if moves >= terms.policy.moves:
                raise Conflict("This session has been moved as often as its rules allow.", code="moves_used")
            if not move_allowed(terms.policy, moves, terms.starts_at, now):
                raise Conflict("It is too late to move this session; it can still be cancelled.", code="too_late_to_move")


def propose(state: State, times: Sequence[datetime], now: datetime) -> list[object]:
    """The expert cannot keep the time and proposes others. A second proposal takes the first one's place; the same: nothing."""
    match state:
        case Booked(terms, started=False, proposal=standing):
            wanted = tuple(sorted(set(times)))
            if not wanted:
                raise Invalid("Please choose at least one other time.", field="slot")
            if len(wanted) > MOST_TIMES:
                raise Invalid("Please choose at most %(most)s times.", field="slot", most=MOST_TIMES)
            if wanted[0] <= now or terms.starts_at in wanted:
                raise Invalid("Please choose times that lie ahead and differ from the present one.", field="slot")
            if now > terms.starts_at - timedelta(hours=terms.policy.move_until_hours):
                raise Conflict("It is too late to propose another time; you can still cancel.", code="too_late_to_move")
            return [] if standing and standing.times == wanted else [MoveProposed(wanted)]
        case Booked():
            raise Conflict("The session has begun and can no longer be moved.")
    raise not_booked(state)


def withdraw_proposal(state: State) -> list[object]:
    """The expert can keep the time. Nothing proposed, or moved since: nothing."""
    match state:
        case Booked(proposal=standing):
            return [ProposalWithdrawn()] if standing else []
    raise not_booked(state)


# Another expert stands in ----------------------------------------------------------------------------------------------


def rescue(state: State, consultation_id: UUID, now: datetime) -> list[object]:
    """Another expert stands in, in a booking of its own, which the payment goes with."""
    match state:
        case Ended(rescue_until=until) | Absent(rescue_until=until) if until is not None:
            if now >= until:
                raise Gone("What was held on your card has been let go. Please book another expert as usual.")
            return [Rescued(consultation_id)]
    raise Conflict("Nobody has to stand in for this session.", code="no_rescue")


def end_rescue(state: State, reason: str, now: datetime) -> list[object]:
    """Nobody stands in: the client does not want it, or the time is over. Over already: nothing.

    An absent expert may object for a day, as everybody may, so that until then what is held stays held (hard case 17).
    """
    match state:
        case Ended(rescue_until=until) if until is not None and (now >= until or reason == "not_wanted"):
            return [RescueEnded(reason, Money(0, state.terms.price.currency))]
        case Absent(rescue_until=until) if until is not None and now >= state.stands_at:
            return [RescueEnded(reason, Money(0, state.terms.price.currency))]
    return []
