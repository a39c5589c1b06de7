"""Google Calendar in words of the calendar port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from fxo.core.calendars.kept import KeptBusy
from fxo.core.calendars.port import BusyTimes, CalendarCapabilities, Change, Meeting, MeetingWanted
from fxo.core.errors import Retryable
from fxo.core.plugins import ProviderContext
from fxo.plugins.calendar_google import meetings
from fxo.plugins.calendar_google.busy import look
from fxo.plugins.calendar_google.changes import Changes
from fxo.plugins.calendar_google.meetings import Reference
from fxo.plugins.calendar_google.service import Exists, Gone, Overtaken, Service

PRIMARY = "primary"


class GoogleCalendar:
    """`CalendarProvider` over the calendars that partners have connected. It acts with each partner's own token, in their
    primary calendar; an event's id is made from our reference, so that the same meeting asked for twice is one event.
    """

    capabilities = CalendarCapabilities(sends_invitations=True, watches=True)

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._service = Service(context)
        self._events = self._service.api.events()
        self._busy = KeptBusy(partial(look, self._service))
        self._changes = Changes(context, self._service)

    def busy_times(self, partners: Sequence[UUID], window: tuple[datetime, datetime]) -> BusyTimes:
        return self._busy.times(partners, window, self._context.system_clock())

    def create_meeting(self, wanted: MeetingWanted) -> Meeting:
        at = Reference.of(wanted, self._context.prefix)
        try:
            event = self._service.ask(at.partner_id, self._insert(at, wanted))
        except Exists:
            event = self._get(at)
            if event.get("status") == "cancelled":
                event = self._change(at, wanted, event)
                self._changes.begun(at)
        self._busy.forget(at.partner_id)
        return self._with_link(event, at)

    def move_meeting(self, reference: str, wanted: MeetingWanted) -> Meeting:
        at = Reference.parse(reference)
        try:
            event = self._get(at)
        except Gone:  # it was made, and somebody has taken it away for good: Google forgets events in time
            event = self._service.ask(at.partner_id, self._insert(at, wanted))
        if event.get("status") == "cancelled" or meetings.sequence_of(event) < wanted.sequence:
            event = self._change(at, wanted, event)
        self._busy.forget(at.partner_id)
        return self._with_link(event, at)

    def cancel_meeting(self, reference: str) -> None:
        at = Reference.parse(reference)
        self._changes.ended(at)
        with suppress(Gone):
            self._service.ask(at.partner_id, self._events.delete(calendarId=PRIMARY, eventId=at.event_id, sendUpdates="all"))
        self._busy.forget(at.partner_id)

    def changes_since(self, cursor: str | None) -> tuple[Sequence[Change], str]:
        return self._changes.since(cursor)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[UUID]:
        return self._changes.read(headers, body)

    def _get(self, at: Reference) -> Any:
        return self._service.ask(at.partner_id, self._events.get(calendarId=PRIMARY, eventId=at.event_id))

    def _insert(self, at: Reference, wanted: MeetingWanted) -> Any:
        body = meetings.body(wanted, at)
        return self._events.insert(calendarId=PRIMARY, body=body, conferenceDataVersion=1, sendUpdates="all")

    def _change(self, at: Reference, wanted: MeetingWanted, event: Mapping[str, Any]) -> Any:
        """The event as it is wanted now, if nobody has changed it since it was read."""
        asked = self._events.patch(
            calendarId=PRIMARY, eventId=at.event_id, body=meetings.moved(wanted), conferenceDataVersion=1, sendUpdates="all"
        )
        asked.headers["if-match"] = event["etag"]
        try:
            return self._service.ask(at.partner_id, asked)
        except Overtaken:
            raise Retryable("the event was changed a moment ago", after=1) from None

    def _with_link(self, event: Mapping[str, Any], at: Reference) -> Meeting:
        """The meeting with its link; where Google could not make one, it is asked again with the next id."""
        if refused := meetings.link_refused(event):
            again = {"conferenceData": meetings.link_wanted(sha256(refused.encode()).hexdigest())}
            event = self._service.ask(
                at.partner_id,
                self._events.patch(
                    calendarId=PRIMARY, eventId=at.event_id, body=again, conferenceDataVersion=1, sendUpdates="all"
                ),
            )
        return meetings.read(event, at)
