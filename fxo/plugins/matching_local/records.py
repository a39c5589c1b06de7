"""A partner's record, read once: its lines without orders and repetitions, and what they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from fxo.core.matching.port import PartnerRecord

from .guard import plain
from .places import code_of
from .taxonomy import Mention, Vocabulary, families_of, taxonomy
from .words import fold, tokens

FIELD_WEIGHTS: Mapping[str, float] = {
    "skills": 2.5, "headline": 2.0, "industries": 2.0, "cases": 2.0, "title": 1.5, "certifications": 1.5, "bio": 1.0,
    "languages": 1.0,
}  # fmt: skip
"""How much a word counts by where it stands. Names and countries do not count: who somebody is says nothing about fit."""

MOST_LINES: Mapping[str, int] = {"skills": 12, "industries": 8, "cases": 8, "certifications": 8, "bio": 14, "languages": 8}
"""Of a field so many lines count; who lists forty skills is not better than who lists ten."""

DEEP = 28
"""Of a record so many lines are compared one by one."""

COMPARED = ("title", "headline", "skills", "cases", "bio")
"""Fields whose lines have vectors of their own."""

_SUBJECT: Mapping[str, float] = {"title": 1.0, "headline": 1.0, "skills": 1.0, "cases": 1.0, "bio": 0.6, "certifications": 0.8}
_COMPANY: Mapping[str, float] = {"industries": 1.0, "title": 0.5, "headline": 0.5, "cases": 0.4, "bio": 0.3}


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One quotable line of a record and what it is about. Equal to itself alone."""

    field: str
    text: str
    stems: tuple[str, ...]
    topics: tuple[str, ...]
    industries: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """What is known of a record without looking at any brief. Equal to itself alone."""

    record: PartnerRecord
    lines: tuple[Line, ...]
    named: Mapping[str, float]
    """Topic to how much its lines name it in words."""
    industries: Mapping[str, float]
    """Industry to how plainly the record is of it, from 0 to 1."""
    families: frozenset[str]
    country: str
    whole: str
    """The record in short, as one text: what it is, skills, industries."""
    company: str
    """Its industries as one text."""

    @property
    def compared(self) -> list[Line]:
        """The lines that are compared one by one."""
        return [line for line in self.lines if line.field in COMPARED][:DEEP]

    @property
    def texts(self) -> list[str]:
        """What has a vector: the compared lines, the whole, the company."""
        return [*(line.text for line in self.compared), self.whole, self.company]


def _stuffed(said: tuple[str, ...]) -> bool:
    """Whether one word is repeated as nobody repeats it who tells of work."""
    most = max(Counter(said).values(), default=0)
    return most > 3 and 3 * most > len(said)


@lru_cache(maxsize=20_000)
def _heard(sentence: str, vocabulary: Vocabulary) -> tuple[tuple[str, ...], Sequence[Mention], tuple[str, ...], tuple[str, ...]]:
    """Stems, mentions, topics and industries of a sentence; skills and industries stand on many records alike."""
    found = tokens(sentence)
    mentions = taxonomy(vocabulary).mentions(found)
    topics, of = (
        tuple(dict.fromkeys(m.concept.label for m in mentions if m.concept.kind == kind)) for kind in ("topic", "industry")
    )
    return tuple(token.stem for token in found if not token.small), mentions, topics, of


@lru_cache(maxsize=20_000)
def document_of(record: PartnerRecord, vocabulary: Vocabulary) -> Document:
    """The record, read; kept by its content, so a changed profile is read anew."""
    lines: list[Line] = []
    named: dict[str, float] = {}
    industries: dict[str, float] = {}
    seen: set[tuple[str, ...]] = set()
    for field in FIELD_WEIGHTS:
        kept = 0
        for text in record.texts(field):
            for sentence in plain(text, [fold(record.name)] if len(record.name) > 4 else []):
                said, mentions, topics, of = _heard(sentence, vocabulary)
                if kept >= MOST_LINES.get(field, 2) or said in seen or _stuffed(said):
                    continue
                kept += 1
                if field in COMPARED:
                    seen.add(said)
                lines.append(Line(field, sentence, said, topics, of))
                heard: dict[str, float] = {}
                for m in mentions:
                    label = m.concept.label
                    if m.concept.kind == "topic" and field in _SUBJECT:
                        heard[label] = min(1.5, heard.get(label, 0) + m.weight)
                    elif m.concept.kind == "industry" and field in _COMPANY:
                        industries[label] = max(industries.get(label, 0), _COMPANY[field] * min(m.weight, 1.0))
                for label, weight in heard.items():
                    named[label] = named.get(label, 0) + _SUBJECT[field] * weight
    by_field = {field: [line.text for line in lines if line.field == field] for field in FIELD_WEIGHTS}
    whole = ". ".join(
        filter(
            None, (*by_field["title"], *by_field["headline"], ", ".join(by_field["skills"]), ", ".join(by_field["industries"]))
        )
    )
    return Document(
        record, tuple(lines), named, industries, families_of(record.roles, record.title), code_of(record.country), whole or " ",
        ", ".join(by_field["industries"]) or " ",
    )  # fmt: skip
