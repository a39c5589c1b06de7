"""The taxonomy: topics, industries, roles, urgencies and stages, and the phrases that name them in a text."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from . import data
from .words import Token, stem, stems, tokens

FAMILIES = ("CIO", "CTO", "CISO")
"""Every role belongs to one of these."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A topic, industry, role, urgency or stage, which many phrases may name."""

    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept that a text names, and where."""

    concept: Concept
    weight: float
    """How plainly it is named: long and rare phrases count more than a common word that may mean several things."""
    start: int
    end: int
    phrase: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a tenant adds by the settings of the plugin: topics and industries by label, each with the phrases that name it.

    A label that exists gets further phrases; another one is new.
    """

    topics: tuple[tuple[str, tuple[str, ...]], ...] = ()
    industries: tuple[tuple[str, tuple[str, ...]], ...] = ()


NOTHING_MORE = Vocabulary()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All concepts, ready to be found in texts. Immutable, so threads may share it."""

    phrases: Mapping[str, tuple[tuple[tuple[str, ...], tuple[tuple[Concept, float], ...]], ...]]
    """By first stem: phrase, and what it names with which weight; the longest first."""
    topics: tuple[str, ...]
    topic_roles: tuple[tuple[str, ...], ...]
    """By topic; the first is the usual one."""
    industries: tuple[str, ...]
    sectors: tuple[str, ...]
    """By industry: the label that people choose."""
    groups: tuple[frozenset[str], ...]
    """By industry: what it is related through."""
    capitals: Mapping[str, str]
    """Abbreviations and names that are other words in small letters: folded to how they are written."""
    stems: frozenset[str]

    def mentions(self, text: str | Sequence[Token]) -> list[Mention]:
        """The concepts that the text names, in its order. A small word alone names nothing."""
        found = tokens(text) if isinstance(text, str) else list(text)
        said = tuple(token.stem for token in found)
        named: list[Mention] = []
        covered = -1
        for at, token in enumerate(found):
            for phrase, concepts in self.phrases.get(token.stem) or self._beginning(token):
                if len(phrase) > 1 and said[at : at + len(phrase)] != phrase:
                    continue
                end = found[at + len(phrase) - 1].end
                if end <= covered or (len(phrase) == 1 and not self._written_so(token)):  # a part of a longer one: SOC in SOC 2
                    continue
                if len(phrase) == 1 and token.small:  # `today` says when, and nothing else
                    concepts = tuple(entry for entry in concepts if entry[0].kind == "urgency")
                named += [Mention(concept, weight, token.start, end, phrase) for concept, weight in concepts]
                covered = end if len(phrase) > 1 else covered
        return named

    def _written_so(self, token: Token) -> bool:
        form = self.capitals.get(token.word)
        return form is None or token.written == form or (not form.isupper() and token.written[0].isupper())

    def _beginning(self, token: Token) -> tuple[tuple[tuple[str, ...], tuple[tuple[Concept, float], ...]], ...]:
        """Phrases of one word that begin this longer word, as compounds in German and Dutch do."""
        for length in range(min(len(token.stem), 40) - 3, 6, -1):
            if known := self.phrases.get(token.stem[:length]):
                return tuple(entry for entry in known if len(entry[0]) == 1)
        return ()


@lru_cache(maxsize=64)
def taxonomy(extra: Vocabulary = NOTHING_MORE) -> Taxonomy:
    """The taxonomy of the data files, with what a tenant adds."""
    topics = {label: (tuple(t["roles"]), [label, *t["terms"]]) for label, t in data.topics().items()}
    for label, more in extra.topics:
        roles, terms = topics.get(label, ((), [label]))
        topics[label] = roles, [*terms, *more]
    industries = {label: (i["sector"], i["groups"], [label, *i["terms"]]) for label, i in data.read("industries").items()}
    for label, more in extra.industries:
        sector, groups, terms = industries.get(label, (label, [], [label]))
        industries[label] = sector, groups, [*terms, *more]
    said = data.read("words")
    named = [("topic", label, terms) for label, (_, terms) in topics.items()]
    named += [("industry", label, terms) for label, (_, _, terms) in industries.items()]
    named += [(kind, label, terms) for kind, group in _GROUPS.items() for label, terms in said[group].items()]
    meant: dict[tuple[str, ...], dict[Concept, None]] = defaultdict(dict)
    for kind, label, terms in named:
        for term in terms:
            if phrase := tuple(token.stem for token in tokens(term)):
                meant[phrase][Concept(kind, label)] = None
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[tuple[Concept, float], ...]]]] = defaultdict(list)
    for phrase, concepts in meant.items():
        by_first[phrase[0]].append((phrase, tuple((concept, _plainness(phrase, concept, concepts)) for concept in concepts)))
    return Taxonomy(
        phrases={first: tuple(sorted(found, key=lambda entry: -len(entry[0]))) for first, found in by_first.items()},
        topics=tuple(topics),
        topic_roles=tuple(roles for roles, _ in topics.values()),
        industries=tuple(industries),
        sectors=tuple(sector for sector, _, _ in industries.values()),
        groups=tuple(frozenset(groups) for _, groups, _ in industries.values()),
        capitals={form.lower(): form for form in said["capitals"]},
        stems=frozenset(part for phrase in meant for part in phrase),
    )


_GROUPS = {"role": "roles", "urgency": "urgencies", "stage": "stages"}


def _plainness(phrase: tuple[str, ...], concept: Concept, concepts: Mapping[Concept, None]) -> float:
    rivals = sum(other.kind == concept.kind for other in concepts)
    if len(phrase) > 1 or concept.kind != "topic":
        return (1 + 0.5 * (len(phrase) - 1)) / rivals
    return min(1.0, _rarity(phrase[0]) / 3) / rivals


def _rarity(stemmed: str) -> float:
    """Inverse frequency of a stem over the topics' own words: `data` stands in many of them and names none."""
    count, has = _spread()
    return math.log(1 + (count - has[stemmed] + 0.5) / (has[stemmed] + 0.5)) if has[stemmed] else 3.0


@cache
def _spread() -> tuple[int, Counter[str]]:
    texts = [" . ".join((label, *t["terms"], *t["symptoms"], *t["skills"])) for label, t in data.topics().items()]
    return len(texts), Counter(found for text in texts for found in set(stems(text)))


def families_of(roles: Sequence[str], title: str) -> frozenset[str]:
    """The families of roles that a record's roles and title name."""
    mentions = taxonomy().mentions(" . ".join((*roles, title)))
    return frozenset(m.concept.label for m in mentions if m.concept.kind == "role")


__all__ = ["FAMILIES", "Concept", "Mention", "Taxonomy", "Vocabulary", "families_of", "stem", "taxonomy"]
