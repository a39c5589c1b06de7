"""Words of a text: folded, with light stems and the place where each stands; sentences; the language of a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from . import data

LONGEST = 5_000
"""Characters of a text that are read; what stands behind them is not looked at."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text and where it stands."""

    word: str
    """Folded."""
    stem: str
    start: int
    end: int
    written: str
    small: bool
    """Whether it says nothing alone: a small word of its language (`the`, `und`), or a number of one or two digits."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text and where it stands."""

    text: str
    start: int
    end: int


def fold(text: str) -> str:
    """Case, accents, width and invisible characters taken away."""
    if text.isascii():
        return text.lower()
    marked = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in marked if unicodedata.category(c) not in ("Mn", "Cf"))


# Marks that belong to a letter and characters that are not seen do not end a word; M&A is one.
_WORD = re.compile(
    r"[^\W_]&[^\W_]{1,2}(?![^\W_])|[^\W_](?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u200b-\u200f\u00ad\ufeff])*"
)


def tokens(text: str) -> list[Token]:
    """The words in order, without single letters. `IT` in capitals is not the word "it"."""
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    small = data.small_words()
    for found in _WORD.finditer(text):
        written = found.group()
        word = "infotech" if written == "IT" else fold(written)
        number = word.isdigit() and len(word) < 3
        if len(word) > 1 or number:
            yield Token(word, stem(word), found.start(), found.end(), written, number or word in small)


def words(text: str) -> list[str]:
    """The folded words in order."""
    return [token.word for token in _tokens(text)]


def stems(text: str) -> list[str]:
    """The stems in order, without small words."""
    return [token.stem for token in _tokens(text) if not token.small]


_ENDINGS = (
    "izations", "isations", "ization", "isation", "ations", "ements", "ation", "ating", "ators", "ement", "ments", "ities",
    "ator", "ated", "ates", "ment", "ness", "ings", "ions", "ate", "ing", "ion", "ity", "ed", "ly",
)  # fmt: skip
"""Longest first."""
_LEFT = {"ing": 3, "ings": 3, "ed": 3, "ity": 5, "ities": 5}


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The folded word without common English endings; harmless for other languages."""
    if len(word) <= 3 or len(word) > 40 or not word.isascii():
        return word
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


_SENTENCE = re.compile(r"[^\r\n]+?(?:[.!?]+(?=\s|$)|(?=[\r\n]|$))")


def sentences(text: str) -> list[Span]:
    """Verbatim sentences of the text's first `LONGEST` characters."""
    found = []
    for match in _SENTENCE.finditer(text[:LONGEST]):
        piece = match.group()
        stripped = piece.strip()
        if stripped:
            start = match.start() + piece.index(stripped)
            found.append(Span(stripped, start, start + len(stripped)))
    return found


def blank(text: str, spans: Iterator[Span] | list[Span]) -> str:
    """The text with spaces in place of these pieces, so that all other places stay what they are."""
    for span in spans:
        text = f"{text[: span.start]}{' ' * (span.end - span.start)}{text[span.end :]}"
    return text


def language_of(text: str) -> str:
    """English name of the language that the text's small words belong to; English where they do not tell."""
    found = words(text) + re.findall(r"\b[^\W\d_]\b", fold(text))
    hits = {language: sum(word in small for word in found) for language, small in data.small_words_by_language().items()}
    best = max(hits, key=lambda language: (hits[language], language == "English"))
    return best if hits[best] >= 2 else "English"
