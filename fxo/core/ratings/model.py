"""A rating of one session by its client. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fxo.core.errors import Invalid
from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType
from fxo.core.ids import derived_id


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


Rating = Given | Edited


def evolve(state: Rating | None, happened: object) -> Rating | None:
    """The state after the event."""
    return happened if isinstance(happened, Given | Edited) else state


RATING = StreamType[Rating | None]("rating", None, evolve)


def rate(state: Rating | None, wanted: Given) -> list[object]:
    """Give the rating, or edit it. The same again: nothing."""
    if not 1 <= wanted.stars <= 5:
        raise Invalid("Please choose one to five stars.", field="stars")
    if len(wanted.comment) > 2_000:
        raise Invalid("Please shorten the comment to 2,000 characters. Nothing is lost.", field="comment")
    if state is None:
        return [wanted]
    if (state.stars, state.comment, state.public) == (wanted.stars, wanted.comment, wanted.public):
        return []
    return [Edited(wanted.consultation_id, wanted.partner_id, wanted.client_id, wanted.stars, wanted.comment, wanted.public)]


def rating_id_of(consultation_id: UUID) -> UUID:
    """The id of a consultation's rating stream."""
    return derived_id(consultation_id, "rating")
