"""A meeting as an event in the expert's own Google calendar: how it is asked for, found again, and read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from fxo.core.calendars.port import Change, Meeting, MeetingWanted
from fxo.core.errors import Retryable
from fxo.plugins.calendar_google.times import instant, text

OURS = "fxo"
"""Private properties of the event begin with it; nobody but our application sees them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a meeting is: whose calendar, which event."""

    partner_id: UUID
    event_id: str

    @classmethod
    def of(cls, wanted: MeetingWanted, prefix: str) -> Reference:
        """The one event for our reference, now and in every retry: ids are of 0-9 and a-v, unique in a calendar."""
        return cls(wanted.partner_id, OURS[0] + sha256(f"{prefix}{wanted.reference}".encode()).hexdigest())

    @classmethod
    def parse(cls, said: str) -> Reference:
        partner_id, _, event_id = said.partition("/")
        return cls(UUID(partner_id), event_id)

    def __str__(self) -> str:
        return f"{self.partner_id}/{self.event_id}"


def body(wanted: MeetingWanted, at: Reference) -> dict[str, Any]:
    """The event as Google is asked for it; the invited see the client's and the expert's names and the link to the session."""
    return {
        "id": at.event_id,
        **moved(wanted),
        "summary": wanted.title,
        "description": wanted.description,
        "attendees": [{"email": guest.email, "displayName": guest.name} for guest in wanted.guests],
        "guestsCanInviteOthers": False,
        "conferenceData": link_wanted(at.event_id),
    }


def moved(wanted: MeetingWanted) -> dict[str, Any]:
    """What another time changes."""
    zone = wanted.organiser.zone
    return {
        "status": "confirmed",
        "start": {"dateTime": text(wanted.starts_at), "timeZone": zone},
        "end": {"dateTime": text(wanted.ends_at), "timeZone": zone},
        "extendedProperties": {"private": {
            f"{OURS}Sequence": str(wanted.sequence), f"{OURS}Starts": text(wanted.starts_at), f"{OURS}Ends": text(wanted.ends_at),
        }},
    }  # fmt: skip


def link_wanted(request_id: str) -> dict[str, Any]:
    """A Meet link, the same one for the same request."""
    return {"createRequest": {"requestId": request_id, "conferenceSolutionKey": {"type": "hangoutsMeet"}}}


def link_refused(event: Mapping[str, Any]) -> str:
    """The id of the request for a link that Google could not fulfil; empty where none failed."""
    asked = event.get("conferenceData", {}).get("createRequest", {})
    return str(asked.get("requestId", "")) if asked.get("status", {}).get("statusCode") == "failure" else ""


def read(event: Mapping[str, Any], at: Reference) -> Meeting:
    """The meeting. Raises `Retryable` while Google still makes the link."""
    points = event.get("conferenceData", {}).get("entryPoints", ())
    link = event.get("hangoutLink") or next((point["uri"] for point in points if point.get("entryPointType") == "video"), "")
    if not link:
        raise Retryable("Google is still making the link", after=2)
    return Meeting(str(at), link, sequence_of(event))


def is_ours(event_id: str) -> bool:
    """Whether an event of this id can be one of ours: of others that are gone nothing but the id is known."""
    return re.fullmatch(f"{OURS[0]}[0-9a-f]{{64}}", event_id) is not None


def change_of(event: Mapping[str, Any], partner_id: UUID) -> Change | None:
    """What somebody else has made of the event: another time than the one that we have written there, or its end. None for what
    is as we left it, and for what is not ours.
    """
    if not is_ours(event["id"]):
        return None
    reference = str(Reference(partner_id, event["id"]))
    if event.get("status") == "cancelled":
        return Change(reference, None, None)
    ours, start, end = _private(event), event.get("start", {}).get("dateTime"), event.get("end", {}).get("dateTime")
    if f"{OURS}Starts" not in ours or start is None or end is None:
        return None
    stands = instant(start), instant(end)
    if stands == (instant(ours[f"{OURS}Starts"]), instant(ours[f"{OURS}Ends"])):
        return None
    return Change(reference, *stands)


def sequence_of(event: Mapping[str, Any]) -> int:
    """Ours, which we have written there; -1 where somebody has taken it off."""
    return int(_private(event).get(f"{OURS}Sequence", -1))


def _private(event: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = event.get("extendedProperties", {}).get("private", {})
    return found
