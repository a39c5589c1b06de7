"""Judged sets: partners, briefs, and who fits which how well (3 ideal, 2 good, 1 acceptable); and what a ranking is worth."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from fxo.core.matching.port import Brief, PartnerRecord
from fxo.core.matching.sets import briefs_of, records_of

TESTS = Path(__file__).parent.parent / "tests" / "matching"


@dataclass(frozen=True)
class Judged:
    """One set. Partners by the set's own ids, in the order of the file."""

    name: str
    ids: Sequence[str]
    records: Sequence[PartnerRecord]
    briefs: Mapping[str, Brief]
    tags: Mapping[str, Sequence[str]]
    grades: Mapping[str, Mapping[str, int]]
    injected: Mapping[str, str]
    """Brief to the partner whom an order in it names."""

    def graded(self, brief_id: str) -> list[int]:
        """The grade of each partner, in order."""
        return [self.grades.get(brief_id, {}).get(partner, 0) for partner in self.ids]

    def fits(self, brief_id: str) -> bool:
        """Whether anybody fits."""
        return bool(self.grades.get(brief_id))


def development() -> Judged:
    """The development set: 24 partners, 40 briefs."""
    folder = TESTS / "development"
    return _load("development", _json(folder / "partners.json"), folder / "queries.json", folder / "qrels.json", folder)


def network() -> Judged:
    """The second set: briefs over the demo's network of 30 partners."""
    partners = json.loads(files("fxo.demo").joinpath("network.json").read_text("utf-8"))
    return _load("network", partners, TESTS / "briefs.json", TESTS / "judgements.json", TESTS)


def unseen() -> Judged:
    """The third set, which nothing is ever fitted on: 60 partners in other industries, briefs in other wordings."""
    folder = TESTS / "unseen"
    return _load("unseen", _json(folder / "partners.json"), folder / "queries.json", folder / "qrels.json", folder)


def _load(name: str, partners: Any, briefs: Path, grades: Path, folder: Path) -> Judged:
    asked = _json(briefs)
    records = records_of(partners)
    return Judged(
        name,
        list(records),
        list(records.values()),
        briefs_of(asked),
        {one["id"]: one["tags"] for one in asked},
        _json(grades),
        _json(folder / "injection_targets.json"),
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def ndcg(grades: Sequence[int], order: Sequence[int], depth: int) -> float:
    """Normalised discounted gain of this order of places: gain 2^grade - 1, discount log2(rank + 1)."""

    def gain(found: Iterable[int]) -> float:
        return sum((2**grade - 1) / math.log2(at + 2) for at, grade in enumerate(found))

    best = gain(sorted(grades, reverse=True)[:depth])
    return gain([grades[place] for place in order[:depth]]) / best if best else 0.0


def first_good(grades: Sequence[int], order: Sequence[int]) -> float:
    """One over the rank of the first partner of grade 2 or 3."""
    return next((1 / (at + 1) for at, place in enumerate(order) if grades[place] >= 2), 0.0)


def found_ideal(grades: Sequence[int], order: Sequence[int]) -> float:
    """The share of ideal partners among the first three."""
    ideal = [place for place, grade in enumerate(grades) if grade == 3]
    return sum(place in order[:3] for place in ideal) / min(3, len(ideal)) if ideal else 0.0


def auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """How often a right one has the higher value than a wrong one."""
    return sum((r > w) + 0.5 * (r == w) for r in right for w in wrong) / max(1, len(right) * len(wrong))


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
