"""The local ranker: lexical retrieval with a taxonomy. No network, no model, the same answer every time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fxo.core.matching.port import (
    ANY,
    STRENGTHS,
    URGENCIES,
    Brief,
    Match,
    MatchingCapabilities,
    PartnerRecord,
    Ranking,
    Understanding,
)

from .lexical import Document, Index, Term, index_of
from .reading import Concept, language_of, phrases_of, plain, taxonomy, terms, wished
from .reasons import explain, hours_apart

RANKER = "local-lexical 2"

# What a term of the brief counts by its kind. A role decides by itself and an urgency not at all.
_WORD, _CONCEPTS, _MENDED, _CONTEXT = 1.0, {"topic": 1.6, "industry": 1.6, "role": 0.0, "urgency": 0.0}, 0.6, 0.7
# What it counts more where the client chose it as a topic.
_CHOSEN = 1.5
# What holding the role that was said adds, and what a partner's score is multiplied by.
_ROLE = 2.0
_OTHER_ROLE, _OTHER_ROLE_GUESSED, _SPEAKS, _HOUR_AWAY = 0.6, 0.85, 1.25, 0.01
# Half of full score, for a brief whose terms weigh `_USUAL` together; longer ones must match more.
_HALF, _USUAL = 3.4, 30.0
_STRENGTHS = tuple(zip((0.8, 0.6, 0.4, 0.0), STRENGTHS, strict=True))
SURE = 0.3
"""Below this confidence nobody fits."""


class LocalMatching:
    """`MatchingProvider` over the words of the records. What it cannot read, it says nobody fits."""

    @property
    def capabilities(self) -> MatchingCapabilities:
        return MatchingCapabilities(topics=tuple(taxonomy().topics))

    def rank(self, brief: Brief, partners: Sequence[PartnerRecord], *, limit: int = 5) -> Ranking:
        """See `MatchingProvider.rank`. Only the first 5,000 characters of a brief are read."""
        index = index_of(tuple(sorted(partners, key=lambda record: record.id)))
        wish = _read(brief, index)
        weight = sum(value * index.rarity(term) for term, value in wish.terms.items())
        measure = _HALF * math.sqrt(max(weight, _USUAL) / _USUAL)
        raw = index.score(wish.terms)
        fits = [_fit(value, wish, document) for value, document in zip(raw, index.documents, strict=True)]
        order = sorted(range(len(fits)), key=lambda place: -fits[place])
        confidence = _share(_evidence(raw[order[0]], wish, index, order[0]), measure) if order else 0.0
        no_match = confidence < SURE
        matches = []
        for rank, place in enumerate(order):
            document, score = index.documents[place], round(_share(fits[place], measure), 4)
            strength = STRENGTHS[-1] if no_match else next(word for least, word in _STRENGTHS if score >= least)
            why = explain(document, index, wish.terms, brief, wish.understood) if rank < limit else ()
            matches.append(Match(document.record.id, score, strength, *why))
        return Ranking(tuple(matches), round(confidence, 4), no_match, RANKER, wish.understood)

    def refine(self, brief: Brief, ranking: Ranking, partners: Sequence[PartnerRecord]) -> Ranking:
        """The ranking as it is: words read twice say nothing more."""
        return ranking


@dataclass(frozen=True, slots=True)
class _Wish:
    terms: Mapping[Term, float]
    understood: Understanding
    role_said: bool
    language: str | None
    zone: str | None


def _read(brief: Brief, index: Index) -> _Wish:
    """What the brief asks for: weighted terms, and what the client is shown of them."""
    text, context = (wished("\n".join(plain(part, index.names))) for part in (brief.text, brief.context))
    language = language_of(text)
    said: dict[Term, float] = {}
    industry = brief.industry if brief.industry and brief.industry != ANY else ""
    for part, weight in ((f"{industry}\n{context}", _CONTEXT), (text, 1.0)):
        exact = terms(part, language=language)
        for term in terms(part, language=language, correct=index.mend):
            kind = _CONCEPTS[term.kind] if isinstance(term, Concept) else _WORD
            said[term] = weight * kind * (1 if term in exact else _MENDED)
    _choose_topics(said, brief.topics)
    if brief.industry == ANY:
        _leave_out(said, [t for t in said if isinstance(t, Concept) and t.kind == "industry"])
    named = {kind: [t.label for t in said if isinstance(t, Concept) and t.kind == kind] for kind in _CONCEPTS}
    votes = Counter(role for term in said if isinstance(term, Concept) for role in term.roles)
    role = None if brief.role == ANY else _known_role(brief.role, index) or next(iter(named["role"]), None)
    guessed = None if brief.role == ANY else next((guess for guess, _ in votes.most_common(1)), None)
    read = next((urgency for urgency in URGENCIES if urgency in named["urgency"]), None)
    understood = Understanding(
        role=role or guessed,
        topics=tuple(named["topic"][:5]) if brief.topics is None else brief.topics,
        industry=_chosen_industry(industry) or next(iter(named["industry"]), None),
        urgency=None if brief.urgency == ANY else brief.urgency or read,
    )
    spoken = brief.language or (language if language != "English" else None)
    return _Wish({t: w for t, w in said.items() if w}, understood, bool(role), spoken, brief.zone)


def _choose_topics(said: dict[Term, float], chosen: tuple[str, ...] | None) -> None:
    """Take out of what was read the topics that the client does not mean, with their words, and put in those they do."""
    if chosen is None:
        return
    kept = {term for label in chosen for term in _topic(label)}
    _leave_out(said, [term for term in said if isinstance(term, Concept) and term.kind == "topic" and term not in kept], kept)
    for term in kept:
        said[term] = _CHOSEN * (_CONCEPTS["topic"] if isinstance(term, Concept) else _WORD)


def _topic(label: str) -> set[Term]:
    """What a topic's label stands for: the taxonomy's concept, or the words of a skill."""
    known = taxonomy().topics.get(label)
    return {known} if known else set(terms(label))


def _leave_out(said: dict[Term, float], concepts: list[Concept], kept: Collection[Term] = ()) -> None:
    """These concepts, and the words by which nothing else is named."""
    others = [term for term in {*said, *kept} if isinstance(term, Concept) and term not in concepts]
    stay = {part for concept in others for part in phrases_of(concept)}
    for concept in concepts:
        del said[concept]
        for part in phrases_of(concept) - stay - {term for term in kept if isinstance(term, str)}:
            said.pop(part, None)


def _known_role(role: str | None, index: Index) -> str | None:
    known = role in taxonomy().roles or any(role in document.record.roles for document in index.documents)
    return role if known else None


def _chosen_industry(industry: str) -> str | None:
    """The taxonomy's label for what the client chose, or the client's own word."""
    return next((t.label for t in terms(industry) if isinstance(t, Concept) and t.kind == "industry"), industry or None)


def _fit(value: float, wish: _Wish, document: Document) -> float:
    """The words' value with what else speaks for or against a partner: role, language, distance. All of it soft."""
    if _holds(wish, document):
        value += _ROLE if wish.role_said else 0
    elif wish.understood.role:
        value *= _OTHER_ROLE if wish.role_said else _OTHER_ROLE_GUESSED
    if wish.language in document.record.languages:
        value *= _SPEAKS
    return value * (1 - _HOUR_AWAY * hours_apart(wish.zone, document.record.zone))


def _holds(wish: _Wish, document: Document) -> bool:
    return wish.understood.role in {*document.roles, *document.record.roles}


def _evidence(value: float, wish: _Wish, index: Index, best: int) -> float:
    """How much speaks for anybody fitting at all. One word alone, without a topic or a role, is half a reason."""
    if wish.role_said:
        return value + (_ROLE if _holds(wish, index.documents[best]) else 0)
    met = [term for term in wish.terms if isinstance(term, str) and best in index.postings.get(term, ())]
    return value if len(met) > 1 or wish.understood.topics else value / 2


def _share(value: float, half: float) -> float:
    """From 0 to 1; a half at `half`."""
    return value**2 / (value**2 + half**2)
