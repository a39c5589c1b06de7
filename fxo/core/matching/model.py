"""A brief and the shortlist for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType

LONGEST = 8_000
"""Characters of a brief; more is refused with a sentence (it would not be read to the end by the expert either)."""


@event("brief.submitted")
@dataclass(frozen=True, slots=True)
class Submitted:
    """What somebody faces, in their own words; the author is a member, or a visitor known by a cookie."""

    author_id: UUID
    text: Annotated[str, Personal("author_id")]
    industry: str
    urgency: str
    zone: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One partner on the shortlist, with why, and the lines of their own record that show it."""

    partner_id: UUID
    score: float
    strength: str
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]
    caveat: str


@event("brief.matched")
@dataclass(frozen=True, slots=True)
class Matched:
    """Who fits, best first; `no_match` where nobody does. Ranker and time taken stand here for later learning."""

    ranker: str
    milliseconds: int
    confidence: float
    no_match: bool
    role: str
    topics: tuple[str, ...]
    shortlist: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Brief:
    submitted: Submitted | None = None
    matched: Matched | None = None


def evolve(state: Brief, happened: object) -> Brief:
    """The state after the event."""
    match happened:
        case Submitted():
            return Brief(happened)
        case Matched():
            return replace(state, matched=happened)
    return state


BRIEF = StreamType[Brief]("brief", Brief(), evolve)
