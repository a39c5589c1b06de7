"""Google Calendar v3 from its published reference: the description that Google's own library carries says what exists.

Strict: an unknown path, parameter or field, a missing scope, a wrong order is an error. One primary calendar for each account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from tests.emulators.consent import Consent
from tests.emulators.serving import Asked, Fault, Said, Server

Event = dict[str, Any]

NOT_WITH_SYNC = {
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMax",
    "timeMin",
    "updatedMin",
}
"""Parameters of `events.list` that cannot be given together with a sync token."""


@cache
def described() -> dict[str, Any]:
    """Google's description of the API."""
    text = (files("googleapiclient.discovery_cache.documents") / "calendar.v3.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.said = error(status, reason, **headers)


def error(status: int, reason: str, **headers: str) -> Said:
    """An error as Google writes it; what a person sent is quoted in `message`, as Google does."""
    said = {"code": status, "message": f"Sorry, {reason}", "errors": [{"domain": "global", "reason": reason, "message": reason}]}
    return Said(status, {"error": said}, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Account:
    """A person's primary calendar."""

    mail: str
    events: dict[str, Event] = field(default_factory=dict)
    busy: list[tuple[datetime, datetime]] = field(default_factory=list)
    """What else they have to do."""
    log: list[str] = field(default_factory=list)
    """The ids of changed events in order; a sync token is a place in it."""
    forgotten: int = 0
    """Sync tokens up to here are too old."""
    closed: bool = False
    """Free and busy cannot be read."""


@dataclass
class Channel:
    id: str
    token: str
    address: str
    account: Account
    resource: str


class Google(Server):
    """`accounts.google.com`, `oauth2.googleapis.com` and `www.googleapis.com` at one address."""

    def __init__(self) -> None:
        super().__init__()
        scopes = frozenset(described()["auth"]["oauth2"]["scopes"])
        self.consent = Consent(scopes=scopes, required={"access_type": "offline", "prompt": "consent"})
        self.accounts: dict[str, Account] = {}
        self.channels: dict[str, Channel] = {}
        self.mails: list[tuple[str, str, str]] = []
        """(what, event, to): the invitations and cancellations that Google has sent."""
        self.page = 250
        """How many events come on one page."""
        self.links_fail = 0
        self.links_take = 0
        """How often a link is still being made when it is looked at."""
        self._numbers = count(1)

    # What tests do -------------------------------------------------------------------------------------------------

    def account(self, mail: str) -> Account:
        return self.accounts.setdefault(mail, Account(mail))

    def fail(
        self, where: str, status: int = 503, reason: str = "backendError", *, times: int = 1, done: bool = False, **headers: str
    ) -> None:
        """Answer so to what is asked there; `done`: after doing it."""
        self.faults.append(Fault(where, error(status, reason, **headers), times, done))

    def drop(self, where: str, *, done: bool = False) -> None:
        """Break the connection off."""
        self.faults.append(Fault(where, None, done=done))

    def event(self, mail: str) -> Event:
        """The one event in this calendar."""
        (found,) = self.account(mail).events.values()
        return found

    def edit(self, mail: str, event_id: str, **values: Any) -> None:
        """The person changes it by hand."""
        account = self.account(mail)
        self._write(account, account.events[event_id] | values)

    def delete(self, mail: str, event_id: str) -> None:
        """The person deletes it by hand."""
        self.edit(mail, event_id, status="cancelled")

    # The API ---------------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Said:
        try:
            match asked.method, asked.path:
                case "GET", "/o/oauth2/v2/auth":
                    return self.consent.authorise(asked)
                case "POST", "/token":
                    return self.consent.token(asked)
                case "POST", "/revoke":
                    return self.consent.revoke(asked)
                case "POST", "/batch/calendar/v3":
                    return self._batch(asked)
            return self._one(asked)
        except Refused as refused:
            return refused.said

    def _batch(self, asked: Asked) -> Said:
        boundary = re.search(r'boundary="?([^";]+)', asked.headers["content-type"])
        if not boundary:
            raise Refused(400, "badRequest")
        parts = asked.body.decode().split(f"--{boundary[1]}")[1:-1]
        if len(parts) > 1000:
            raise Refused(400, "batchSizeTooLarge")
        out = []
        for part in parts:
            outer, _, inner = part.strip().partition("\n\n")
            content_id = re.search(r"Content-ID: <(.+)>", outer)
            if "Content-Type: application/http" not in outer or not content_id:
                raise Refused(400, "badRequest")
            head, _, body = inner.partition("\n\n")
            first, *lines = head.splitlines()
            method, target, _version = first.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            path, _, query = target.partition("?")
            sent = Asked(method, path, dict(parse_qsl(query)), headers, body.encode())
            said = self.receive(sent) or Said(503)
            more = "".join(f"{name}: {value}\r\n" for name, value in said.headers.items())
            out.append(
                f"--answers\r\nContent-Type: application/http\r\nContent-ID: <response-{content_id[1]}>\r\n\r\n"
                f"HTTP/1.1 {said.status} X\r\nContent-Type: application/json\r\n{more}\r\n{said.content.decode()}\r\n"
            )
        return Said(200, ("".join(out) + "--answers--").encode(), {"Content-Type": "multipart/mixed; boundary=answers"})

    def _one(self, asked: Asked) -> Said:
        name, method, path = _method(asked)
        grant = self.consent.grant_of(asked.headers.get("authorization", ""))
        if grant is None:
            raise Refused(401, "authError")
        if not grant.scopes & set(method["scopes"]):
            raise Refused(403, "insufficientPermissions")
        allowed = {key for key, rule in method.get("parameters", {}).items() if rule["location"] == "query"} | {"alt", "fields"}
        if set(asked.query) - allowed:
            raise Refused(400, "invalidParameter")
        if path.get("calendarId", "primary") != "primary":
            raise Refused(404, "notFound")
        body = asked.json
        if "request" in method:
            _check(body, method["request"]["$ref"])
        account = self.account(grant.person)
        does = {
            "freebusy.query": self._free_busy, "events.insert": self._insert, "events.get": self._get,
            "events.patch": self._patch, "events.delete": self._delete, "events.list": self._list,
            "events.watch": self._watch, "channels.stop": self._stop,
        }.get(name)  # fmt: skip
        if does is None:
            raise Refused(501, "notEmulated")
        return does(account, path, asked, body)

    def _free_busy(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        start, end = (_instant(body[name]) for name in ("timeMin", "timeMax"))
        if end <= start:
            raise Refused(400, "timeRangeEmpty")
        said: dict[str, Any] = {}
        for item in body["items"]:
            if item["id"] != "primary" or account.closed:
                said[item["id"]] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
                continue
            ours = [
                (_instant(event["start"]["dateTime"]), _instant(event["end"]["dateTime"]))
                for event in account.events.values() if event["status"] != "cancelled"
            ]  # fmt: skip
            taken = sorted((max(a, start), min(b, end)) for a, b in [*account.busy, *ours] if a < end and b > start)
            said[item["id"]] = {"busy": [{"start": _written(a), "end": _written(b)} for a, b in taken]}
        return Said(200, {"kind": "calendar#freeBusy", "timeMin": body["timeMin"], "timeMax": body["timeMax"], "calendars": said})

    def _insert(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        event_id = body.get("id") or f"made{next(self._numbers)}"
        if not re.fullmatch(r"[a-v0-9]{5,1024}", event_id) or "iCalUID" in body:
            raise Refused(400, "invalid")
        if event_id in account.events:
            raise Refused(409, "duplicate")
        event = {
            "kind": "calendar#event", "status": "confirmed", "iCalUID": f"{event_id}@google.com", "sequence": 0,
            "organizer": {"email": account.mail, "self": True}, **body, "id": event_id,
        }  # fmt: skip
        self._conference(event, asked)
        self._write(account, event)
        self._invite("invited", event, asked)
        return Said(200, account.events[event_id])

    def _get(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        event = self._find(account, path)
        asked_for = event.get("conferenceData", {}).get("createRequest", {})
        if asked_for.get("status", {}).get("statusCode") == "pending":
            self._make_link(event)
        return Said(200, event)

    def _patch(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        event = self._find(account, path)
        if asked.headers.get("if-match", event["etag"]) != event["etag"]:
            raise Refused(412, "conditionNotMet")
        moved = any(body.get(name, event[name]) != event[name] for name in ("start", "end"))
        changed = _merged(event, body) | ({"sequence": event["sequence"] + 1} if moved else {})
        if "conferenceData" in body:
            changed["conferenceData"] = body["conferenceData"]
            self._conference(changed, asked)
        self._write(account, changed)
        self._invite("updated", changed, asked)
        return Said(200, account.events[event["id"]])

    def _delete(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        event = self._find(account, path)
        if event["status"] == "cancelled":
            raise Refused(410, "deleted")
        self._write(account, event | {"status": "cancelled"})
        self._invite("cancelled", event, asked)
        return Said(204)

    def _list(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        query = dict(asked.query)
        if "syncToken" in query and set(query) & NOT_WITH_SYNC:
            raise Refused(400, "invalid")
        if "syncToken" in query:
            place = int(query["syncToken"].removeprefix("sync-"))
            if place < account.forgotten:
                raise Refused(410, "fullSyncRequired")
            ids = list(dict.fromkeys(account.log[place:]))
        else:
            since = _instant(query["timeMin"]) if "timeMin" in query else datetime.min.replace(tzinfo=UTC)
            shown = ("confirmed", "cancelled") if query.get("showDeleted") == "true" else ("confirmed",)
            ids = [
                each for each, event in account.events.items()
                if event["status"] in shown and _instant(event["end"]["dateTime"]) > since
            ]  # fmt: skip
        begin, size = int(query.get("pageToken", "0")), int(query.get("maxResults", str(self.page)))
        items = [
            event if event["status"] != "cancelled" else {"kind": "calendar#event", "id": event["id"], "status": "cancelled"}
            for event in (account.events[each] for each in ids[begin : begin + size])
        ]  # fmt: skip
        rest = {"nextPageToken": str(begin + size)} if begin + size < len(ids) else {"nextSyncToken": f"sync-{len(account.log)}"}
        return Said(200, {"kind": "calendar#events", "items": items, **rest})

    def _watch(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        if (
            body.get("type") != "web_hook"
            or not body["address"].startswith("http")
            or not re.fullmatch(r"[\w\-+/=]{1,64}", body["id"])
        ):
            raise Refused(400, "invalid")
        if body["id"] in self.channels:
            raise Refused(400, "channelIdNotUnique")
        channel = Channel(body["id"], body.get("token", ""), body["address"], account, f"resource-{account.mail}")
        self.channels[channel.id] = channel
        ends = str(int((datetime.now(UTC).timestamp() + 7 * 86400) * 1000))
        return Said(200, {"kind": "api#channel", "id": channel.id, "resourceId": channel.resource, "expiration": ends})

    def _stop(self, account: Account, path: Mapping[str, str], asked: Asked, body: Any) -> Said:
        channel = self.channels.get(body["id"])
        if not channel or channel.resource != body["resourceId"]:
            raise Refused(404, "notFound")
        del self.channels[channel.id]
        return Said(204)

    def notices(self) -> list[dict[str, str]]:
        """What Google posts to each channel's address now: headers, and an empty body."""
        return [
            {"X-Goog-Channel-ID": one.id, "X-Goog-Channel-Token": one.token, "X-Goog-Resource-ID": one.resource,
             "X-Goog-Resource-State": "exists", "X-Goog-Message-Number": str(next(self._numbers))}
            for one in self.channels.values()
        ]  # fmt: skip

    # Inside ----------------------------------------------------------------------------------------------------------

    def _find(self, account: Account, path: Mapping[str, str]) -> Event:
        if path["eventId"] not in account.events:
            raise Refused(404, "notFound")
        return account.events[path["eventId"]]

    def _write(self, account: Account, event: Event) -> None:
        account.events[event["id"]] = {**event, "etag": f'"{next(self._numbers)}"'}
        account.log.append(event["id"])

    def _conference(self, event: Event, asked: Asked) -> None:
        if "conferenceData" not in event:
            return
        if asked.query.get("conferenceDataVersion") != "1":
            del event["conferenceData"]
            return
        wanted = event["conferenceData"].get("createRequest")
        if wanted:
            wanted["status"] = {"statusCode": "pending"}
            self._make_link(event)

    def _make_link(self, event: Event) -> None:
        wanted = event["conferenceData"]["createRequest"]
        if self.links_take:
            self.links_take -= 1
        elif self.links_fail:
            self.links_fail -= 1
            wanted["status"] = {"statusCode": "failure"}
        else:
            wanted["status"] = {"statusCode": "success"}
            event["hangoutLink"] = f"https://meet.google.com/{wanted['requestId'][:12]}"
            event["conferenceData"]["entryPoints"] = [{"entryPointType": "video", "uri": event["hangoutLink"]}]

    def _invite(self, what: str, event: Event, asked: Asked) -> None:
        if asked.query.get("sendUpdates") == "all":
            self.mails += [(what, event["id"], guest["email"]) for guest in event.get("attendees", ())]


def _method(asked: Asked) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The method of the description that this path and verb name, with the parameters in the path."""
    base = "/" + described()["servicePath"]
    for resource, each in described()["resources"].items():
        for name, method in each.get("methods", {}).items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", base + method["path"])
            found = re.fullmatch(pattern, asked.path)
            if found and method["httpMethod"] == asked.method:
                return f"{resource}.{name}", method, found.groupdict()
    raise Refused(404, "notFound")


def _check(value: Any, schema: str) -> None:
    """Every field is one of the description, and of its type."""
    _fits(value, {"$ref": schema})


_TYPES: Mapping[str, tuple[type, ...]] = {"string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float)}


def _fits(value: Any, rule: Mapping[str, Any]) -> None:
    if "$ref" in rule:
        rule = described()["schemas"][rule["$ref"]]
    kind = rule["type"]
    if kind == "array":
        if not isinstance(value, list):
            raise Refused(400, "parseError")
        for each in value:
            _fits(each, rule["items"])
    elif kind == "object":
        if not isinstance(value, dict):
            raise Refused(400, "parseError")
        for name, each in value.items():
            inner = rule.get("properties", {}).get(name) or rule.get("additionalProperties")
            if inner is None:
                raise Refused(400, "unknownField")
            _fits(each, inner)
    elif kind != "any" and not isinstance(value, _TYPES[kind]):
        raise Refused(400, "parseError")
    if rule.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        raise Refused(400, "invalid")


def _merged(into: Event, change: Mapping[str, Any]) -> Event:
    """PATCH: objects are merged, everything else takes its place."""
    merged = dict(into)
    for name, value in change.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
