"""Whether anybody fits at all, and how likely each does: small logistic models over named evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import data
from .features import shared_words
from .index import Index
from .wish import Wish

if TYPE_CHECKING:
    from .vectors import Matrix

SURE = 0.3
"""Below this confidence nobody fits."""

FEW = 2
"""So few words must name a topic or be rare and on a record; `software` alone is no problem."""

EVIDENCE: Mapping[str, str] = {
    "subject": "whether the brief reads like a problem for an executive in technology and not like the weather (vectors)",
    "named": "how plainly topics and a role are named",
    "words": "rare words shared with the best record",
    "content": "words that say something, up to eight",
    "best": "the best partner's sum",
}
"""What speaks for anybody fitting, by name."""


def evidence(wish: Wish, found: Mapping[str, Matrix], sums: Matrix) -> dict[str, float]:
    """Every number of `EVIDENCE` for this brief."""
    named = sum(sorted(wish.named.values())[-2:]) + wish.role_said
    return {
        "subject": wish.subject,
        "named": min(named, 3.0),
        "words": min(shared_words(found), 25.0) / 10,
        "content": min(wish.content, 8) / 4,
        "best": float(sums.max(initial=0)),
    }


def confidence(
    wish: Wish, index: Index, found: Mapping[str, Matrix], sums: Matrix, by: Mapping[str, float] | None = None
) -> float:
    """How sure it is that anybody fits, from 0 to 1.

    Nothing said is nothing sure, and so are two words that name nothing, and a call for a head of finance.
    """
    if not wish.content or index.silent:
        return 0.0
    told = evidence(wish, found, sums)
    sure = _logistic(by or data.read("weights")["certainty"], told)
    if wish.elsewhere:
        return min(sure, 0.1)
    if wish.content <= FEW and told["named"] < 0.5 and told["words"] < 0.4:
        return min(sure, 0.2)
    return sure


def probabilities(sums: Matrix, sure: float, by: Mapping[str, float] | None = None) -> Matrix:
    """How likely each partner is a fit, in the order of `sums`; a higher sum is never less likely."""
    import numpy as np

    by = by or data.read("weights")["fit"]
    odds = math.log(max(sure, 1e-4) / max(1 - sure, 1e-4))
    best = float(sums.max(initial=0))
    value = by["sum"] * sums + by["behind"] * (sums - best) + by["sure"] * min(odds, 3.0) + by["constant"]
    likely: Matrix = 1 / (1 + np.exp(-value))
    return likely


def _logistic(by: Mapping[str, float], found: Mapping[str, float]) -> float:
    value = by["constant"] + sum(by[name] * found[name] for name in EVIDENCE)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))
