"""Google Calendar against the calendar port, over real HTTP at an emulator; and what only a calendar outside can do to us."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import pytest

from fxo import platform
from fxo.app import create_app
from fxo.core.calendars import connections
from fxo.core.calendars.connections import of_partner
from fxo.core.calendars.consent import Tokens
from fxo.core.calendars.port import Change, MeetingWanted
from fxo.core.errors import Declined, Misconfigured, NotConnected, Retryable, Unavailable
from fxo.core.ids import new_id
from fxo.core.plugins import ProviderContext
from fxo.core.plugins.context import Urls
from fxo.core.scope import CODE, TenantConfig, partner_scope, system_scope
from fxo.plugins.calendar_google.provider import GoogleCalendar
from fxo.testing import CalendarContract
from fxo.testing.calendars import HOUR, STARTS, new_meeting
from tests.conftest import Databases, add_partners, add_tenant, running
from tests.emulators.google import Google
from tests.emulators.serving import Fault
from tests.support.calendars import GOOGLE, at_google, connect

WEEK = (STARTS - timedelta(days=1), STARTS + timedelta(days=6))
DANA, INES = "dana@partners.example", "ines@partners.example"


@pytest.fixture
def google() -> Iterator[Google]:
    made = Google()
    with made.running():
        yield made


@pytest.fixture
def people(google: Google, databases: Databases) -> Iterator[dict[str, UUID]]:
    """Three partners by a short name; Dana and Ines have connected their calendars, Kofi has not."""
    settings = databases.make()
    for _ in running(create_app(settings, extra_plugins=(at_google(google),))):
        found = add_partners()
        connect(GOOGLE, google.consent, found["dana"], DANA)
        connect(GOOGLE, google.consent, found["ines"], INES)
        yield found
    databases.drop(settings)


@pytest.fixture
def tenant(people: dict[str, UUID]) -> TenantConfig:
    return add_tenant("fortium", "Fortium", 80_000, list(people.values()))


@pytest.fixture
def own(tenant: TenantConfig) -> ProviderContext:
    return platform.current().providers.context(tenant, GOOGLE)


@pytest.fixture
def provider(own: ProviderContext) -> GoogleCalendar:
    return GoogleCalendar(own)


@pytest.fixture
def partners(people: dict[str, UUID]) -> list[UUID]:
    return [people["dana"], people["ines"]]


@pytest.fixture
def wanted(people: dict[str, UUID]) -> MeetingWanted:
    return new_meeting(people["dana"])


def beside(own: ProviderContext, **values: Any) -> ProviderContext:
    """The same context but for these, over the same line."""
    made = replace(own, **values)
    vars(made)["http"] = own.http
    return made


def state_of(partner_id: UUID) -> str:
    with platform.current().store.transaction(partner_scope(partner_id), CODE) as tx:
        return str(of_partner(tx, partner_id)[GOOGLE].state)


class TestCalendarGoogle(CalendarContract):
    @pytest.fixture
    def provider(self, own: ProviderContext) -> GoogleCalendar:
        return GoogleCalendar(own)

    @pytest.fixture
    def partners(self, people: dict[str, UUID]) -> list[UUID]:
        return [people["dana"], people["ines"]]

    @pytest.fixture
    def stranger(self, people: dict[str, UUID]) -> UUID:
        return people["kofi"]


# Meetings ------------------------------------------------------------------------------------------------------------


def test_the_event_stands_in_the_expert_s_own_calendar_with_the_client_invited(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    event = google.event(DANA)
    assert meeting.join_url == event["hangoutLink"]
    assert event["summary"] == wanted.title
    assert [guest["email"] for guest in event["attendees"]] == [guest.email for guest in wanted.guests]
    assert event["start"] == {"dateTime": "2030-05-06T14:00:00Z", "timeZone": "UTC"}
    assert google.mails == [("invited", event["id"], guest.email) for guest in wanted.guests]
    assert not google.account(INES).events


def test_an_answer_that_was_lost_makes_no_second_event(provider: GoogleCalendar, google: Google, wanted: MeetingWanted) -> None:
    google.drop("POST /calendar/v3/calendars/primary/events", done=True)
    with pytest.raises(Unavailable):
        provider.create_meeting(wanted)
    meeting = provider.create_meeting(wanted)
    assert meeting.join_url == google.event(DANA)["hangoutLink"]
    assert len(google.mails) == len(wanted.guests), "nobody is invited twice"


def test_another_process_makes_the_same_event(
    own: ProviderContext, provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    assert GoogleCalendar(own).create_meeting(wanted) == provider.create_meeting(wanted)
    assert google.event(DANA)["status"] == "confirmed"


def test_two_tenants_with_the_same_reference_have_two_events(
    provider: GoogleCalendar, people: dict[str, UUID], google: Google, wanted: MeetingWanted
) -> None:
    other = add_tenant("globex", "Globex", 72_000, list(people.values()))
    GoogleCalendar(platform.current().providers.context(other, GOOGLE)).create_meeting(wanted)
    provider.create_meeting(wanted)
    assert len(google.account(DANA).events) == 2


def test_a_moved_meeting_is_the_same_event_and_its_guests_are_told_once(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    later = replace(wanted, sequence=1, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR)
    for _ in range(3):
        provider.move_meeting(meeting.reference, later)
    assert google.event(DANA)["start"]["dateTime"] == "2030-05-06T15:00:00Z"
    assert [what for what, _, _ in google.mails] == ["invited"] * 2 + ["updated"] * 2


def test_an_older_sequence_that_comes_late_moves_nothing(provider: GoogleCalendar, google: Google, wanted: MeetingWanted) -> None:
    meeting = provider.create_meeting(replace(wanted, sequence=2, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR))
    assert provider.move_meeting(meeting.reference, wanted).sequence == 2
    assert google.event(DANA)["start"]["dateTime"] == "2030-05-06T15:00:00Z"


def test_a_cancelled_meeting_is_cancelled_for_its_guests(provider: GoogleCalendar, google: Google, wanted: MeetingWanted) -> None:
    meeting = provider.create_meeting(wanted)
    for _ in range(2):
        provider.cancel_meeting(meeting.reference)
    assert google.event(DANA)["status"] == "cancelled"
    assert [what for what, _, _ in google.mails].count("cancelled") == 2, "each of the two guests, once"


def test_a_meeting_that_google_has_forgotten_is_gone_and_cancelling_it_is_success(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    google.account(DANA).events.clear()
    provider.cancel_meeting(meeting.reference)


def test_a_deleted_event_that_is_wanted_again_comes_back(provider: GoogleCalendar, google: Google, wanted: MeetingWanted) -> None:
    meeting = provider.create_meeting(wanted)
    google.delete(DANA, google.event(DANA)["id"])
    later = replace(wanted, sequence=1, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR)
    assert provider.move_meeting(meeting.reference, later).join_url == meeting.join_url
    assert google.event(DANA)["status"] == "confirmed"


def test_a_link_that_google_still_makes_is_waited_for_and_not_invented(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    google.links_take = 2
    for _ in range(2):
        with pytest.raises(Retryable) as waits:
            provider.create_meeting(wanted)
        assert not isinstance(waits.value, Unavailable)
    assert provider.create_meeting(wanted).join_url == google.event(DANA)["hangoutLink"]


def test_a_link_that_google_could_not_make_is_asked_for_again(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    google.links_fail = 1
    assert provider.create_meeting(wanted).join_url == google.event(DANA)["hangoutLink"]


# Busy times ----------------------------------------------------------------------------------------------------------


def test_busy_times_of_all_are_one_call_in_utc(provider: GoogleCalendar, google: Google, partners: Sequence[UUID]) -> None:
    google.account(DANA).busy.append((STARTS, STARTS + HOUR))
    google.account(INES).busy.append((STARTS - timedelta(days=30), STARTS - timedelta(days=29)))
    answer = provider.busy_times(partners, WEEK)
    assert dict(answer.busy) == {partners[0]: ((STARTS, STARTS + HOUR),), partners[1]: ()}
    assert answer.busy[partners[0]][0][0].tzinfo is UTC
    assert len(google.calls("/batch/calendar/v3")) == 1
    assert len([one for one in google.calls("/calendar/v3/freeBusy") if one.path.startswith("/calendar")]) == 2

    provider.busy_times(partners, (STARTS, STARTS + HOUR))
    assert len(google.calls("/batch/calendar/v3")) == 1, "what was read a moment ago is given again"


def test_a_meeting_of_ours_is_busy_at_once(provider: GoogleCalendar, partners: Sequence[UUID], wanted: MeetingWanted) -> None:
    assert provider.busy_times(partners, WEEK).busy[partners[0]] == ()
    provider.create_meeting(wanted)
    assert provider.busy_times(partners, WEEK).busy[partners[0]] == ((STARTS, STARTS + HOUR),)


def test_while_google_is_down_the_last_answer_stands_and_keeps_its_age(
    people: dict[str, UUID], tenant: TenantConfig, own: ProviderContext, google: Google, partners: Sequence[UUID]
) -> None:
    at = [own.system_clock()]
    provider = GoogleCalendar(beside(own, system_clock=lambda: at[0]))
    first = provider.busy_times(partners, WEEK)
    google.fail("/batch", times=9)
    google.fail("/freeBusy", times=9)
    at[0] += timedelta(minutes=10)
    again = provider.busy_times(partners, WEEK)
    assert (again.busy, again.as_of) == (first.busy, first.as_of)
    at[0] += timedelta(minutes=5)
    assert not provider.busy_times(partners, WEEK).busy, "older than a quarter of an hour is unknown, and unknown is not free"


def test_a_page_does_not_wait_for_a_google_that_hangs(own: ProviderContext, google: Google, partners: Sequence[UUID]) -> None:
    at, gate = [own.system_clock()], threading.Event()
    provider = GoogleCalendar(beside(own, system_clock=lambda: at[0]))
    first = provider.busy_times(partners, WEEK)
    google.faults.append(Fault("/batch", gate=gate))
    at[0] += timedelta(minutes=5)
    begun = time.monotonic()
    assert provider.busy_times(partners, WEEK).busy == first.busy, "the last answer stands in"
    assert time.monotonic() - begun < 4
    gate.set()


def test_a_calendar_that_cannot_be_read_is_unknown_and_the_others_are_not(
    provider: GoogleCalendar, google: Google, partners: Sequence[UUID]
) -> None:
    google.account(DANA).closed = True
    assert set(provider.busy_times(partners, WEEK).busy) == {partners[1]}


# Back-off ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (429, "rateLimitExceeded")]
)
def test_a_rate_limit_is_waited_out_as_long_as_google_says(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted, status: int, reason: str
) -> None:
    google.fail("POST /calendar/v3/calendars", status, reason, Retry_After="30")
    with pytest.raises(Retryable) as refusal:
        provider.create_meeting(wanted)
    assert refusal.value.after == 30
    assert not isinstance(refusal.value, Unavailable), "Google answers; the breaker stays closed"
    asked = len(google.asked)
    with pytest.raises(Retryable) as left:
        provider.create_meeting(wanted)
    assert 29 < left.value.after <= 30
    assert len(google.asked) == asked, "it is not even asked"


def test_without_a_word_from_google_each_pause_is_longer(own: ProviderContext, google: Google, wanted: MeetingWanted) -> None:
    provider = GoogleCalendar(own)
    seconds = [0.0]
    provider._service.pauses._clock = lambda: seconds[0]
    pauses = []
    google.fail("POST /calendar/v3/calendars", 503, times=4)
    for _ in range(4):
        with pytest.raises(Unavailable) as failure:
            provider.create_meeting(wanted)
        pauses.append(failure.value.after)
        seconds[0] += failure.value.after
    assert [int(pause) // 2**n for n, pause in enumerate(pauses)] == [1, 1, 1, 1], pauses
    provider.create_meeting(wanted)
    assert provider._service.pauses.left(wanted.partner_id) == 0


def test_one_person_s_limit_is_not_another_s(provider: GoogleCalendar, google: Google, partners: Sequence[UUID]) -> None:
    google.fail("POST /calendar/v3/calendars", 429, "rateLimitExceeded", Retry_After="30")
    with pytest.raises(Retryable):
        provider.create_meeting(new_meeting(partners[0]))
    assert provider.create_meeting(new_meeting(partners[1])).join_url


def test_an_interface_that_is_switched_off_is_the_administrator_s(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    google.fail("POST /calendar/v3/calendars", 403, "accessNotConfigured")
    with pytest.raises(Misconfigured) as refusal:
        provider.create_meeting(wanted)
    assert refusal.value.field == "client_id"


# What was allowed ------------------------------------------------------------------------------------------------------


def test_who_has_connected_nothing_is_said_to_be_so(provider: GoogleCalendar, google: Google, people: dict[str, UUID]) -> None:
    with pytest.raises(NotConnected):
        provider.create_meeting(new_meeting(people["kofi"]))
    assert not provider.busy_times([people["kofi"]], WEEK).busy
    assert not google.asked


def test_a_token_that_ended_early_is_renewed_and_nobody_notices(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    google.consent.expire(DANA)
    assert provider.create_meeting(wanted).join_url
    assert len(google.calls("/token")) == 1
    assert state_of(wanted.partner_id) == "works"


def test_in_a_call_for_many_only_the_ended_token_is_renewed(
    provider: GoogleCalendar, google: Google, partners: Sequence[UUID]
) -> None:
    google.consent.expire(INES)
    assert set(provider.busy_times(partners, WEEK).busy) == set(partners)
    assert len(google.calls("/token")) == 1


def test_access_that_was_taken_back_breaks_the_connection_once(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    google.consent.take_back(DANA)
    for _ in range(2):
        with pytest.raises(NotConnected):
            provider.create_meeting(wanted)
    assert state_of(wanted.partner_id) == "broken"
    assert len(google.calls("/token")) == 1, "a broken connection is not tried again"


def test_while_nobody_issues_tokens_the_connection_stands(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    google.consent.expire(DANA)
    google.fail("/token")
    with pytest.raises(Unavailable):
        provider.create_meeting(wanted)
    assert state_of(wanted.partner_id) == "works"
    assert provider.create_meeting(wanted).join_url


def test_a_token_that_ends_soon_serves_while_nobody_issues_another(
    own: ProviderContext, google: Google, wanted: MeetingWanted
) -> None:
    said = google.consent.allow(DANA)
    soon = Tokens(said["access_token"], said["refresh_token"], own.system_clock() + timedelta(seconds=60))
    platform.current().store.run(system_scope("connections"), CODE, connections.keep, wanted.partner_id, GOOGLE, soon)
    google.fail("/token")
    assert GoogleCalendar(own).create_meeting(wanted).join_url
    assert len(google.calls("/token")) == 1
    assert GoogleCalendar(own).create_meeting(wanted).join_url
    assert len(google.calls("/token")) == 2, "it is renewed as soon as that works"


def test_a_scope_that_is_missing_breaks_the_connection(provider: GoogleCalendar, google: Google, wanted: MeetingWanted) -> None:
    (grant,) = (one for one in google.consent.grants if one.person == DANA)
    grant.scopes = frozenset()
    with pytest.raises(NotConnected):
        provider.create_meeting(wanted)
    assert state_of(wanted.partner_id) == "broken"


def test_no_token_and_no_person_stands_in_a_log_an_error_or_an_event(
    own: ProviderContext, google: Google, wanted: MeetingWanted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[Any] = []
    google.fail("POST /calendar/v3/calendars", 500)
    for act in (google.consent.expire, google.consent.take_back):
        act(DANA)
        with pytest.raises((Unavailable, NotConnected)) as failure:
            GoogleCalendar(own).create_meeting(wanted)
        texts.append(str(failure.value))
    connection = platform.current().store
    with connection.transaction(partner_scope(wanted.partner_id), CODE) as tx:
        texts += tx.driver.execute("select data::text, meta::text from events").fetchall()
    said = f"{texts} {caplog.text}"
    for secret in ("access-", "renewal-", "a client secret", "ada@", "bo@acme", wanted.title):
        assert secret not in said


def test_what_is_kept_is_sealed(people: dict[str, UUID]) -> None:
    with platform.current().store.transaction(system_scope("connections"), CODE) as tx:
        kept = [bytes(row[0]) for row in tx.driver.execute("select sealed from calendar_tokens").fetchall()]
    assert len(kept) == 2
    assert not any(word in sealed for sealed in kept for word in (b"access", b"renewal"))


def test_somebody_nobody_knows_is_no_one_s_partner(provider: GoogleCalendar) -> None:
    with pytest.raises(NotConnected):
        provider.create_meeting(new_meeting(new_id()))


# What people change by hand --------------------------------------------------------------------------------------------


def by_hand(google: Google, event_id: str, hours: int = 3) -> None:
    """Dana drags the event to another hour."""
    start = (STARTS + hours * HOUR).isoformat()
    end = (STARTS + (hours + 1) * HOUR).isoformat()
    google.edit(DANA, event_id, start={"dateTime": start}, end={"dateTime": end})


def test_an_event_that_was_dragged_elsewhere_comes_back_with_its_time(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    _, cursor = provider.changes_since(None)
    by_hand(google, google.event(DANA)["id"])
    changes, cursor = provider.changes_since(cursor)
    assert changes == [Change(meeting.reference, STARTS + 3 * HOUR, STARTS + 4 * HOUR)]
    assert provider.changes_since(cursor)[0] == []


def test_an_event_that_was_deleted_by_hand_comes_back_without_a_time(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    _, cursor = provider.changes_since(None)
    google.delete(DANA, google.event(DANA)["id"])
    assert provider.changes_since(cursor)[0] == [Change(meeting.reference, None, None)]


def test_another_title_or_another_event_is_nobody_s_business(
    provider: GoogleCalendar, google: Google, wanted: MeetingWanted
) -> None:
    provider.create_meeting(wanted)
    _, cursor = provider.changes_since(None)
    event = google.event(DANA)
    google.edit(DANA, event["id"], summary="Sounding board")
    private = {"status": "confirmed", "summary": "Dentist", "start": event["start"], "end": event["end"]}
    google.account(DANA).events["dentist"] = {"id": "dentist"} | private
    google.edit(DANA, "dentist")
    assert provider.changes_since(cursor)[0] == []
    assert all("summary" not in asked.query["fields"] for asked in google.calls("GET /calendar/v3/calendars/primary/events"))


def test_a_sync_token_that_is_too_old_loses_nothing(provider: GoogleCalendar, google: Google, partners: Sequence[UUID]) -> None:
    first, second, third = (provider.create_meeting(new_meeting(partners[0])) for _ in range(3))
    ids = [meeting.reference.partition("/")[2] for meeting in (first, second, third)]
    _, cursor = provider.changes_since(None)
    by_hand(google, ids[0])
    google.delete(DANA, ids[1])
    provider.cancel_meeting(third.reference)
    google.account(DANA).forgotten = 99
    google.page = 2
    changes, cursor = provider.changes_since(cursor)
    assert changes == [Change(first.reference, STARTS + 3 * HOUR, STARTS + 4 * HOUR), Change(second.reference, None, None)]
    google.account(DANA).forgotten = 0
    assert provider.changes_since(cursor)[0] == []


def test_changes_come_over_several_pages(provider: GoogleCalendar, google: Google, partners: Sequence[UUID]) -> None:
    meetings = [provider.create_meeting(new_meeting(partners[0])) for _ in range(5)]
    _, cursor = provider.changes_since(None)
    google.page = 2
    for meeting in meetings:
        by_hand(google, meeting.reference.partition("/")[2])
    changes, _ = provider.changes_since(cursor)
    assert {change.reference for change in changes} == {meeting.reference for meeting in meetings}


def test_who_cannot_be_asked_keeps_their_place_and_stops_nobody(
    provider: GoogleCalendar, google: Google, partners: Sequence[UUID], wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    _, cursor = provider.changes_since(None)
    by_hand(google, google.event(DANA)["id"])
    google.consent.expire(DANA)
    google.fail("/token")
    changes, cursor = provider.changes_since(cursor)
    assert changes == []
    assert [change.reference for change in provider.changes_since(cursor)[0]] == [meeting.reference]


def test_google_is_asked_to_tell_us_and_only_its_own_word_counts(
    own: ProviderContext, google: Google, partners: Sequence[UUID], tenant: TenantConfig
) -> None:
    at = [own.system_clock()]
    public = Urls("https://acme.example", f"https://hooks.example/{GOOGLE}", lambda token: token)
    provider = GoogleCalendar(beside(own, urls=public, system_clock=lambda: at[0]))
    _, cursor = provider.changes_since(None)
    provider.changes_since(cursor)
    assert len(google.channels) == 2, "one for each person, and no second one"
    assert {channel.address for channel in google.channels.values()} == {f"https://hooks.example/{GOOGLE}"}
    for headers in google.notices():
        assert provider.read_webhook(headers, b"") == [tenant.id]
        assert provider.read_webhook(headers | {"X-Goog-Resource-State": "sync"}, b"") == []
        for forged in ({"X-Goog-Channel-Token": "guessed"}, {"X-Goog-Channel-ID": f"{new_id().hex}-x"}):
            with pytest.raises(Declined):
                provider.read_webhook(headers | forged, b"")

    before = set(google.channels)
    at[0] += timedelta(days=6, hours=1)
    provider.changes_since(cursor)
    assert len(google.channels) == 2 and not before & set(google.channels), "renewed before their end, and the old ones stopped"
