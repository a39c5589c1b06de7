"""Connections, and the one message that begins a transaction in its scope."""

from __future__ import annotations

import json
import select
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import flask
import orjson
import psycopg
import psycopg.errors
import psycopg.types.json
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import Escaping, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Engine, Pool, TextClause, event, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from fxo.core.scope import Scope, ScopeKind
from fxo.settings import Settings

psycopg.types.json.set_json_dumps(orjson.dumps)
psycopg.types.json.set_json_loads(orjson.loads)

_BINDS: dict[ScopeKind, str | None] = {
    ScopeKind.TENANT: None,
    ScopeKind.PARTNER: None,
    ScopeKind.OPERATOR: "operator",
    ScopeKind.SYSTEM: "system",
}


class Base(DeclarativeBase):
    """No table is mapped: the tables stand in `fxo/migrations`, reads and writes are plain SQL."""


db = SQLAlchemy(model_class=Base)
"""Knows the three logins and their pools. Its own session has the application's login and no scope: it may read nothing."""

MOST_WORKING = 24
"""So many threads of a web process use the database at once, of however many that mostly wait for somebody outside."""

_UNSENT = "begins a transaction"
"""Key of a connection's `info`: what begins the transaction that was asked for, while nothing has been said in it."""

_open: ContextVar[Scope | None] = ContextVar("open_transaction", default=None)


def engine_options(settings: Settings) -> dict[str, Any]:
    """Pool and driver options of every login; limits are given at connect, since `set role` does not apply a role's settings."""
    return {
        "pool_size": min(settings.web_threads, MOST_WORKING) + 8,
        "pool_use_lifo": True,  # the one that was used last knows the statements and has its tables at hand
        "max_overflow": 0,  # one above the pool would be made anew for every page that needs it
        "json_serializer": lambda value: json.dumps(value, ensure_ascii=False),
        "connect_args": {
            "application_name": "fxo",
            "connect_timeout": 5,
            "options": "-c statement_timeout=20s -c idle_in_transaction_session_timeout=30s -c lock_timeout=5s -c timezone=UTC",
        },
    }


def configure(settings: Settings) -> dict[str, Any]:
    """Flask's configuration values for the three logins, each with its own pool."""
    options = engine_options(settings)
    return {
        "SQLALCHEMY_DATABASE_URI": settings.login_url("app"),
        "SQLALCHEMY_ENGINE_OPTIONS": options,
        "SQLALCHEMY_BINDS": {
            "system": {"url": settings.login_url("system"), **options, "pool_size": 12},
            "operator": {"url": settings.login_url("operator"), **options, "pool_size": 12},
        },
        "FXO_ROLE_PREFIX": settings.role_prefix,
    }


@event.listens_for(Pool, "checkout")
def _still_there(connection: psycopg.Connection[Any], record: ConnectionPoolEntry, checked_out: PoolProxiedConnection) -> None:
    """Leave a connection whose server has ended and take a new one.

    It has said so on the socket, where nobody speaks otherwise; `pool_pre_ping` would be a round trip in every transaction.
    """
    heard = select.poll()
    if not connection.closed:
        heard.register(connection.fileno(), select.POLLIN)
    if connection.closed or heard.poll(0):
        raise DisconnectionError("the server has ended this connection")


@contextmanager
def transaction(scope: Scope) -> Iterator[Connection]:
    """One transaction in this scope: committed at the end, rolled back on an error. It does not nest.

    What begins it is sent with the first statement.
    """
    if (outer := _open.get()) is not None:
        raise RuntimeError(f"a transaction is open already, in {outer}")
    with db.engines[_BINDS[scope.kind]].connect() as connection:
        driver, about, mark = driver_of(connection), connection.info, _open.set(scope)
        about[_UNSENT] = _beginning(driver, scope)
        try:
            yield connection
            if driver.pgconn.transaction_status != TransactionStatus.IDLE:
                _commit(driver)
        except BaseException:
            _roll_back(connection, driver)
            raise
        finally:
            about.pop(_UNSENT, None)
            _open.reset(mark)


