"""A meeting as an event in the expert's own Outlook calendar: how it is asked for, found again, and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from fxo.core.calendars.port import Meeting, MeetingWanted
from fxo.core.errors import Retryable

OURS = "String {6f3f2f0a-5d0b-4c53-9a1e-3f1c5f8f7a10} Name "
"""Properties of the event that only applications see, under a name space of our own."""
MARK, SEQUENCE = OURS + "fxoMark", OURS + "fxoSequence"
SHOWN = f"singleValueExtendedProperties($filter=id eq '{MARK}' or id eq '{SEQUENCE}')"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a meeting is: whose calendar, which event. The event's id is Graph's."""

    partner_id: UUID
    event_id: str

    @classmethod
    def parse(cls, said: str) -> Reference:
        partner_id, _, event_id = said.partition("/")
        return cls(UUID(partner_id), event_id)

    def __str__(self) -> str:
        return f"{self.partner_id}/{self.event_id}"


def mark_of(wanted: MeetingWanted, prefix: str, *, anew: bool = False) -> str:
    """What the event of this meeting is found by, and what Graph knows a second request for it by; another one where it was
    deleted and is made anew, since Graph does not take an id twice.
    """
    again = f"/{wanted.sequence}" if anew else ""
    return "fxo-" + sha256(f"{prefix}{wanted.reference}{again}".encode()).hexdigest()


def body(wanted: MeetingWanted, mark: str) -> dict[str, Any]:
    """The event as Graph is asked for it; Graph invites the guests itself."""
    changed = moved(wanted)
    return {
        "subject": wanted.title,
        "body": {"contentType": "text", "content": wanted.description},
        **changed,
        "singleValueExtendedProperties": [*changed["singleValueExtendedProperties"], {"id": MARK, "value": mark}],
        "attendees": [
            {"emailAddress": {"address": guest.email, "name": guest.name}, "type": "required"} for guest in wanted.guests
        ],
        "allowNewTimeProposals": False,
        "isOnlineMeeting": True,
        "onlineMeetingProvider": "teamsForBusiness",
        "transactionId": mark,
    }


def moved(wanted: MeetingWanted) -> dict[str, Any]:
    """What another time changes."""
    return {
        "start": time(wanted.starts_at),
        "end": time(wanted.ends_at),
        "singleValueExtendedProperties": [{"id": SEQUENCE, "value": str(wanted.sequence)}],
    }


def read(event: Mapping[str, Any], partner_id: UUID) -> Meeting:
    """The meeting. Raises `Retryable` while Teams still makes the link."""
    link = (event.get("onlineMeeting") or {}).get("joinUrl")
    if not link:
        raise Retryable("Teams is still making the link", after=2)
    return Meeting(str(Reference(partner_id, event["id"])), link, sequence_of(event))


def sequence_of(event: Mapping[str, Any]) -> int:
    """Ours, which we have written there; -1 where it is not there."""
    found = {one["id"]: one["value"] for one in event.get("singleValueExtendedProperties", ())}
    return int(found.get(SEQUENCE, -1))


def time(at: datetime) -> dict[str, str]:
    """A time as Graph takes it: without an offset, beside its zone."""
    return {"dateTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}


def instant(said: Mapping[str, str]) -> datetime:
    """A time of Graph's, which we ask for in UTC; it writes seven digits of fractions."""
    return datetime.fromisoformat(said["dateTime"][:19]).replace(tzinfo=UTC)
