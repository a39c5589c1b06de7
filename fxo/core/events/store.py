"""The event store: one transaction loads streams, appends facts, and carries what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import Connection
from sqlalchemy.engine import CursorResult

from fxo.core import db
from fxo.core.clock import Clock
from fxo.core.errors import StaleStream
from fxo.core.events import chain, envelopes
from fxo.core.events.model import Recorded, type_named, type_of
from fxo.core.ids import new_id
from fxo.core.scope import Actor, Scope

S = TypeVar("S")
R = TypeVar("R")
P = ParamSpec("P")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request or job that is running; it stands in every event's meta and every log line."""

causation: ContextVar[str] = ContextVar("causation", default="")
"""The id of the work row that is being performed, where one is."""

_TRIES = 4


@dataclass(frozen=True)
class StreamType(Generic[S]):
    """A kind of stream: its name in the log, the state before its first event, and how an event changes the state."""

    name: str
    initial: S
    evolve: Callable[[S, Any], S]


@dataclass(frozen=True)
class Stream(Generic[S]):
    """A stream as it was loaded: its state, and the version and hash that the next append builds on."""

    type: StreamType[S]
    id: UUID
    version: int = 0
    hash: bytes = chain.START
    state: S = field(kw_only=True)
    events: tuple[Recorded, ...] = ()

    def __bool__(self) -> bool:
        """Whether it exists."""
        return self.version > 0


Follower = Callable[["Transaction", Recorded], None]
Offer = Callable[[UUID, UUID], object]
"""Hands (tenant id, work id) to whoever performs work; may fail, and then the sweeper does it."""


