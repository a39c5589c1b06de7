"""What people change in their calendars by hand: told by watch channels, read with sync tokens, in full where these are old."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from fxo.core.calendars.port import Change
from fxo.core.errors import Declined, ProviderError
from fxo.core.ids import new_id, parse_id
from fxo.core.plugins import ProviderContext
from fxo.plugins.calendar_google import meetings
from fxo.plugins.calendar_google.meetings import Reference
from fxo.plugins.calendar_google.service import Gone, Service
from fxo.plugins.calendar_google.times import text

FIELDS = "items(id,status,start,end,extendedProperties/private),nextPageToken,nextSyncToken"
"""All that is read of an event: no title, no guest."""

BACK = timedelta(days=1)
"""How far back the first look goes; what is over does not matter any more."""

EARLY = timedelta(days=1)
"""A watch channel is renewed so long before its end."""


class Changes:
    """The changes of all connected people for one tenant. The cursor is a sync token for each of them."""

    def __init__(self, context: ProviderContext, service: Service) -> None:
        self._context = context
        self._service = service
        self._events = service.api.events()

    def since(self, cursor: str | None) -> tuple[Sequence[Change], str]:
        """What others did, and the next cursor. Who cannot be asked at the moment keeps their place."""
        places: dict[str, str] = orjson.loads(cursor) if cursor else {}
        found, after = list[Change](), dict[str, str]()
        asked = {each: self._list(places.get(str(each))) for each in self._context.connections.people()}
        for person_id, answer in self._service.ask_all(asked).items():
            place = places.get(str(person_id))
            try:
                after[str(person_id)], seen = self._read(person_id, answer, place)
            except (ProviderError, Gone) as error:
                self._context.log.warning("a calendar cannot be looked at: %s", type(error).__name__)
                if place:
                    after[str(person_id)] = place
                continue
            if place:  # somebody who is new begins now
                found += [change for change in seen if not self._by_us(change)]
            self._watch(person_id)
        return found, orjson.dumps(after).decode()

    def _read(self, person_id: UUID, answer: Any, place: str | None) -> tuple[str, list[Change]]:
        deleted = place is not None
        if isinstance(answer, Gone):  # the sync token is too old: all is read again, and compared with what we have written
            place, answer = None, self._service.ask(person_id, self._list(None, deleted=True))
        if isinstance(answer, Exception):
            raise answer
        seen: list[Change] = []
        while True:
            seen += [change for one in answer.get("items", ()) if (change := meetings.change_of(one, person_id))]
            if "nextSyncToken" in answer:
                return answer["nextSyncToken"], seen
            answer = self._service.ask(person_id, self._list(place, deleted=deleted, pageToken=answer["nextPageToken"]))

    def _list(self, place: str | None, *, deleted: bool = False, **page: str) -> Any:
        if place:
            return self._events.list(calendarId="primary", syncToken=place, showDeleted=True, fields=FIELDS, **page)
        since = text(self._context.system_clock() - BACK)
        return self._events.list(calendarId="primary", timeMin=since, showDeleted=deleted, fields=FIELDS, **page)

    # Our own cancellations ---------------------------------------------------------------------------------------------

    def ended(self, at: Reference) -> None:
        """We end this ourselves."""
        self._context.state.put(f"ended/{at.event_id}", True)

    def begun(self, at: Reference) -> None:
        """It is there again."""
        self._context.state.delete(f"ended/{at.event_id}")

    def _by_us(self, change: Change) -> bool:
        return change.starts_at is None and bool(self._context.state.get(f"ended/{Reference.parse(change.reference).event_id}"))

    # Being told ------------------------------------------------------------------------------------------------------------

    def _watch(self, person_id: UUID) -> None:
        """See to it that Google tells us of this person's changes; without that, the regular look finds them."""
        if not self._context.urls.hooks.startswith("https://"):
            return  # Google tells nobody else
        kept, now = self._context.state.get(f"watch/{person_id}"), self._context.system_clock()
        if kept and datetime.fromisoformat(kept["until"]) > now + EARLY:
            return
        channel = f"{self._context.tenant_id.hex}-{new_id().hex[:30]}"
        body = {"id": channel, "type": "web_hook", "address": self._context.urls.hooks, "token": self._sign(channel)}
        try:
            made = self._service.ask(person_id, self._events.watch(calendarId="primary", body=body))
            if kept:
                self._service.ask(
                    person_id, self._service.api.channels().stop(body={"id": kept["id"], "resourceId": kept["resource"]})
                )
        except (ProviderError, Gone) as error:
            self._context.log.warning("no watch channel: %s", type(error).__name__)
            if not isinstance(error, Gone):
                return
        until = datetime.fromtimestamp(int(made["expiration"]) / 1000, UTC)
        self._context.state.put(f"watch/{person_id}", {"id": channel, "resource": made["resourceId"], "until": until.isoformat()})

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[UUID]:
        """The tenant whose channel it is. The token is ours, so nobody else can wake us; the notice itself says nothing more."""
        given = {name.lower(): value for name, value in headers.items()}
        channel, token = given.get("x-goog-channel-id", ""), given.get("x-goog-channel-token", "")
        tenant_id = parse_id(channel.partition("-")[0])
        if tenant_id is None or not hmac.compare_digest(self._sign(channel).encode(), token.encode()):
            raise Declined("bad_signature")
        return [] if given.get("x-goog-resource-state") == "sync" else [tenant_id]

    def _sign(self, channel: str) -> str:
        secret: str = self._context.secret("client_secret")
        return hmac.digest(secret.encode(), f"watch/{channel}".encode(), "sha256").hex()
