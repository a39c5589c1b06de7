"""A worker that dies where the test has said, a web application that does, and a plugin that writes down what it hears."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask

from fxo.app import create_app
from fxo.cli import worker
from fxo.core.hookspecs import Booking, hookimpl
from fxo.core.work.model import Work
from fxo.core.work.perform import Probe

BEFORE, AFTER, COMMITTED = "before_act", "acted", "recorded"
"""Before the provider is called; after its answer and before our commit; after the commit."""


class Death:
    """Who is to die where, kept in files since it has to outlive the process: each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plan(self, victims: dict[tuple[str, UUID], str]) -> None:
        """By kind and stream of a work: the step at which the process that performs it dies."""
        named = {f"{kind} {stream_id}": step for (kind, stream_id), step in victims.items()}
        (self.folder / "victims.json").write_text(json.dumps(named))

    def come(self, step: str, work: Work) -> None:
        """End this process without a word if it is its time."""
        victims = json.loads((self.folder / "victims.json").read_text())
        if victims.get(f"{work.kind} {work.stream_id}") != step:
            return
        try:
            mark = os.open(self.folder / f"{work.kind} {step}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        os.write(mark, f"{work.id} {os.getpid()}".encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def work_id(self, kind: str, step: str) -> UUID | None:
        """The work that was being performed when a process died so; None where none has."""
        mark = self.folder / f"{kind} {step}"
        return UUID(mark.read_text().split()[0]) if mark.exists() else None


class Listener:
    """A plugin that is told of bookings."""

    __name__ = "listener"

    def __init__(self, folder: Path) -> None:
        self.file = folder / "told"

    @hookimpl
    def fxo_booking_confirmed(self, booking: Booking, context: Any) -> None:
        with self.file.open("a") as file:
            file.write(f"{booking.id}\n")

    def told(self, booking_id: UUID) -> int:
        """How often it was told of this booking."""
        return self.file.read_text().split().count(str(booking_id))


def probe(folder: Path) -> Probe:
    return Death(folder).come


def web() -> Flask:
    """The web application for gunicorn; the files are in the working directory."""
    return create_app(probe=probe(Path()))


def main(folder: Path) -> None:
    """One worker after the other, each a process of its own, until one ends in peace."""
    status = int(signal.SIGKILL)
    while os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        child = os.fork()  # of a process that has built nothing yet: only the imports are shared
        if child == 0:
            worker.run(create_app(probe=probe(folder), extra_plugins=(Listener(folder),)))
            return
        _, status = os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
