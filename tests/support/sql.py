"""Plain SQL beside the application: as the server's superuser, as our owner, or as one of our logins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
from sqlalchemy import make_url

from fxo.settings import Settings


@contextmanager
def superuser(settings: Settings, *, autocommit: bool = True) -> Iterator[psycopg.Connection[Any]]:
    """A connection that no policy holds back, to the database of these settings."""
    database = make_url(settings.database_url).database
    with psycopg.connect(settings.database_admin_url, dbname=str(database), autocommit=autocommit) as connection:
        yield connection


@contextmanager
def owner(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection with the rights of a migration."""
    with superuser(settings) as connection:
        connection.execute("select set_config('role', %s, false)", (settings.role("owner"),))
        yield connection


@contextmanager
def login(settings: Settings, name: Literal["app", "system", "operator"]) -> Iterator[psycopg.Connection[Any]]:
    """A connection with one of our logins, as the application has it before a scope is set."""
    arguments = settings.login_url(name).translate_connect_args(username="user", database="dbname")
    with psycopg.connect(**arguments, autocommit=True) as connection:
        yield connection


@contextmanager
def scoped(settings: Settings, kind: Literal["tenant", "partner"], identity: object) -> Iterator[psycopg.Connection[Any]]:
    """The application's login inside a tenant's or partner's scope, each statement on its own."""
    with login(settings, "app") as connection:
        connection.execute(
            f"select set_config('role', %s, false), set_config('fxo.{kind}', %s, false)", (settings.role(kind), str(identity))
        )
        yield connection
