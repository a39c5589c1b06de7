"""Starts the demo: servers, database, data, then web, worker and sweeper as processes that are kept up."""

from __future__ import annotations

import http.client
import logging
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import redis
from psycopg import sql
from sqlalchemy import event, make_url

from fxo import embedded, platform
from fxo.cli import sentence, target
from fxo.cli.db import plugin_scripts
from fxo.cli.doctor import master_key_opens
from fxo.core.db import db
from fxo.core.errors import FxoError, Unready
from fxo.demo import environment
from fxo.demo.seed import Signins, seed
from fxo.demo.step import Step
from fxo.embedded import EmbeddedError, Program, Supervisor
from fxo.embedded.processes import log_tail, require_port, wait_until
from fxo.migrations import connect, initialise, migrate
from fxo.settings import Settings

PROCESSES = {"web": "serve", "worker": "worker", "sweeper": "sweeper"}
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that answers."""

    settings: Settings
    signins: Signins
    crew: Supervisor
    logs: Path


@contextmanager
def started(given: Settings, *, port: int, fresh: bool = False, bare: bool = False) -> Iterator[Demo]:
    """Start everything, and stop it at the end with the data kept. Port 0 is any free one; `bare` is without a history.

    Raises `FxoError` with a sentence.
    """
    if given.database_url and not given.database_admin_url:
        raise Unready("Set FXO_DATABASE_ADMIN_URL too: the demo makes its logins and tables with it.")
    port = require_port(port, given.bind)
    if fresh:
        _forget(given)
    with ExitStack() as stack:
        admin_url, redis_url, revive = given.database_admin_url, given.redis_url, _nothing
        if not (given.database_url and given.redis_url):
            servers = stack.enter_context(embedded.servers(given.data_dir))
            revive = servers.revive
            admin_url = admin_url if given.database_url else servers.admin_url
            redis_url = redis_url or servers.redis_url
        settings = environment.settings(given, port=port, admin_url=admin_url, redis_url=redis_url)
        if given.database_url:
            _refuse_what_is_no_demo(settings)
        initialise(settings)
        migrate(settings, plugin_scripts())
        signins = _seeded(settings, bare)
        logs = settings.data_dir / "logs"
        variables = environment.variables(settings)
        programs = [Program(name, [sys.executable, "-m", "fxo.cli", command], variables) for name, command in PROCESSES.items()]
        crew = stack.enter_context(Supervisor(programs, logs, also=revive))
        _wait_until_ready(settings, crew, logs)
        stack.enter_context(environment.known_as_running(settings))
        yield Demo(settings, signins, crew, logs)


def where(given: Settings) -> str:
    """Where the demo's data are, for people."""
    if given.database_url:
        return f"the database {make_url(given.database_url).database}"
    return str(given.data_dir.resolve())


def checked(given: Settings, *, bare: bool = False) -> Generator[Step, None, None]:
    """Start a demo with data of its own, drive it through the whole flow, and leave nothing behind."""
    begun = time.monotonic()
    with ExitStack() as stack:
        own = _of_its_own(stack, given)
        try:
            running = stack.enter_context(started(own, port=0, bare=bare))
        except Exception as error:
            # The edge of the check: its answer is a step in any case.
            yield Step("everything starts", False, _ms(begun), sentence(error))
            return
        yield Step("everything starts", True, _ms(begun))
        from fxo.demo.check import drive

        connection = stack.enter_context(redis.Redis.from_url(running.settings.redis_url))
        address = ("127.0.0.1", running.settings.port)
        begun = time.monotonic()
        try:
            for step in drive(address, running.settings.base_domain, running.signins, lambda: connection.flushall()):
                yield step
                begun = time.monotonic()
        except Exception as error:
            # The edge of the check: what a step did not foresee is a step that failed.
            yield Step("the flow goes on", False, _ms(begun), f"{type(error).__name__}: {error}")


