"""Reading text: folded words, light stems, the taxonomy's phrases, and orders to the ranker, which are left out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

LONGEST = 5_000
"""Characters of a text that are read; what stands behind them is not looked at."""

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concept:
    """A topic, industry, role or urgency of the taxonomy, which many phrases may name."""

    kind: str
    label: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The reviewed data file `taxonomy.json`: what general business language means, and each language's stop words."""

    phrases: dict[str, tuple[tuple[Phrase, Concept], ...]]
    """By first stem."""
    stop_words: dict[str, frozenset[str]]
    """By language, folded."""
    stems: frozenset[str]
    roles: frozenset[str]
    industries: frozenset[str]
    topics: dict[str, Concept]
    """By label, in the order of the file."""

    def concepts(self, stems: list[str], small: list[bool]) -> Iterator[Concept]:
        """The concepts that these stems, in this order, name. A small word alone names nothing."""
        for at, first in enumerate(stems):
            for phrase, concept in self.phrases.get(first, ()):
                if tuple(stems[at : at + len(phrase)]) == phrase and not (len(phrase) == 1 and small[at]):
                    yield concept


@cache
def taxonomy() -> Taxonomy:
    """The taxonomy, read once."""
    data = json.loads(files(__package__).joinpath("taxonomy.json").read_text("utf-8"))
    named = [(phrase, Concept("topic", label, tuple(t["roles"]))) for label, t in data["topics"].items() for phrase in t["terms"]]
    for kind, group in (("industry", "industries"), ("role", "roles"), ("urgency", "urgencies")):
        named += [(phrase, Concept(kind, label)) for label, phrases in data[group].items() for phrase in phrases]
    phrases: dict[str, dict[tuple[Phrase, Concept], None]] = {}
    for text, concept in named:
        phrase = tuple(map(stem, words(text)))
        phrases.setdefault(phrase[0], {})[phrase, concept] = None
    return Taxonomy(
        phrases={first: tuple(found) for first, found in phrases.items()},
        stop_words={language: frozenset(text.split()) for language, text in data["stop_words"].items()},
        stems=frozenset(part for found in phrases.values() for phrase, _ in found for part in phrase),
        roles=frozenset(data["roles"]),
        industries=frozenset(data["industries"]),
        topics={concept.label: concept for _, concept in named if concept.kind == "topic"},
    )


@cache
def phrases_of(concept: Concept) -> frozenset[str]:
    """Every stem that stands in a phrase which names this concept."""
    found = taxonomy().phrases.values()
    return frozenset(part for phrases in found for phrase, named in phrases if named == concept for part in phrase)


def fold(text: str) -> str:
    """Case, accents, width and invisible characters taken away."""
    if text.isascii():
        return text.lower()
    marked = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in marked if unicodedata.category(c) not in ("Mn", "Cf"))


def words(text: str) -> list[str]:
    """The folded words in order, without single letters and one- and two-digit numbers. `IT` in capitals is not the word "it"."""
    return [
        w
        for w in re.findall(r"[^\W_]+", fold(re.sub(r"\bIT\b", "infotech", text)))
        if len(w) > 2 or (len(w) == 2 and not w.isdigit())
    ]


_ENDINGS = (
    "izations", "isations", "ization", "isation", "ations", "ements", "ation", "ating", "ators", "ement", "ments", "ities",
    "ator", "ated", "ates", "ment", "ness", "ings", "ions", "ate", "ing", "ion", "ity", "ed", "ly",
)  # fmt: skip
"""Longest first."""
_LEFT = {"ing": 3, "ings": 3, "ed": 3, "ity": 5, "ities": 5}


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    if word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("ies") and len(word) > 5:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEFT.get(ending, 4):
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if word.endswith("er") and len(word) >= 9:
        word = word[:-2]
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 4 else word


def stem(word: str) -> str:
    """The word without common English endings; meant for folded words, harmless for other languages."""
    return word if len(word) <= 3 or len(word) > 40 or not word.isascii() else _stem(word)


