"""Records who of a shortlist is seen and opened, for later learning. The same page again writes nothing."""

from __future__ import annotations

from uuid import UUID

from fxo import platform
from fxo.core.matching import impressions
from fxo.core.matching.queries import BriefRow
from fxo.web import identity


def count_shown(brief: BriefRow, partner_ids: list[UUID]) -> None:
    """These experts are on the page of the brief's author, in this order."""
    if brief.matched is None or not partner_ids:
        return
    asked = brief.id, brief.ranking, brief.matched.ranker, partner_ids
    if impressions.shown(_before(brief), *asked):
        platform.current().store.run(identity.scope(), identity.actor(), impressions.record_shown, *asked)


def count_opened(brief: BriefRow, partner_id: UUID) -> None:
    """The author looks at this expert's page."""
    asked = brief.id, brief.ranking, partner_id
    if impressions.opened(_before(brief), *asked):
        platform.current().store.run(identity.scope(), identity.actor(), impressions.record_opened, *asked)


def _before(brief: BriefRow) -> impressions.Seen:
    with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
        return impressions.seen(tx, brief.id, brief.ranking)
