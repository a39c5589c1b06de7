"""The local ranker behind the matching port. No network, the same answer every time."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from fxo.core.matching.port import STRENGTHS, Brief, Match, MatchingCapabilities, PartnerRecord, Ranking

from .taxonomy import Vocabulary, taxonomy

RANKER = "local-hybrid 3"

_WEAKER = (0.2, 0.4, 0.6)
"""From which probability on a match is called one step stronger than the weakest."""


class Settings(BaseModel):
    """What a tenant adds to the ranker's vocabulary: phrases by the topic or industry that they name."""

    topics: dict[str, list[str]] = Field(
        default_factory=dict,
        title="Topics",
        description="Topic to the words that name it in your briefs and records, for example the name of a system of yours.",
    )
    industries: dict[str, list[str]] = Field(
        default_factory=dict, title="Industries", description="Industry to the words that name it in your briefs and records."
    )

    def vocabulary(self) -> Vocabulary:
        """The same as a value that can be compared."""
        return Vocabulary(
            tuple((label, tuple(terms)) for label, terms in sorted(self.topics.items())),
            tuple((label, tuple(terms)) for label, terms in sorted(self.industries.items())),
        )


class LocalMatching:
    """`MatchingProvider` over words, sentence vectors and a taxonomy. What it cannot read, it says nobody fits."""

    def __init__(self, context: Any = None) -> None:
        settings = getattr(context, "settings", None)
        self._vocabulary = settings.vocabulary() if isinstance(settings, Settings) else Vocabulary()

    @property
    def capabilities(self) -> MatchingCapabilities:
        return MatchingCapabilities(topics=taxonomy(self._vocabulary).topics)

    def rank(self, brief: Brief, partners: Sequence[PartnerRecord], *, limit: int = 5) -> Ranking:
        """See `MatchingProvider.rank`. Only the first 5,000 characters of a brief are read."""
        import numpy as np

        from . import certainty, features, questions, ranker, reasons, wish
        from .index import by_id, index_of

        begun = time.perf_counter()
        records = sorted(partners, key=by_id)
        index = index_of(records, self._vocabulary)
        read = time.perf_counter()
        wished = wish.read(brief, index.taxonomy, index.names, index.words.known)
        if not partners:
            return Ranking((), 0.0, True, RANKER, wished.understood, questions.lacking(wished))
        retrieve = time.perf_counter()
        found = features.features(wished, index)
        rank = time.perf_counter()
        sums = ranker.total(found) + ranker.preferences(wished, index, records)
        sure = certainty.confidence(wished, index, found, sums)
        no_match = sure < certainty.SURE
        likely = certainty.probabilities(sums, sure)
        fails = _unmet(wished, brief, index, records, found) if brief.musts else {}
        scores = score_of(likely.astype(float))
        failing = np.isin(np.arange(len(records)), [*fails])
        if fails and not failing.all():
            scores[failing] *= scores[~failing].min()
        scores = scores.round(4)
        order = np.lexsort((-sums, -scores, failing)).tolist()
        shown, points = likely.astype(float).round(4).tolist(), scores.tolist()
        explain = time.perf_counter()
        matches = []
        for at, place in enumerate(order):
            record, p, missed = records[place], shown[place], fails.get(place, ())
            strength = STRENGTHS[-1] if no_match else strength_of(p)
            if at < limit:
                why = reasons.explain(place, index, wished, brief, record, missed)
                told = (why.reasons, why.evidence, why.caveat, why.quotes)
            else:
                told = ((), (), "", ())
            matches.append(Match(record.id, points[place], strength, *told, p, missed))
        asked = questions.follow_up(wished, brief, index, order, likely, nobody=no_match)
        done = time.perf_counter()
        steps = {"index": (begun, read), "read": (read, retrieve), "retrieve": (retrieve, rank), "rank": (rank, explain)}
        steps["explain"] = (explain, done)
        return Ranking(
            tuple(matches),
            round(sure, 4),
            no_match,
            RANKER,
            wished.understood,
            questions.lacking(wished) if no_match else (),
            asked,
            {name: round((end - start) * 1000, 2) for name, (start, end) in steps.items()},
        )

    def refine(self, brief: Brief, ranking: Ranking, partners: Sequence[PartnerRecord]) -> Ranking:
        """The ranking as it is: words read twice say nothing more."""
        return ranking


def warm() -> None:
    """Load the model and the taxonomy, so that a process's first brief is answered as quickly as the second."""
    LocalMatching().rank(Brief("Our systems in Berlin are down."), [])


def strength_of(probability: float) -> str:
    """How well a partner fits in words, one of `STRENGTHS`, by how likely it is."""
    return STRENGTHS[len(_WEAKER) - bisect_right(_WEAKER, probability)]


def score_of(probability: Any) -> Any:
    """The score that people see: a probability of a half is a match of 78 per cent, since half of such partners are a fit."""
    odds = probability / (1 - probability).clip(1e-9)
    return 3.5 * odds / (1 + 3.5 * odds)


def _unmet(wished: Any, brief: Brief, index: Any, records: Sequence[PartnerRecord], found: Any) -> dict[int, tuple[str, ...]]:
    """Place in the index to what the client insists on and that partner does not meet."""
    from .ranker import unmet

    missed = {}
    for place, document in enumerate(index.documents):
        fit = float(found["industry"][place]) or 0.5 * float(found["related"][place] >= 1)
        if lacks := unmet(wished, brief, document.families, records[place], fit):
            missed[place] = lacks
    return missed
