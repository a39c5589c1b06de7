"""Meetings in experts' own calendars, while these are connected, while they are not, and when that changes in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from fxo.core.calendars import looking
from fxo.core.calendars.queries import external_busy
from fxo.core.scope import CODE
from fxo.plugins.calendar_google.changes import Changes
from fxo.plugins.calendar_google.service import Service
from tests.emulators.google import Google
from tests.emulators.microsoft import Microsoft
from tests.support.calendars import GOOGLE, MICROSOFT, at_google, at_microsoft, connect
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def google() -> Iterator[Google]:
    made = Google()
    with made.running():
        yield made


@pytest.fixture
def told(databases: Any, google: Google) -> Iterator[Story]:
    """The tenant's meetings are in experts' Google calendars; Dana has connected hers, the others have not."""
    with story(databases, at_google(google)) as made:
        connect(GOOGLE, google.consent, made.partners["dana"], DANA_MAIL)
        yield made.reconfigured(providers={"calendars": [GOOGLE]})


def busy(told: Story, name: str = "dana") -> Any:
    """What is known of this expert's time, or None."""
    window = (told.now, told.now + 7 * DAY)
    partner_id = told.partners[name]
    return external_busy(told.parts.providers, told.config, [partner_id], window).get(partner_id)


def test_a_session_has_the_link_from_the_expert_s_calendar_and_one_entry_in_each(told: Story, google: Google) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(HOUR)
    event = google.event(DANA_MAIL)
    assert told.join_url(booked) == event["hangoutLink"]
    assert [guest["email"] for guest in event["attendees"]] == [CLIENT_MAIL]
    mails = told.mails("booking_confirmed")
    assert len(mails) == 2
    assert all(event["hangoutLink"] in mail.text and not mail.attachments for mail in mails), "Google has invited them"


def test_who_has_connected_nothing_meets_on_our_own_page_with_an_invitation(told: Story, google: Google) -> None:
    booked = told.book("kofi", told.ahead(3 * DAY).replace(hour=10))
    told.live(HOUR)
    assert str(told.join_url(booked)).startswith("http://meet.localhost")
    assert all(mail.attachments for mail in told.mails("booking_confirmed"))
    assert not google.calls("/events")


def test_a_session_that_moves_or_ends_does_so_in_the_calendar(told: Story, google: Google) -> None:
    booked = told.book("dana", told.ahead(3 * DAY))
    told.live(HOUR)
    link, to = told.join_url(booked), told.ahead(4 * DAY)
    told.move(booked, to)
    told.live(HOUR)
    event = google.event(DANA_MAIL)
    assert event["start"]["dateTime"] == to.isoformat().replace("+00:00", "Z")
    assert told.join_url(booked) == link
    told.cancel(booked)
    told.live(HOUR)
    assert google.event(DANA_MAIL)["status"] == "cancelled"


def test_once_access_is_taken_back_the_expert_is_told_once_and_sessions_go_on_by_mail_until_it_is_mended(
    told: Story, google: Google
) -> None:
    before = told.book("dana", told.ahead(2 * DAY))
    told.live(HOUR)
    link = told.join_url(before)
    google.consent.take_back(DANA_MAIL)

    meanwhile = told.book("dana", told.ahead(3 * DAY))
    told.live(HOUR)
    assert str(told.join_url(meanwhile)).startswith("http://meet.localhost")
    assert told.join_url(before) == link, "what was booked stays as it is"
    [notice] = told.rows("select state from work where kind = 'mail' and body ->> 'message' = 'calendar_broke_expert'")
    assert notice == ("done",)
    assert all(mail.attachments for mail in told.mails("booking_confirmed") if "meet.localhost" in mail.text)

    connect(GOOGLE, google.consent, told.partners["dana"], DANA_MAIL)
    mended = told.book("dana", told.ahead(4 * DAY))
    told.live(HOUR)
    assert str(told.join_url(mended)).startswith("https://meet.google.com")
    assert told.alarms() == []


def test_a_session_that_moves_out_of_a_calendar_we_cannot_reach_gets_another_link_and_both_hear_of_it(
    told: Story, google: Google
) -> None:
    booked = told.book("dana", told.ahead(3 * DAY))
    told.live(HOUR)
    google.consent.take_back(DANA_MAIL)
    told.move(booked, told.ahead(4 * DAY))
    told.live(HOUR)
    link = str(told.join_url(booked))
    assert link.startswith("http://meet.localhost")
    assert told.events(booked, "meeting") == ["meeting.created", "meeting.replaced"]
    followed = told.mails("link_ready")
    assert sorted(mail.to_address for mail in followed) == [DANA_MAIL, CLIENT_MAIL]
    assert all(link in mail.text and mail.attachments for mail in followed)


def test_a_session_that_ends_in_a_calendar_we_cannot_reach_has_ended(told: Story, google: Google) -> None:
    booked = told.book("dana", told.ahead(3 * DAY))
    told.live(HOUR)
    google.consent.take_back(DANA_MAIL)
    told.cancel(booked)
    told.live(HOUR)
    assert told.events(booked, "meeting") == ["meeting.created", "meeting.cancelled"]
    assert told.alarms() == []


def test_while_google_is_down_the_session_stands_and_its_link_follows(told: Story, google: Google) -> None:
    google.fail("/calendar/v3", times=4)
    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(21 * SECOND)
    assert told.state(booked) == "confirmed"
    assert told.join_url(booked) is None
    for _ in range(8):  # on a busy machine what has failed is not asked again within the same hour
        told.parts.providers.close()  # another process, whose breaker and pauses are its own
        told.live(HOUR)
    assert told.join_url(booked) == google.event(DANA_MAIL)["hangoutLink"]


# What is known of an expert's time (hard cases 10 and 11) --------------------------------------------------------------


