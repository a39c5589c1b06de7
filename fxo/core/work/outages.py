"""Who outside did not answer about a booking, and when they did again: told on its timeline, and nothing is decided on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from fxo.core.events.model import event
from fxo.core.events.store import StreamType, Transaction
from fxo.core.ids import derived_id
from fxo.core.work.model import Reaction, Waiting, Work

W = TypeVar("W")
O = TypeVar("O")  # noqa: E741


@event("outage.began")
@dataclass(frozen=True, slots=True)
class Began:
    """Somebody outside did not do what they were asked for a booking, and is asked again."""

    consultation_id: UUID
    whose: str
    """`payments`, `calendars`, or the channel of a message."""
    reason: str
    """The error's code (`errors.code_of`): `unavailable` and its kinds, `retryable` (they ask for patience),
    `misconfigured: <field>`, `notconnected`.
    """


@event("outage.ended")
@dataclass(frozen=True, slots=True)
class Ended:
    """They have answered about this booking again."""

    consultation_id: UUID
    whose: str


State = frozenset[str]
"""Who does not answer at the moment."""


def evolve(state: State, happened: object) -> State:
    """The state after the event."""
    match happened:
        case Began(whose=whose):
            return state | {whose}
        case Ended(whose=whose):
            return state - {whose}
    return state


OUTAGE = StreamType[State]("outage", frozenset(), evolve)

About = Callable[[Transaction, Work], tuple[UUID, str] | None]
"""The booking that a piece of work is about, and who is asked; None where it is about no booking."""


def outage_id_of(consultation_id: UUID) -> UUID:
    """The id of a booking's stream of outages."""
    return derived_id(consultation_id, "outage")


def began(state: State, consultation_id: UUID, whose: str, reason: str) -> list[object]:
    """They do not answer about this booking; known already: nothing."""
    return [] if whose in state else [Began(consultation_id, whose, reason)]


def watched(reaction: Reaction[W, O], about: About, *, answered: Callable[[O], bool] = lambda outcome: True) -> Reaction[W, O]:
    """The same reaction, of which the timeline tells when it could not be done at once, and when it could; `answered` says
    whether an outcome came from who had failed, and not from who stood in.
    """

    def unanswered(tx: Transaction, work: Work, reason: str) -> None:
        if found := about(tx, work):
            stream = tx.load(OUTAGE, outage_id_of(found[0]))
            tx.append((stream, began(stream.state, *found, reason)))

    def record(tx: Transaction, work: Work, wanted: W, outcome: O) -> Waiting | None:
        found = about(tx, work)
        stream = tx.load(OUTAGE, outage_id_of(found[0])) if found else None
        waiting = reaction.record(tx, work, wanted, outcome)
        if found and stream and found[1] in stream.state and answered(outcome):
            tx.append((stream, [Ended(*found)]))
        return waiting

    return replace(reaction, record=record, unanswered=unanswered)
