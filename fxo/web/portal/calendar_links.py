"""A session as a new entry in the web calendars that most people have; others take the .ics file."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from fxo.core.calendars.port import MeetingWanted


def google(wanted: MeetingWanted, join_url: str | None) -> str:
    """Google Calendar's form with the session filled in."""
    return "https://calendar.google.com/calendar/render?" + urlencode(
        {
            "action": "TEMPLATE",
            "text": wanted.title,
            "dates": f"{_basic(wanted.starts_at)}/{_basic(wanted.ends_at)}",
            "details": wanted.description,
            "location": join_url or "",
        }
    )


def outlook(wanted: MeetingWanted, join_url: str | None, *, work: bool) -> str:
    """Outlook's form with the session filled in: at work (Microsoft 365), or the one for private people."""
    host = "outlook.office.com" if work else "outlook.live.com"
    return f"https://{host}/calendar/0/deeplink/compose?" + urlencode(
        {
            "path": "/calendar/action/compose",
            "rru": "addevent",
            "subject": wanted.title,
            "startdt": wanted.starts_at.astimezone(UTC).isoformat(),
            "enddt": wanted.ends_at.astimezone(UTC).isoformat(),
            "body": wanted.description,
            "location": join_url or "",
        }
    )


def _basic(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
