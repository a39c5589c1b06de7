"""A service on a port of this machine: answers as its class says, or as a test tells it to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import orjson

from tests.emulators.illness import Health


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Answer:
        return cls(status, orjson.dumps(value), {"Content-Type": "application/json", **headers})


class Refused(Exception):
    """What the service answers to a request that breaks its rules."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Service:
    """Keeps every request; `faults` are used up in turn: an answer instead, or (`after`) one that hides what was done."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: deque[Fault] = deque()
        self.health = Health()
        self.url = ""
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def fail(self, *answers: Answer | None, after: bool = False, slow: float = 0) -> None:
        """The next requests get these answers instead (None: the line is cut). `after`: what was asked is done all the same."""
        self.faults.extend(Fault(each, after, slow) for each in answers)

    def _respond(self, request: Request) -> Answer | None:
        if not self.health.ill:
            return self._well(request)
        return self.health.answer(lambda: self._well(request), lambda sick: Answer(sick[0], sick[2], sick[1]))

    def _well(self, request: Request) -> Answer | None:
        with self._lock:
            self.requests.append(request)
            fault = self.faults.popleft() if self.faults else None
        if fault and fault.slow:
            threading.Event().wait(fault.slow)
        if fault and not fault.after:
            return fault.answer
        try:
            with self._lock:
                given = self.answer(request)
        except Refused as refusal:
            given = refusal.answer
        return fault.answer if fault else given

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve on a free port; `url` says where."""
        server = _Server(("127.0.0.1", 0), _handler(self._respond))
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@dataclass(frozen=True)
class Fault:
    answer: Answer | None
    after: bool
    slow: float


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: who was too slow is not heard any more."""


def check(condition: object, answer: Answer) -> None:
    """Refuse with this answer unless the condition holds."""
    if not condition:
        raise Refused(answer)


def _handler(respond: Callable[[Request], Answer | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            given = respond(Request(self.command, parts.path, query, headers, body))
            self.close_connection = True
            if given is None:
                return
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(given.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test says what went wrong."""

    return Handler
