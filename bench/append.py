"""Appending events and running whole commands, against bare psycopg with the same rows and statements, in one run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from psycopg.types.json import Jsonb
from sqlalchemy import make_url

from bench.support import Operation, Rows, database, interleaved, ratio
from fxo.app import create_app
from fxo.core.clock import system_now
from fxo.core.events.model import Recorded, event
from fxo.core.events.store import _LOAD, Store, Stream, StreamType, Transaction
from fxo.core.ids import new_id
from fxo.core.scope import CODE, tenant_scope
from fxo.core.work import rows
from fxo.core.work.rows import _SCHEDULE
from fxo.settings import Settings

SIZES = (1, 8, 16)
APPEND_AIMS = {1: 0.5, 8: 0.4, 16: 0.35}
COMMAND_AIMS = dict.fromkeys(SIZES, 0.5)
LIBRARY_AIMS = dict.fromkeys(SIZES, 1.7)


@event("bench.happened")
@dataclass(frozen=True, slots=True)
class Happened:
    """About as large as a booking's events."""

    booking_id: UUID
    client_id: UUID
    partner_id: UUID
    amount: int
    note: str


@event("bench.commanded")
@dataclass(frozen=True, slots=True)
class Commanded:
    """The same, with a projection and a work row behind it."""

    booking_id: UUID
    client_id: UUID
    partner_id: UUID
    amount: int
    note: str


BENCH = StreamType[None]("bench", None, lambda state, happened: None)
TENANT = uuid4()
FACT = (uuid4(), uuid4(), uuid4(), 80_000, "x" * 40)
_PROJECT = "insert into bench_rows (tenant_id, id, status, at) values (%s, %s, 'held', %s)"
_INSERT = (
    "insert into events (tenant_id, stream_id, version, event_id, stream_type, type, schema_version, data, meta, recorded_at,"
    " hash, epoch)"
    " values (%s, %s, 1, %s, 'bench', 'bench.happened', 1, %s, %s, %s, %s, 1)"
)


def run() -> Rows:
    """The measurement as (what, figure) rows for people."""
    with database() as settings:
        _table(settings)
        app = create_app(settings)
        store: Store = app.extensions["fxo"].store
        store.follow(Commanded, _project)
        variants: dict[str, Callable[[int], list[Operation]]] = {
            "bare append": lambda size: [_bare_append(settings) for _ in range(size)],
            "append": lambda size: [_append(app, store) for _ in range(size)],
            "bare command": lambda size: [_bare_command(settings) for _ in range(size)],
            "command": lambda size: [_command(app, store) for _ in range(size)],
        }
        library = _library(settings)
        if library:
            variants["eventsourcing"] = lambda size: [library() for _ in range(size)]
        rates = interleaved(variants, SIZES)
    lines = [
        ("append", "bare append", "append through the public function, {} connections, against bare psycopg", APPEND_AIMS),
        ("command", "bare command", "whole command, {} connections, against bare psycopg with the same statements", COMMAND_AIMS),
        ("append", "eventsourcing", "append against the eventsourcing package, {} connections", LIBRARY_AIMS),
    ]
    return [
        (f"{what.format(size)} (at least {aims[size]})", ratio(rates, one, other, size))
        for one, other, what, aims in lines
        if other in rates
        for size in SIZES
    ]


def _table(settings: Settings) -> None:
    with psycopg.connect(_admin(settings), autocommit=True) as connection:
        connection.execute(
            "create table bench_rows (tenant_id uuid, id uuid, status text, at timestamptz, primary key (tenant_id, id))"
        )
        connection.execute("alter table bench_rows enable row level security")
        connection.execute(
            "create policy tenant on bench_rows to fxo_tenant"
            " using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)"
        )
        connection.execute("grant insert on bench_rows to fxo_tenant")


def _admin(settings: Settings) -> str:
    url = make_url(settings.database_admin_url).set(database=make_url(settings.database_url).database)
    return url.render_as_string(hide_password=False)


