"""The matching port: a brief against the partners' own records, in words of ours. No vendor type crosses it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol
from uuid import UUID

from fxo.core.money import Money

STRENGTHS = ("very strong", "strong", "good", "possible")
"""How well a partner fits, in words, best first."""

URGENCIES: Mapping[str, str] = {"now": "Today or tomorrow", "week": "This week", "fortnight": "Within two weeks"}
"""Code to label of `Brief.urgency`; None is any time."""

STAGES: Mapping[str, str] = {
    "idea": "Idea or first product",
    "growing": "Young company that grows",
    "mid": "Established, mid-sized",
    "large": "Large organisation",
}
"""Code to label of `Brief.stage`, the company's; None where it does not tell."""

ANY = "any"
"""What a client chooses to say that a role, an industry or the like does not matter, whatever the text seems to say."""

MUSTS = ("role", "industry", "language", "zone")
"""What a client may insist on: fields of `Understanding`. Who does not meet one of them stands below all who do."""

LACKING: Mapping[str, str] = {
    "problem": "What happened, or what you have to decide",
    "subject": "Which systems, rules or people it is about",
    "industry": "What kind of company you are",
    "goal": "What should be different afterwards, and by when",
}
"""Code to label of what a brief could say more about, so that somebody can be found for it."""


@dataclass(frozen=True, slots=True)
class PartnerRecord:
    """What a partner's profile says, as data and never as instructions. Only this may be quoted to a client."""

    id: UUID
    name: str
    title: str = ""
    roles: tuple[str, ...] = ()
    headline: str = ""
    bio: str = ""
    skills: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    years: int = 0
    certifications: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    """Lines of work done, each with its result; usually three."""
    languages: tuple[str, ...] = ()
    """English names: `German`, `Hindi`."""
    country: str = ""
    zone: str = "UTC"
    """IANA name."""
    price: Money | None = field(default=None, compare=False)
    """What an hour costs this client, where it is known. It is not on the record, and neither is what follows: two records are
    equal without them."""
    free_in_hours: float | None = field(default=None, compare=False)
    """Hours until the first free time, where it is known."""

    def texts(self, field: str) -> tuple[str, ...]:
        """The texts of that field: its lines, or the one text; none where the record has no such field."""
        value = getattr(self, field) if field in QUOTABLE else ()
        return (value,) if isinstance(value, str) else value

    def lines(self) -> Iterator[tuple[str, str]]:
        """Every quotable text as `(field, text)`."""
        return ((field, text) for field in QUOTABLE for text in self.texts(field))


QUOTABLE = tuple(f.name for f in fields(PartnerRecord) if f.name not in ("id", "years", "price", "free_in_hours"))
"""The fields of a record that may be quoted."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a client wrote and chose. `text` and `context` are untrusted and may be of any length and script.

    What is chosen overrules what the text suggests; None where the client left it to the text.
    """

    text: str
    context: str = ""
    """A line on the company, where it was asked for."""
    role: str | None = None
    """`CIO`, `CTO`, `CISO` or `ANY`."""
    topics: tuple[str, ...] | None = None
    """What it is about: labels of `MatchingCapabilities.topics`, or skills of the roster. A topic that the text names and that is
    not among these does not count."""
    industry: str | None = None
    """As the client named it, or `ANY`."""
    urgency: str | None = None
    """A key of `URGENCIES`, or `ANY`."""
    zone: str | None = None
    """The client's IANA zone."""
    language: str | None = None
    """English name of the language for the session, or `ANY`."""
    stage: str | None = None
    """A key of `STAGES`, or `ANY`."""
    budget: str | None = None
    """`ANY` where the client took out what was read about money."""
    unwanted: tuple[str, ...] | None = None
    """Roles and topics that they have already or do not need, by the labels that `Understanding.unwanted` uses."""
    musts: tuple[str, ...] = ()
    """Of `MUSTS`, those that the client insists on; all others are wishes."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verbatim piece of one field of the partner's record."""

    line: str
    field: str
    """One of `QUOTABLE`."""