def in_transaction() -> bool:
    """Whether this thread holds a transaction; providers are never called then."""
    return _open.get() is not None


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's own connection, in the transaction if one is open."""
    driver = _driver(connection)
    if beginning := connection.info.pop(_UNSENT, None):
        _tell(driver, beginning)
    return driver


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def execute(connection: Connection, statement: str, **values: Any) -> CursorResult[Any]:
    """Run one SQL statement with named parameters (`:name`)."""
    driver_of(connection)
    return connection.execute(_parsed(statement), values)


@lru_cache(maxsize=1_024)
def _parsed(statement: str) -> TextClause:
    return text(statement)


def read(scope: Scope, statement: str, values: Mapping[str, Any]) -> list[Any]:
    """What one statement finds in the system scope, as named tuples. Its login needs no role, so no transaction: one message."""
    if scope.kind is not ScopeKind.SYSTEM or in_transaction():
        raise RuntimeError(f"in {scope} this takes a transaction")
    with db.engines[_BINDS[scope.kind]].connect() as connection:
        driver = driver_of(connection)
        driver.autocommit = True
        try:
            return driver.cursor(row_factory=namedtuple_row).execute(statement, values).fetchall()
        finally:
            if not driver.closed:
                driver.autocommit = False


def call(connection: Connection, function: str, *values: str | bytes) -> bytes | None:
    """What an SQL function of ours returns, as text: the short way for the one statement that every command ends with.

    It costs no cursor, nothing prepared that a pooler would have to know of, and as the first statement no round trip of its own.
    """
    literal = Escaping(_driver(connection).pgconn).escape_literal
    arguments = b", ".join(literal(each.encode() if isinstance(each, str) else each) for each in values)
    return value(connection, b"select %s(%s)" % (function.encode(), arguments))


def value(connection: Connection, statement: bytes) -> bytes | None:
    """The one value that a statement without parameters finds, as text, in the same short way; None where there is no row."""
    beginning, driver = connection.info.pop(_UNSENT, b""), driver_of(connection)
    result = _tell(driver, b"%s; %s" % (beginning, statement))
    return result.get_value(0, 0) if result.ntuples else None


def _beginning(driver: psycopg.Connection[Any], scope: Scope) -> bytes:
    """What begins a transaction and gives role and identity to it alone: one message, safe behind PgBouncer."""
    if scope.kind is ScopeKind.SYSTEM:
        return b"begin"
    identity = f"set local fxo.{scope.kind} = ".encode() + Escaping(driver.pgconn).escape_literal(str(scope.id).encode())
    if scope.kind is ScopeKind.OPERATOR:
        return b"begin; " + identity
    role = f"{flask.current_app.config['FXO_ROLE_PREFIX']}_{scope.kind}"
    return f"begin; set local role {role}; ".encode() + identity


def _tell(driver: psycopg.Connection[Any], message: bytes) -> PGresult:
    """Send statements without parameters as they are, and return the result of the last one.

    An append is so short that the driver's machinery around its beginning and end would cost as much as the append.
    """
    result = driver.pgconn.exec_(message)
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        if driver.closed:
            raise psycopg.OperationalError("the server has ended this connection")
        raise psycopg.errors.error_from_result(result, driver.info.encoding)
    return result


def _commit(driver: psycopg.Connection[Any]) -> None:
    if _tell(driver, b"commit").command_status != b"COMMIT":
        raise psycopg.errors.InFailedSqlTransaction("a statement has failed, so nothing could be committed")


def _roll_back(connection: Connection, driver: psycopg.Connection[Any]) -> None:
    try:
        driver.rollback()
    except psycopg.Error:
        connection.invalidate()


def ping(login: Callable[[], Engine]) -> None:
    """Raises where that login cannot reach its database."""
    with login().connect() as connection:
        connection.exec_driver_sql("select 1")
