"""Who reads a portal's page, and how people and times are shown to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request, session

from fxo.core.consultations.queries import ConsultationRow
from fxo.core.partners.queries import Profile
from fxo.web import choices, identity, shown
from fxo.web.places import here


def own_zone() -> str:
    """The zone of who is signed in; empty for a visitor."""
    user = identity.me()
    return user.zone if user else ""


def reader_zone() -> str:
    """The zone in which times are shown: the reader's own, or what a visitor chose, or the browser's, or UTC."""
    return own_zone() or choices.known_zone(session.get("zone", "")) or browser_zone() or "UTC"


def zone_known() -> bool:
    """Whether the zone is more than a guess of ours."""
    return bool(own_zone() or session.get("zone") or browser_zone())


def browser_zone() -> str:
    """The zone that the browser said it is in (`app.js` keeps it in a cookie); empty on the first visit, and without scripts."""
    return choices.known_zone(request.cookies.get("zone", ""))


def scripts_run() -> bool:
    """Whether this browser runs our scripts, as far as is known: the same cookie says so."""
    return "zone" in request.cookies


def part_wanted() -> bool:
    """Whether a script asks for the part of the page that has changed. Going back in history needs the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def visitors_welcome() -> None:
    """On a closed portal one signs in first."""
    if not here().tenant.visitors_may_match:
        identity.required()


def partner_shown(profile: Profile) -> dict[str, Any]:
    """The expert with title and rating."""
    return shown.person(profile.name, profile.id, profile.title) | {
        "rating": {"value": f"{profile.rating:.1f}" if profile.rating else None, "count": profile.ratings}
    }


def span_shown(row: ConsultationRow, profile: Profile, now: datetime) -> dict[str, str]:
    """The session's hour, in the reader's zone and the expert's."""
    first = profile.name.split()[0]
    return shown.span(row.starts_at, row.ends_at, identity.required().zone, now=now, other=(first, profile.zone))
