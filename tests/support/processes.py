"""The platform as real processes (web, worker, sweeper, programs of a test), and people who reach it over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import flask
import httpx

from fxo.demo.environment import variables
from fxo.embedded.processes import open_log, spawn, stop, wait_until
from fxo.settings import Settings
from tests.support.browser import Person

ROOT = Path(__file__).parents[2]
FXO = (sys.executable, "-m", "fxo.cli")


class Processes:
    """Children that work for one platform. `with Processes(settings, folder) as children:` ends them all when it is left.

    They run in `folder`, and what they print goes to `<name>.log` there. Make the settings with a free port for `web`.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.address = f"http://{settings.bind}:{settings.port}"
        self._children: list[subprocess.Popen[bytes]] = []
        self._wires: list[Wire] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for wire in self._wires:
            wire.http.close()
        for child in self._children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self._children:
            stop(child, ((signal.SIGTERM, 10), (signal.SIGKILL, 5)))
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # and what it has left behind

    def start(self, name: str, *command: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start a program with these settings in its environment."""
        everything = {**os.environ, "PYTHONPATH": str(ROOT), **variables(self.settings), **environment}
        with open_log(self.folder / f"{name}.log") as log:
            child = spawn(command, log, cwd=self.folder, environment=everything)
        self._children.append(child)
        return child

    def worker(self, name: str = "worker") -> subprocess.Popen[bytes]:
        """A worker behind the queue."""
        return self.start(name, *FXO, "worker")

    def sweeper(self, name: str = "sweeper") -> subprocess.Popen[bytes]:
        """The one that hands out what is due."""
        return self.start(name, *FXO, "sweeper")

    def web(self, app: str = "", **environment: str) -> subprocess.Popen[bytes]:
        """The web server, answering: `fxo serve`, or gunicorn with as many processes and threads for another `module:app()`."""
        settings = self.settings
        gunicorn = [sys.executable, "-m", "gunicorn", app, "--bind", f"{settings.bind}:{settings.port}", "-k", "gthread"]
        gunicorn += ["-w", str(settings.web_processes), "--threads", str(settings.web_threads), "--no-control-socket"]
        child = self.start("web", *(gunicorn if app else [*FXO, "serve"]), **environment)
        if not wait_until(lambda: child.poll() is not None or self.answers("/healthz"), 30) or child.poll() is not None:
            raise AssertionError(f"the web server does not start: {self.log('web')[-2000:]}")
        return child

    def ask(self, path: str) -> httpx.Response:
        """The web server's answer to a question that needs no host, such as /readyz."""
        return httpx.get(self.address + path, timeout=10, trust_env=False)

    def answers(self, path: str, status: int = 200) -> bool:
        """Whether the web server answers such a question with this status."""
        with suppress(httpx.HTTPError):
            return self.ask(path).status_code == status
        return False

    def visit(self, label: str) -> Visitor:
        """Somebody with a browser of their own at `<label>.<base domain>`."""
        wire = Wire(self.address)
        self._wires.append(wire)
        return Visitor(wire, self.settings.host(label))

    def log(self, name: str) -> str:
        """What a child has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def errors(self, name: str) -> list[str]:
        """What a child has logged as an error of ours, and tracebacks of whatever came to nobody."""
        marks = ('"level":"error","logger":"fxo', "Traceback (most recent call last)")
        return [line for line in self.log(name).splitlines() if any(mark in line for mark in marks)]


class Wire:
    """What `Person` uses to reach a real server: Flask's test client over HTTP, to an address that DNS knows nothing of."""

    def __init__(self, address: str) -> None:
        once = httpx.Limits(max_keepalive_connections=0)  # the server may end a kept connection just when it is used again
        self.http = httpx.Client(base_url=address, timeout=30, trust_env=False, limits=once)

    def get(self, path: str, *, base_url: str, headers: Mapping[str, str] | None = None) -> flask.Response:
        return self._ask("GET", path, base_url, headers)

    def post(self, path: str, *, base_url: str, headers: Mapping[str, str] | None = None, **body: Any) -> flask.Response:
        return self._ask("POST", path, base_url, headers, **body)

    def _ask(self, method: str, path: str, base_url: str, headers: Mapping[str, str] | None, **body: Any) -> flask.Response:
        named = {"Host": base_url.partition("//")[2], **(headers or {})}
        answer = self.http.request(method, path, headers=named, **body)
        headers = [(name.title(), value) for name, value in answer.headers.multi_items() if name != "content-encoding"]
        return flask.Response(answer.content, answer.status_code, headers)


class Visitor(Person):
    """A person with a browser of their own, at a real server."""

    def __init__(self, wire: Wire, host: str) -> None:
        self.client = wire  # type: ignore[assignment]
        self.host = host
