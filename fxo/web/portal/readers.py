"""Who reads a portal's page, and how people and times are shown to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fxo.core.consultations.queries import ConsultationRow
from fxo.core.partners.queries import Profile
from fxo.web import identity, shown
from fxo.web.places import here


def own_zone() -> str:
    """The zone of who is signed in; empty for a visitor."""
    user = identity.me()
    return user.zone if user else ""


def reader_zone() -> str:
    """The zone in which times are shown: the reader's own, or UTC."""
    return own_zone() or "UTC"


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
