"""Sets of partners and briefs in files, to run a ranker on without a database: what `fxo match evaluate` reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fxo.core.errors import Invalid
from fxo.core.ids import NETWORK, derived_id
from fxo.core.matching.port import Brief, PartnerRecord, Ranking
from fxo.core.money import Money


def records_of(partners: Iterable[Mapping[str, Any]]) -> dict[str, PartnerRecord]:
    """Record by the file's own id. Its fields are those of `fxo partners import`; only `id` and `name` must be there."""
    return {str(_needed(one, "id")): _record(one) for one in partners}


def _record(one: Mapping[str, Any]) -> PartnerRecord:
    def texts(name: str, other: str = "") -> tuple[str, ...]:
        value = one.get(name) or one.get(other) or ()
        return (value,) if isinstance(value, str) else tuple(str(item) for item in value)

    rate = one.get("hourly_rate_usd")
    return PartnerRecord(
        id=derived_id(NETWORK, str(one["id"])),
        name=str(_needed(one, "name")),
        title=str(one.get("title") or ""),
        roles=texts("roles"),
        headline=str(one.get("headline") or ""),
        bio=str(one.get("bio") or ""),
        skills=texts("skills"),
        industries=texts("industries"),
        years=int(one.get("years_experience") or one.get("years") or 0),
        certifications=texts("certifications"),
        cases=texts("case_studies", "cases"),
        languages=texts("languages"),
        country=str(one.get("country") or ""),
        zone=str(one.get("timezone") or one.get("zone") or "UTC"),
        price=Money(round(float(rate) * 100), "USD") if rate else None,
    )


def briefs_of(queries: Iterable[Mapping[str, Any]]) -> dict[str, Brief]:
    """Brief by the file's own id: its `text`, and its `context` where there is one. Nothing else of the file is read."""
    return {str(_needed(one, "id")): Brief(str(_needed(one, "text")), str(one.get("context") or "")) for one in queries}


def _needed(one: Mapping[str, Any], name: str) -> Any:
    if name not in one:
        raise Invalid(f"Each entry needs {name!r}, and one has only {', '.join(sorted(one)) or 'nothing'}.")
    return one[name]


def answer_of(ranking: Ranking, records: Mapping[str, PartnerRecord]) -> dict[str, Any]:
    """The ranking as the file has it: every partner by the file's own id, best first, with score and reasons."""
    ids = {record.id: own for own, record in records.items()}
    return {
        "ranking": [
            {
                "partner_id": ids[match.partner_id],
                "score": match.score,
                "reasons": list(match.reasons),
                **({} if match.probability is None else {"probability": match.probability}),
            }
            for match in ranking.matches
        ],
        "confidence": ranking.confidence,
        "no_match": ranking.no_match,
    }