def _meta() -> dict[str, Any]:
    return {"actor": {"kind": "code", "id": str(TENANT)}, "scope": f"tenant:{TENANT}", "request": "", "causation": ""}


def _data() -> dict[str, Any]:
    return dict(zip(("booking_id", "client_id", "partner_id", "amount", "note"), (*map(str, FACT[:3]), *FACT[3:]), strict=True))


def _bare_append(settings: Settings) -> Operation:
    connection = psycopg.connect(_admin(settings))
    digest = bytes(32)

    def operation() -> None:
        with connection.transaction():
            connection.execute(_INSERT, (TENANT, new_id(), uuid4(), Jsonb(_data()), Jsonb(_meta()), system_now(), digest))

    return operation


def _append(app: Flask, store: Store) -> Operation:
    scope = tenant_scope(TENANT)

    def operation() -> None:
        with store.transaction(scope, CODE) as tx:
            tx.append((Stream(BENCH, new_id(), state=None), [Happened(*FACT)]))

    return _in_context(app, operation)


def _in_context(app: Flask, operation: Operation) -> Operation:
    """The operation in a context of its thread that stays, as a worker's does."""
    pushed = threading.local()

    def within() -> object:
        if not hasattr(pushed, "context"):
            pushed.context = app.app_context()
            pushed.context.push()
        return operation()

    return within


def _project(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(_PROJECT, (item.tenant_id, item.stream_id, item.recorded_at))
    rows.schedule(tx, "bench", item.stream_id, offer=False)


def _command(app: Flask, store: Store) -> Operation:
    scope = tenant_scope(TENANT)

    def command(tx: Transaction) -> None:
        stream = tx.load(BENCH, new_id())
        tx.append((stream, [Commanded(*FACT)]))

    return _in_context(app, lambda: store.run(scope, CODE, command))


def _bare_command(settings: Settings) -> Operation:
    connection = psycopg.connect(make_url(settings.database_url).render_as_string(hide_password=False))
    digest = bytes(32)

    def operation() -> None:
        stream, now = new_id(), system_now()
        with connection.transaction():
            connection.execute(
                "select set_config('role', 'fxo_tenant', true), set_config('fxo.tenant', %s, true)", (str(TENANT),)
            )
            connection.execute(_LOAD, (TENANT, stream)).fetchall()
            connection.execute(
                "select append_facts(%s, %s, %s, %s)", (Jsonb(_meta()), now, TENANT, Jsonb([_fact(stream, digest)]))
            ).fetchone()
            connection.execute(_PROJECT, (TENANT, stream, now))
            connection.execute(_SCHEDULE, (TENANT, uuid4(), "bench", stream, Jsonb({}), now, now, now))

    return operation


def _fact(stream: UUID, digest: bytes) -> dict[str, Any]:
    return {
        "stream": stream, "version": 1, "id": uuid4(), "stream_type": "bench", "type": "bench.commanded", "schema_version": 1,
        "data": _data(), "hash": digest.hex(), "after": None,
    }  # fmt: skip


def _library(settings: Settings) -> Callable[[], Operation] | None:
    """The `eventsourcing` package with its PostgreSQL module, where the bench extra is installed."""
    try:
        from eventsourcing.application import Application
        from eventsourcing.domain import Aggregate
    except ImportError:
        return None
    url = make_url(_admin(settings))
    os.environ.update(
        PERSISTENCE_MODULE="eventsourcing.postgres", POSTGRES_DBNAME=str(url.database), POSTGRES_HOST=str(url.host),
        POSTGRES_PORT=str(url.port), POSTGRES_USER=str(url.username), POSTGRES_PASSWORD=str(url.password),
        POSTGRES_POOL_SIZE="20",
    )  # fmt: skip
    application: Any = Application()

    class Thing(Aggregate):
        def __init__(self, booking_id: UUID, client_id: UUID, partner_id: UUID, amount: int, note: str) -> None:
            self.fact = (booking_id, client_id, partner_id, amount, note)

    return lambda: lambda: application.save(Thing(*FACT))
