"""What people change in their Outlook calendars by hand: read with delta links, anew where these are too old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from fxo.core.calendars.port import Change
from fxo.core.errors import ProviderError
from fxo.core.plugins import ProviderContext
from fxo.plugins.calendar_microsoft import meetings
from fxo.plugins.calendar_microsoft.graph import Gone, Graph, Request
from fxo.plugins.calendar_microsoft.meetings import Reference, instant

BACK, AHEAD = timedelta(days=1), timedelta(days=400)
"""The window that a delta link is bound to."""


class Changes:
    """The changes of all connected people for one tenant.

    Delta answers do not show our properties and say of what is gone only its id, so we remember what we have written ourselves:
    `written` in the plugin's state, and in the cursor, beside each person's link, which events of ours were there.
    """

    def __init__(self, context: ProviderContext, graph: Graph) -> None:
        self._context = context
        self._graph = graph

    def written(self, partner_id: UUID, event: Mapping[str, Any]) -> None:
        """We have made the event like this."""
        stands = [event["start"]["dateTime"][:19], event["end"]["dateTime"][:19]]
        self._context.state.put(f"written/{event['id']}", stands)

    def ended(self, event_id: str) -> None:
        """We end it ourselves."""
        self._context.state.delete(f"written/{event_id}")

    def since(self, cursor: str | None) -> tuple[Sequence[Change], str]:
        """What others did, and the next cursor. Who cannot be asked at the moment keeps their place."""
        places: dict[str, dict[str, Any]] = orjson.loads(cursor) if cursor else {}
        found, after = list[Change](), dict[str, dict[str, Any]]()
        asked = {each: self._first(places.get(str(each))) for each in self._context.connections.people()}
        for person_id, answer in self._graph.ask_all(asked).items():
            place = places.get(str(person_id))
            try:
                after[str(person_id)], seen = self._read(person_id, answer, place)
            except (ProviderError, Gone) as error:
                self._context.log.warning("a calendar cannot be looked at: %s", type(error).__name__)
                if place:
                    after[str(person_id)] = place
                continue
            found += seen if place else []  # somebody who is new begins now
        return found, orjson.dumps(after).decode()

    def _first(self, place: Mapping[str, Any] | None) -> Request:
        if place:
            return Request("GET", place["link"])
        now = self._context.system_clock()
        window = [meetings.time(at)["dateTime"] + "Z" for at in (now - BACK, now + AHEAD)]
        return Request("GET", "/me/calendarView/delta", query=(("startDateTime", window[0]), ("endDateTime", window[1])))

    def _read(self, person_id: UUID, answer: Any, place: Mapping[str, Any] | None) -> tuple[dict[str, Any], list[Change]]:
        there = set(place["ours"]) if place else set[str]()
        anew = isinstance(answer, Gone)
        if anew:
            answer = self._graph.ask(person_id, self._first(None))
        if isinstance(answer, Exception):
            raise answer
        items: list[Any] = []
        while True:
            items += answer["value"]
            if "@odata.deltaLink" in answer:
                break
            answer = self._graph.ask(person_id, Request("GET", answer["@odata.nextLink"]))
        gone = {one["id"] for one in items if "@removed" in one}
        if anew:  # what is not there any more was removed in the time that nobody can tell us about
            gone |= there - {one["id"] for one in items}
        changes = [change for each in sorted(gone) if (change := self._removed(person_id, each))]
        for one in items:
            if "@removed" not in one and str(one.get("transactionId") or "").startswith("fxo-"):
                there.add(one["id"])
                changes += self._changed(person_id, one)
        return {"link": answer["@odata.deltaLink"], "ours": sorted(there - gone)}, changes

    def _removed(self, person_id: UUID, event_id: str) -> Change | None:
        if self._context.state.get(f"written/{event_id}") is None:
            return None  # not ours, or ended by us
        return Change(str(Reference(person_id, event_id)), None, None)

    def _changed(self, person_id: UUID, event: Mapping[str, Any]) -> list[Change]:
        written = self._context.state.get(f"written/{event['id']}")
        if written is None or written == [event["start"]["dateTime"][:19], event["end"]["dateTime"][:19]]:
            return []
        return [Change(str(Reference(person_id, event["id"])), instant(event["start"]), instant(event["end"]))]
