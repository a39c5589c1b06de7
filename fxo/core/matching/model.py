"""A brief and the shortlist for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fxo.core.errors import Invalid
from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType

LONGEST = 8_000
"""Characters of a brief; more is refused with a sentence (it would not be read to the end by the expert either)."""


MOST_TOPICS = 12
"""Topics of a brief; more say nothing any more about what matters."""


@event("brief.submitted")
@dataclass(frozen=True, slots=True)
class Submitted:
    """What somebody faces, in their own words; the author is a member, or a visitor known by a cookie."""

    author_id: UUID
    text: Annotated[str, Personal("author_id")]
    industry: str
    urgency: str
    zone: str


@event("brief.revised")
@dataclass(frozen=True, slots=True)
class Revised:
    """What the client says instead, from now on: their words, and their own choices in place of what was read from them.

    A choice that is empty was not made, and what the ranker reads stands; `any` (`port.ANY`) says that it does not matter.
    """

    author_id: UUID
    text: Annotated[str, Personal("author_id")]
    role: str
    topics: tuple[str, ...] | None
    """None: as they are read."""
    left: tuple[str, ...]
    """Topics that were read and that the client took out; the page offers them again."""
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
    industry: str = ""
    """What was understood, as role and topics are; so is the urgency (a key of `port.URGENCIES`)."""
    urgency: str = ""
    partners: int = 0
    """How many were ranked."""


@dataclass(frozen=True, slots=True)
class Brief:
    submitted: Submitted | None = None
    matched: Matched | None = None
    """Who fits what is said now; None until that is ranked."""
    revised: Revised | None = None

    @property
    def said(self) -> Revised | None:
        """The words and choices that count now."""
        first = self.submitted
        if self.revised or first is None:
            return self.revised
        return Revised(first.author_id, first.text, "", None, (), first.industry, first.urgency, first.zone)


def evolve(state: Brief, happened: object) -> Brief:
    """The state after the event."""
    match happened:
        case Submitted():
            return Brief(happened)
        case Revised():
            return replace(state, revised=happened, matched=None)
        case Matched():
            return replace(state, matched=happened)
    return state


def revise(state: Brief, wanted: Revised) -> list[object]:
    """Say something else. The same again: nothing. Other words are read anew, so the choice of topics goes with the old ones."""
    check_text(wanted.text)
    if wanted.topics and len(wanted.topics) > MOST_TOPICS:
        raise Invalid(f"Please choose at most {MOST_TOPICS} topics: the fewer, the clearer the ranking.", field="topic")
    said = state.said
    if said is None or _same(said, wanted):
        return []
    return [wanted if wanted.text == said.text else replace(wanted, topics=None, left=())]


def _same(said: Revised, wanted: Revised) -> bool:
    return replace(wanted, author_id=said.author_id) == said


def check_text(text: str) -> None:
    """Raises `Invalid` for a text that is empty or too long."""
    if not text:
        raise Invalid("Please describe what you are facing, in a sentence or two.", field="text")
    if len(text) > LONGEST:
        raise Invalid(f"Please shorten this to {LONGEST:,} characters; it has {len(text):,}. Nothing is lost.", field="text")


BRIEF = StreamType[Brief]("brief", Brief(), evolve)