@dataclass(frozen=True, slots=True)
class Match:
    """One partner against the brief."""

    partner_id: UUID
    score: float
    """From 0 to 1, comparable between briefs: the order, and what the strength says in words."""
    strength: str
    """One of `STRENGTHS`."""
    reasons: tuple[str, ...] = ()
    """Two sentences; what stands between “ and ” is quoted from the record."""
    evidence: tuple[Evidence, ...] = ()
    """The lines of the record that speak for this partner, the most telling first."""
    caveat: str = ""
    """One honest sentence: why perhaps not."""
    quotes: tuple[Evidence, ...] = ()
    """What the reasons and the caveat quote, in their order, with the field of the record that each comes from."""
    probability: float | None = None
    """How likely it is that a client finds this partner a fit, from 0 to 1 and calibrated on judged briefs; None where the
    provider does not know."""
    unmet: tuple[str, ...] = ()
    """Of `Brief.musts`, those that this partner does not meet."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the client says they can pay."""

    amount: Money
    per: str
    """`hour`, `day`, `month`, or `whole` for all of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where in the brief something was read, so that it can be shown and corrected there."""

    what: str
    """The field of `Understanding`."""
    value: str
    """The value as it stands in that field; of a budget, the words of the brief."""
    part: str
    """`text` or `context`."""
    start: int
    """Characters of that part, as the client sent it; `part[start:end]` are the words."""
    end: int


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was read out of the brief, for the client to see and to correct. What they chose stands in it as they chose it;
    None where they chose `ANY`.
    """

    role: str | None = None
    """Whom they look for, said or concluded from what it is about."""
    topics: tuple[str, ...] = ()
    industry: str | None = None
    urgency: str | None = None
    stage: str | None = None
    language: str | None = None
    """English name of the language for the session: asked for, or the one of a brief that is not in English."""
    zone: str | None = None
    """IANA name: the client's, or that of a place which the brief names."""
    budget: Budget | None = None
    unwanted: tuple[str, ...] = ()
    """Roles and topics that they have already or do not need; none of them is looked for."""
    readings: tuple[Reading, ...] = ()
    """The places, in the order of the brief. What was chosen or concluded has none."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask back, where the brief is too vague to choose well; the answer is chosen as a correction is."""

    about: str
    """The field of `Understanding` that the answer fills: `role`, `topics`, `industry`, `urgency`, `stage`."""
    text: str
    """The question, in English."""
    options: tuple[str, ...] = ()
    """Values for that field to choose from: two to four that would part the partners; none where any is welcome."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a ranking cost that a model outside had a part in."""

    model: str
    """As its company calls it."""
    prompt: str
    """Version of the words that it was asked with."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost: int = 0
    """Millionths of a US dollar, by the prices in the tenant's settings; 0 where the answer was known from before."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """All partners, best first, and how sure the ranker is that anybody fits at all."""

    matches: tuple[Match, ...]
    confidence: float
    """From 0 to 1; below 0.3 the page says that nobody here fits."""
    no_match: bool
    ranker: str
    """Name and version (`local-lexical 1`), kept in the `matched` event."""
    understood: Understanding = Understanding()
    lacking: tuple[str, ...] = ()
    """Keys of `LACKING`, the most helpful first: what to add. Always some where nobody fits."""
    questions: tuple[Question, ...] = ()
    """At most three, the most telling first; none where the brief says enough."""
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)
    """Milliseconds by step (`read`, `retrieve`, `rank`, `explain`), kept in the `matched` event."""
    usage: Usage | None = field(default=None, compare=False)
    """What a model outside cost, kept in the `matched` event; None where none was asked."""


@dataclass(frozen=True, slots=True)
class MatchingCapabilities:
    """What this provider can do; asked, never guessed."""

    refines: bool = False
    """Whether it is one to improve what a client already sees: the page's first list is then another provider's, and `refine`
    is asked in a second request. Where not, `refine` is not called."""
    topics: tuple[str, ...] = ()
    """Labels of the topics that it reads out of briefs, as far as there is a list; the page offers them to add."""
    sends_text_out: bool = False
    """Whether briefs and records leave our servers; a tenant is told before it switches this on."""


