"""Child processes: start them so that they end with us, find and stop those left over, ports, logs."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from fxo.embedded.account import Account, Identity
from fxo.embedded.errors import EmbeddedError

SERVER_NAMES = {"initdb", "postgres", "valkey-server", "redis-server"}
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition became true within that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def spawn(
    command: Sequence[str | Path],
    log: IO[bytes],
    *,
    cwd: Path | None = None,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    end_with: signal.Signals = signal.SIGTERM,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches us alone and we stop it in order.

    Should we be killed, Linux sends it `end_with`. That is bound to the thread that calls this: call it from one that stays.
    """

    identity: Identity = account.identity if account else {}

    def before_exec() -> None:
        if sys.platform == "linux":
            _libc.prctl(_PR_SET_PDEATHSIG, int(end_with))

    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=environment,
        start_new_session=True,
        preexec_fn=before_exec,  # noqa: PLW1509 - one prctl call, on a library loaded before
        umask=0o077,
        **identity,
    )


def open_log(path: Path) -> IO[bytes]:
    """A new log file for appending; the one of the run before is kept as `<name>.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def log_tail(path: Path, lines: int = 3) -> str:
    """The last lines of a log, for a message."""
    return " / ".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""


def servers_in(folder: Path) -> list[psutil.Process]:
    """The server processes whose working directory is in that folder."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] in SERVER_NAMES:
            with suppress(psutil.Error):
                if Path(process.cwd()).is_relative_to(folder):
                    found.append(process)
    return found


def stop_leftovers(folder: Path) -> None:
    """Stop servers that an earlier run left in that folder: politely, then firmly. The caller holds the folder's lock."""
    for number, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        left = servers_in(folder)
        ids = {process.pid for process in left}
        for process in left:
            with suppress(psutil.Error):
                if process.ppid() not in ids or number == signal.SIGKILL:
                    process.send_signal(number)
        if wait_until(lambda: not servers_in(folder), seconds if left else 0):
            return
    pids = ", ".join(str(process.pid) for process in servers_in(folder))
    raise EmbeddedError(f"Servers of an earlier run still work in {folder} and do not stop: end the processes {pids}.")


def stop(child: subprocess.Popen[bytes], signals: Iterable[tuple[signal.Signals, float]]) -> None:
    """Send the signals in turn until the child has ended, each with the seconds to wait after it."""
    for number, seconds in signals:
        if child.poll() is None:
            child.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                child.wait(seconds)


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """The preferred port if nobody listens on it, else another free one."""
    for port in (preferred, 0):
        with suppress(OSError):
            return _bind(port, host)
    raise EmbeddedError(f"No free port on {host}.")


def require_port(port: int, host: str = "127.0.0.1") -> int:
    """That port, or a clear error when it cannot be listened on. Port 0 gives any free one."""
    try:
        return _bind(port, host)
    except PermissionError as error:
        raise EmbeddedError(f"Port {port} needs the rights of root: choose one above 1023 with --port.") from error
    except OSError as error:
        raise EmbeddedError(f"Port {port} on {host} is taken: choose another with --port, or --port 0 for any.") from error


def _bind(port: int, host: str) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
