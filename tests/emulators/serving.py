"""A small server over real HTTP, which can be told to fail, to be slow, and to have done what it does not say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.emulators.illness import Health


@dataclass(frozen=True)
class Asked:
    """A request: `parts` of the path, the query, headers in lower case, the body."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else b"" if self.body is None else json.dumps(self.body).encode()


@dataclass
class Fault:
    """What happens to the next requests whose method and path contain this."""

    where: str
    said: Said | None = None
    """Instead of the answer; None: the connection is dropped."""
    times: int = 1
    done: bool = False
    """Whether it is done all the same."""
    gate: threading.Event | None = None
    """It answers once this is set."""


class Server:
    """What an emulator is made of: `answer` is its own."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.health = Health()
        self.lock = threading.RLock()
        self.url = ""

    def answer(self, asked: Asked) -> Said:
        raise NotImplementedError

    def calls(self, where: str) -> list[Asked]:
        """The requests whose method and path contain this."""
        return [asked for asked in self.asked if where in f"{asked.method} {asked.path}"]

    def receive(self, asked: Asked) -> Said | None:
        """What a company in this health answers; None drops the connection."""
        if not self.health.ill:
            return self._receive(asked)
        return self.health.answer(lambda: self._receive(asked), lambda sick: Said(sick[0], sick[2], sick[1]))

    def _receive(self, asked: Asked) -> Said | None:
        """The answer, or a fault; None drops the connection."""
        with self.lock:
            self.asked.append(asked)
            fault = next((one for one in self.faults if one.where in f"{asked.method} {asked.path}"), None)
            if fault:
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
        if fault and fault.gate:
            fault.gate.wait(30)
        if fault and not fault.done and not fault.gate:
            return fault.said
        with self.lock:
            said = self.answer(asked)
        return fault.said if fault and not fault.gate else said

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answers at `url` until the block ends."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.receive))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


def _handler(receive: Callable[[Asked], Said | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            split = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = {name: values[0] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
            said = receive(Asked(self.command, split.path, query, headers, body))
            if said is None:
                self.close_connection = True
                return
            self.send_response(said.status)
            for name, value in {"Content-Type": "application/json", **said.headers}.items():
                self.send_header(name, value)
            if said.status != 204:
                self.send_header("Content-Length", str(len(said.content)))
            self.end_headers()
            if said.status != 204:
                with suppress(ConnectionError):  # who has hung up meanwhile hears nothing
                    self.wfile.write(said.content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _do

        def log_message(self, *_: Any) -> None:
            """Nothing is printed; `asked` has it."""

    return Handler
