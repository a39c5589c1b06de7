"""Invitations, read back as a calendar reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from fxo.core.calendars.ics import invitation
from fxo.core.calendars.port import Attendee, MeetingWanted

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STARTS = datetime(2026, 3, 29, 8, 0, tzinfo=UTC)
WANTED = MeetingWanted(
    reference="consultation-1",
    partner_id=UUID("019a7c11-4e00-7000-8000-0000000000d1"),
    uid="consultation-1@fxo.example",
    sequence=0,
    title="CISO session; with Ada, and more",
    description="Your brief: line one\nline two",
    starts_at=STARTS,
    ends_at=STARTS + timedelta(hours=1),
    organiser=Attendee("fxo", "sessions@fxo.example", "UTC"),
    guests=(Attendee("Ada Lovelace", "ada@example.com", "Europe/London"), Attendee('Bo "B" Doe', "bo@example.com", "UTC")),
)


def parsed(data: bytes) -> tuple[Any, Any]:
    calendar = Calendar.from_ical(data)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def test_an_invitation_has_the_uid_the_sequence_and_both_times_in_utc() -> None:
    calendar, event = parsed(invitation(WANTED, now=NOW))
    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (WANTED.uid, 0, "CONFIRMED")
    assert (event.decoded("DTSTART"), event.decoded("DTEND"), event.decoded("DTSTAMP")) == (STARTS, WANTED.ends_at, NOW)
    assert b"DTSTART:20260329T080000Z" in invitation(WANTED, now=NOW)


def test_times_given_in_another_zone_are_the_same_instants() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    there = replace(WANTED, starts_at=STARTS.astimezone(kathmandu), ends_at=WANTED.ends_at.astimezone(kathmandu))
    assert invitation(there, now=NOW) == invitation(WANTED, now=NOW)


def test_the_organiser_and_every_guest_are_named() -> None:
    _, event = parsed(invitation(WANTED, now=NOW))
    assert event["ORGANIZER"] == "mailto:sessions@fxo.example"
    assert [str(guest) for guest in event["ATTENDEE"]] == ["mailto:ada@example.com", "mailto:bo@example.com"]
    assert event["ATTENDEE"][0].params["CN"] == "Ada Lovelace"
    assert event["ATTENDEE"][0].params["RSVP"] == "TRUE"


def test_one_guest_alone_is_named_too() -> None:
    _, event = parsed(invitation(replace(WANTED, guests=WANTED.guests[:1]), now=NOW))
    assert event["ATTENDEE"] == "mailto:ada@example.com"


def test_the_link_is_there_once_it_exists_and_never_invented() -> None:
    _, without = parsed(invitation(WANTED, now=NOW))
    _, with_link = parsed(invitation(WANTED, join_url="https://meet.example/abc", now=NOW))
    assert "LOCATION" not in without and "URL" not in without
    assert with_link["LOCATION"] == with_link["URL"] == "https://meet.example/abc"
    assert "https://meet.example/abc" in with_link["DESCRIPTION"]


def test_moving_keeps_the_uid_and_raises_the_sequence() -> None:
    moved = replace(WANTED, sequence=1, starts_at=STARTS + timedelta(days=1), ends_at=WANTED.ends_at + timedelta(days=1))
    _, event = parsed(invitation(moved, now=NOW))
    assert (event["UID"], event["SEQUENCE"]) == (WANTED.uid, 1)


def test_a_cancellation_frees_the_time() -> None:
    calendar, event = parsed(invitation(replace(WANTED, sequence=2), "CANCEL", now=NOW))
    assert (calendar["METHOD"], event["STATUS"], event["TRANSP"]) == ("CANCEL", "CANCELLED", "TRANSPARENT")


def test_special_characters_come_back_as_they_were() -> None:
    _, event = parsed(invitation(WANTED, now=NOW))
    assert event["SUMMARY"] == WANTED.title
    assert event["DESCRIPTION"] == WANTED.description


@pytest.mark.parametrize("name", ["Bo\r\nATTENDEE:mailto:eve@evil.example", "Bo\nX-EVIL:1", 'a"b;c:d,e', "李 🎉"])
def test_no_name_adds_a_property(name: str) -> None:
    wanted = replace(WANTED, title=name, guests=(Attendee(name, "bo@example.com", "UTC"),))
    _, event = parsed(invitation(wanted, now=NOW))
    assert event["ATTENDEE"] == "mailto:bo@example.com"
    assert "X-EVIL" not in event


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_a_strict_reader_finds_what_the_standard_asks_for(method: Any) -> None:
    """RFC 5545 (lines, required properties) and RFC 5546 (a request and its cancellation name who calls and who comes)."""
    long = replace(WANTED, title="Ein sehr langer Titel über Wiederanlauf und Notfallübungen 李 " * 4)
    data = invitation(long, method, "https://meet.example/" + "a" * 90, now=NOW)
    lines = data.split(b"\r\n")
    assert lines[-1] == b"" and b"\n" not in b"".join(lines) and all(len(line) <= 75 for line in lines)
    assert lines[0] == b"BEGIN:VCALENDAR" and lines[-2] == b"END:VCALENDAR"
    data.decode("utf-8")
    calendar, event = parsed(data)
    assert {"PRODID", "VERSION", "METHOD", "CALSCALE"} <= set(calendar)
    assert {"UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "ORGANIZER", "ATTENDEE", "STATUS"} <= set(event)
    for once in (b"\r\nUID:", b"\r\nSEQUENCE:", b"\r\nDTSTAMP:", b"\r\nMETHOD:", b"\r\nSTATUS:"):
        assert data.count(once) == 1
    assert event["ORGANIZER"].params["CN"] == "fxo"
    assert {guest.params["CUTYPE"] for guest in event["ATTENDEE"]} == {"INDIVIDUAL"}
