"""Who is put before the model: the local ranker's best, joined with those whose record is nearest to the brief by vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fxo.core.matching.port import Brief, PartnerRecord, Ranking

from . import prompt

if TYPE_CHECKING:
    from .asking import Company
    from .kept import Kept

MOST = 12
"""Candidates before the model."""
SURE = 5
"""Of the local ranking so many are always among them: they are on the page."""
_NEW_AT_ONCE = 200
_LONGEST = 4_000
_DAMPING = 20
"""Reciprocal rank fusion: the sum of 1 / (20 + place) over both orders."""


def candidates(ranking: Ranking, partners: Sequence[PartnerRecord], near: Mapping[UUID, float]) -> list[PartnerRecord]:
    """At most `MOST`. Who lacks what the client insists on is among them only where others are too few."""
    records = {record.id: record for record in partners}
    place = {match.partner_id: n for n, match in enumerate(ranking.matches)}
    worth = {partner_id: 1 / (_DAMPING + n) for partner_id, n in place.items()}
    for n, partner_id in enumerate(sorted(near, key=lambda one: -near[one])):
        worth[partner_id] += 1 / (_DAMPING + n)
    unmet = {match.partner_id for match in ranking.matches if match.unmet}
    order = sorted(place, key=lambda one: (one in unmet, place[one] >= SURE, -worth[one], place[one]))
    return [records[partner_id] for partner_id in order[:MOST]]


def nearness(
    brief: Brief, partners: Sequence[PartnerRecord], company: Company, kept: Kept, model: str, *, mask: bool
) -> tuple[dict[UUID, float], int]:
    """Partner to how near the record is to the brief, and the tokens that were spent on it.

    One question to the company: the brief with those records that are new or have changed. On a large new roster only so many
    at a time have vectors; the others are found by the local ranker alone until they have, too.
    """
    import numpy as np

    said = {record.id: _said(record, mask=mask) for record in partners}
    texts = {partner_id: text for partner_id, (text, _) in said.items() if text}
    digests = {partner_id: said[partner_id][1] for partner_id in texts}
    known = kept.vectors(model, digests)
    new = [partner_id for partner_id in sorted(texts) if partner_id not in known][:_NEW_AT_ONCE]
    asked = prompt.words_of(brief, partners, mask=mask).strip()
    if not asked or not texts:
        return {}, 0
    made, tokens = company.vectors([asked, *(texts[partner_id] for partner_id in new)])
    rows = [_unit(vector).astype(np.float16) for vector in made]
    if new:
        kept.keep_vectors(model, [(one, digests[one], row.tobytes()) for one, row in zip(new, rows[1:], strict=True)])
    vectors = {partner_id: np.frombuffer(vector, dtype=np.float16) for partner_id, vector in known.items()}
    vectors |= dict(zip(new, rows[1:], strict=True))
    of_brief = rows[0].astype(np.float32)
    return {
        partner_id: float(vector.astype(np.float32) @ of_brief)
        for partner_id, vector in vectors.items()
        if vector.shape == of_brief.shape
    }, tokens


@lru_cache(maxsize=20_000)
def _said(record: PartnerRecord, *, mask: bool) -> tuple[str, str]:
    """The record as one text, and its digest; kept by its content."""
    told = prompt.told(record, mask=mask)
    text = "\n".join("; ".join(value) if isinstance(value, list) else value for value in told.values())[:_LONGEST]
    return text, sha256(text.encode("utf-8", "replace")).hexdigest()


def _unit(vector: Sequence[float]) -> Any:
    import numpy as np

    found = np.asarray(vector, dtype=np.float32)
    return found / max(float(np.linalg.norm(found)), 1e-9)
