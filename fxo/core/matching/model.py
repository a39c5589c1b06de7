"""A brief and the shortlist for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from uuid import UUID

from fxo.core.errors import Invalid
from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType
from fxo.core.matching.port import Budget, Evidence, Question, Reading, Usage

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


@event(
    "brief.revised",
    version=2,
    upcasters={1: lambda data: data | {"stage": "", "language": "", "budget": "", "unwanted": None, "musts": []}},
)
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
    stage: str = ""
    language: str = ""
    budget: str = ""
    unwanted: tuple[str, ...] | None = None
    """Roles and topics that they do not need; None: as they are read."""
    musts: tuple[str, ...] = ()
    """Of `port.MUSTS`, what they insist on."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One partner on the shortlist, with why, and the lines of their own record that show it."""

    partner_id: UUID
    score: float
    strength: str
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    caveat: str
    quotes: tuple[Evidence, ...] = ()
    """What reasons and caveat quote, in their order."""
    probability: float | None = None
    """How likely it is that a client finds this partner a fit; None where the ranker did not say."""
    unmet: tuple[str, ...] = ()
    """What they insisted on and this partner does not meet."""


def _with_fields(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 kept the evidence without the field that it comes from, and nothing of what was concluded about stage, money and
    what is not needed.
    """
    listed = [
        item
        | {"evidence": [{"line": line, "field": ""} for line in item["evidence"]]}
        | {"quotes": [], "probability": None, "unmet": []}
        for item in data["shortlist"]
    ]
    said: dict[str, Any] = {"stage": "", "language": "", "zone": "", "budget": None, "unwanted": [], "readings": []}
    return data | {"shortlist": listed} | said | {"lacking": [], "questions": [], "timings": {}}


def _without_model(data: dict[str, Any]) -> dict[str, Any]:
    """Version 2 knew of no models outside, and did not say who had ranked."""
    return data | {"provider": "", "refined": False, "usage": None}


@event("brief.matched", version=3, upcasters={1: _with_fields, 2: _without_model})
@dataclass(frozen=True, slots=True)
class Matched:
    """Who fits, best first; `no_match` where nobody does. Ranker and times taken stand here for later learning."""

    ranker: str
    milliseconds: int
    confidence: float
    no_match: bool
    role: str
    topics: tuple[str, ...]
    shortlist: tuple[Listed, ...]
    industry: str = ""
    """What was understood, as role and topics are; so are the urgency (a key of `port.URGENCIES`) and what follows it."""
    urgency: str = ""
    partners: int = 0
    """How many were ranked."""
    stage: str = ""
    language: str = ""
    zone: str = ""
    budget: Budget | None = None
    unwanted: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    """Where in the brief each was read. A budget's value is the client's own words and is not kept here."""
    lacking: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by step of the ranker, within `milliseconds`."""
    provider: str = ""
    """The provider's name in the tenant's record; empty in what was recorded before this was."""
    refined: bool = False
    """Whether this improves a ranking that was recorded before it, for the same words."""
    usage: Usage | None = None
    """The model, the version of the prompt and the cost; None where no model outside had a part in it."""


@event("brief.left_unrefined")
@dataclass(frozen=True, slots=True)
class LeftUnrefined:
    """Who was asked for a better ranking did not give one, so the one that was recorded before stands."""

    provider: str
    reason: str
    """The error's code (`errors.code_of`)."""


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
    """Say something else. The same again: nothing. Other words are read anew, so the choice of topics goes with the old ones;
    where they only go on, as an answer does, it stays.
    """
    check_text(wanted.text)
    if wanted.topics and len(wanted.topics) > MOST_TOPICS:
        raise Invalid(f"Please choose at most {MOST_TOPICS} topics: the fewer, the clearer the ranking.", field="topic")
    said = state.said
    if said is None or _same(said, wanted):
        return []
    return [wanted if wanted.text.startswith(said.text) else replace(wanted, topics=None, left=(), unwanted=None)]


def _same(said: Revised, wanted: Revised) -> bool:
    return replace(wanted, author_id=said.author_id) == said


def check_text(text: str) -> None:
    """Raises `Invalid` for a text that is empty or too long."""
    if not text:
        raise Invalid("Please describe what you are facing, in a sentence or two.", field="text")
    if len(text) > LONGEST:
        raise Invalid(
            "Please shorten this to %(most)s characters; it has %(have)s. Nothing is lost.",
            field="text",
            most=f"{LONGEST:,}",
            have=f"{len(text):,}",
        )


BRIEF = StreamType[Brief]("brief", Brief(), evolve)
