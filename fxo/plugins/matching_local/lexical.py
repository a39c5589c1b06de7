"""Lexical retrieval: BM25F over the fields of partners' records, with concepts as further terms and mending of typing errors."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fxo.core.matching.port import PartnerRecord

from .reading import Concept, fold, plain, taxonomy, terms

Term = str | Concept

FIELD_WEIGHTS: Mapping[str, float] = {
    "skills": 2.5,
    "headline": 2.0,
    "industries": 2.0,
    "cases": 2.0,
    "title": 1.5,
    "certifications": 1.5,
    "bio": 1.0,
    "languages": 1.0,
}
"""How much a word counts by where it stands. Names and countries do not count: who somebody is says nothing about fit."""

SATURATION = 1.2
LENGTH = 0.6
MOST_REPEATS = 2
"""How often one term counts within one field; saying it more often moves nothing."""
LETTERS = (6, 30)
"""Stems of so many letters are mended; shorter ones are too often another word."""
FEWEST = 24
"""Rosters smaller than this are weighed as if they had this many partners, so that scores mean the same on a roster of three."""


@dataclass(frozen=True, slots=True)
class Line:
    """One quotable line of a record and what it is about."""

    field: str
    text: str
    terms: frozenset[Term]


@dataclass(frozen=True, slots=True)
class Document:
    record: PartnerRecord
    lines: tuple[Line, ...]
    roles: frozenset[str]


class Index:
    """The records, ready to be asked. Immutable after building, so threads may share it."""

    def __init__(self, records: tuple[PartnerRecord, ...]) -> None:
        names = self.names = frozenset(fold(r.name) for r in records if len(r.name) > 4)
        self.documents = [_document(record, names) for record in records]
        counts = [_counts(document) for document in self.documents]
        lengths = {f: [sum(n for t, n in c[f].items() if isinstance(t, str)) for c in counts] for f in FIELD_WEIGHTS}
        usual = {f: sum(found) / max(1, len(found)) or 1.0 for f, found in lengths.items()}
        self.postings: dict[Term, dict[int, float]] = defaultdict(dict)
        """Term to (place of the document, saturated frequency from 0 to 1)."""
        for place, by_field in enumerate(counts):
            frequency: dict[Term, float] = defaultdict(float)
            for field, found in by_field.items():
                stretch = 1 - LENGTH + LENGTH * lengths[field][place] / usual[field]
                for term, n in found.items():
                    frequency[term] += FIELD_WEIGHTS[field] * min(n, MOST_REPEATS) / stretch
            for term, f in frequency.items():
                self.postings[term][place] = f / (SATURATION + f)
        self._near: dict[str, set[str]] = defaultdict(set)
        for known in (t for t in self.postings if isinstance(t, str) and LETTERS[0] <= len(t) <= LETTERS[1]):
            for key in _shorter(known):
                self._near[key].add(known)

    def rarity(self, term: Term) -> float:
        """Inverse document frequency; a term that nobody's record has counts as the rarest."""
        n, has = max(FEWEST, len(self.documents)), len(self.postings.get(term, ()))
        return math.log(1 + (n - has + 0.5) / (has + 0.5))

    def mend(self, stem: str) -> str:
        """The stem itself where it is known or short; else a known one that is a single typing error away."""
        if not LETTERS[0] <= len(stem) <= LETTERS[1] or stem in self.postings or stem in taxonomy().stems:
            return stem
        near = {found for key in _shorter(stem) for found in self._near.get(key, ())}
        return min((found for found in near if found[0] == stem[0] and _one_error(stem, found)), default=stem)

    def score(self, wanted: Mapping[Term, float]) -> list[float]:
        """How much of each document speaks of the wanted terms, in the order of `documents`; not bounded."""
        scores = [0.0] * len(self.documents)
        for term, weight in wanted.items():
            value = weight * self.rarity(term)
            for place, frequency in self.postings.get(term, {}).items():
                scores[place] += value * frequency
        return scores


@lru_cache(maxsize=32)
def index_of(records: tuple[PartnerRecord, ...]) -> Index:
    """The index of exactly these records; kept by content, so a changed profile is a new index and tenants share nothing else."""
    return Index(records)


def _document(record: PartnerRecord, names: frozenset[str]) -> Document:
    lines = tuple(
        Line(field, line, frozenset(terms(line)))
        for field, text in record.lines()
        if field in FIELD_WEIGHTS
        for line in plain(text, names)
    )
    said = terms(" . ".join((*record.roles, record.title)))
    return Document(record, lines, frozenset(t.label for t in said if isinstance(t, Concept) and t.kind == "role"))


def _counts(document: Document) -> dict[str, Counter[Term]]:
    counts: dict[str, Counter[Term]] = {field: Counter() for field in FIELD_WEIGHTS}
    for line in document.lines:
        counts[line.field].update(line.terms)
    return counts


def _shorter(stem: str) -> set[str]:
    """The stem and each way to leave one letter out: two stems one error or swap apart share one of these."""
    return {stem, *(stem[:i] + stem[i + 1 :] for i in range(len(stem)))}


def _one_error(one: str, other: str) -> bool:
    """Whether one letter left out, added, wrong, or two neighbours swapped make the one into the other."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
