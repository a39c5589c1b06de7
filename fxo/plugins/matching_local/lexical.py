"""Lexical retrieval: BM25F over the fields of partners' records."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set

from .records import FIELD_WEIGHTS, Document

SATURATION = 1.2
LENGTH = 0.6
MOST_REPEATS = 2
"""How often one stem counts within one field; saying it more often moves nothing."""
FEWEST = 24
"""Rosters smaller than this are weighed as if they had this many partners, so that scores mean the same on a roster of three."""


class Words:
    """The words of all records, ready to be asked. Immutable after building, so threads may share it."""

    def __init__(self, documents: Sequence[Document], known: frozenset[str]) -> None:
        self.count = len(documents)
        counts = [_counts(document) for document in documents]
        lengths = {field: [sum(c[field].values()) for c in counts] for field in FIELD_WEIGHTS}
        usual = {field: sum(found) / max(1, len(found)) or 1.0 for field, found in lengths.items()}
        self.postings: dict[str, dict[int, float]] = defaultdict(dict)
        """Stem to (place of the document, saturated frequency from 0 to 1)."""
        for place, by_field in enumerate(counts):
            frequency: dict[str, float] = defaultdict(float)
            for field, found in by_field.items():
                stretch = 1 - LENGTH + LENGTH * lengths[field][place] / usual[field]
                for stem, n in found.items():
                    frequency[stem] += FIELD_WEIGHTS[field] * min(n, MOST_REPEATS) / stretch
            for stem, f in frequency.items():
                self.postings[stem][place] = f / (SATURATION + f)
        self.known: Set[str] = known | self.postings.keys()
        """Stems that are no typing errors: those of the records and of the taxonomy."""

    def rarity(self, stem: str) -> float:
        """Inverse document frequency; a stem that nobody's record has counts as the rarest."""
        n, has = max(FEWEST, self.count), len(self.postings.get(stem, ()))
        return math.log(1 + (n - has + 0.5) / (has + 0.5))

    def score(self, wanted: Mapping[str, float]) -> list[float]:
        """How much of each document speaks of the wanted stems, in their order; not bounded."""
        scores = [0.0] * self.count
        for stem, weight in wanted.items():
            value = weight * self.rarity(stem)
            for place, frequency in self.postings.get(stem, {}).items():
                scores[place] += value * frequency
        return scores


def _counts(document: Document) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {field: Counter() for field in FIELD_WEIGHTS}
    for line in document.lines:
        counts[line.field].update(set(line.stems))
    return counts
