"""The meeting of a consultation: whether it exists at a calendar provider, and where. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.events.model import event
from fxo.core.events.store import StreamType
from fxo.core.ids import derived_id


@event("meeting.created")
@dataclass(frozen=True, slots=True)
class Created:
    """The meeting exists at the provider, with a link to join."""

    consultation_id: UUID
    provider: str
    reference: str
    join_url: str
    sequence: int


@event("meeting.replaced")
@dataclass(frozen=True, slots=True)
class Replaced:
    """It stands at another provider from now on, with another link: where it was cannot be reached any more."""

    consultation_id: UUID
    provider: str
    reference: str
    join_url: str
    sequence: int


@event("meeting.moved")
@dataclass(frozen=True, slots=True)
class Moved:
    """The same meeting at another time; the link stays."""

    consultation_id: UUID
    sequence: int


@event("meeting.cancelled")
@dataclass(frozen=True, slots=True)
class Cancelled:
    """The meeting is gone at the provider."""

    consultation_id: UUID


@event("meeting.failed")
@dataclass(frozen=True, slots=True)
class Failed:
    """No provider could make the meeting; a person has to look (hard case 9)."""

    consultation_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class NoMeeting:
    """Not made yet, or gone."""

    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    provider: str
    reference: str
    join_url: str
    sequence: int


State = NoMeeting | Standing


def evolve(state: State, happened: object) -> State:
    """The state after the event."""
    match state, happened:
        case NoMeeting(), Created(_, provider, reference, join_url, sequence):
            return Standing(provider, reference, join_url, sequence)
        case Standing(), Replaced(_, provider, reference, join_url, sequence):
            return Standing(provider, reference, join_url, sequence)
        case Standing(provider, reference, join_url), Moved(sequence=sequence):
            return Standing(provider, reference, join_url, sequence)
        case Standing(sequence=sequence), Cancelled():
            return NoMeeting(sequence)
    return state


MEETING = StreamType[State]("meeting", NoMeeting(), evolve)


def meeting_id_of(consultation_id: UUID) -> UUID:
    """The id of a consultation's meeting stream."""
    return derived_id(consultation_id, "meeting")


def uid_of(consultation_id: UUID) -> str:
    """The iCalendar UID, the same for the whole life of the booking."""
    return f"{consultation_id}@fxo"
