"""The calendar part of Microsoft Graph v1.0, from its published reference (resources `event`, `calendar`, `scheduleInformation`).

Strict: an unknown path, query option or property, a missing scope or header, a wrong version is an error. Work accounts, each
with one calendar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.emulators.consent import Consent
from tests.emulators.serving import Asked, Fault, Said, Server

Event = dict[str, Any]
READ_WRITE = "https://graph.microsoft.com/Calendars.ReadWrite"

TIME: dict[str, Any] = {"dateTime": str, "timeZone": str}
MAIL: dict[str, Any] = {"address": str, "name": str}
WRITABLE: dict[str, Any] = {
    "subject": str, "body": {"contentType": str, "content": str}, "start": TIME, "end": TIME,
    "attendees": [{"emailAddress": MAIL, "type": str}], "allowNewTimeProposals": bool, "isOnlineMeeting": bool,
    "onlineMeetingProvider": str, "transactionId": str, "showAs": str, "location": {"displayName": str},
    "singleValueExtendedProperties": [{"id": str, "value": str}],
}  # fmt: skip
SCHEDULE: dict[str, Any] = {"schedules": [str], "startTime": TIME, "endTime": TIME, "availabilityViewInterval": int}


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.said = error(status, code)


def error(status: int, code: str, **headers: str) -> Said:
    """An error as Graph writes it."""
    said = {"error": {"code": code, "message": f"Sorry, {code}", "innerError": {"request-id": "0"}}}
    return Said(status, said, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Mailbox:
    """A person's calendar."""

    mail: str
    events: dict[str, Event] = field(default_factory=dict)
    busy: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    """What else they have to do: from, to, how it is shown."""
    used: dict[str, str] = field(default_factory=dict)
    """Transaction id to the event that was made with it."""
    log: list[str] = field(default_factory=list)
    forgotten: int = 0
    """Delta links up to here are too old."""
    closed: bool = False


