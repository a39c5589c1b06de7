"""Fits the local ranker's few weights to the judged sets, held close to what was set by hand: `python -m bench.fitting`.

Three small models: the features' weights (pairs of partners of one brief, the better above the worse), the confidence that
anybody fits, and the probability that a partner among the first five does. All begin at fixed values and use nothing random.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.judged import Judged, development, network
from fxo.core.matching.port import Brief
from fxo.plugins.matching_local import certainty, data, features, ranker, wish
from fxo.plugins.matching_local.features import NAMES
from fxo.plugins.matching_local.index import Index, by_id, index_of

FOLDS = 5
SPREAD = {
    "words": 0.09, "topics": 0.1, "lines": 0.053, "telling": 0.045, "whole": 0.055,
    "industry": 0.22, "related": 0.25, "company": 0.125, "role": 0.2,
}  # fmt: skip
"""How far partners of one brief differ in a feature, usually; weights are held in units of this."""
PRIOR = {
    "words": 0.6, "topics": 0.9, "lines": 0.3, "telling": 0.6, "whole": 0.42,
    "industry": 0.36, "related": 0.12, "company": 0.3, "role": 0.3,
}  # fmt: skip
"""The weights by hand that the fitted ones are held to."""
HELD = 10.0
CERTAIN = {"subject": 2.5, "named": 0.5, "words": 0.2, "content": 0.5, "best": 0.05}
LIKELY = {"sum": 0.5, "behind": 0.3, "sure": 0.2}

Weights = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Case:
    """One brief of a set with everything that is computed before weights come in."""

    set_name: str
    brief_id: str
    brief: Brief
    tags: Sequence[str]
    wish: wish.Wish
    index: Index
    found: Mapping[str, Any]
    preferences: Any
    grades: Any
    """By partner, in the order of the index."""
    ids: Sequence[str]
    fold: int

    @property
    def answerable(self) -> bool:
        return bool(self.grades.max() > 0)


def cases(judged: Judged) -> list[Case]:
    """Every brief of a set; folds are dealt out among those that somebody fits, and among the others."""
    records = sorted(judged.records, key=by_id)
    index = index_of(records)
    own = {record.id: own for own, record in zip(judged.ids, judged.records, strict=True)}
    ids = [own[document.record.id] for document in index.documents]
    dealt = {True: 0, False: 0}
    made = []
    for brief_id, brief in judged.briefs.items():
        asked = wish.read(brief, index.taxonomy, index.names, index.words.known)
        fits = judged.fits(brief_id)
        grades = np.array([judged.grades.get(brief_id, {}).get(partner, 0) for partner in ids])
        found, liked = features.features(asked, index), ranker.preferences(asked, index, records)
        made.append(
            Case(
                judged.name, brief_id, brief, judged.tags[brief_id], asked, index, found, liked, grades, ids, dealt[fits] % FOLDS
            )
        )
        dealt[fits] += 1
    return made


def fit(training: Sequence[Case], without: frozenset[str] = frozenset()) -> dict[str, dict[str, float]]:
    """The weights for these cases, as `weights.json` has them; features of `without` get none."""
    by_feature = _fit_features(training, without)
    sums = [ranker.total(case.found, by_feature) + case.preferences for case in training]
    evidence = [certainty.evidence(case.wish, case.found, total) for case, total in zip(training, sums, strict=True)]
    answerable = np.array([case.answerable for case in training])
    rows = np.array([[e[name] for name in certainty.EVIDENCE] for e in evidence])
    sure_weights = _logistic(rows, answerable, [CERTAIN[name] for name in certainty.EVIDENCE], held=4.0, balanced=True)
    sure = dict(zip((*certainty.EVIDENCE, "constant"), sure_weights, strict=True))
    pairs, good = [], []
    for case, total, e in zip(training, sums, evidence, strict=True):
        odds = sum(sure[name] * e[name] for name in certainty.EVIDENCE) + sure["constant"]
        for place in np.argsort(-total, kind="stable")[:5]:
            pairs.append([float(total[place]), float(total[place] - total.max()), min(float(odds), 3.0)])
            good.append(bool(case.grades[place] >= 2))
    likely = _logistic(np.array(pairs), np.array(good), [LIKELY[name] for name in LIKELY], held=1.0, balanced=False)
    return {"features": by_feature, "certainty": sure, "fit": dict(zip((*LIKELY, "constant"), likely, strict=True))}


def _fit_features(training: Sequence[Case], without: frozenset[str]) -> dict[str, float]:
    names = [name for name in NAMES if name not in without]
    rows, liked, counts = [], [], []
    for case in training:
        gain = 2.0**case.grades - 1
        better, worse = np.where(gain[:, None] > gain[None, :])
        if len(better):
            scaled = np.stack([case.found[name] / SPREAD[name] for name in names], axis=1)
            rows.append(scaled[better] - scaled[worse])
            liked.append(case.preferences[better] - case.preferences[worse])
            counts.append((gain[better] - gain[worse]) / (gain[better] - gain[worse]).sum())
    apart, before, count = np.concatenate(rows), np.concatenate(liked), np.concatenate(counts)
    hand = np.array([PRIOR[name] for name in names])

    def slope(weights: Any) -> Any:
        wrong = count / (1 + np.exp(apart @ weights + before))
        return (HELD * (weights - hand) - wrong @ apart) / len(rows)

    fitted = _descend(slope, hand, np.zeros(len(hand), dtype=bool))
    weights = {name: float(weight / SPREAD[name]) for name, weight in zip(names, fitted, strict=True)}
    return {name: round(weights.get(name, 0.0), 4) for name in NAMES}


def _logistic(rows: Any, right: Any, hand: Sequence[float], *, held: float, balanced: bool) -> list[float]:
    """Weights that are not negative, and a constant that may be."""
    spread = rows.std(0) + 1e-6
    scaled = np.hstack([rows / spread, np.ones((len(rows), 1))])
    count = (
        np.where(right, 0.5 / max(1, right.sum()), 0.5 / max(1, (~right).sum())) * len(right) if balanced else np.ones(len(right))
    )
    begin = np.array([*(np.array(hand) * spread), 0.0])

    def slope(weights: Any) -> Any:
        off = 1 / (1 + np.exp(-scaled @ weights)) - right
        return (scaled.T @ (count * off) + held * np.r_[weights[:-1] - begin[:-1], 0]) / len(right)

    fitted = _descend(slope, begin, np.r_[np.zeros(len(spread), dtype=bool), True])
    return [round(float(value), 4) for value in (*(fitted[:-1] / spread), fitted[-1])]


def _descend(slope: Callable[[Any], Any], begin: Any, free: Any, steps: int = 600, rate: float = 0.05) -> Any:
    """Adam with a bound at zero for those that are not free."""
    at, first, second = begin.copy(), np.zeros_like(begin), np.zeros_like(begin)
    for step in range(1, steps + 1):
        found = slope(at)
        first, second = 0.9 * first + 0.1 * found, 0.99 * second + 0.01 * found**2
        at = at - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8) * min(
            1.0, 2 * (1 - step / (steps + 1))
        )
        at = np.where(free, at, np.maximum(at, 0))
    return at


def main() -> None:
    """Fit to all of both sets, and write the file that ships."""
    path = Path(data.__file__).parent / "weights.json"
    path.write_text(json.dumps(fit([*cases(development()), *cases(network())]), indent=2) + "\n", "utf-8")
    print(path.read_text("utf-8"))


if __name__ == "__main__":
    main()
