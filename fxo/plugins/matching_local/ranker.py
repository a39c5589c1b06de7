"""From features to an order: a weighted sum, small preferences, and what a client insists on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from fxo.core.matching.port import Brief, PartnerRecord

from . import data
from .features import NAMES
from .index import Index
from .places import hours_apart
from .wish import Wish

if TYPE_CHECKING:
    from .vectors import Matrix

# Small preferences, in the units of the sum: a good match is about 3 above an average one.
SPEAKS, SAME_COUNTRY, HOUR_AWAY, MOST_AWAY = 0.5, 0.25, 0.02, 0.2
ASKED_LANGUAGE = 0.6
SOON, TOO_DEAR, UNWANTED_ROLE = 0.25, 0.5, 0.4
SOON_ENOUGH: Mapping[str, float] = {"now": 48, "week": 7 * 24, "fortnight": 14 * 24}
"""Hours until the first free time that an urgency allows."""


@cache
def weights() -> Mapping[str, float]:
    """Feature to weight, from the file that `python -m bench matching --fit` writes."""
    found: Mapping[str, float] = data.read("weights")["features"]
    return found


def total(found: Mapping[str, Matrix], by: Mapping[str, float] | None = None) -> Matrix:
    """The weighted sum of the features, one number a partner."""
    by = weights() if by is None else by
    return sum((by[name] * found[name] for name in NAMES), start=0 * found["words"])


def preferences(wish: Wish, index: Index, records: Sequence[PartnerRecord]) -> Matrix:
    """What else speaks for or against each partner: languages, place, time, money, roles there already. All of it small.

    `records` are those of the index, in its order, as they are now.
    """
    import numpy as np

    values = np.zeros(len(records), dtype=np.float32)
    if wish.spoken:
        values += index.languages.each(lambda languages: _speaks(wish, languages))
    if wish.countries:
        values += SAME_COUNTRY * index.countries.each(lambda country: country in wish.countries)
    if zone := wish.understood.zone:
        values -= index.zones.each(lambda other: min(MOST_AWAY, HOUR_AWAY * hours_apart(zone, other)))
    urgent = SOON_ENOUGH.get(wish.understood.urgency or "")
    soon = urgent or SOON_ENOUGH["week"] / 2
    values += (
        SOON * (1.0 if urgent else 0.5) * np.array([r.free_in_hours is not None and r.free_in_hours <= soon for r in records])
    )
    if wish.understood.budget:
        values -= TOO_DEAR * np.array([beyond(wish, record) for record in records])
    if unwanted := set(wish.understood.unwanted):
        values -= UNWANTED_ROLE * index.roles.each(lambda families: bool(families) and families <= unwanted)
    return values


def _speaks(wish: Wish, languages: frozenset[str]) -> float:
    asked = ASKED_LANGUAGE * (wish.understood.language in languages)
    return asked + SPEAKS * bool((wish.spoken & languages) - {"English"})


def beyond(wish: Wish, record: PartnerRecord) -> bool:
    """Whether an hour costs clearly more than the client says they can pay for one."""
    budget = wish.understood.budget
    if budget is None or budget.per != "hour" or record.price is None or record.price.currency != budget.amount.currency:
        return False
    return record.price.minor > 1.25 * budget.amount.minor


def unmet(
    wish: Wish, brief: Brief, document_families: frozenset[str], record: PartnerRecord, industry_fit: float
) -> tuple[str, ...]:
    """What the client insists on and this partner does not meet, in the order of `Brief.musts`."""
    understood = wish.understood
    meets = {
        "role": not understood.role or understood.role in document_families | set(record.roles),
        "industry": not understood.industry or industry_fit > 0,
        "language": not understood.language or understood.language in record.languages,
        "zone": not understood.zone or hours_apart(understood.zone, record.zone) <= 3,
    }
    return tuple(must for must in brief.musts if not meets.get(must, True))
