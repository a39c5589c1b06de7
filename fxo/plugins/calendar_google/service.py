"""Google's SDK over the platform's HTTP client, one person's token at a time, and what goes wrong there in our words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httplib2
import httpx
import orjson
from googleapiclient.discovery import build
from googleapiclient.errors import BatchError, HttpError
from googleapiclient.http import BatchHttpRequest, HttpRequest

from fxo.core.calendars.asking import ask_all
from fxo.core.calendars.pauses import Pauses
from fxo.core.errors import Misconfigured, NotConnected, Retryable, Unavailable
from fxo.core.plugins import ProviderContext

TOO_MUCH = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "calendarUsageLimitsExceeded"}
)
"""Reasons of a 403 that ask to come again later (Calendar API, "Handle API errors")."""

TOO_LITTLE = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
"""Reasons of a 403 that say that the person has not allowed this."""


QUICK = 1.5
"""Seconds that a page waits for busy times; after that the last answer stands in."""


class Gone(Exception):
    """404 or 410: there is no such event, or the sync token is too old."""


class Exists(Exception):
    """409: an event with this id was made before."""


class Overtaken(Exception):
    """412: the event has changed since it was read."""


class Service:
    """The Calendar API for many people."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._url = context.settings.api_url.rstrip("/")
        self._line = _Line(context.http)
        self.pauses = Pauses()
        self.api = build(
            "calendar", "v3", http=self._line, static_discovery=True, cache_discovery=False,
            client_options={"api_endpoint": f"{self._url}/calendar/v3/"},
        )  # fmt: skip

    def ask(self, person_id: UUID, request: HttpRequest) -> Any:
        """What Google answers for this person. Raises `Gone`, `Exists`, `Overtaken`, or an error of the port."""
        answer = self.ask_all({person_id: request})[person_id]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask_all(self, requests: Mapping[UUID, HttpRequest], *, quick: bool = False) -> dict[UUID, Any]:
        """The answers by person, or the error instead of one; several requests travel in one call.

        Where Google does not take somebody's token, it is tried once more with a fresh one. `quick`: a page waits for it.
        """
        line = _Line(self._context.http, QUICK) if quick else self._line
        return ask_all(
            requests,
            token=self._token,
            send=lambda tokens: self._send(line, requests, tokens),
            refused=lambda said: _status(said) == 401,
            understood=self._understood,
            broken=lambda person_id: self._broken(person_id, "revoked"),
        )

    def _token(self, person_id: UUID, refused: str) -> str:
        self.pauses.heed(person_id, "Google")
        return self._context.connections.token(person_id, refused=refused)

    def _send(self, line: _Line, requests: Mapping[UUID, HttpRequest], tokens: Mapping[UUID, str]) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for person_id, token in tokens.items():
            requests[person_id].headers["authorization"] = f"Bearer {token}"
        try:
            if len(tokens) == 1:
                ((person_id, _),) = tokens.items()
                try:
                    found[person_id] = requests[person_id].execute(http=line)
                except HttpError as error:
                    found[person_id] = error
            elif tokens:
                batch = BatchHttpRequest(batch_uri=f"{self._url}/batch/calendar/v3")
                for number, person_id in enumerate(tokens):  # a longer name would break the header that it stands in
                    batch.add(requests[person_id], request_id=str(number), callback=_into(found, person_id))
                batch.execute(http=line)
        except HttpError as error:
            return dict.fromkeys(tokens, error)
        except (httpx.HTTPError, BatchError) as error:
            unavailable = Unavailable(f"Google does not answer: {type(error).__name__}")
            return dict.fromkeys(tokens, unavailable)
        return found

    def _understood(self, person_id: UUID, said: Any) -> Any:
        """The answer, or the error in our words; of what Google says only its reason is repeated."""
        if not isinstance(said, HttpError):
            if not isinstance(said, Exception):
                self.pauses.end(person_id)
            return said
        status, reason = said.resp.status, _reason(said)
        match status:
            case 404 | 410:
                return Gone(reason)
            case 409:
                return Exists(reason)
            case 412:
                return Overtaken(reason)
            case 403 if reason in TOO_LITTLE:
                return self._broken(person_id, "scopes")
            case 403 if reason not in TOO_MUCH:
                return Misconfigured(f"Google refuses our application: {reason}", field="client_id")
            case 403 | 429:
                return Retryable(
                    f"too much for Google: {reason}", after=self.pauses.begin(person_id, said.resp.get("retry-after"))
                )
            case 400:
                return Misconfigured(f"Google does not take this: {reason}")
        return Unavailable(f"Google says {status}", after=self.pauses.begin(person_id, said.resp.get("retry-after")))

    def _broken(self, person_id: UUID, reason: str) -> NotConnected:
        self._context.connections.broken(person_id, reason)
        return NotConnected(f"Google does not let us in for this person any more: {reason}")


def _into(found: dict[UUID, Any], person_id: UUID) -> Callable[[str, Any, Exception | None], None]:
    def keep(_: str, answer: Any, error: Exception | None) -> None:
        found[person_id] = error or answer

    return keep


def _status(said: Any) -> int:
    return int(said.resp.status) if isinstance(said, HttpError) else 200


def _reason(error: HttpError) -> str:
    """Google's code for what is wrong; never its sentence, which may quote what was sent."""
    try:
        said = orjson.loads(error.content)["error"]
        for detail in said.get("details", ()):
            if "reason" in detail:
                return str(detail["reason"])
        return str(said["errors"][0]["reason"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return f"status {error.resp.status}"


class _Line:
    """What Google's SDK calls instead of httplib2: the platform's client, with its time limits or a shorter one."""

    def __init__(self, client: httpx.Client, seconds: float | None = None) -> None:
        self._client = client
        self._limit = client.timeout if seconds is None else httpx.Timeout(seconds)

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """One request and its answer, whatever its status."""
        given = {**(headers or {}), "accept-encoding": "identity"}
        answer = self._client.request(method, uri, content=body, headers=given, timeout=self._limit)
        return httplib2.Response({**answer.headers, "status": str(answer.status_code)}), answer.content

    def close(self) -> None:
        """The client stays open: it is the platform's."""
