"""What to ask back where a brief is too vague to choose well, and what to add where nobody fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fxo.core.matching.port import Brief, Question

from .index import Index
from .taxonomy import FAMILIES
from .wish import Wish

MOST = 3
ENOUGH_WORDS = 7
"""From so many words that say something a brief that also names its subject is not asked back."""
MAY_BE_OURS = 0.2
"""From here on the subject of a brief that says too little is asked for, not refused."""
_LOOKED_AT = 8


def lacking(wish: Wish) -> tuple[str, ...]:
    """Keys of `LACKING` for a brief that nobody fits, the most helpful first."""
    missing = []
    if wish.content < ENOUGH_WORDS or wish.subject < 0.2:
        missing.append("problem")
    if not wish.understood.topics:
        missing.append("subject")
    if not wish.understood.industry:
        missing.append("industry")
    return (*missing, "goal")


def follow_up(
    wish: Wish, brief: Brief, index: Index, order: Sequence[int], likely: Sequence[float], *, nobody: bool
) -> tuple[Question, ...]:
    """At most three questions whose answers would part the first partners of `order`.

    None for a brief that says enough, and where `nobody` fits only for one that may be ours, though it says too little.
    """
    if nobody and (wish.elsewhere or wish.subject < MAY_BE_OURS):
        return ()
    vague = wish.content < ENOUGH_WORDS or not wish.understood.topics
    undecided = len(order) > 2 and likely[order[0]] < 0.5 and likely[order[0]] - likely[order[2]] < 0.1
    if not vague and not undecided:
        return ()
    first = [index.documents[place] for place in order[:_LOOKED_AT]]
    asked = []
    if brief.topics is None:
        named = Counter(
            topic for d in first for topic, weight in d.named.items() if weight >= 1 and topic not in wish.understood.topics
        )
        parting = sorted(
            (t for t, n in named.items() if n < max(2, len(first) - 1)), key=lambda t: (-_heard(t, wish, index), -named[t], t)
        )
        if len(parting) > 1:
            asked.append(Question("topics", "Which of these is closest to what you face?", tuple(parting[:4])))
    if not wish.role_said and brief.role is None and max(wish.families.values()) < 0.6:
        there = [f for f in sorted(FAMILIES, key=lambda f: -wish.families[f]) if any(f in d.families for d in first)]
        if len(there) > 1:
            asked.append(Question("role", "Whose advice would you look for first?", tuple(there)))
    if not wish.understood.industry and brief.industry is None:
        sectors = Counter(
            index.taxonomy.sectors[index.taxonomy.industries.index(label)]
            for d in first
            for label, weight in d.industries.items()
            if weight >= 0.7
        )
        if len(sectors) > 1:
            asked.append(
                Question("industry", "What kind of company is it?", tuple(sorted(sectors, key=lambda s: (-sectors[s], s))[:4]))
            )
    return tuple(asked[:MOST])


def _heard(topic: str, wish: Wish, index: Index) -> float:
    place = index.taxonomy.topics.index(topic)
    return float(wish.felt[place]) if place < len(wish.felt) else 0.0