class Microsoft(Server):
    """`login.microsoftonline.com` and `graph.microsoft.com` at one address."""

    def __init__(self) -> None:
        super().__init__()
        self.consent = Consent(
            scopes=frozenset({"offline_access", READ_WRITE}), required={"prompt": "select_account"}, rotates=True,
            silent=frozenset({"offline_access"}),
        )  # fmt: skip
        self.mailboxes: dict[str, Mailbox] = {}
        self.mails: list[tuple[str, str, str]] = []
        self.links_take = 0
        self.page = 50
        self._numbers = count(1)

    # What tests do -------------------------------------------------------------------------------------------------------

    def mailbox(self, mail: str) -> Mailbox:
        return self.mailboxes.setdefault(mail, Mailbox(mail))

    def fail(self, where: str, status: int = 503, code: str = "serviceNotAvailable", *, times: int = 1, **headers: str) -> None:
        """Answer so to what is asked there."""
        self.faults.append(Fault(where, error(status, code, **headers), times))

    def drop(self, where: str, *, done: bool = False) -> None:
        """Break the connection off; `done`: after doing it."""
        self.faults.append(Fault(where, None, done=done))

    def event(self, mail: str) -> Event:
        """The one event in this calendar."""
        (found,) = self.mailbox(mail).events.values()
        return found

    def edit(self, mail: str, event_id: str, **values: Any) -> None:
        """The person changes it by hand."""
        box = self.mailbox(mail)
        self._write(box, box.events[event_id] | values)

    def delete(self, mail: str, event_id: str) -> None:
        """The person deletes it by hand."""
        box = self.mailbox(mail)
        del box.events[event_id]
        box.log.append(event_id)

    # Graph -----------------------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Said:
        try:
            match asked.method, asked.path:
                case "GET", "/organizations/oauth2/v2.0/authorize":
                    return self.consent.authorise(asked)
                case "POST", "/organizations/oauth2/v2.0/token":
                    return self.consent.token(asked)
            return self._graph(asked)
        except Refused as refused:
            return refused.said

    def _graph(self, asked: Asked) -> Said:
        grant = self.consent.grant_of(asked.headers.get("authorization", ""))
        if grant is None:
            raise Refused(401, "InvalidAuthenticationToken")
        if READ_WRITE not in grant.scopes:
            raise Refused(403, "ErrorAccessDenied")
        prefer = asked.headers.get("prefer", "")
        if 'IdType="ImmutableId"' not in prefer or 'outlook.timezone="UTC"' not in prefer:
            raise Refused(400, "preferMissing")
        box = self.mailbox(grant.person)
        path = asked.path.removeprefix("/v1.0/me")
        event_id = re.fullmatch(r"/events/([\w-]+)(/cancel)?", path)
        match asked.method, path:
            case "GET", "/calendar":
                return self._calendar(box, asked)
            case "POST", "/calendar/getSchedule":
                return self._schedule(box, asked)
            case "GET", "/events":
                return self._list(box, asked)
            case "POST", "/events":
                return self._post(box, asked)
            case "GET", "/calendarView/delta":
                return self._delta(box, asked)
        if event_id is None:
            raise Refused(400, "BadRequest")
        if event_id[1] not in box.events:
            raise Refused(404, "ErrorItemNotFound")
        event = box.events[event_id[1]]
        match asked.method, event_id[2]:
            case "GET", None:
                _options(asked, "$expand", "$select")
                return Said(200, _shown(event, asked))
            case "PATCH", None:
                return self._patch(box, event, asked)
            case "POST", "/cancel":
                _fits(asked.json, {"comment": str})
                self._invite("cancelled", event)
                self.delete(box.mail, event["id"])
                return Said(202)
        raise Refused(405, "MethodNotAllowed")

    def _calendar(self, box: Mailbox, asked: Asked) -> Said:
        _options(asked, "$select")
        return Said(200, {"id": "calendar", "owner": {"name": "", "address": box.mail}})

    def _schedule(self, box: Mailbox, asked: Asked) -> Said:
        _options(asked)
        body = asked.json
        _fits(body, SCHEDULE)
        if not 5 <= body["availabilityViewInterval"] <= 1440:
            raise Refused(400, "ErrorInvalidParameter")
        start, end = _instant(body["startTime"]), _instant(body["endTime"])
        said = []
        for mail in body["schedules"]:
            if mail != box.mail or box.closed:
                said.append({"scheduleId": mail, "error": {"message": "", "responseCode": "ErrorMailRecipientNotFound"}})
                continue
            ours = [(_instant(one["start"]), _instant(one["end"]), "busy") for one in box.events.values()]
            items = [
                {"status": status, "subject": "secret", "start": _time(a), "end": _time(b)}
                for a, b, status in sorted([*box.busy, *ours]) if a < end and b > start
            ]  # fmt: skip
            said.append({"scheduleId": mail, "availabilityView": "0", "scheduleItems": items})
        return Said(200, {"value": said})

    def _list(self, box: Mailbox, asked: Asked) -> Said:
        _options(asked, "$filter", "$expand", "$top")
        wanted = re.fullmatch(
            r"singleValueExtendedProperties/Any\(ep: ep/id eq '([^']+)' and ep/value eq '([^']+)'\)",
            asked.query.get("$filter", ""),
        )
        if not wanted:
            raise Refused(400, "ErrorInvalidUrlQueryFilter")
        found = [
            event for event in box.events.values()
            if {"id": wanted[1], "value": wanted[2]} in event["singleValueExtendedProperties"]
        ]  # fmt: skip
        return Said(200, {"value": [_shown(event, asked) for event in found]})

    def _post(self, box: Mailbox, asked: Asked) -> Said:
        _options(asked)
        body = asked.json
        _fits(body, WRITABLE)
        if _instant(body["end"]) <= _instant(body["start"]):
            raise Refused(400, "ErrorPropertyValidationFailure")
        transaction = body.get("transactionId", "")
        if transaction in box.used:
            raise Refused(409, "ErrorDuplicateTransactionId")
        event_id = f"AAk-{next(self._numbers)}"
        box.used |= {transaction: event_id} if transaction else {}
        event = {
            "id": event_id, "iCalUId": f"040000{event_id}", "isCancelled": False, "onlineMeeting": None, "showAs": "busy",
            "singleValueExtendedProperties": [], **body,
        }  # fmt: skip
        event |= {"start": _time(_instant(body["start"])), "end": _time(_instant(body["end"]))}
        self._write(box, event)
        self._make_link(event)
        self._invite("invited", event)
        return Said(201, _shown(event, asked))

    def _patch(self, box: Mailbox, event: Event, asked: Asked) -> Said:
        _options(asked)
        body = asked.json
        _fits(body, {name: rule for name, rule in WRITABLE.items() if name != "transactionId"})
        if asked.headers.get("if-match", event["@odata.etag"]) != event["@odata.etag"]:
            raise Refused(412, "ErrorIrresolvableConflict")
        kept = {one["id"]: one for one in event["singleValueExtendedProperties"]}
        kept |= {one["id"]: one for one in body.get("singleValueExtendedProperties", ())}
        changed = event | body | {"singleValueExtendedProperties": list(kept.values())}
        changed |= {name: _time(_instant(body[name])) for name in ("start", "end") if name in body}
        self._write(box, changed)
        self._invite("updated", changed)
        return Said(200, _shown(changed, asked))

    def _delta(self, box: Mailbox, asked: Asked) -> Said:
        query = dict(asked.query)
        if "$deltatoken" in query:
            place = int(query["$deltatoken"])
            if place < box.forgotten:
                raise Refused(410, "SyncStateNotFound")
            ids = list(dict.fromkeys(box.log[place:]))
        elif "$skiptoken" in query:
            ids = query["$skiptoken"].split(",")
        elif {"startDateTime", "endDateTime"} == set(query):
            ids = list(box.events)
        else:
            raise Refused(400, "ErrorInvalidParameter")
        rest, ids = ids[self.page :], ids[: self.page]
        items = [
            {name: value for name, value in box.events[each].items() if name != "singleValueExtendedProperties"}
            if each in box.events else {"id": each, "@removed": {"reason": "deleted"}}
            for each in ids
        ]  # fmt: skip
        base = f"{self.url}/v1.0/me/calendarView/delta"
        more = f"{base}?$skiptoken={','.join(rest)}"
        link = {"@odata.nextLink": more} if rest else {"@odata.deltaLink": f"{base}?$deltatoken={len(box.log)}"}
        return Said(200, {"value": items, **link})

    # Inside ----------------------------------------------------------------------------------------------------------------

    def _write(self, box: Mailbox, event: Event) -> None:
        event["@odata.etag"] = f'W/"{next(self._numbers)}"'
        box.events[event["id"]] = event
        box.log.append(event["id"])

    def _make_link(self, event: Event) -> None:
        if event.get("isOnlineMeeting") and event.get("onlineMeetingProvider") == "teamsForBusiness":
            if self.links_take:
                self.links_take -= 1
                return
            event["onlineMeeting"] = {"joinUrl": f"https://teams.microsoft.com/l/meetup-join/{event['id']}"}

    def teams_is_ready(self, mail: str) -> None:
        """The link of the one event is made."""
        self.links_take = 0
        self._make_link(self.event(mail))

    def _invite(self, what: str, event: Event) -> None:
        self.mails += [(what, event["id"], guest["emailAddress"]["address"]) for guest in event.get("attendees", ())]


