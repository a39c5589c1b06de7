"""Who came and who did not: arriving, saying that the other one is absent, objecting, and what a person decides about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from fxo.core.consultations.changes import RESCUE
from fxo.core.consultations.model import (
    ANSWER,
    EARLY,
    AbsenceSettled,
    Absent,
    Arrived,
    Booked,
    Completed,
    Contested,
    Decided,
    Done,
    Held,
    Missed,
    Objected,
    Party,
    Started,
    State,
    not_booked,
)
from fxo.core.consultations.policy import cancellation_charge
from fxo.core.errors import Conflict, Gone, Invalid
from fxo.core.money import Money

SAYS = ("was_there", "other_absent", "not_as_agreed")
"""What an objection may say."""


def other(party: Party) -> Party:
    """The other side of the session."""
    return Party.PARTNER if party is Party.CLIENT else Party.CLIENT


def grace_over(terms: Held) -> datetime:
    """From when on somebody who is not there counts as absent."""
    return terms.starts_at + timedelta(minutes=terms.policy.no_show_grace_minutes)


def arrive(state: State, by: Party, how: str, now: datetime) -> list[object]:
    """One side is there, from ten minutes before the start until the end; the first to come begins the session."""
    match state:
        case Booked(terms, started=started, arrived=arrived):
            if now < terms.starts_at - EARLY:
                raise Conflict("The session has not begun. You can check in ten minutes before it starts.")
            if by in arrived or now >= terms.ends_at:
                return []
            return [Arrived(by, how)] + ([] if started else [Started(by)])
        case Done() | Absent() | Contested():
            return []
    raise not_booked(state)


def late(state: State, now: datetime) -> bool:
    """Whether the client is there and the expert is not, though the grace is over."""
    match state:
        case Booked(terms, arrived=arrived):
            return grace_over(terms) <= now < terms.ends_at and arrived == {Party.CLIENT}
    return False


def report(state: State, by: Party, missing: Party, now: datetime) -> list[object]:
    """Say after the grace that one side did not come: the other one, or oneself. Said already: nothing.

    With nothing against it, it stands: an absent client pays as the policy says, an absent expert costs nothing and others may
    stand in. A word without evidence of one's own, or against that of the other, is a case.
    """
    match state:
        case Booked(terms, arrived=arrived):
            if now < grace_over(terms):
                raise Conflict("Please wait until the grace after the start is over.", code="too_early")
            _in_time(terms.ends_at + ANSWER, now)
            if missing is not by and (missing in arrived or by not in arrived):
                return [Objected(by, "other_absent")]
            fee = cancellation_charge(terms.policy, terms.price, terms.starts_at, now)
            if missing is Party.PARTNER:
                return [Missed(missing, by, Money(0, fee.currency), Party.PARTNER, now + RESCUE)]
            return [Missed(missing, by, fee, Party.CLIENT, None)]
        case Absent(missing=said) if said is missing:
            return []
        case Contested():
            return []
        case Absent() | Done():
            return object_to(state, by, "was_there", state.terms.ends_at + ANSWER, now)
    raise not_booked(state)


def object_to(state: State, by: Party, says: str, until: datetime, now: datetime) -> list[object]:
    """Say that it was not as the other one says, or as it seems: a person decides. Said already: nothing.

    Until a day after the end, or after the completion (`until`).
    """
    if says not in SAYS:
        raise Invalid("Please choose what happened from the list.", field="says")
    match state:
        case Contested(heard=heard):
            return [] if by in heard else [Objected(by, says)]
        case Booked(terms):
            if now < grace_over(terms):
                raise Conflict("Please wait until the grace after the start is over.", code="too_early")
        case Absent(settled=True):
            raise _too_late()
        case Done() if by is Party.PARTNER:
            raise Conflict("You have completed this session. Please write to the operator if that was a mistake.")
        case Done() | Absent():
            pass
        case _:
            raise not_booked(state)
    _in_time(until, now)
    return [Objected(by, says)]


def conclude(state: State, now: datetime) -> list[object]:
    """A day after the end, what nobody objected to stands: the session took place, or its client was absent (hard case 3)."""
    match state:
        case Booked(terms) if now >= terms.ends_at + ANSWER:
            return [Completed(Party.SYSTEM)]
        case Absent(terms, missing=Party.CLIENT, fee=fee, settled=False) if now >= terms.ends_at + ANSWER:
            return [AbsenceSettled(fee)]
    return []


def decide(state: State, fee: Money) -> list[object]:
    """The operator has heard both and says what the client owes: all of the price, a part, or nothing."""
    match state:
        case Contested(terms):
            if fee.currency != terms.price.currency or not 0 <= fee.minor <= terms.price.minor:
                raise Invalid("Please enter an amount from nothing up to the price of the session.", field="fee")
            return [Decided(fee, Party.CLIENT if fee.minor else Party.PARTNER)]
    raise Conflict("There is nothing to decide about this session.", code="no_case")


def _in_time(until: datetime, now: datetime) -> None:
    if now >= until:
        raise _too_late()


def _too_late() -> Gone:
    return Gone("The day in which one could object is over. Please write to the operator.")
