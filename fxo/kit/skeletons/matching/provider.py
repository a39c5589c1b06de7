"""The matching port by counting words: a working start, to be replaced by a ranker that understands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, Field

from fxo.core.matching.port import (
    ANY,
    STRENGTHS,
    Brief,
    Evidence,
    Match,
    MatchingCapabilities,
    PartnerRecord,
    Ranking,
    Understanding,
)
from fxo.core.plugins import ProviderContext

READ = ("roles", "skills", "industries", "cases")
"""The fields of a record that count. What partners write of themselves in sentences does not, since it may be an order."""


class Settings(BaseModel):
    """What a tenant fills in."""

    shortest: int = Field(default=4, ge=1, le=20, title="Shortest word", description="Shorter words do not count.")


class AcmeMatching:
    """`MatchingProvider` by the number of words that brief and record have in common."""

    capabilities = MatchingCapabilities()

    def __init__(self, context: ProviderContext) -> None:
        self._settings: Settings = context.settings

    def rank(self, brief: Brief, partners: Sequence[PartnerRecord], *, limit: int = 5) -> Ranking:
        wanted = self._words(" ".join((brief.text, brief.context, *(brief.topics or ()))))
        scored = [(self._score(wanted, record), record) for record in partners]
        scored.sort(key=lambda each: (-each[0], each[1].id))
        matches = tuple(self._match(score, record, wanted, number < limit) for number, (score, record) in enumerate(scored))
        confidence = matches[0].score if matches else 0.0
        nobody = confidence < 0.3
        return Ranking(
            matches, confidence, nobody, "acme 1", understood=_understood(brief), lacking=("problem", "subject") if nobody else ()
        )

    def refine(self, brief: Brief, ranking: Ranking, partners: Sequence[PartnerRecord]) -> Ranking:
        return ranking

    def _words(self, text: str) -> set[str]:
        return {word for word in re.findall(r"\w+", text.casefold()) if len(word) >= self._settings.shortest}

    def _score(self, wanted: set[str], record: PartnerRecord) -> float:
        """From 0 to 1: 0.33 with one word in common, 0.6 with three."""
        common = len(wanted & self._words(" ".join(text for field in READ for text in record.texts(field))))
        return common / (common + 2)

    def _match(self, score: float, record: PartnerRecord, wanted: set[str], explained: bool) -> Match:
        strength = STRENGTHS[3 - sum(score > least for least in (0.3, 0.5, 0.7))]
        lines = [Evidence(text, field) for field, text in record.lines() if text.strip()]
        if not explained or not lines:
            return Match(record.id, score, strength)
        best = max(lines, key=lambda each: (len(wanted & self._words(each.line)), each.field in READ))
        reason = f"The record says “{best.line}”."
        return Match(record.id, score, strength, reasons=(reason,), evidence=(best,), quotes=(best,))


def _understood(brief: Brief) -> Understanding:
    """What the client chose; this ranker reads nothing else out of a text."""
    names = ("role", "industry", "urgency", "stage", "language", "zone")
    chosen = {name: value for name in names if (value := getattr(brief, name)) != ANY}
    return Understanding(topics=brief.topics or (), unwanted=brief.unwanted or (), **chosen)