class Store:
    """Opens transactions; knows the clock, the keys, and what follows inline from each event (projections first, then
    process).
    """

    def __init__(self, clock: Clock, keyring: envelopes.Keyring) -> None:
        self.clock = clock
        self.keyring = keyring
        self.offer: Offer | None = None
        self._followers: dict[type[Any], list[Follower]] = {}

    def follow(self, event_class: type[Any], follower: Follower) -> None:
        """Call the follower with each such event, in the transaction that appends it, in the order of registration."""
        self._followers.setdefault(event_class, []).append(follower)

    def followers(self, event_class: type[Any]) -> Sequence[Follower]:
        return self._followers.get(event_class, ())

    @contextmanager
    def transaction(self, scope: Scope, actor: Actor) -> Iterator[Transaction]:
        """One transaction in this scope for this actor; callbacks given to `after_commit` run once it is committed."""
        with db.transaction(scope) as connection:
            tx = Transaction(self, connection, scope, actor)
            yield tx
        for callback in tx.callbacks:
            callback()

    def run(
        self, scope: Scope, actor: Actor, command: Callable[Concatenate[Transaction, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run the command in one transaction; decided again on fresh streams when somebody else was faster."""
        for attempt in range(_TRIES):
            try:
                with self.transaction(scope, actor) as tx:
                    return command(tx, *args, **kwargs)
            except StaleStream:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("unreachable")


class Transaction:
    """What a command works with: its scope and actor, the time, streams to load and append, and SQL of its own slice.

    All loads come before the first write or row lock; otherwise readers could see a stream out of order.
    """

    def __init__(self, store: Store, connection: Connection, scope: Scope, actor: Actor) -> None:
        self.store = store
        self.connection = connection
        self.scope = scope
        self.actor = actor
        self.callbacks: list[Callable[[], object]] = []

    @cached_property
    def now(self) -> datetime:
        """Business time, the same for the whole transaction."""
        return self.store.clock.now(self.connection)

    @cached_property
    def driver(self) -> psycopg.Connection[Any]:
        """The driver's connection of this transaction, for the hot statements."""
        return db.driver_of(self.connection)

    def execute(self, statement: str, **values: Any) -> CursorResult[Any]:
        """One SQL statement with named parameters (`:name`)."""
        return db.execute(self.connection, statement, **values)

    def after_commit(self, callback: Callable[[], object]) -> None:
        self.callbacks.append(callback)

    def load(self, kind: StreamType[S], stream_id: UUID) -> Stream[S]:
        """The stream as it is now; version 0 where it does not exist. Refused after this transaction's first write."""
        rows = self.driver.execute(_LOAD, (self.scope.tenant_id, stream_id)).fetchall()
        if rows[0][0] is not None:
            raise RuntimeError("load every stream before the first write of a transaction")
        found = _read(
            self.driver, self.store.keyring, self.scope.tenant_id, stream_id, [row[1:] for row in rows if row[1] is not None]
        )
        if found and found[0].stream_type != kind.name:
            return Stream(kind, stream_id, state=kind.initial)
        state = kind.initial
        for item in found:
            state = kind.evolve(state, item.value)
        last = found[-1] if found else None
        return Stream(kind, stream_id, last.version if last else 0, last.hash if last else chain.START, tuple(found), state=state)

    def history(self, *stream_ids: UUID) -> list[Recorded]:
        """The events of these streams, each in its order; to be shown, nothing is decided on them."""
        rows = self.driver.execute(_HISTORY, (self.scope.tenant_id, list(stream_ids))).fetchall()
        persons = {person for row in rows for person in envelopes.sealed_for(row[6])}
        keys = self.store.keyring.find(self.driver, self.scope.tenant_id, persons) if persons else {}
        return [decode(self.scope.tenant_id, row[0], keys, row[1:]) for row in rows]

    def append(self, *changes: tuple[Stream[Any], Sequence[object]]) -> list[Recorded]:
        """Append to one or more streams at the versions they were loaded at, in one statement, then run what follows inline.

        Raises `StaleStream` where a stream has moved on since it was loaded.
        """
        changes = tuple((stream, list(values)) for stream, values in changes if values)
        if not changes:
            return []
        recorded = self._record(changes)
        for item in recorded:
            for follower in self.store.followers(type(item.value)):
                follower(self, item)
        return recorded

    def advance(self, stream: Stream[S], recorded: Sequence[Recorded]) -> Stream[S]:
        """The stream after this transaction's own append, for a second one."""
        state = stream.state
        for item in recorded:
            if item.stream_id == stream.id:
                state = stream.type.evolve(state, item.value)
                stream = replace(stream, version=item.version, hash=item.hash, events=(*stream.events, item))
        return replace(stream, state=state)

    def _record(self, changes: Sequence[tuple[Stream[Any], Sequence[object]]]) -> list[Recorded]:
        tenant_id, now, meta = self.scope.tenant_id, self.now, self._meta()
        keys: dict[UUID, bytes] = {}
        recorded: list[Recorded] = []
        for stream, values in sorted(changes, key=lambda change: change[0].id):
            previous = stream.hash
            for version, value in enumerate(values, stream.version + 1):
                kind = type_of(value)
                plain = kind.encode(value)
                for person in envelopes.subjects(kind, plain) - keys.keys():
                    keys[person] = self.store.keyring.make(self.driver, tenant_id, person)
                data = envelopes.seal(kind, plain, keys, tenant_id=tenant_id, stream_id=stream.id, version=version)
                event_id = new_id()
                previous = chain.link(
                    previous,
                    tenant_id=tenant_id,
                    stream_id=stream.id,
                    version=version,
                    event_id=event_id,
                    stream_type=stream.type.name,
                    type_=kind.name,
                    schema_version=kind.version,
                    recorded_at=now,
                    meta=meta,
                    data=data,
                )
                recorded.append(
                    Recorded(
                        tenant_id,
                        stream.id,
                        version,
                        event_id,
                        stream.type.name,
                        kind.name,
                        kind.version,
                        data,
                        meta,
                        now,
                        previous,
                        value,
                    )
                )
        self._insert(recorded, {stream.id: stream for stream, _ in changes})
        return recorded

    def _insert(self, recorded: Sequence[Recorded], streams: Mapping[UUID, Stream[Any]]) -> None:
        facts = [
            {
                "stream": r.stream_id, "version": r.version, "id": r.event_id, "stream_type": r.stream_type, "type": r.type,
                "schema_version": r.schema_version, "data": r.data, "hash": r.hash.hex(),
                "after": streams[r.stream_id].hash.hex() if r.version == streams[r.stream_id].version + 1 > 1 else None,
            }
            for r in recorded
        ]  # fmt: skip
        about, at = orjson.dumps(recorded[0].meta), recorded[0].recorded_at.isoformat()
        try:
            appended = db.call(self.connection, "append_facts", about, at, str(self.scope.tenant_id), orjson.dumps(facts))
        except psycopg.errors.UniqueViolation as error:
            raise StaleStream(_OVERTAKEN) from error
        if appended != b"%d" % len(facts):
            raise StaleStream(_OVERTAKEN)

    def _meta(self) -> dict[str, Any]:
        return {
            "actor": {"kind": str(self.actor.kind), "id": str(self.actor.id)},
            "scope": str(self.scope),
            "request": request_id.get(),
            "causation": causation.get(),
        }


def read_stream(connection: Connection, keyring: envelopes.Keyring, tenant_id: UUID, stream_id: UUID) -> list[Recorded]:
    """Every event of one stream in order, decoded; for readers that decide nothing (audit, verification)."""
    driver = db.driver_of(connection)
    rows = driver.execute(_LOAD, (tenant_id, stream_id)).fetchall()
    return _read(driver, keyring, tenant_id, stream_id, [row[1:] for row in rows if row[1] is not None])


def _read(
    driver: psycopg.Connection[Any], keyring: envelopes.Keyring, tenant_id: UUID, stream_id: UUID, rows: Sequence[tuple[Any, ...]]
) -> list[Recorded]:
    persons: set[UUID] = set()
    for row in rows:
        persons |= envelopes.sealed_for(row[5])
    keys: Mapping[UUID, bytes | None] = keyring.find(driver, tenant_id, persons) if persons else {}
    return [decode(tenant_id, stream_id, keys, row) for row in rows]


def decode(tenant_id: UUID, stream_id: UUID, keys: Mapping[UUID, bytes | None], row: tuple[Any, ...]) -> Recorded:
    """One row (version, event_id, stream_type, type, schema_version, data, meta, recorded_at, hash) as an event."""
    version, event_id, stream_type, type_, schema_version, data, meta, recorded_at, digest = row
    plain = envelopes.unseal(data, keys, tenant_id=tenant_id, stream_id=stream_id, version=version)
    value = type_named(type_).decode(schema_version, plain)
    return Recorded(
        tenant_id, stream_id, version, event_id, stream_type, type_, schema_version, data, meta, recorded_at, digest, value
    )


_LOAD = """
select w.xid, e.version, e.event_id, e.stream_type, e.type, e.schema_version, e.data, e.meta, e.recorded_at, e.hash
from (select pg_current_xact_id_if_assigned()::text as xid) w
left join events e on e.tenant_id = %s and e.stream_id = %s
order by e.version"""

_HISTORY = """
select stream_id, version, event_id, stream_type, type, schema_version, data, meta, recorded_at, hash
from events where tenant_id = %s and stream_id = any(%s) order by stream_id, version"""

_OVERTAKEN = "Somebody else changed this a moment ago. Please look again and repeat if you still want to."