def test_busy_is_what_the_connected_calendar_says(told: Story, google: Google) -> None:
    start = told.next_hour() + DAY
    google.account(DANA_MAIL).busy.append((start, start + HOUR))
    assert busy(told) == ((start, start + HOUR),)
    assert busy(told, "kofi") == (), "who has connected nothing is busy with what the platform knows"


def test_a_connected_calendar_that_cannot_be_read_is_unknown_and_not_free(told: Story, google: Google) -> None:
    google.fail("/freeBusy", times=5)
    assert busy(told) is None
    assert busy(told, "kofi") == ()


def test_a_broken_connection_leaves_a_day_to_mend_it_before_nothing_is_offered_any_more(told: Story, google: Google) -> None:
    google.consent.take_back(DANA_MAIL)
    assert busy(told) is None
    assert busy(told) == (), "it is known to be broken by now"
    told.rows("update calendar_connections set since = since - interval '25 hours' returning 1")
    assert busy(told) is None


# What experts change by hand (hard case 12) ----------------------------------------------------------------------------


def dragged(told: Story, google: Google, to: Any) -> None:
    """Dana drags the session to another time; then the calendars are looked at, as every few minutes."""
    google.edit(
        DANA_MAIL, google.event(DANA_MAIL)["id"], start={"dateTime": to.isoformat()}, end={"dateTime": (to + HOUR).isoformat()}
    )
    look(told)


def look(told: Story) -> None:
    told.run(CODE, looking.ask_soon)
    told.work()


def test_a_session_that_was_moved_by_hand_becomes_a_proposal_and_moves_once_the_client_agrees(
    told: Story, google: Google
) -> None:
    starts_at = told.ahead(3 * DAY)
    booked = told.book("dana", starts_at)
    told.live(HOUR)
    look(told)
    to = starts_at + 3 * HOUR
    dragged(told, google, to)
    assert told.rows("select starts_at, proposed from consultations") == [(starts_at, [to])]
    assert [mail.kind for mail in told.mails("calendar_")] == ["calendar_moved_partner"]
    assert [mail.to_address for mail in told.mails("move_proposed")] == [CLIENT_MAIL]
    look(told)
    assert len(told.mails("calendar_")) == 1

    told.move(booked, to)
    told.live(HOUR)
    assert google.event(DANA_MAIL)["extendedProperties"]["private"]["fxoSequence"] == "1"
    look(told)
    assert len(told.mails("calendar_")) == 1, "what we have written there ourselves is no change"


def test_a_session_whose_event_was_deleted_comes_back_with_the_next_move(databases: Any) -> None:
    """Microsoft names events itself, so it is another one, with another link that both are told."""
    microsoft = Microsoft()
    with microsoft.running(), story(databases, at_microsoft(microsoft)) as made:
        connect(MICROSOFT, microsoft.consent, made.partners["dana"], DANA_MAIL)
        told = made.reconfigured(providers={"calendars": [MICROSOFT]})
        booked = told.book("dana", told.ahead(3 * DAY))
        told.live(HOUR)
        look(told)
        first = microsoft.event(DANA_MAIL)
        assert told.join_url(booked) == first["onlineMeeting"]["joinUrl"]

        microsoft.delete(DANA_MAIL, first["id"])
        look(told)
        assert [mail.kind for mail in told.mails("calendar_")] == ["calendar_deleted_partner"]
        told.move(booked, told.ahead(4 * DAY))
        told.live(HOUR)
        link = microsoft.event(DANA_MAIL)["onlineMeeting"]["joinUrl"]
        assert told.join_url(booked) == link != first["onlineMeeting"]["joinUrl"]
        assert told.events(booked, "meeting") == ["meeting.created", "meeting.replaced"]
        assert all(link in mail.text and not mail.attachments for mail in told.mails("link_ready"))
        told.cancel(booked)
        told.live(HOUR)
        assert not microsoft.mailbox(DANA_MAIL).events


def test_a_session_that_was_moved_where_it_cannot_be_stays_and_its_expert_hears_of_it(told: Story, google: Google) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(HOUR)
    look(told)
    dragged(told, google, told.now - HOUR)
    assert told.events(booked, "consultation.move") == []
    assert [mail.kind for mail in told.mails("calendar_")] == ["calendar_stays_partner"]


def test_who_deletes_the_event_is_asked_once_what_is_meant_and_nothing_is_cancelled(told: Story, google: Google) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(HOUR)
    look(told)
    google.delete(DANA_MAIL, google.event(DANA_MAIL)["id"])
    for _ in range(2):
        look(told)
    [asked] = told.mails("calendar_deleted")
    assert asked.to_address == DANA_MAIL
    assert f"/sessions/{booked}/cancel" in asked.text
    assert told.state(booked) == "confirmed"


def test_a_notice_of_google_lets_the_calendars_be_looked_at_and_a_forged_one_does_not(told: Story, google: Google) -> None:
    told.book("dana", told.ahead(2 * DAY))
    told.live(HOUR)
    url, channel = f"http://hooks.localhost/{GOOGLE}", f"{told.config.id.hex}-{'0' * 30}"
    before = told.rows("select count(*) from work where kind = 'calendars.look'")
    assert told.outside(url, headers={"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": "guessed"}).status_code == 403
    assert told.rows("select count(*) from work where kind = 'calendars.look'") == before
    token = Changes(
        told.parts.providers.context(told.config, GOOGLE), Service(told.parts.providers.context(told.config, GOOGLE))
    )._sign(channel)
    given = {"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": token, "X-Goog-Resource-State": "exists"}
    assert told.outside(url, headers=given).status_code == 200
    assert told.rows("select count(*) from work where kind = 'calendars.look'") == [(before[0][0] + 1,)]
