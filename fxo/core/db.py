"""The session, and the one statement that gives every transaction its scope."""

from __future__ import annotations

import json
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flask
import orjson
import psycopg
import psycopg.types.json
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, Pool, event, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
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


class ScopedSession(FlaskSession):
    """A session that talks to its scope's login. Without a scope it has the application's login, which may read nothing."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        scope: Scope | None = self.info.get("scope")
        return self._db.engines[_BINDS[scope.kind] if scope else None]


db = SQLAlchemy(model_class=Base, session_options={"class_": ScopedSession, "expire_on_commit": False})


def engine_options(settings: Settings) -> dict[str, Any]:
    """Pool and driver options of every login; limits are given at connect, since `set role` does not apply a role's settings."""
    return {
        "pool_size": settings.web_threads,
        "max_overflow": 8,
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
            "system": {"url": settings.login_url("system"), **options, "pool_size": 4},
            "operator": {"url": settings.login_url("operator"), **options, "pool_size": 4},
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


@event.listens_for(Session, "after_begin")
def _enter_scope(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Set role and identity for this transaction only, in one statement (safe behind PgBouncer)."""
    scope: Scope | None = session.info.get("scope")
    if scope is None or scope.kind is ScopeKind.SYSTEM:
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    if scope.kind is ScopeKind.OPERATOR:
        driver.execute("select set_config('fxo.operator', %s, true)", (str(scope.id),))
        return
    role = f"{flask.current_app.config['FXO_ROLE_PREFIX']}_{scope.kind}"
    driver.execute(f"select set_config('role', %s, true), set_config('fxo.{scope.kind}', %s, true)", (role, str(scope.id)))


@contextmanager
def transaction(scope: Scope) -> Iterator[Session]:
    """One transaction in this scope: committed at the end, rolled back on an error. It does not nest."""
    session = db.session()
    if "scope" in session.info:
        raise RuntimeError(f"a transaction is open already, in {session.info['scope']}")
    session.info["scope"] = scope
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("scope", None)
        session.close()


def in_transaction() -> bool:
    """Whether this context holds a transaction; providers are never called then."""
    return flask.has_app_context() and "scope" in db.session().info


def execute(session: Session, statement: str, **values: Any) -> CursorResult[Any]:
    """Run one SQL statement with named parameters (`:name`)."""
    return session.execute(text(statement), values)  # type: ignore[return-value]


def ping(login: Callable[[], Engine]) -> None:
    """Raises where that login cannot reach its database."""
    with login().connect() as connection:
        connection.exec_driver_sql("select 1")
