"""Learns to read vectors from the taxonomy's sentences: `python -m fxo.plugins.matching_local.learning` after each change.

Ridge regression in closed form: nothing random, the same file on every machine. No brief of any measured set is learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import data
from .vectors import digest, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .vectors import Matrix

TOPIC_RIDGE, INDUSTRY_RIDGE, SUBJECT_RIDGE = 1.0, 10.0, 3.0
"""How strongly weights are held down."""


def digest_of_data() -> str:
    """Names what would be learned from the data files as they are."""
    return digest(
        *(data.text(name) for name in ("topics_security", "topics_information", "topics_technology", "industries", "off_topic"))
    )


def learn() -> dict[str, NDArray]:
    """The arrays of `learned.npz`: weights by reading, a row a dimension and the last one constant."""
    import numpy as np

    topics, industries = data.topics(), data.read("industries")
    said = [(n, text) for n, (label, t) in enumerate(topics.items()) for text in (*t["symptoms"], *t["skills"], label)]
    named = [(n, text) for n, (label, i) in enumerate(industries.items()) for text in (label, *i["terms"])]
    off = encode(data.read("off_topic"))
    spoken, terms = encode([text for _, text in said]), encode([text for _, text in named])
    nothing = np.zeros((len(spoken), len(industries)))
    return {
        "digest": np.array(digest_of_data()),
        "topics": _ridge(spoken, _one_of(said, len(topics)), TOPIC_RIDGE),
        "industries": _ridge(np.vstack([terms, spoken]), np.vstack([_one_of(named, len(industries)), nothing]), INDUSTRY_RIDGE),
        "subject": _ridge(
            np.vstack([spoken, off]),
            np.concatenate([np.ones(len(spoken)), -np.ones(len(off))])[:, None],
            SUBJECT_RIDGE,
            np.concatenate([np.full(len(spoken), 0.5 / len(spoken)), np.full(len(off), 0.5 / len(off))]),
        ),
    }


def _one_of(examples: Sequence[tuple[int, str]], count: int) -> NDArray:
    import numpy as np

    wanted = np.zeros((len(examples), count))
    wanted[np.arange(len(examples)), [n for n, _ in examples]] = 1
    return wanted


def _ridge(vectors: Matrix, wanted: NDArray, strength: float, importance: NDArray | None = None) -> NDArray:
    import numpy as np

    rows = np.hstack([vectors.astype(np.float64), np.ones((len(vectors), 1))])
    weights = np.ones(len(rows)) if importance is None else importance * len(rows)
    held = strength * np.eye(rows.shape[1])
    held[-1, -1] = 1e-6
    solved = np.linalg.solve((rows * weights[:, None]).T @ rows + held, (rows * weights[:, None]).T @ wanted)
    return solved.astype(np.float16)


if __name__ == "__main__":
    import numpy as np

    np.savez_compressed(Path(__file__).parent / "data" / "learned.npz", **learn())
