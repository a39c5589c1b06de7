"""The local calendar against the calendar port, and its meeting page's look-up."""

from __future__ import annotations

from dataclasses import replace

import flask
import pytest

from fxo.core.calendars.port import CalendarProvider, MeetingWanted
from fxo.core.ids import new_id
from fxo.core.plugins import ProviderContext
from fxo.core.scope import TenantConfig
from fxo.plugins.calendar_local.provider import LocalCalendar, meeting_by_token
from fxo.testing import CalendarContract, context
from fxo.testing.calendars import HOUR, STARTS


class TestCalendarLocal(CalendarContract):
    @pytest.fixture
    def own(self, app: flask.Flask, tenant: TenantConfig) -> ProviderContext:
        return context("calendar_local", tenant_id=tenant.id)

    @pytest.fixture
    def provider(self, own: ProviderContext) -> CalendarProvider:
        return LocalCalendar(own)

    def test_the_link_leads_to_the_meeting(self, provider: CalendarProvider, own: ProviderContext, wanted: MeetingWanted) -> None:
        token = provider.create_meeting(wanted).join_url.rpartition("/")[2]
        found = meeting_by_token(token)
        assert found is not None
        assert (found.reference, found.tenant_id, found.starts_at) == (wanted.reference, own.tenant_id, STARTS)
        assert not found.cancelled

    def test_the_link_cannot_be_guessed(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        token = provider.create_meeting(wanted).join_url.rpartition("/")[2]
        assert len(token) >= 22, "128 bits or more"
        assert meeting_by_token(token[:-1]) is None
        assert meeting_by_token(wanted.reference) is None

    def test_an_older_sequence_that_comes_late_moves_nothing(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        newer = replace(wanted, sequence=2, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR)
        token = provider.create_meeting(newer).join_url.rpartition("/")[2]
        assert provider.move_meeting(wanted.reference, wanted).sequence == 2
        found = meeting_by_token(token)
        assert found is not None and found.starts_at == STARTS + HOUR

    def test_a_cancelled_meeting_says_so_on_its_page(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        meeting = provider.create_meeting(wanted)
        provider.cancel_meeting(meeting.reference)
        found = meeting_by_token(meeting.join_url.rpartition("/")[2])
        assert found is not None and found.cancelled

    def test_another_tenant_cannot_cancel_it(self, provider: CalendarProvider, wanted: MeetingWanted) -> None:
        meeting = provider.create_meeting(wanted)
        LocalCalendar(context("calendar_local", tenant_id=new_id())).cancel_meeting(meeting.reference)
        found = meeting_by_token(meeting.join_url.rpartition("/")[2])
        assert found is not None and not found.cancelled
