"""Typing errors: an English word that nobody knows becomes the known one that is a single slip away."""

from __future__ import annotations

import string
from collections.abc import Iterator, Set
from functools import lru_cache

from .vectors import commonness
from .words import stem

LETTERS = (4, 24)
"""Words of so many letters are mended; shorter ones are too often another word."""
_COMMON = -13.0
"""A word that no record has must be at least so common to be what was meant."""
_SEEN = 4.0
"""How much likelier a word is where a record or the taxonomy has it (a logarithm, as commonness is)."""


def mend(word: str, known: Set[str]) -> str:
    """The folded word itself where it is known; else the likeliest word one slip away. `known` are stems."""
    if not LETTERS[0] <= len(word) <= LETTERS[1] or not word.isascii() or not word.isalpha() or stem(word) in known:
        return word
    if commonness(word) is not None:
        return word
    best, worth = word, float("-inf")
    for other in _slips(word):
        common, seen = commonness(other), stem(other) in known
        if (common is not None and common >= _COMMON) or (seen and len(other) >= 6):
            likely = (common if common is not None else -14.0) + _SEEN * seen
            if likely > worth or (likely == worth and other < best):
                best, worth = other, likely
    return best


@lru_cache(maxsize=2_000)
def _slips(word: str) -> frozenset[str]:
    return frozenset(_made(word))


def _made(word: str) -> Iterator[str]:
    """Every word with one letter left out, added, wrong, or two neighbours swapped; the first letter is believed."""
    for at in range(1, len(word) + 1):
        before, after = word[:at], word[at:]
        yield from (before + letter + after for letter in string.ascii_lowercase)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in string.ascii_lowercase)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
