"""Records who of a shortlist is seen and opened, for later learning. The same page again writes nothing."""

from __future__ import annotations

from uuid import UUID

from fxo import platform
from fxo.core.matching import impressions
from fxo.core.matching.impressions import Seen
from fxo.core.matching.queries import BriefRow
from fxo.web import identity


def count_shown(seen: Seen, brief: BriefRow, partner_ids: list[UUID]) -> None:
    """These experts are on the page of the brief's author, in this order; `seen` says who was before."""
    if brief.matched is None or not partner_ids:
        return
    asked = brief.id, brief.ranking, brief.matched.ranker, partner_ids
    if impressions.shown(seen, *asked):
        platform.current().store.run(identity.scope(), identity.actor(), impressions.record_shown, *asked)


def count_opened(seen: Seen, brief: BriefRow, partner_id: UUID) -> None:
    """The author looks at this expert's page."""
    asked = brief.id, brief.ranking, partner_id
    if impressions.opened(seen, *asked):
        platform.current().store.run(identity.scope(), identity.actor(), impressions.record_opened, *asked)