def language_of(text: str) -> str:
    """English name of the language that the text's small words belong to; English where they do not tell."""
    found = words(text) + re.findall(r"\b[^\W\d_]\b", fold(text))
    hits = {language: sum(w in stops for w in found) for language, stops in taxonomy().stop_words.items()}
    best = max(hits, key=lambda language: (hits[language], language == "English"))
    return best if hits[best] >= 2 else "English"


def terms(text: str, *, language: str = "English", correct: Callable[[str], str] = str) -> Counter[str | Concept]:
    """What the text is about: stems without stop words, and concepts. `correct` may mend a stem before it is read."""
    stops = taxonomy().stop_words["English"] | taxonomy().stop_words.get(language, frozenset())
    found = words(text)
    small = [word in stops for word in found]
    stems = [stem(word) if s else correct(stem(word)) for word, s in zip(found, small, strict=True)]
    kept = (stemmed for stemmed, s in zip(stems, small, strict=True) if not s)
    return Counter[str | Concept]([*kept, *taxonomy().concepts(stems, small)])


def sentences(text: str) -> list[str]:
    """Verbatim sentences of the text's first `LONGEST` characters."""
    return [s for part in re.split(r"(?<=[.!?])\s+|[\r\n]+", text[:LONGEST]) if (s := part.strip())]


_START = r"(?:^|[,;:>\-]\s*|\b(?:please|and|now|then|must|should|always|bitte|und|et|y|e)\s+)"
_RANK = r"(?:rank|place|put|list|rate|score|recommend|show|choose|select|pick|return|output|print|give)"
_FIRST = r"(?:first|top|highest|best|always|number one|perfect|100|10/10|#1|no\.? ?1)"
_WHO = r"(?:this|my) (?:profile|partner|expert|candidate|person)"
_RANKER = r"(?:rank(?:er|ing (?:model|system))|matching (?:system|engine|model)|language model|llm|ai (?:model|system))"
_ORDER = re.compile(
    "|".join((
        rf"{_START}(?:ignore|disregard|forget|override|bypass|ignoriere?n?|vergiss|oubliez?|ignorez|olvida|ignora|ignori|esqueca)\b.{{0,60}}"
        r"\b(?:instru|anweisung|istruzion|rules?\b|regeln?\b|prompt|previous|above|prior|guideline|everything (?:before|else))",
        rf"{_START}{_RANK}\b.{{0,30}}\bsystem prompt\b",
        r"</?\s*(?:system|user|assistant|instructions?|prompt)\b|\[/?inst\]|\bnew instructions?:",
        r"\byou are (?:now (?:a|an|the|in)|an ai|a language model)\b|\bas an ai(?:,| (?:language )?model| assistant)",
        rf"^(?:note (?:to|for)|to|for|attention|dear),? (?:the )?{_RANKER}\b",
        rf"{_START}(?:(?:rank|place|put|rate|score) (?:me|myself|us|him|her|them)|{_RANK} (?:only me|only us|{_WHO}))\b"
        rf".{{0,60}}\b{_FIRST}",
        rf"\b{_WHO} (?:must|should|shall|is to|has to|deserves)\b.{{0,60}}\b(?:rank|{_FIRST})",
    ))
)  # fmt: skip
_NAMED = re.compile(rf"\b{_RANK}\b.{{0,120}}\b{_FIRST}")


def plain(text: str, names: Iterable[str] = ()) -> list[str]:
    """The sentences that describe something. Orders to whoever ranks are left out: they are data here, and say nothing."""
    kept = []
    for sentence in sentences(text):
        folded = fold(sentence)
        named = _NAMED.search(folded) and any(name in folded for name in names)
        if not named and not _ORDER.search(folded):
            kept.append(sentence)
    return kept


_NOT_WANTED = re.compile(
    r"\b(?:(?:we|i) (?:already|do|do already) have (?:an?|our|one)|not looking for|not about|no need for"
    r"|(?:do not|don['’]t) need (?:an?|any|another|more))\b.*?(?=[,.;:!?\n]|\bbut\b|$)",
    re.IGNORECASE,
)


def wished(text: str) -> str:
    """The text without what it says is there already or not needed ("we already have a CISO")."""
    return _NOT_WANTED.sub(" ", text)
