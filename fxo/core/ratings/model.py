"""A rating of one session by its client, and what the expert answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fxo.core.errors import Conflict, Invalid
from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType
from fxo.core.ids import derived_id

LONGEST_ANSWER = 1_000
"""Characters of an expert's answer."""


@event("rating.given")
@dataclass(frozen=True, slots=True)
class Given:
    """One to five stars and a comment; `public` lets the stars count in other tenants too (never the comment)."""

    consultation_id: UUID
    partner_id: UUID
    client_id: UUID
    stars: int
    comment: Annotated[str, Personal("client_id")]
    public: bool


@event("rating.edited")
@dataclass(frozen=True, slots=True)
class Edited:
    """The client thought again."""

    consultation_id: UUID
    partner_id: UUID
    client_id: UUID
    stars: int
    comment: Annotated[str, Personal("client_id")]
    public: bool


@event("rating.answered")
@dataclass(frozen=True, slots=True)
class Answered:
    """The expert's answer, which stands beside the rating wherever that is shown; a later one takes its place."""

    consultation_id: UUID
    partner_id: UUID
    text: Annotated[str, Personal("partner_id")]


Rating = Given | Edited


@dataclass(frozen=True, slots=True)
class State:
    """The rating as it stands, and the answer to it."""

    rating: Rating | None = None
    answer: str = ""


def evolve(state: State, happened: object) -> State:
    """The state after the event."""
    match happened:
        case Given() | Edited():
            return replace(state, rating=happened)
        case Answered(text=text):
            return replace(state, answer=text)
    return state


RATING = StreamType[State]("rating", State(), evolve)


def rate(before: State, wanted: Given) -> list[object]:
    """Give the rating, or edit it. The same again: nothing."""
    if not 1 <= wanted.stars <= 5:
        raise Invalid("Please choose one to five stars.", field="stars")
    if len(wanted.comment) > 2_000:
        raise Invalid("Please shorten the comment to 2,000 characters. Nothing is lost.", field="comment")
    state = before.rating
    if state is None:
        return [wanted]
    if (state.stars, state.comment, state.public) == (wanted.stars, wanted.comment, wanted.public):
        return []
    return [Edited(wanted.consultation_id, wanted.partner_id, wanted.client_id, wanted.stars, wanted.comment, wanted.public)]


def answer(before: State, text: str) -> list[object]:
    """Answer a rating that was given, or put another answer in its place. The same again: nothing."""
    if before.rating is None:
        raise Conflict("There is no rating to answer yet.")
    if not text:
        raise Invalid("Please write your answer first.", field="answer")
    if len(text) > LONGEST_ANSWER:
        raise Invalid("Please shorten the answer to 1,000 characters. Nothing is lost.", field="answer")
    if text == before.answer:
        return []
    return [Answered(before.rating.consultation_id, before.rating.partner_id, text)]


def rating_id_of(consultation_id: UUID) -> UUID:
    """The id of a consultation's rating stream."""
    return derived_id(consultation_id, "rating")
