"""The local meeting page: the unguessable link admits, and checking in happens on each one's own session page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.clock import in_zone
from fxo.core.errors import NotFound
from fxo.core.ids import parse_id
from fxo.core.notifications import facts
from fxo.core.scope import CODE, tenant_scope
from fxo.plugins.calendar_local.provider import meeting_by_token
from fxo.web import shown
from fxo.web.frame import frame
from fxo.web.language import _

blueprint = Blueprint("meet", __name__)


@blueprint.get("/<token>")
def meeting(token: str) -> ResponseReturnValue:
    """What the meeting is, when, and who is expected."""
    found = meeting_by_token(token.replace("\x00", ""))
    if found is None:
        raise NotFound("This link leads to no meeting. Please use the one in your invitation.")
    parts = platform.current()
    with parts.store.transaction(tenant_scope(found.tenant_id), CODE) as tx:
        config, now = parts.records.of_scope(tx), tx.now
        meeting_id = parse_id(found.reference)
        consultation_id = calendars.consultation_of(tx, meeting_id) if meeting_id else None
        gathered = facts.gather(tx, config, consultation_id) if consultation_id else None
    people: list[dict[str, Any]] = []
    if gathered:
        people = [
            shown.person(one.name, gathered.ids[role], _("Client") if role == "client" else _("Expert"))
            | {"when": in_zone(found.starts_at, one.zone)}
            for role, one in gathered.people.items()
        ]
    framed = frame()
    portal = framed["portal"] | {
        "name": config.name, "logo_text": config.brand.get("logo_text") or config.name,
        "tagline": config.brand.get("tagline") or framed["portal"]["tagline"], "home_url": config.portal_url, "sign_in_url": None,
    }  # fmt: skip
    state = (
        "cancelled" if found.cancelled else "over" if now >= found.ends_at else "open" if now >= found.starts_at else "waiting"
    )
    return render_template(
        "meet.html", **framed | {"portal": portal}, title=found.title, state=state, people=people,
        span=shown.span(found.starts_at, found.ends_at, "UTC", now=now),
    )  # fmt: skip
