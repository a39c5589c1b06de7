"""Microsoft Graph over the platform's HTTP client, one person's token at a time, and what goes wrong there in our words."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from fxo.core.calendars.asking import ask_all
from fxo.core.calendars.pauses import Pauses
from fxo.core.errors import Misconfigured, NotConnected, Retryable, Unavailable
from fxo.core.plugins import ProviderContext

AT_ONCE = 8
"""How many people are asked for at the same time: Graph's batches are of one person, so each is a call of its own."""

PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'
"""Ids that stay when an event is moved to another folder, and times in UTC."""

TOO_LITTLE = frozenset({"ErrorAccessDenied", "Authorization_RequestDenied", "accessDenied"})
"""Codes of a 403 that say that the person, or their organisation, has not allowed this."""


class Gone(Exception):
    """404 or 410: there is no such event, or the delta link is too old."""


class Exists(Exception):
    """409: the transaction id was used before."""


class Overtaken(Exception):
    """412: the event has changed since it was read."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call: `path` begins with a slash, or is a link that Graph has given; `match` is the version that is changed."""

    method: str
    path: str
    body: Any = None
    query: tuple[tuple[str, str], ...] = ()
    match: str = ""
    seconds: float | None = None
    """A shorter time limit than usual: a page waits for it."""


class Graph:
    """The calendar part of Graph for many people."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._url = context.settings.graph_url.rstrip("/")
        self.pauses = Pauses()

    def ask(self, person_id: UUID, request: Request) -> Any:
        """What Graph answers for this person. Raises `Gone`, `Exists`, `Overtaken`, or an error of the port."""
        answer = self.ask_all({person_id: request})[person_id]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask_all(self, requests: Mapping[UUID, Request]) -> dict[UUID, Any]:
        """The answers by person, or the error instead of one; several people are asked for at the same time.

        Where Graph does not take somebody's token, it is tried once more with a fresh one.
        """
        return ask_all(
            requests,
            token=self._token,
            send=lambda tokens: self._send_all(requests, tokens),
            refused=lambda said: _status(said) == 401,
            understood=self._understood,
            broken=lambda person_id: self._broken(person_id, "revoked"),
        )

    def _token(self, person_id: UUID, refused: str) -> str:
        self.pauses.heed(person_id, "Graph")
        return self._context.connections.token(person_id, refused=refused)

    def _send_all(self, requests: Mapping[UUID, Request], tokens: Mapping[UUID, str]) -> dict[UUID, Any]:
        """Threads do nothing but the call itself: the platform's things belong to the thread that we are called in."""
        if len(tokens) <= 1:
            return {each: self._send(requests[each], token) for each, token in tokens.items()}
        client = self._context.http  # made here, once
        assert client
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sent = {each: pool.submit(self._send, requests[each], token) for each, token in tokens.items()}
            return {each: done.result() for each, done in sent.items()}

    def _send(self, request: Request, token: str) -> httpx.Response | Unavailable:
        url = self._url + request.path if request.path.startswith("/") else request.path
        if not url.startswith(self._url + "/"):
            return Unavailable("Graph has given a link that leads elsewhere")  # where no token goes
        headers = {"Authorization": f"Bearer {token}", "Prefer": PREFER}
        headers |= {"If-Match": request.match} if request.match else {}
        try:
            client = self._context.http
            limit = client.timeout if request.seconds is None else httpx.Timeout(request.seconds)
            return client.request(
                request.method, url, json=request.body, params=dict(request.query) or None, headers=headers, timeout=limit
            )
        except httpx.HTTPError as error:
            return Unavailable(f"Graph does not answer: {type(error).__name__}")

    def _understood(self, person_id: UUID, said: Any) -> Any:
        """The answer, or the error in our words; of what Graph says only its code is repeated."""
        if isinstance(said, Unavailable):
            return said
        status, code, after = said.status_code, _code(said), said.headers.get("retry-after")
        match status:
            case 200 | 201 | 202 | 204:
                self.pauses.end(person_id)
                try:
                    return said.json() if said.content else {}
                except ValueError:
                    return Unavailable("Graph does not answer in JSON")
            case 404 | 410:
                return Gone(code)
            case 409:
                return Exists(code)
            case 412:
                return Overtaken(code)
            case 403 if code in TOO_LITTLE:
                return self._broken(person_id, "scopes")
            case 429:
                return Retryable("too much for Graph", after=self.pauses.begin(person_id, after))
            case 400 | 403 | 405 | 422:
                return Misconfigured(f"Graph does not take this: {code}", field="client_id" if status == 403 else "")
        return Unavailable(f"Graph says {status}", after=self.pauses.begin(person_id, after))

    def _broken(self, person_id: UUID, reason: str) -> NotConnected:
        self._context.connections.broken(person_id, reason)
        return NotConnected(f"Microsoft does not let us in for this person any more: {reason}")


def _status(said: Any) -> int:
    return int(said.status_code) if isinstance(said, httpx.Response) else 0


def _code(answer: httpx.Response) -> str:
    """Graph's code for what is wrong; never its sentence, which may quote what was sent."""
    try:
        return str(answer.json()["error"]["code"])
    except (ValueError, LookupError, TypeError):
        return f"status {answer.status_code}"
