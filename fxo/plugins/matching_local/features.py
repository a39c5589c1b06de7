"""What speaks for a partner, by name: one column of numbers for each, over all partners of the roster.

All are made to be about 0 for nothing and about 1 for much, whatever the brief, so that sums of them can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import data
from .index import Index, joined
from .taxonomy import FAMILIES
from .vectors import read_industries
from .wish import Wish

if TYPE_CHECKING:
    from .vectors import Matrix

NAMES: Mapping[str, str] = {
    "words": "words of the brief that stand in the record (BM25F; weighted by field, mended, repetition saturated)",
    "topics": "topics of the brief, read by phrases and by vectors, that the record is about; rare ones count more",
    "lines": "each sentence of the brief against the record's nearest line, on average (vectors)",
    "telling": "the three lines of the record that are nearest to any part of the brief (vectors)",
    "whole": "the brief with its context against the record in short (vectors)",
    "industry": "the same industry, by the phrases that name it",
    "related": "a related industry (a brewery and a dairy)",
    "company": "the company's description against the record's industries (vectors, read as industries)",
    "role": "the role asked for, or the one whose work the subject is",
}
"""Feature to what it is."""

CLOSELY = 100
"""So many partners are compared line by line; on larger rosters, those who lead by everything else."""
_HALF = 6.0
"""Words weighing so much together are half of full score where the best partner has no more."""


def shared_words(found: Mapping[str, Matrix]) -> float:
    """How much the brief's words that stand in the best record weigh together: the feature `words`, read backwards."""
    most = float(found["words"].max(initial=0))
    return _HALF * most / (1 - 0.5 * most)


def features(wish: Wish, index: Index) -> dict[str, Matrix]:
    """Every feature of `NAMES` for this brief: one number a partner, in the order of the index."""
    import numpy as np

    raw = index.words.score(wish.terms)
    found = {"words": raw / (0.5 * raw.max(initial=0) + _HALF)}

    named = np.zeros(len(index.taxonomy.topics), dtype=np.float32)
    for label, weight in wish.named.items():
        if label in index.taxonomy.topics:
            named[index.taxonomy.topics.index(label)] = weight
    felt = np.zeros(len(index.taxonomy.topics), dtype=np.float32)
    felt[: len(wish.felt)] = wish.felt
    asked = joined(named, felt)
    found["topics"] = (index.topics @ (index.rarity * asked)) / index.topic_length / (np.linalg.norm(asked) + 1e-6) / 2

    found["whole"] = (index.whole @ wish.vectors[-1]).clip(0)

    of = np.zeros(len(index.taxonomy.industries), dtype=np.float32)
    for label, weight in wish.industries.items():
        of[index.taxonomy.industries.index(label)] = weight
    found["industry"] = (index.industries * of).max(1, initial=0)
    groups = (of @ index.related).clip(0, 1)
    found["related"] = (index.groups * groups).max(1, initial=0)
    heard = read_industries(wish.company).clip(0).max(0)
    agreement = index.heard_industries @ heard / index.heard_length / (np.linalg.norm(heard) + 1e-6)
    found["company"] = agreement if wish.understood.industry or wish.industries else 0.5 * agreement

    share = np.array([wish.families[family] for family in FAMILIES], dtype=np.float32)
    found["role"] = (index.families * share).max(1, initial=0)
    found["lines"], found["telling"] = _lines(wish, index, found)
    return {name: np.asarray(found[name], dtype=np.float32) for name in NAMES}


def _lines(wish: Wish, index: Index, found: Mapping[str, Matrix]) -> tuple[Matrix, Matrix]:
    """The features `lines` and `telling`; of a large roster, for those who lead by all others, and 0 for the rest."""
    import numpy as np

    count = len(index.documents)
    lines, telling = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    looked = np.arange(count)
    slots, vectors = index.slots, index.line_vectors
    if count > CLOSELY:
        by = data.read("weights")["features"]
        before = sum(by[name] * values for name, values in found.items())
        looked = np.sort(np.argpartition(-before, CLOSELY)[:CLOSELY])
        has = slots[looked] < len(vectors)
        vectors = vectors[slots[looked][has]]
        slots = np.where(has, has.ravel().cumsum().reshape(has.shape) - 1, len(vectors))
    if len(vectors):
        near = wish.vectors @ vectors.T
        sizes = (slots < len(vectors)).sum(1)
        some, starts = sizes > 0, np.cumsum(sizes) - sizes
        nearest = np.zeros((len(wish.pieces), len(looked)), dtype=np.float32)
        nearest[:, some] = np.maximum.reduceat(near[: len(wish.pieces)], starts[some], axis=1)
        lines[looked] = nearest.mean(0).clip(0)
        best = np.append(near.max(0), np.float32(-1))[slots]
        telling[looked] = np.partition(best, best.shape[1] - 3, axis=1)[:, -3:].clip(0).mean(1)
    return lines, telling
