"""Briefs, and who fits them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.slots import Slot
from fxo.core.errors import Invalid
from fxo.core.matching import commands as matching
from fxo.core.matching import queries as briefs
from fxo.core.matching.model import Listed, Matched
from fxo.core.matching.queries import BriefRow
from fxo.core.partners import queries as partners
from fxo.web import choices, identity
from fxo.web.api import models
from fxo.web.api.blueprint import bearer
from fxo.web.api.once import made_id
from fxo.web.api.partners import told
from fxo.web.api.routes import Answer, operation
from fxo.web.places import here
from fxo.web.portal.times import LOOK_AHEAD, offered

AGAIN = {"Retry-After": "2"}


@operation("POST", "/briefs", {201: models.Brief}, body=models.NewBrief, members=True)
def submit_brief(sent: models.NewBrief) -> Answer:
    """Keep a brief and rank the experts for it."""
    if sent.zone and not choices.known_zone(sent.zone):
        raise Invalid("This is no time zone that we know; it should read like Europe/Stockholm.", field="zone")
    wanted = matching.Submission(made_id("brief"), sent.text, sent.industry, sent.urgency, sent.zone)
    platform.current().store.run(identity.scope(), bearer().actor, matching.submit, wanted)
    brief = _matched(wanted.brief_id)
    state = "ready" if brief.matched else "working"
    headers = {"Location": f"/api/v1/briefs/{brief.id}/shortlist"} | ({} if brief.matched else AGAIN)
    return Answer(models.Brief(id=brief.id, submitted_at=brief.submitted_at, state=state), 201, headers)


@operation("GET", "/briefs/{brief_id}/shortlist", {200: models.Shortlist}, members=True, problems=(404,))
def get_shortlist(brief_id: UUID) -> Answer:
    """Who fits a brief, why, and when they are free."""
    brief = _matched(brief_id)
    if brief.matched is None:
        empty = models.Shortlist(brief=brief.id, state="working", understood=None, no_match=False, lacking=[], items=[])
        return Answer(empty, headers=AGAIN)
    found = brief.matched
    said = models.Understood(
        role=brief.role or found.role,
        topics=list(found.topics if brief.topics is None else brief.topics),
        industry=brief.industry or found.industry,
        urgency=brief.urgency or found.urgency,
    )
    return Answer(
        models.Shortlist(
            brief=brief.id,
            state="ready",
            understood=said,
            no_match=found.no_match,
            lacking=list(found.lacking),
            items=_items(found, brief.zone or "UTC"),
        )
    )


def _matched(brief_id: UUID) -> BriefRow:
    """The brief of who asks, ranked where that has not been done yet."""
    parts, scope, actor = platform.current(), identity.scope(), bearer().actor
    with parts.store.transaction(scope, actor) as tx:
        brief = briefs.find(tx, brief_id)
    if brief.matched is None:
        matching.match(parts.store, parts.providers, scope, actor, here().tenant, brief_id)
        with parts.store.transaction(scope, actor) as tx:
            brief = briefs.find(tx, brief_id)
    return brief


def _items(found: Matched, zone: str) -> list[models.Listed]:
    """Those of the list who can still be booked, with their next times."""
    parts, actor = platform.current(), bearer().actor
    with parts.store.transaction(identity.scope(), actor) as tx:
        roster, now = {profile.id: (profile, entry) for profile, entry in partners.roster(tx)}, tx.now
    listed = [item for item in found.shortlist if item.partner_id in roster]
    asked = [item.partner_id for item in listed]
    external = calendars.external_busy(parts.providers, here().tenant, asked, (now, now + LOOK_AHEAD))
    with parts.store.transaction(identity.scope(), actor) as tx:
        times = consultation_rows.next_open(tx, list(external), days=LOOK_AHEAD.days, count=60, external=external)
    return [_listed(item, models.Partner(**told(*roster[item.partner_id])), times, zone) for item in listed]


def _listed(item: Listed, partner: models.Partner, times: Mapping[UUID, list[Slot]], zone: str) -> models.Listed:
    return models.Listed(
        partner=partner,
        strength=item.strength,
        probability=item.probability,
        reasons=list(item.reasons),
        evidence=[models.Evidence(line=each.line, field=each.field) for each in item.evidence],
        caveat=item.caveat,
        slots=[slot.start for slot in offered(times.get(item.partner_id, []), zone)],
    )
