"""Invitations as .ics files (RFC 5545, RFC 5546), which every calendar understands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from icalendar import Calendar, Event, vCalAddress, vText

from fxo.core.calendars.port import Attendee, MeetingWanted

_INVITED = {
    "CUTYPE": vText("INDIVIDUAL"), "ROLE": vText("REQ-PARTICIPANT"), "PARTSTAT": vText("NEEDS-ACTION"), "RSVP": vText("TRUE"),
}  # fmt: skip


def invitation(
    wanted: MeetingWanted, method: Literal["REQUEST", "CANCEL"] = "REQUEST", join_url: str | None = None, *, now: datetime
) -> bytes:
    """The meeting as an iTIP message in UTC; the UID stays for life, and a calendar takes the highest SEQUENCE.

    Without a link yet, the invitation goes out without one (hard case 9). `now` is when it is written (DTSTAMP).
    """
    event = Event()
    event.add("uid", wanted.uid)
    event.add("sequence", wanted.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", wanted.starts_at.astimezone(UTC))
    event.add("dtend", wanted.ends_at.astimezone(UTC))
    event.add("summary", wanted.title)
    event.add("description", "\n\n".join(part for part in (wanted.description, join_url and f"Join: {join_url}") if part))
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if method == "CANCEL" else "OPAQUE")
    event["organizer"] = _person(wanted.organiser)
    if join_url:
        event.add("location", join_url)
        event.add("url", join_url)
    for guest in wanted.guests:
        person = _person(guest)
        person.params.update(_INVITED)
        event.add("attendee", person, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//fxo//sessions//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _person(attendee: Attendee) -> vCalAddress:
    person = vCalAddress(f"mailto:{attendee.email}")
    person.params["CN"] = vText(attendee.name)
    return person
