"""A roster, ready to be asked: words, vectors and what each record is about, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import eq
from threading import Lock
from typing import TYPE_CHECKING, Any

from fxo.core.matching.port import PartnerRecord

from .kept import vectors_of
from .lexical import FEWEST, Words
from .records import DEEP, document_of
from .taxonomy import FAMILIES, NOTHING_MORE, Vocabulary, taxonomy
from .vectors import SIZE, read_industries, read_topics
from .words import fold

if TYPE_CHECKING:
    from .vectors import Matrix

_LINE_WEIGHT = {"bio": 0.6}


class Index:
    """The records of one roster. Immutable after building, so threads may share it."""

    def __init__(self, records: Sequence[PartnerRecord], vocabulary: Vocabulary) -> None:
        import numpy as np

        self.taxonomy = known = taxonomy(vocabulary)
        self.documents = [document_of(record, vocabulary) for record in records]
        self.names = frozenset(fold(r.name) for r in records if len(r.name) > 4)
        self.words = Words(self.documents, known.stems)
        count, topics = len(records), len(known.topics)
        self.lines = [document.compared for document in self.documents]
        made = vectors_of(self.documents)
        empty = np.zeros((0, SIZE), dtype=np.float32)
        self.line_vectors: Matrix = np.concatenate([empty, *(vectors[:-2] for vectors in made)])
        self.whole: Matrix = np.concatenate([empty, *(vectors[-2:-1] for vectors in made)])
        """One row a partner; of `line_vectors`, those from `starts[n]` to `starts[n + 1]`."""
        self.starts = np.concatenate([[0], np.cumsum([len(lines) for lines in self.lines])]).astype(int)
        self.slots = np.full((count, DEEP), len(self.line_vectors))
        for n in range(count):
            self.slots[n, : len(self.lines[n])] = np.arange(self.starts[n], self.starts[n + 1])
        """Partner to the places of their lines; the last place is an empty one."""
        weights = np.array([_LINE_WEIGHT.get(line.field, 1.0) for lines in self.lines for line in lines])
        felt = np.zeros((count, topics), dtype=np.float32)
        if len(self.line_vectors):
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
        companies = np.concatenate([empty, *(vectors[-1:] for vectors in made)])
        self.heard_industries = read_industries(companies).clip(0) if count else np.zeros((0, len(known.industries)))
        self.heard_length = np.linalg.norm(self.heard_industries, axis=1) + 1e-6
        self.families = np.array([[family in d.families for family in FAMILIES] for d in self.documents], dtype=np.float32)
        self.families = self.families.reshape(count, len(FAMILIES))
        self.languages = Kinds([frozenset(record.languages) for record in records])
        self.countries = Kinds([document.country for document in self.documents])
        self.zones = Kinds([record.zone for record in records])
        self.roles = Kinds([document.families for document in self.documents])
        self.silent = not any(document.lines for document in self.documents)
        """Whether no record says anything."""


class Kinds:
    """A property that few values of are different: asked once a value, answered for every partner."""

    def __init__(self, values: Sequence[Any]) -> None:
        import numpy as np

        self.values = list(dict.fromkeys(values))
        at = {value: place for place, value in enumerate(self.values)}
        self._places = np.array([at[value] for value in values], dtype=int)

    def each(self, worth: Callable[[Any], float]) -> Matrix:
        """One number a partner."""
        import numpy as np

        found: Matrix = np.array([worth(value) for value in self.values], dtype=np.float32)[self._places]
        return found


def joined(named: Matrix, felt: Matrix) -> Matrix:
    """What phrases name and what vectors feel, together; a row for each text or record."""
    import numpy as np

    spoken = np.sqrt(named)
    topics: Matrix = felt / (felt.max(-1, keepdims=True) + 0.2) + 0.7 * spoken / (spoken.max(-1, keepdims=True) + 1e-6)
    return topics


MOST_KEPT = 20_000
"""Partners in the indexes that are kept in this process, beside those of the last roster; about 25 KB each."""
_kept: list[tuple[Vocabulary, Sequence[PartnerRecord], Index]] = []
_lock, _building = Lock(), Lock()


def by_id(record: PartnerRecord) -> int:
    """The order of records in an index, whatever the order that they come in."""
    return record.id.int


def index_of(records: Sequence[PartnerRecord], vocabulary: Vocabulary = NOTHING_MORE) -> Index:
    """The index of exactly these records, which stand in the order of their ids.

    Kept by content, so a changed profile is a new index and tenants share nothing else. Who asks while it is built waits for it.
    """
    if found := _known(records, vocabulary):
        return found
    with _building:
        return _known(records, vocabulary) or _add(vocabulary, list(records))


def _known(records: Sequence[PartnerRecord], vocabulary: Vocabulary) -> Index | None:
    with _lock:
        kept = list(_kept)
    for entry in kept:
        if entry[0] == vocabulary and len(entry[1]) == len(records) and all(map(eq, entry[1], records)):
            return entry[2]
    return None


def _add(vocabulary: Vocabulary, records: Sequence[PartnerRecord]) -> Index:
    made = Index(records, vocabulary)
    with _lock:
        _kept.insert(0, (vocabulary, records, made))
        while len(_kept) > 1 and sum(len(entry[1]) for entry in _kept) > MOST_KEPT:
            _kept.pop()
    return made