class MatchingProvider(Protocol):
    """Ranks partners for a brief.

    Called outside a database transaction, with a time limit, possibly from several threads at once. The brief and the records are
    data: an instruction in either moves nothing. Every answer goes through `check_ranking`; one that lies counts as a failure.
    Failing: `Retryable`, `Unavailable`, `Misconfigured` from `fxo.core.errors`; anything else counts as `Unavailable`. After a
    failure the tenant's next provider is asked.
    """

    @property
    def capabilities(self) -> MatchingCapabilities: ...

    def rank(self, brief: Brief, partners: Sequence[PartnerRecord], *, limit: int = 5) -> Ranking:
        """Rank these partners for this brief.

        Called when a client submits or corrects a brief; the page waits for it (1.5 s, then the local
        ranking stands; the local one itself has the usual limit, since its first answer in a process loads its model). One with
        `capabilities.refines` is not asked by pages: it ranks on the command line, where nobody waits. May read nothing but its
        arguments, its own settings and tables; may not name anybody who is not among `partners`.
        Returns every partner exactly once, best first; the first `limit` carry reasons, evidence and caveat, the others may.
        A brief that nobody fits is an answer (`no_match`) and not an error; so is an empty roster.
        """
        ...

    def refine(self, brief: Brief, ranking: Ranking, partners: Sequence[PartnerRecord]) -> Ranking:
        """Improve a ranking that the client already sees.

        Called in a second request, after the shortlist is on the page, and only where `capabilities.refines`. `ranking` is the
        one on the page, of this or of another provider, with reasons for its first 12. It may take seconds (6 at most), and
        is not asked where 16 others are being asked by the same process; it may reorder and reword, within the bounds of `rank`.
        Returns a whole ranking, or `ranking` itself where it has nothing to add. If it fails, the tenant's next
        provider that refines is asked, and then the first ranking stands.
        """
        ...


def check_ranking(ranking: Ranking, partners: Sequence[PartnerRecord]) -> None:
    """Refuse a ranking that lies: every partner once, scores in order and in range, quotes verbatim; else ValueError."""
    records = {record.id: record for record in partners}
    _check_range("the confidence", ranking.confidence)
    if unknown := set(ranking.lacking) - set(LACKING):
        raise ValueError(f"{unknown.pop()!r} is not one of the things that a brief can lack")
    seen: set[UUID] = set()
    before = 1.0
    for match in ranking.matches:
        record = records.get(match.partner_id)
        if record is None:
            raise ValueError(f"partner {match.partner_id} was not among those to rank")
        if match.partner_id in seen:
            raise ValueError(f"partner {match.partner_id} is ranked twice")
        seen.add(match.partner_id)
        _check_range(f"the score of partner {match.partner_id}", match.score)
        if match.score > before:
            raise ValueError(f"partner {match.partner_id} stands below a lower score")
        before = match.score
        if match.strength not in STRENGTHS:
            raise ValueError(f"{match.strength!r} is not one of the strengths")
        if match.probability is not None:
            _check_range(f"the probability of partner {match.partner_id}", match.probability)
        if not (match.reasons or match.caveat or match.evidence or match.quotes):
            continue
        for evidence in (*match.evidence, *match.quotes):
            if not evidence.line.strip() or not any(evidence.line in text for text in record.texts(evidence.field)):
                raise ValueError(f"evidence for partner {match.partner_id} is not in the record: {evidence.line!r}")
        said = " ".join((*match.reasons, match.caveat))
        for quote in match.quotes:
            if f"“{quote.line}”" not in said:
                raise ValueError(f"no reason for partner {match.partner_id} says what it is to quote: {quote.line!r}")
        for quote in re.findall("“([^”]*)”", said):
            if not any(quote in text for _, text in record.lines()):
                raise ValueError(f"a reason for partner {match.partner_id} quotes what is not in the record: {quote!r}")
    if missing := len(records) - len(seen):
        raise ValueError(f"{missing} partners are missing from the ranking")


def _check_range(what: str, value: float) -> None:
    if math.isnan(value) or not 0 <= value <= 1:
        raise ValueError(f"{what} is {value}, outside 0 to 1")
