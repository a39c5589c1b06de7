"""A roster, ready to be asked: words, vectors and what each record is about, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from fxo.core.matching.port import PartnerRecord

from .lexical import FEWEST, Words
from .records import document_of
from .taxonomy import FAMILIES, NOTHING_MORE, Vocabulary, taxonomy
from .vectors import SIZE, encode, read_industries, read_topics
from .words import fold

if TYPE_CHECKING:
    from .vectors import Matrix

DEEP = 28
"""Of a record so many lines are compared one by one."""
_LINE_WEIGHT = {"bio": 0.6}


class Index:
    """The records of one roster. Immutable after building, so threads may share it."""

    def __init__(self, records: tuple[PartnerRecord, ...], vocabulary: Vocabulary) -> None:
        import numpy as np

        self.taxonomy = known = taxonomy(vocabulary)
        self.documents = [document_of(record, vocabulary) for record in records]
        self.names = frozenset(fold(r.name) for r in records if len(r.name) > 4)
        self.words = Words(self.documents, known.stems)
        count, topics = len(records), len(known.topics)
        self.lines = [document.compared[:DEEP] for document in self.documents]
        texts = [line.text for lines in self.lines for line in lines]
        made = encode([*texts, *(d.whole for d in self.documents), *(d.company for d in self.documents)])
        self.line_vectors: Matrix = made[: len(texts)]
        self.whole: Matrix = made[len(texts) : len(texts) + count]
        """One row a partner; of `line_vectors`, those from `starts[n]` to `starts[n + 1]`."""
        self.starts = np.concatenate([[0], np.cumsum([len(lines) for lines in self.lines])]).astype(int)
        self.slots = np.full((count, DEEP), len(texts))
        for n in range(count):
            self.slots[n, : len(self.lines[n])] = np.arange(self.starts[n], self.starts[n + 1])
        """Partner to the places of their lines; the last place is an empty one."""
        weights = np.array([_LINE_WEIGHT.get(line.field, 1.0) for lines in self.lines for line in lines])
        felt = np.zeros((count, topics), dtype=np.float32)
        if texts:
            heard = read_topics(self.line_vectors).clip(0) * weights[:, None]
            padded = np.vstack([heard, np.zeros((1, heard.shape[1]))])
            for n in range(count):
                felt[n, : heard.shape[1]] = padded[self.slots[n]].sum(0)
        named = np.zeros((count, topics), dtype=np.float32)
        at = {label: place for place, label in enumerate(known.topics)}
        for n, document in enumerate(self.documents):
            for label, weight in document.named.items():
                named[n, at[label]] = weight
        self.topics = joined(named, felt)
        """How much each record is about each topic, from 0 to 1.7."""
        spread = (self.topics > 0.3 * self.topics.max(1, keepdims=True)).sum(0) if count else np.zeros(topics)
        self.rarity = np.log(1 + max(FEWEST, count) / (1 + spread))
        self.topic_length = np.linalg.norm(self.topics, axis=1) + 1e-6
        self.industries = np.zeros((count, len(known.industries)), dtype=np.float32)
        places = {label: place for place, label in enumerate(known.industries)}
        for n, document in enumerate(self.documents):
            for label, weight in document.industries.items():
                self.industries[n, places[label]] = weight
        groups = sorted({group for found in known.groups for group in found})
        self.related = np.array([[group in found for group in groups] for found in known.groups], dtype=np.float32)
        self.groups = (self.industries @ self.related).clip(0, 1)
        companies = made[len(texts) + count :]
        self.company = companies
        self.heard_industries = read_industries(companies).clip(0) if count else np.zeros((0, len(known.industries)))
        self.heard_length = np.linalg.norm(self.heard_industries, axis=1) + 1e-6
        self.families = np.array([[family in d.families for family in FAMILIES] for d in self.documents], dtype=np.float32)
        self.families = self.families.reshape(count, len(FAMILIES))
        assert made.shape[1] == SIZE


def joined(named: Matrix, felt: Matrix) -> Matrix:
    """What phrases name and what vectors feel, together; a row for each text or record."""
    import numpy as np

    spoken = np.sqrt(named)
    topics: Matrix = felt / (felt.max(-1, keepdims=True) + 0.2) + 0.7 * spoken / (spoken.max(-1, keepdims=True) + 1e-6)
    return topics


@lru_cache(maxsize=32)
def _built(records: tuple[PartnerRecord, ...], vocabulary: Vocabulary) -> Index:
    return Index(records, vocabulary)


def index_of(records: Sequence[PartnerRecord], vocabulary: Vocabulary = NOTHING_MORE) -> Index:
    """The index of exactly these records; kept by content, so a changed profile is a new index and tenants share nothing else."""
    return _built(tuple(sorted(records, key=lambda record: record.id.int)), vocabulary)
