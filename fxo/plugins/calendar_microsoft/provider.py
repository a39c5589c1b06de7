"""Microsoft 365 in words of the calendar port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.calendars.kept import KeptBusy, Taken, Window
from fxo.core.calendars.port import BusyTimes, CalendarCapabilities, Change, Meeting, MeetingWanted
from fxo.core.errors import Declined, Retryable, Unavailable
from fxo.core.plugins import ProviderContext
from fxo.plugins.calendar_microsoft import meetings
from fxo.plugins.calendar_microsoft.changes import Changes
from fxo.plugins.calendar_microsoft.graph import Exists, Gone, Graph, Overtaken, Request
from fxo.plugins.calendar_microsoft.meetings import Reference, instant

QUICK = 1.5
"""Seconds that a page waits for busy times; after that the last answer stands in."""

FREE = frozenset({"free", "workingElsewhere"})
"""What Outlook shows and what is not taken; everything else is, also what is only tentative."""


class MicrosoftCalendar:
    """`CalendarProvider` over the Outlook calendars that partners have connected. It acts with each partner's own token; Graph
    names the events, and knows a request that comes twice by its transaction id.
    """

    capabilities = CalendarCapabilities(sends_invitations=True, watches=True)

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._graph = Graph(context)
        self._changes = Changes(context, self._graph)
        self._busy = KeptBusy(self._look)
        self._mailboxes: dict[UUID, str] = {}

    # Busy times ----------------------------------------------------------------------------------------------------------

    def busy_times(self, partners: Sequence[UUID], window: tuple[datetime, datetime]) -> BusyTimes:
        return self._busy.times(partners, window, self._context.system_clock())

    def _look(self, people: Sequence[UUID], window: Window) -> dict[UUID, Taken]:
        unknown = [each for each in people if each not in self._mailboxes]
        owner = Request("GET", "/me/calendar", query=(("$select", "owner"),), seconds=QUICK)
        for person_id, answer in self._graph.ask_all(dict.fromkeys(unknown, owner)).items():
            if isinstance(answer, Mapping):
                self._mailboxes[person_id] = answer["owner"]["address"]
        asked = {each: self._schedule(each, window) for each in people if each in self._mailboxes}
        found = {each: _read(answer) for each, answer in self._graph.ask_all(asked).items()}
        return {each: taken for each, taken in found.items() if taken is not None}

    def _schedule(self, person_id: UUID, window: Window) -> Request:
        start, end = (meetings.time(at) for at in window)
        asked = {"schedules": [self._mailboxes[person_id]], "startTime": start, "endTime": end, "availabilityViewInterval": 30}
        return Request("POST", "/me/calendar/getSchedule", asked, seconds=QUICK)

    # Meetings ------------------------------------------------------------------------------------------------------------

    def create_meeting(self, wanted: MeetingWanted) -> Meeting:
        return self._make(wanted, meetings.mark_of(wanted, self._context.prefix))

    def _make(self, wanted: MeetingWanted, mark: str) -> Meeting:
        event = self._find(wanted.partner_id, mark)
        if event is None:
            try:
                event = self._graph.ask(wanted.partner_id, Request("POST", "/me/events", meetings.body(wanted, mark)))
            except Exists:  # made meanwhile, or made and not to be found any more
                event = self._find(wanted.partner_id, mark)
        if event is None:
            raise Unavailable("Graph knows this meeting and does not show it")
        self._busy.forget(wanted.partner_id)
        if meetings.sequence_of(event) < 0:  # the answer to a POST does not show our properties
            event = self._get(Reference(wanted.partner_id, event["id"]))
        self._changes.written(wanted.partner_id, event)
        return meetings.read(event, wanted.partner_id)

    def move_meeting(self, reference: str, wanted: MeetingWanted) -> Meeting:
        at = Reference.parse(reference)
        try:
            event = self._get(at)
        except Gone:
            return self._make(wanted, meetings.mark_of(wanted, self._context.prefix, anew=True))
        if meetings.sequence_of(event) < wanted.sequence:
            change = Request("PATCH", f"/me/events/{at.event_id}", meetings.moved(wanted), match=event["@odata.etag"])
            try:
                self._graph.ask(at.partner_id, change)
            except Overtaken:
                raise Retryable("the event was changed a moment ago", after=1) from None
            event = self._get(at)
        self._busy.forget(at.partner_id)
        self._changes.written(at.partner_id, event)
        return meetings.read(event, at.partner_id)

    def cancel_meeting(self, reference: str) -> None:
        at = Reference.parse(reference)
        self._changes.ended(at.event_id)
        with suppress(Gone):
            self._graph.ask(at.partner_id, Request("POST", f"/me/events/{at.event_id}/cancel", {}))
        self._busy.forget(at.partner_id)

    # Changes -------------------------------------------------------------------------------------------------------------

    def changes_since(self, cursor: str | None) -> tuple[Sequence[Change], str]:
        return self._changes.since(cursor)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[UUID]:
        raise Declined("bad_signature")

    def _get(self, at: Reference) -> Any:
        return self._graph.ask(at.partner_id, Request("GET", f"/me/events/{at.event_id}", query=(("$expand", meetings.SHOWN),)))

    def _find(self, partner_id: UUID, mark: str) -> Any:
        """The event with our mark; None where there is none."""
        where = f"singleValueExtendedProperties/Any(ep: ep/id eq '{meetings.MARK}' and ep/value eq '{mark}')"
        query = (("$filter", where), ("$expand", meetings.SHOWN))
        found = self._graph.ask(partner_id, Request("GET", "/me/events", query=query))["value"]
        return found[0] if found else None


def _read(answer: Any) -> Taken | None:
    """The times in UTC; None where Graph could not look into the calendar."""
    if not isinstance(answer, Mapping):
        return None
    (schedule,) = answer["value"]
    if schedule.get("error"):
        return None
    items = [one for one in schedule.get("scheduleItems", ()) if one["status"] not in FREE]
    times = sorted((instant(one["start"]), instant(one["end"])) for one in items)
    return tuple((start, end) for start, end in times if start < end)