def _of_its_own(stack: ExitStack, given: Settings) -> Settings:
    """Settings with a folder, a queue and a database that nobody else uses, all removed at the end."""
    data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fxo-check-")))
    stack.callback(embedded.remove, data_dir)
    values: dict[str, object] = {
        "data_dir": data_dir, "redis_url": "", "bind": "127.0.0.1", "public_scheme": "http", "public_port": None,
        "trusted_proxies": 0, "idle_seconds": min(given.idle_seconds, 2.0), "sweep_seconds": min(given.sweep_seconds, 0.5),
    }  # fmt: skip
    if given.database_url:
        name = f"{environment.DATABASE}_check_{token_hex(4)}"
        for field in ("database_url", "database_system_url", "database_operator_url"):
            if url := getattr(given, field):
                values[field] = make_url(url).set(database=name).render_as_string(hide_password=False)
        stack.enter_context(suppress(psycopg.OperationalError))  # where it cannot be reached there is nothing to drop
        stack.callback(_drop, given.database_admin_url, name)
    return given.model_copy(update=values)


def _nothing() -> None:
    """Given servers are looked after by others."""


def _forget(given: Settings) -> None:
    if given.database_url:
        name = str(make_url(given.database_url).database)
        if not name.startswith(environment.DATABASE):
            raise FxoError(
                f"The database {name} is not dropped: --fresh does that only where the name begins with {environment.DATABASE}."
            )
        _drop(given.database_admin_url, name)
    embedded.remove(given.data_dir)
    environment.forget_secrets(given.data_dir)


def _drop(admin_url: str, name: str) -> None:
    with connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _refuse_what_is_no_demo(settings: Settings) -> None:
    """Accounts that everybody knows are never put beside real data."""
    name = str(settings.login_url("app").database)
    with connect(settings.database_admin_url, autocommit=True) as connection:
        if connection.execute("select from pg_database where datname = %s", (name,)).fetchone() is None:
            return
    with connect(settings.database_admin_url, dbname=name) as connection:
        row = connection.execute(
            "select to_regclass('public.clock'), (select count(*) from pg_tables where schemaname = 'public')"
        )
        clock, tables = row.fetchone() or (None, 0)
        if clock:
            connection.execute("select set_config('role', %s, true)", (settings.role("owner"),))
            row = connection.execute("select exists (select from tenants) and not exists (select from clock)")
        if row.fetchone() == (True,) if clock else tables:
            raise FxoError(f"The database {name} is no demo's: name another in FXO_DATABASE_URL, such as fxo_demo.")


def _seeded(settings: Settings, bare: bool) -> Signins:
    app = target.app(settings)
    for handler in logging.getLogger("fxo").handlers:
        handler.setFormatter(logging.Formatter("%(message)s"))  # what this process still says is for the person who started it
    with app.app_context():
        try:
            parts = platform.current()
            if not master_key_opens(parts):
                raise Unready(
                    f"The data were made with another master key than that of {settings.data_dir}: set the right FXO_MASTER_KEY, "
                    "or begin anew with `fxo demo --fresh`."
                )
            for engine in db.engines.values():
                event.listen(engine, "connect", _in_no_hurry)
            signins = seed(app, bare=bare)
            for config in parts.records.all():
                if live := parts.providers.live(config):
                    raise Unready(f"{config.slug} uses {live[0]}, which talks to the outside; a demo's clock can be moved.")
            return signins
        finally:
            platform.current().providers.close()  # it keeps its figures in a thread, on a connection of its own
            for engine in db.engines.values():
                engine.dispose()


def _in_no_hurry(connection: psycopg.Connection[Any], _record: object) -> None:
    """What a power cut would take while the demo's data are written is written again at the next start; several partners are
    told of at once, and on a busy machine one waits longer for another than a page may.
    """
    connection.autocommit = True
    connection.execute("set synchronous_commit = off; set lock_timeout = '60s'")
    connection.autocommit = False


def _wait_until_ready(settings: Settings, crew: Supervisor, logs: Path) -> None:
    def ended() -> list[str]:
        return [name for name in PROCESSES if name not in crew.pids]

    wait_until(lambda: bool(ended()) or _answers(settings.port), START_SECONDS)
    for name in ended():
        raise EmbeddedError(f"The {name} process does not start: {log_tail(logs / f'{name}.log')} (log: {logs / name}.log).")
    if not _answers(settings.port):
        raise EmbeddedError(f"The pages do not answer within {START_SECONDS} seconds (log: {logs / 'web.log'}).")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ms(begun: float) -> float:
    return (time.monotonic() - begun) * 1000