def _options(asked: Asked, *allowed: str) -> None:
    if set(asked.query) - set(allowed):
        raise Refused(400, "BadRequest")


def _shown(event: Event, asked: Asked) -> Event:
    """Extended properties are shown where they are asked for, and only those."""
    ids = re.findall(r"id eq '([^']+)'", asked.query.get("$expand", ""))
    shown = [one for one in event["singleValueExtendedProperties"] if one["id"] in ids]
    plain = {name: value for name, value in event.items() if name != "singleValueExtendedProperties"}
    return plain | ({"singleValueExtendedProperties": shown} if shown else {})


def _fits(value: Any, rule: Any) -> None:
    """Every property is one of the reference, and of its type."""
    if isinstance(rule, dict):
        if not isinstance(value, dict) or set(value) - set(rule):
            raise Refused(400, "RequestBodyRead")
        for name, each in value.items():
            _fits(each, rule[name])
    elif isinstance(rule, list):
        if not isinstance(value, list):
            raise Refused(400, "RequestBodyRead")
        for each in value:
            _fits(each, rule[0])
    elif not isinstance(value, rule):
        raise Refused(400, "RequestBodyRead")


def _instant(said: Mapping[str, str]) -> datetime:
    if said["timeZone"] != "UTC" or "Z" in said["dateTime"] or "+" in said["dateTime"]:
        raise Refused(400, "ErrorInvalidTimeZone")
    return datetime.fromisoformat(said["dateTime"][:19]).replace(tzinfo=UTC)


def _time(at: datetime) -> dict[str, str]:
    return {"dateTime": at.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}
