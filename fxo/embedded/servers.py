"""`with servers(data_dir)`: PostgreSQL and Valkey for one data folder, one user of it at a time."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fxo.embedded.account import home_for, servers_account
from fxo.embedded.errors import EmbeddedError
from fxo.embedded.postgres import Postgres
from fxo.embedded.processes import stop_leftovers
from fxo.embedded.valkey import Valkey

log = logging.getLogger(__name__)

README = """Data of fxo's embedded PostgreSQL and Valkey: {home}
Run as root below a private folder, they work as another account and keep their data elsewhere;
`servers` is then a link. `fxo demo --fresh` removes it all; removing this folder alone leaves
what the link points to.
"""


class Servers:
    """Two running servers: their URLs, their process ids, and how to start them again on the same ports."""

    def __init__(self, postgres: Postgres, valkey: Valkey) -> None:
        self._postgres, self._valkey = postgres, valkey

    @property
    def admin_url(self) -> str:
        """`postgresql://postgres:password@127.0.0.1:port/postgres`."""
        return self._postgres.url

    @property
    def redis_url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`."""
        return self._valkey.url

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name: `postgres`, `valkey`."""
        children = {"postgres": self._postgres.child, "valkey": self._valkey.child}
        return {name: child.pid for name, child in children.items() if child}

    def restart_postgres(self) -> None:
        """Stop PostgreSQL if it still runs, and start it on the same port."""
        self._postgres.stop()
        self._postgres.start()

    def restart_valkey(self) -> None:
        """Stop Valkey if it still runs, and start it, empty, on the same port."""
        self._valkey.stop()
        self._valkey.start()

    def revive(self) -> None:
        """Start again what has died; cheap when all is well."""
        for name, child, restart in (
            ("postgres", self._postgres.child, self.restart_postgres),
            ("valkey", self._valkey.child, self.restart_valkey),
        ):
            if child and child.poll() is not None:
                log.warning("%s ended with status %s and is started again", name, child.returncode)
                restart()


@contextmanager
def servers(data_dir: Path, *, durable: bool = True, binaries: Path | None = None) -> Iterator[Servers]:
    """Start both servers and stop them at the end; the data of PostgreSQL stays for the next time.

    `durable=False` gives up safety on a power cut for speed: tests only. `binaries` names a folder with another
    PostgreSQL's programs. Call it from a thread that lives at least as long as the servers. Raises `EmbeddedError`.
    """
    data_dir = data_dir.resolve()
    with _locked(data_dir):
        account = servers_account()
        home = home_for(data_dir, account)
        (data_dir / "README.txt").write_text(README.format(home=home))
        stop_leftovers(home)
        postgres = Postgres(home, data_dir / "logs" / "postgres.log", account, durable=durable, binaries=binaries)
        valkey = Valkey(home, data_dir / "logs" / "valkey.log", account)
        try:
            postgres.start()
            valkey.start()
            yield Servers(postgres, valkey)
        finally:
            valkey.stop()
            postgres.stop()


def remove(data_dir: Path) -> None:
    """Remove the servers' data, wherever it lies. Raises `EmbeddedError` while somebody uses it."""
    if not data_dir.exists():
        return
    with _locked(data_dir):
        link = data_dir / "servers"
        home = link.resolve()
        if home.exists():
            stop_leftovers(home)
            shutil.rmtree(home)
        link.unlink(missing_ok=True)


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise EmbeddedError(f"The data folder {data_dir} cannot be written: {error.strerror}. Set FXO_DATA_DIR.") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(file, 20).decode().strip() or "unknown"
            raise EmbeddedError(
                f"Another fxo (process {pid}) is using {data_dir}: stop it, or choose another folder with FXO_DATA_DIR."
            ) from None
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(file)
