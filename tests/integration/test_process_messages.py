"""Meetings, mails and reminders in hard weather: a calendar that is down, bookings that end, downtime."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from fxo.core.consultations import changes, model
from fxo.core.scope import CODE
from tests.support.plugins import Calendar
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, ics, story

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def moody(databases: Any, calendar: Calendar) -> Iterator[Story]:
    """The tenant's meetings are made by a calendar that is down."""
    with story(databases, calendar.plugin) as made:
        yield made.reconfigured(providers={"calendars": ["calendar_moody"]})


def cancel(told: Story, booked: UUID) -> None:
    def command(tx: Any) -> None:
        stream = tx.load(model.CONSULTATION, booked)
        tx.append((stream, changes.cancel(stream.state, changes.Cancel(model.Party.PARTNER, "ill"), tx.now)))

    told.run(CODE, command)


# The meeting (hard case 9) ------------------------------------------------------------------------------------------


def test_with_the_calendar_down_the_booking_stands_and_the_link_follows(moody: Story, calendar: Calendar) -> None:
    booked = moody.book("dana", moody.ahead(2 * DAY))
    moody.work()
    assert moody.state(booked) == "confirmed"
    assert moody.mails() == []
    assert moody.join_url(booked) is None

    # The mail does not wait for the link, and invents none.
    moody.live(21 * SECOND)
    assert sorted(moody.kinds()) == ["booking_confirmed_client", "booking_confirmed_partner"]
    for message in moody.mails():
        assert "Meeting link: Follows by mail" in message.text
        assert "Join:" not in message.text + message.html
        event = ics(message)
        assert "location" not in event
        assert "url" not in event
        assert "Join" not in event["description"]

    # The link follows by mail, once for each, under the same UID.
    moody.live(HOUR)
    assert moody.join_url(booked) is None
    assert moody.mails("link_ready") == []
    calendar.down = False
    moody.live(HOUR)
    link = moody.join_url(booked)
    assert link == f"https://moody.example/{calendar.calls[0]}"
    followed = moody.mails("link_ready")
    assert sorted(message.to_address for message in followed) == [DANA_MAIL, CLIENT_MAIL]
    for message in followed:
        assert f"Join: {link}" in message.text
        assert ics(message)["location"] == link
        assert ics(message)["uid"] == f"{booked}@fxo"
    moody.live(HOUR)
    assert len(moody.mails("link_ready")) == 2
    assert moody.alarms() == []
    assert set(calendar.calls) == {calendar.calls[0]}, "every try is for the same meeting"


def test_without_a_link_two_hours_before_the_next_calendar_makes_it_and_a_person_is_called(
    moody: Story, calendar: Calendar
) -> None:
    starts_at = moody.ahead(2 * DAY)
    booked = moody.book("dana", starts_at)
    moody.live_until(starts_at - 2 * HOUR - MINUTE)
    assert moody.join_url(booked) is None
    moody.live_until(starts_at - 2 * HOUR + SECOND)
    assert moody.rows("select provider from meetings") == [("calendar_local",)]
    assert moody.alarms() == ["meeting.no_link"]
    moody.live_until(starts_at)
    assert moody.events(booked, "meeting") == ["meeting.created"]
    assert "Join: http://meet.localhost" in moody.mails("reminder_1h_client")[0].text
    assert moody.alarms() == ["meeting.no_link"]


def test_a_link_that_is_there_in_time_goes_with_the_confirmation_and_not_again(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(HOUR)
    assert told.mails("link_ready") == []
    for message in told.mails("booking_confirmed"):
        assert f"Join: {told.join_url(booked)}" in message.text


def test_the_meeting_of_a_cancelled_booking_goes_and_both_calendars_are_told(moody: Story, calendar: Calendar) -> None:
    calendar.down = False
    booked = moody.book("dana", moody.ahead(2 * DAY))
    moody.work()
    cancel(moody, booked)
    moody.work()
    assert moody.events(booked, "meeting") == ["meeting.created", "meeting.cancelled"]
    assert calendar.calls[-1] == f"cancel {calendar.calls[0]}"
    assert moody.join_url(booked) is None
    for message in moody.mails("booking_cancelled"):
        event = ics(message)
        assert event["status"] == "CANCELLED"
        assert event["uid"] == f"{booked}@fxo"
        assert event["sequence"] > ics(moody.mails("booking_confirmed")[0])["sequence"]
        assert "method=CANCEL" in message.attachments[0].content_type


def test_a_meeting_that_is_made_after_its_booking_was_cancelled_goes_again(moody: Story, calendar: Calendar) -> None:
    booked = moody.book("dana", moody.ahead(2 * DAY))
    moody.work()
    cancel(moody, booked)
    calendar.down = False
    moody.live(HOUR)
    assert moody.join_url(booked) is None
    assert len(calendar.calls) == 1
    assert sorted(moody.kinds()) == ["booking_cancelled_client", "booking_cancelled_partner"]


# Reminders (hard case 19) -------------------------------------------------------------------------------------------


def test_a_session_booked_inside_a_day_has_no_reminder_for_tomorrow(told: Story) -> None:
    starts_at = told.ahead(20 * HOUR)
    told.book("dana", starts_at)
    told.live_until(starts_at)
    assert told.kinds(CLIENT_MAIL) == ["booking_confirmed_client", "reminder_1h_client"]
    assert told.kinds(DANA_MAIL) == ["booking_confirmed_partner", "reminder_1h_partner"]


def test_nobody_is_reminded_of_a_cancelled_booking(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live(HOUR)
    cancel(told, booked)
    told.live_until(starts_at + HOUR)
    assert told.kinds(CLIENT_MAIL) == ["booking_confirmed_client", "booking_cancelled_client"]
    assert told.state(booked) == "cancelled"


@pytest.mark.parametrize(
    ("before_start", "still_sent"),
    [(13 * HOUR, ["reminder_24h"]), (11 * HOUR, []), (30 * MINUTE, ["reminder_1h"]), (-MINUTE, [])],
)
def test_after_downtime_a_late_reminder_is_sent_only_while_it_is_of_use(
    told: Story, before_start: timedelta, still_sent: list[str]
) -> None:
    starts_at = told.ahead(3 * DAY)
    told.book("dana", starts_at)
    told.work()
    told.sleep_until(starts_at - before_start)
    told.work()
    reminders = [kind for kind in told.kinds(CLIENT_MAIL) if kind.startswith("reminder")]
    assert reminders == [f"{kind}_client" for kind in still_sent]


def test_each_reminder_is_sent_once(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    told.book("dana", starts_at)
    told.live_until(starts_at)
    told.rows("update work set state = 'due' where kind = 'mail' returning id")
    told.work()
    assert sorted(told.kinds()) == sorted(
        f"{kind}_{reader}" for kind in ("booking_confirmed", "reminder_24h", "reminder_1h") for reader in ("client", "partner")
    )
