"""Lexical retrieval: BM25F over the fields of partners' records."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from .records import FIELD_WEIGHTS, Document

if TYPE_CHECKING:
    from .vectors import Matrix

SATURATION = 1.2
LENGTH = 0.6
MOST_REPEATS = 2
"""How often one stem counts within one field; saying it more often moves nothing."""
FEWEST = 24
"""Rosters smaller than this are weighed as if they had this many partners, so that scores mean the same on a roster of three."""


class Words:
    """The words of all records, ready to be asked. Immutable after building, so threads may share it."""

    def __init__(self, documents: Sequence[Document], known: frozenset[str]) -> None:
        import numpy as np

        self.count = len(documents)
        counts = [_counts(document) for document in documents]
        lengths = {field: [sum(c[field].values()) for c in counts] for field in FIELD_WEIGHTS}
        usual = {field: sum(found) / max(1, len(found)) or 1.0 for field, found in lengths.items()}
        held: dict[str, dict[int, float]] = defaultdict(dict)
        for place, by_field in enumerate(counts):
            frequency: dict[str, float] = defaultdict(float)
            for field, found in by_field.items():
                stretch = 1 - LENGTH + LENGTH * lengths[field][place] / usual[field]
                for stem, n in found.items():
                    frequency[stem] += FIELD_WEIGHTS[field] * min(n, MOST_REPEATS) / stretch
            for stem, f in frequency.items():
                held[stem][place] = f / (SATURATION + f)
        self.postings = {stem: (np.array([*at]), np.array([*at.values()], dtype=np.float32)) for stem, at in held.items()}
        """Stem to the places of the documents that have it, and to its saturated frequency in each, from 0 to 1."""
        self.known: Set[str] = known | self.postings.keys()
        """Stems that are no typing errors: those of the records and of the taxonomy."""

    def rarity(self, stem: str) -> float:
        """Inverse document frequency; a stem that nobody's record has counts as the rarest."""
        n, has = max(FEWEST, self.count), len(self.postings[stem][0]) if stem in self.postings else 0
        return math.log(1 + (n - has + 0.5) / (has + 0.5))

    def score(self, wanted: Mapping[str, float]) -> Matrix:
        """How much of each document speaks of the wanted stems, in their order; not bounded."""
        import numpy as np

        scores = np.zeros(self.count, dtype=np.float32)
        for stem, weight in wanted.items():
            if stem in self.postings:
                places, frequencies = self.postings[stem]
                scores[places] += weight * self.rarity(stem) * frequencies
        return scores


def _counts(document: Document) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {field: Counter() for field in FIELD_WEIGHTS}
    for line in document.lines:
        counts[line.field].update(set(line.stems))
    return counts
