"""Keeps our own processes up: starts them, restarts one that ends, stops them all."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

from fxo.embedded.processes import open_log, spawn

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY = 60.0  # who ran that long starts again with the first pause
ROUND = 0.2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Program:
    """One process to keep up: its name, its command, and what its environment has beyond ours."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """`with Supervisor(programs, logs) as crew:` starts them, `crew.run()` tends them until a signal, leaving stops them.

    What a program prints goes to `<logs>/<name>.log`. `also` is called on each round of `run`, for instance
    `Servers.revive`. At the end each program gets SIGTERM, `patience` seconds, then SIGKILL with all it started.
    """

    def __init__(
        self, programs: Sequence[Program], logs: Path, *, also: Callable[[], None] = lambda: None, patience: float = 30
    ) -> None:
        self._kept = [_Kept(program, logs / f"{program.name}.log") for program in programs]
        self._also, self._patience = also, patience

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name, of those that run."""
        return {kept.program.name: kept.child.pid for kept in self._kept if kept.child and kept.child.poll() is None}

    def __enter__(self) -> Supervisor:
        try:
            for kept in self._kept:
                open_log(kept.log).close()
                kept.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def run(self) -> signal.Signals:
        """Tend the programs until SIGINT, SIGTERM or SIGHUP, and return it. For the main thread."""
        asked, received = threading.Event(), []

        def ask(number: int, _: FrameType | None) -> None:
            received.append(signal.Signals(number))
            asked.set()

        before = {number: signal.signal(number, ask) for number in SIGNALS}
        try:
            while not asked.wait(ROUND):
                self._also()
                self.tend()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return received[0]

    def tend(self) -> None:
        """Start again who has ended and waited long enough; the pause doubles with each failure in a row."""
        for kept in self._kept:
            kept.tend()

    def stop(self) -> None:
        """Stop all programs; harmless when they have ended already."""
        for kept in self._kept:
            kept.send(signal.SIGTERM)
        end = time.monotonic() + self._patience
        for kept in self._kept:
            kept.finish(max(end - time.monotonic(), 0))


class _Kept:
    """A program and the process that runs it just now."""

    def __init__(self, program: Program, log_file: Path) -> None:
        self.program, self.log = program, log_file
        self.child: subprocess.Popen[bytes] | None = None
        self.started = self.again = 0.0
        self.pause = FIRST_PAUSE

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.child = spawn(self.program.command, output, environment={**os.environ, **self.program.environment})
        self.started, self.again = time.monotonic(), 0.0

    def tend(self) -> None:
        now = time.monotonic()
        if self.child is None or self.child.poll() is None:
            return
        if not self.again:
            self.pause = FIRST_PAUSE if now - self.started > STEADY else min(self.pause * 2, LONGEST_PAUSE)
            self.again = now + self.pause
            status = self.child.returncode
            log.warning("%s ended with status %s and starts again in %g s", self.program.name, status, self.pause)
        elif now >= self.again:
            self.start()

    def send(self, number: signal.Signals) -> None:
        if self.child and self.child.poll() is None:
            self.child.send_signal(number)

    def finish(self, seconds: float) -> None:
        if self.child:
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(seconds)
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)  # and what it has left behind
            self.child.wait()
