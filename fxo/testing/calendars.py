"""What every calendar provider must hold to: a suite of tests to inherit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from fxo.core.calendars.port import Attendee, CalendarProvider, MeetingWanted
from fxo.core.errors import Declined, NotConnected
from fxo.core.ids import new_id

STARTS = datetime(2030, 5, 6, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def new_meeting(partner_id: UUID) -> MeetingWanted:
    """A meeting of an hour with this partner that nobody has asked for before."""
    reference = f"meeting-{new_id()}"
    return MeetingWanted(
        reference=reference,
        partner_id=partner_id,
        uid=f"{reference}@fxo.example",
        sequence=0,
        title="Session with Ada Example",
        description="60 minutes",
        starts_at=STARTS,
        ends_at=STARTS + HOUR,
        organiser=Attendee("fxo", "sessions@fxo.example", "UTC"),
        guests=(
            Attendee("Ada Example", "ada@partners.example", "Asia/Kathmandu"),
            Attendee("Bo Client", "bo@acme.example", "America/New_York"),
        ),
    )


class CalendarContract:
    """The tests that each calendar provider passes. Inherit, and give `provider`; where partners connect a calendar of their own,
    give `partners` who have, and a `stranger` who has not::

        from fxo.testing import CalendarContract, context

        class TestCalendarAcme(CalendarContract):
            @pytest.fixture
            def provider(self):
                return AcmeCalendar(context("calendar_acme", settings=Settings(key="test")))

            @pytest.fixture
            def partners(self, acme):
                return [acme.connected_partner(), acme.connected_partner()]

            @pytest.fixture
            def stranger(self):
                return new_id()

    Everything runs against the service's own test mode or a simulator of it; nothing is patched.
    """

    @pytest.fixture
    def provider(self) -> CalendarProvider:
        raise NotImplementedError("give a fixture `provider`")

    @pytest.fixture
    def partners(self) -> Sequence[UUID]:
        """Two partners whose calendars the provider can read."""
        return [new_id(), new_id()]

    @pytest.fixture
    def stranger(self) -> UUID | None:
        """A partner who has connected nothing; None where there is nothing to connect."""
        return None

    @pytest.fixture
    def wanted(self, partners: Sequence[UUID]) -> MeetingWanted:
        """A new meeting of an hour with the first of them, with a reference of its own."""
        return new_meeting(partners[0])

    # Busy times.

    def test_busy_times_name_only_those_who_were_asked_for(self, provider: CalendarProvider, partners: Sequence[UUID]) -> None:
        answer = provider.busy_times(partners[:1], (STARTS, STARTS + HOUR))
        assert set(answer.busy) <= set(partners[:1])
        assert answer.as_of.tzinfo is not None

    def test_busy_times_are_of_utc_and_touch_the_window(self, provider: CalendarProvider, partners: Sequence[UUID]) -> None:
        window = (STARTS, STARTS + timedelta(days=7))
        for times in provider.busy_times(partners, window).busy.values():
            for start, end in times:
                assert start.utcoffset() == end.utcoffset() == timedelta(0)
                assert start < end and start < window[1] and end > window[0]

    def test_asking_for_nobody_answers_nobody(self, provider: CalendarProvider) -> None:
        assert not provider.busy_times([], (STARTS, STARTS + HOUR)).busy

    # Who has connected nothing.

    def test_who_has_connected_nothing_is_said_to_be_so_and_not_called_free(
        self, provider: CalendarProvider, stranger: UUID | None
    ) -> None:
        if stranger is None:
            assert provider.create_meeting(new_meeting(new_id())), "where nothing is connected, nobody is a stranger"
            return
        with pytest.raises(NotConnected):
            provider.create_meeting(new_meeting(stranger))
        assert not provider.busy_times([stranger], (STARTS, STARTS + HOUR)).busy

    # Meetings.

    def test_a_meeting_has_a_link_to_join(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        if not provider.capabilities.join_links:
            pytest.skip("this provider makes no links, and says so")
        meeting = provider.create_meeting(wanted)
        assert meeting.join_url.startswith(("https://", "http://"))
        assert meeting.reference

    def test_the_same_reference_never_makes_two_meetings(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        assert provider.create_meeting(wanted) == provider.create_meeting(wanted)

    def test_two_meetings_have_two_links(self, provider: CalendarProvider, partners: Sequence[UUID]) -> None:
        first, second = (provider.create_meeting(new_meeting(partners[0])) for _ in range(2))
        assert first.join_url != second.join_url
        assert first.reference != second.reference

    def test_a_moved_meeting_keeps_its_link_and_rises_in_sequence(
        self, provider: CalendarProvider, wanted: MeetingWanted
    ) -> None:
        meeting = provider.create_meeting(wanted)
        later = replace(wanted, sequence=1, starts_at=STARTS + 2 * HOUR, ends_at=STARTS + 3 * HOUR)
        for _ in range(2):
            moved = provider.move_meeting(meeting.reference, later)
            assert (moved.reference, moved.join_url, moved.sequence) == (meeting.reference, meeting.join_url, 1)

    def test_cancelling_twice_is_success(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        meeting = provider.create_meeting(wanted)
        provider.cancel_meeting(meeting.reference)
        provider.cancel_meeting(meeting.reference)

    # Changes.

    def test_what_we_did_ourselves_is_no_change(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        _, cursor = provider.changes_since(None)
        meeting = provider.create_meeting(wanted)
        provider.move_meeting(meeting.reference, replace(wanted, sequence=1, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR))
        provider.cancel_meeting(meeting.reference)
        changes, _ = provider.changes_since(cursor)
        assert meeting.reference not in {change.reference for change in changes}

    def test_changes_begin_now_and_go_on_from_a_cursor(self, provider: CalendarProvider) -> None:
        changes, cursor = provider.changes_since(None)
        assert not changes
        again, _ = provider.changes_since(cursor)
        assert not again

    def test_a_forged_message_is_declined(self, provider: CalendarProvider) -> None:
        with pytest.raises(Declined) as refusal:
            provider.read_webhook({"X-Forged": "yes"}, b"{}")
        assert refusal.value.reason == "bad_signature"
