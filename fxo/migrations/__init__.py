"""The database: its roles and logins, the migrations of core and of plugins."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from alembic import command, context, op
from alembic.config import Config
from psycopg import sql
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.pool import NullPool

from fxo.core.errors import FxoError
from fxo.settings import Settings

HERE = Path(__file__).parent
EXTENSIONS = ("btree_gist",)
ROLES = ("owner", "app", "tenant", "partner", "operator", "system")
OLDEST = 15


class DatabaseNotReady(FxoError):
    """The database cannot be used as it is; the sentence says how to mend it."""

    code = "database_not_ready"
    status = 503


def run_sql(name: str) -> None:
    """Run one SQL file of the versions folder, with our role names filled in; for migrations."""
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    script = (HERE / "versions" / name).read_text(encoding="utf-8")
    driver.execute(script.format(**context.config.attributes["roles"]))  # type: ignore[arg-type]
    ran = _scripts_that_ran(driver) | {name: _digest(name)}
    driver.execute(sql.SQL("comment on table alembic_version is {}").format(sql.Literal(json.dumps(ran))))


def _scripts_that_ran(driver: psycopg.Connection[Any]) -> dict[str, str]:
    """The files that have run here, each with its digest; kept as the comment of Alembic's own table."""
    [comment] = driver.execute("select obj_description(to_regclass('public.alembic_version'))").fetchone() or (None,)
    return json.loads(comment) if comment else {}


def _digest(name: str) -> str:
    return sha256((HERE / "versions" / name).read_bytes()).hexdigest()[:16]


def _refuse_other_tables(driver: psycopg.Connection[Any], database: object) -> None:
    """Before the first release a file may still change, and data that were made by an earlier state of it cannot be used."""
    [there] = driver.execute("select to_regclass('public.alembic_version') is not null").fetchone() or (False,)
    ran = _scripts_that_ran(driver)
    if there and (not ran or any(digest != _digest(name) for name, digest in ran.items())):
        raise DatabaseNotReady(
            f"The tables of the database {database} were made by an earlier state of the program, from before its first release,"
            " and cannot be brought up to date. Start with new data: `fxo demo --fresh`, or drop the database, then `fxo db init`"
            " and `fxo db migrate`."
        )


def initialise(settings: Settings) -> None:
    """Create the roles, the logins with the passwords of their URLs, and the database; safe to repeat (`fxo db init`)."""
    admin = _admin(settings)
    target = settings.login_url("app")
    with connect(admin, autocommit=True) as connection:
        if connection.info.server_version // 10_000 < OLDEST:
            raise DatabaseNotReady(f"PostgreSQL {OLDEST} or newer is needed; this is {connection.info.server_version // 10_000}.")
        for name in ROLES:
            role = settings.role(name)
            if connection.execute("select from pg_roles where rolname = %s", (role,)).fetchone() is None:
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        login = "nosuperuser nobypassrls nocreatedb nocreaterole login"
        for name, options in (("owner", "nologin"), ("tenant", "nologin"), ("partner", "nologin"), ("app", f"{login} noinherit"),
                              ("operator", login), ("system", login)):  # fmt: skip
            connection.execute(sql.SQL("alter role {} " + options).format(sql.Identifier(settings.role(name))))  # type: ignore[arg-type]
        for name in ("app", "operator", "system"):
            password = settings.login_url(name).password  # type: ignore[arg-type]
            if password:
                connection.execute(
                    sql.SQL("alter role {} password {}").format(sql.Identifier(settings.role(name)), sql.Literal(str(password)))
                )
        for name in ("tenant", "partner"):
            connection.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(settings.role(name)), sql.Identifier(settings.role("app")))
            )
        if connection.execute("select from pg_database where datname = %s", (target.database,)).fetchone() is None:
            connection.execute(
                sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(str(target.database)))
            )
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(settings.role("owner"))))
    with connect(admin, dbname=str(target.database), autocommit=True) as connection:
        for extension in EXTENSIONS:
            connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))
        connection.execute("revoke all on schema public from public")
        connection.execute(
            sql.SQL("grant create, usage on schema public to {} with grant option; grant create on database {} to {}").format(
                sql.Identifier(settings.role("owner")),
                sql.Identifier(str(target.database)),
                sql.Identifier(settings.role("owner")),
            )
        )


def migrate(settings: Settings, plugins: Mapping[str, Iterable[Path]] | None = None) -> None:
    """Bring the database to the newest version, core's migrations first, then each plugin's (`fxo db migrate`)."""
    url = make_url(settings.database_admin_url).set(drivername="postgresql+psycopg", database=settings.login_url("app").database)
    roles = {name: settings.role(name) for name in ROLES}
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes.update(roles=roles)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended('fxo/migrate', 0))")
        connection.exec_driver_sql(f'set local role "{roles["owner"]}"')
        config.attributes["connection"] = connection
        driver: Any = connection.connection.driver_connection
        _refuse_other_tables(driver, url.database)
        command.upgrade(config, "head")
        for plugin, scripts in (plugins or {}).items():
            _migrate_plugin(driver, plugin, scripts, roles)
    engine.dispose()


def restored(settings: Settings) -> int:
    """The epoch that begins now, after the database came back from a backup (`fxo db restored`).

    Transaction numbers of the backup may lie in the future of the server it was restored to, so readers go by the epoch first.
    """
    with connect(_admin(settings), dbname=str(settings.login_url("app").database)) as connection:
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(settings.role("owner"))))
        [epoch] = connection.execute("update epoch set current = current + 1 returning current").fetchone() or (0,)
    return int(epoch)


def _migrate_plugin(driver: psycopg.Connection[Any], plugin: str, scripts: Iterable[Path], roles: Mapping[str, str]) -> None:
    """Run a plugin's numbered SQL files that have not run yet; they may only touch the schema `plugin_<name>`."""
    done = {row[0] for row in driver.execute("select script from plugin_migrations where plugin = %s", (plugin,))}
    for script in sorted(scripts):
        if script.name not in done:
            driver.execute(script.read_text(encoding="utf-8").format(**roles))  # type: ignore[arg-type]
            driver.execute("insert into plugin_migrations(plugin, script) values (%s, %s)", (plugin, script.name))


def connect(url: URL | str, **options: Any) -> psycopg.Connection[Any]:
    """A connection of the driver's for an SQLAlchemy URL; libpq would read some passwords in such URLs differently."""
    parts = make_url(url)
    values = {**parts.translate_connect_args(username="user", database="dbname"), **parts.query, "connect_timeout": 5, **options}
    return psycopg.connect(**values)


def _admin(settings: Settings) -> URL:
    if not settings.database_admin_url:
        raise DatabaseNotReady("Set FXO_DATABASE_ADMIN_URL to a login that may create roles and databases.")
    return make_url(settings.database_admin_url)
