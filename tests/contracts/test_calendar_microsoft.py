"""Microsoft 365 against the calendar port, over real HTTP at an emulator; and what only a calendar outside can do to us."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from fxo import platform
from fxo.app import create_app
from fxo.core.calendars.connections import of_partner
from fxo.core.calendars.port import Change, MeetingWanted
from fxo.core.errors import Misconfigured, NotConnected, Retryable, Unavailable
from fxo.core.plugins import ProviderContext
from fxo.core.scope import CODE, TenantConfig, partner_scope
from fxo.embedded.processes import wait_until
from fxo.plugins.calendar_microsoft.provider import MicrosoftCalendar
from fxo.testing import CalendarContract
from fxo.testing.calendars import HOUR, STARTS, new_meeting
from tests.conftest import Databases, add_partners, add_tenant, running
from tests.emulators.microsoft import Microsoft
from tests.emulators.serving import Fault, Said
from tests.support.calendars import MICROSOFT, at_microsoft, connect

WEEK = (STARTS - timedelta(days=1), STARTS + timedelta(days=6))
DANA, INES = "dana@partners.example", "ines@partners.example"
LATER = {"sequence": 1, "starts_at": STARTS + HOUR, "ends_at": STARTS + 2 * HOUR}


@pytest.fixture
def microsoft() -> Iterator[Microsoft]:
    made = Microsoft()
    with made.running():
        yield made


@pytest.fixture
def people(microsoft: Microsoft, databases: Databases) -> Iterator[dict[str, UUID]]:
    """Three partners by a short name; Dana and Ines have connected their calendars, Kofi has not."""
    settings = databases.make()
    for _ in running(create_app(settings, extra_plugins=(at_microsoft(microsoft),))):
        found = add_partners()
        connect(MICROSOFT, microsoft.consent, found["dana"], DANA)
        connect(MICROSOFT, microsoft.consent, found["ines"], INES)
        yield found
    databases.drop(settings)


@pytest.fixture
def tenant(people: dict[str, UUID]) -> TenantConfig:
    return add_tenant("fortium", "Fortium", 80_000, list(people.values()))


@pytest.fixture
def own(tenant: TenantConfig) -> ProviderContext:
    return platform.current().providers.context(tenant, MICROSOFT)


@pytest.fixture
def provider(own: ProviderContext) -> MicrosoftCalendar:
    return MicrosoftCalendar(own)


@pytest.fixture
def partners(people: dict[str, UUID]) -> list[UUID]:
    return [people["dana"], people["ines"]]


@pytest.fixture
def wanted(people: dict[str, UUID]) -> MeetingWanted:
    return new_meeting(people["dana"])


def state_of(partner_id: UUID) -> str:
    with platform.current().store.transaction(partner_scope(partner_id), CODE) as tx:
        return str(of_partner(tx, partner_id)[MICROSOFT].state)


class TestCalendarMicrosoft(CalendarContract):
    @pytest.fixture
    def provider(self, own: ProviderContext) -> MicrosoftCalendar:
        return MicrosoftCalendar(own)

    @pytest.fixture
    def partners(self, people: dict[str, UUID]) -> list[UUID]:
        return [people["dana"], people["ines"]]

    @pytest.fixture
    def stranger(self, people: dict[str, UUID]) -> UUID:
        return people["kofi"]


# Meetings ------------------------------------------------------------------------------------------------------------


def test_the_event_is_a_teams_meeting_in_the_expert_s_own_calendar(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    event = microsoft.event(DANA)
    assert meeting.join_url == event["onlineMeeting"]["joinUrl"]
    assert event["start"] == {"dateTime": "2030-05-06T14:00:00.0000000", "timeZone": "UTC"}
    assert microsoft.mails == [("invited", event["id"], guest.email) for guest in wanted.guests]


def test_an_answer_that_was_lost_makes_no_second_event(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    microsoft.drop("POST /v1.0/me/events", done=True)
    with pytest.raises(Unavailable):
        provider.create_meeting(wanted)
    assert provider.create_meeting(wanted).join_url == microsoft.event(DANA)["onlineMeeting"]["joinUrl"]
    assert len(microsoft.mails) == len(wanted.guests), "nobody is invited twice"


def nothing_yet(times: int) -> Fault:
    """Who looks for events so often sees the calendar as it was before."""
    return Fault("GET /v1.0/me/events", Said(200, {"value": []}), times)


def test_two_who_make_it_at_once_make_one(own: ProviderContext, microsoft: Microsoft, wanted: MeetingWanted) -> None:
    first, second = MicrosoftCalendar(own), MicrosoftCalendar(own)
    made = second.create_meeting(wanted)
    microsoft.faults.append(nothing_yet(1))
    assert first.create_meeting(wanted) == made
    assert len(microsoft.calls("POST /v1.0/me/events")) == 2
    assert len(microsoft.mailbox(DANA).events) == 1
    assert len(microsoft.mails) == len(wanted.guests), "nobody is invited twice"


def test_a_meeting_that_is_known_and_not_shown_yet_is_asked_for_again_later(
    own: ProviderContext, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    made = MicrosoftCalendar(own).create_meeting(wanted)
    microsoft.faults.append(nothing_yet(2))
    with pytest.raises(Unavailable):
        MicrosoftCalendar(own).create_meeting(wanted)
    assert MicrosoftCalendar(own).create_meeting(wanted) == made


def test_a_moved_meeting_tells_its_guests_once_and_an_older_sequence_moves_nothing(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    for _ in range(2):
        provider.move_meeting(meeting.reference, replace(wanted, **LATER))
    assert provider.move_meeting(meeting.reference, wanted).sequence == 1
    assert microsoft.event(DANA)["start"]["dateTime"].startswith("2030-05-06T15:00")
    assert [what for what, _, _ in microsoft.mails] == ["invited"] * 2 + ["updated"] * 2


def test_a_cancelled_meeting_is_cancelled_for_its_guests_once(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    for _ in range(2):
        provider.cancel_meeting(meeting.reference)
    assert not microsoft.mailbox(DANA).events
    assert [what for what, _, _ in microsoft.mails].count("cancelled") == 2, "each of the two guests, once"


def test_a_link_that_teams_still_makes_is_waited_for(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    microsoft.links_take = 1
    with pytest.raises(Retryable):
        provider.create_meeting(wanted)
    microsoft.teams_is_ready(DANA)
    assert provider.create_meeting(wanted).join_url == microsoft.event(DANA)["onlineMeeting"]["joinUrl"]


# Busy times ----------------------------------------------------------------------------------------------------------


def test_busy_is_what_is_taken_and_what_is_only_tentative_too(
    provider: MicrosoftCalendar, microsoft: Microsoft, partners: Sequence[UUID]
) -> None:
    microsoft.mailbox(DANA).busy += [
        (STARTS, STARTS + HOUR, "tentative"), (STARTS + 2 * HOUR, STARTS + 3 * HOUR, "free"),
        (STARTS + 4 * HOUR, STARTS + 5 * HOUR, "oof"),
    ]  # fmt: skip
    answer = provider.busy_times(partners, WEEK)
    taken = ((STARTS, STARTS + HOUR), (STARTS + 4 * HOUR, STARTS + 5 * HOUR))
    assert dict(answer.busy) == {partners[0]: taken, partners[1]: ()}
    provider.busy_times(partners, (STARTS, STARTS + HOUR))
    assert len(microsoft.calls("getSchedule")) == 2, "what was read a moment ago is given again"


def test_a_calendar_that_cannot_be_read_is_unknown_and_the_others_are_not(
    provider: MicrosoftCalendar, microsoft: Microsoft, partners: Sequence[UUID]
) -> None:
    microsoft.mailbox(DANA).closed = True
    assert set(provider.busy_times(partners, WEEK).busy) == {partners[1]}


# Failing -------------------------------------------------------------------------------------------------------------


def test_throttling_is_waited_out_as_long_as_graph_says(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    microsoft.fail("/me/events", 429, "TooManyRequests", Retry_After="30")
    with pytest.raises(Retryable) as refusal:
        provider.create_meeting(wanted)
    assert refusal.value.after == 30
    asked = len(microsoft.asked)
    with pytest.raises(Retryable):
        provider.create_meeting(wanted)
    assert len(microsoft.asked) == asked, "it is not even asked"


@pytest.mark.parametrize(("status", "kind"), [(500, Unavailable), (503, Unavailable), (400, Misconfigured)])
def test_each_failure_has_its_word(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted, status: int, kind: type[Exception]
) -> None:
    microsoft.fail("/me/events", status, "whatever")
    with pytest.raises(kind):
        provider.create_meeting(wanted)


def test_a_token_that_ended_early_is_renewed_and_the_new_one_to_renew_with_is_kept(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    for _ in range(3):
        microsoft.consent.expire(DANA)
        provider.create_meeting(wanted)
    assert len(microsoft.calls("/token")) == 3
    assert state_of(wanted.partner_id) == "works"


def test_two_who_renew_at_once_break_nothing(own: ProviderContext, microsoft: Microsoft, wanted: MeetingWanted) -> None:
    """Each renewal ends the token before: the second one waits for the first, instead of taking it for the end."""
    microsoft.consent.expire(DANA)
    gate = threading.Event()
    microsoft.faults.append(Fault("/token", gate=gate))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(contextvars.copy_context().run, MicrosoftCalendar(own).create_meeting, wanted)
        assert wait_until(lambda: bool(microsoft.calls("/token")), 10)
        with pytest.raises(Retryable):
            MicrosoftCalendar(own).create_meeting(wanted)
        gate.set()
        assert first.result(10) == MicrosoftCalendar(own).create_meeting(wanted)
    assert len(microsoft.calls("/token")) == 1
    assert state_of(wanted.partner_id) == "works"


def test_access_that_was_taken_back_breaks_the_connection(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    microsoft.consent.take_back(DANA)
    with pytest.raises(NotConnected):
        provider.create_meeting(wanted)
    assert state_of(wanted.partner_id) == "broken"


def test_no_token_follows_a_link_that_leads_elsewhere(
    provider: MicrosoftCalendar, microsoft: Microsoft, partners: Sequence[UUID]
) -> None:
    _, cursor = provider.changes_since(None)
    asked = len(microsoft.asked)
    changes, _ = provider.changes_since(cursor.replace(microsoft.url, "http://127.0.0.1:1"))
    assert changes == [] and len(microsoft.asked) == asked


# What people change by hand --------------------------------------------------------------------------------------------


def dragged(microsoft: Microsoft, event_id: str) -> None:
    """Dana drags the event three hours on."""
    times = [(STARTS + n * HOUR).strftime("%Y-%m-%dT%H:%M:%S.0000000") for n in (3, 4)]
    start, end = ({"dateTime": time, "timeZone": "UTC"} for time in times)
    microsoft.edit(DANA, event_id, start=start, end=end)


def test_what_was_dragged_or_deleted_by_hand_comes_back(
    provider: MicrosoftCalendar, microsoft: Microsoft, partners: Sequence[UUID]
) -> None:
    moved, gone = (provider.create_meeting(new_meeting(partners[0])) for _ in range(2))
    _, cursor = provider.changes_since(None)
    dragged(microsoft, moved.reference.partition("/")[2])
    microsoft.delete(DANA, gone.reference.partition("/")[2])
    changes, cursor = provider.changes_since(cursor)
    assert set(changes) == {Change(moved.reference, STARTS + 3 * HOUR, STARTS + 4 * HOUR), Change(gone.reference, None, None)}
    assert provider.changes_since(cursor)[0] == []


def test_a_delta_link_that_is_too_old_loses_nothing(
    provider: MicrosoftCalendar, microsoft: Microsoft, partners: Sequence[UUID]
) -> None:
    moved, gone, cancelled, stays = (provider.create_meeting(new_meeting(partners[0])) for _ in range(4))
    _, cursor = provider.changes_since(None)
    dragged(microsoft, moved.reference.partition("/")[2])
    microsoft.delete(DANA, gone.reference.partition("/")[2])
    provider.cancel_meeting(cancelled.reference)
    microsoft.mailbox(DANA).forgotten = 99
    microsoft.page = 1
    changes, cursor = provider.changes_since(cursor)
    assert set(changes) == {Change(moved.reference, STARTS + 3 * HOUR, STARTS + 4 * HOUR), Change(gone.reference, None, None)}
    assert stays.reference in {f"{partners[0]}/{each}" for each in microsoft.mailbox(DANA).events}


def test_a_deleted_event_that_is_wanted_again_is_another_one(
    provider: MicrosoftCalendar, microsoft: Microsoft, wanted: MeetingWanted
) -> None:
    meeting = provider.create_meeting(wanted)
    microsoft.delete(DANA, microsoft.event(DANA)["id"])
    again = provider.move_meeting(meeting.reference, replace(wanted, **LATER))
    assert again.reference != meeting.reference and again.sequence == 1
    assert again.join_url == microsoft.event(DANA)["onlineMeeting"]["joinUrl"]
