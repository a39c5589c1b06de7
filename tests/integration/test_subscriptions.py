"""Reading the log while it is written: nothing missing, nothing double, versions in order, the place saved with the result."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection

from fxo import platform
from fxo.app import create_app
from fxo.core import db
from fxo.core.errors import Conflict, StaleStream
from fxo.core.events.model import Personal, Recorded, event
from fxo.core.events.store import Store, StreamType, Transaction
from fxo.core.events.subscriptions import Cursor, Subscription, advance, lag, read_after
from fxo.core.ids import new_id
from fxo.core.scope import CODE, system_scope, tenant_scope
from fxo.embedded.processes import wait_until
from fxo.settings import Settings
from tests.conftest import Databases, running, write
from tests.support import sql


@event("reader_test.counted")
@dataclass(frozen=True, slots=True)
class Counted:
    number: int


@event("reader_test.said")
@dataclass(frozen=True, slots=True)
class Said:
    person_id: UUID
    words: Annotated[str, Personal("person_id")]


COUNTER = StreamType[int]("counter", 0, lambda state, it: state + 1)
ANY = frozenset({"reader_test.counted", "reader_test.said"})


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    with sql.owner(made) as connection:
        connection.execute(
            "create table seen (reader text, tenant_id uuid, stream_id uuid, version int, at serial,"
            " primary key (reader, stream_id, version))"
        )
        connection.execute(f"grant select, insert on seen to {made.role('system')}")
        connection.execute(f"grant usage on sequence seen_at_seq to {made.role('system')}")
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture
def store(app: Flask) -> Store:
    return platform.current().store


def keeping(name: str) -> Subscription:
    """A reader that keeps what it saw in a table; the same event twice would be an error there."""

    def handle(connection: Connection, events: Sequence[Recorded]) -> None:
        for item in events:
            db.execute(
                connection,
                "insert into seen (reader, tenant_id, stream_id, version) values (:r, :t, :s, :v)",
                r=name, t=item.tenant_id, s=item.stream_id, v=item.version,
            )  # fmt: skip

    return Subscription(name, handle, ANY)


def caught_up(subscription: Subscription, expected: int = 0) -> int:
    """Read to the end; the server's own short transactions may hold the end back for a moment, so `expected` is waited for."""
    found: list[int] = []

    def read() -> bool:
        while handled := advance(subscription, platform.current().store.keyring):
            found.append(handled)
        return sum(found) >= expected

    wait_until(read, 5)
    return sum(found)


def count(tx: Transaction, stream_id: UUID, times: int = 1) -> list[Recorded]:
    stream = tx.load(COUNTER, stream_id)
    return tx.append((stream, [Counted(stream.state + number) for number in range(times)]))


def seen(settings: Settings, name: str) -> list[tuple[UUID, int]]:
    with sql.superuser(settings) as connection:
        return connection.execute("select stream_id, version from seen where reader = %s order by at", (name,)).fetchall()


def written(settings: Settings) -> set[tuple[UUID, int]]:
    with sql.superuser(settings) as connection:
        return set(connection.execute("select stream_id, version from events where type = any(%s)", (list(ANY),)).fetchall())


def in_threads(app: Flask, calls: Sequence[Callable[[], None]]) -> list[threading.Thread]:
    """Each call in a thread with a context of its own; a failure fails the test when they are joined."""

    def run(call: Callable[[], None]) -> None:
        with app.app_context():
            call()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def test_twelve_writers_and_two_readers_miss_nothing_and_see_nothing_twice(app: Flask, store: Store, settings: Settings) -> None:
    tenants = [new_id() for _ in range(4)]
    streams = {tenant_id: [new_id() for _ in range(3)] for tenant_id in tenants}
    stop, done, failed = threading.Event(), threading.Event(), []
    happened: Counter[str] = Counter()
    tally = threading.Lock()

    def writer(seed: int) -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            tenant_id = chance.choice(tenants)
            chosen = chance.sample(streams[tenant_id], chance.randint(1, 2))

            def command(tx: Transaction, chosen: list[UUID] = chosen) -> None:
                loaded = [tx.load(COUNTER, stream_id) for stream_id in chosen]
                if chance.random() < 0.3:
                    stop.wait(chance.random() * 0.01)  # others get in between
                tx.append(*((stream, [Counted(stream.state)] * chance.randint(1, 3)) for stream in loaded))
                if chance.random() < 0.3:
                    stop.wait(chance.random() * 0.01)  # an open transaction that others overtake
                if chance.random() < 0.15:
                    raise Conflict("changed my mind")

            outcome = "committed"
            try:
                with store.transaction(tenant_scope(tenant_id), CODE) as tx:
                    command(tx)
            except StaleStream:
                outcome = "stale"
            except Conflict:
                outcome = "rolled back"
            with tally:
                happened[outcome] += 1

    def reader(name: str, limit: int) -> None:
        subscription = keeping(name)
        try:
            while not done.is_set():
                if not advance(subscription, store.keyring, limit=limit):
                    done.wait(0.005)
        except BaseException as error:
            failed.append(error)

    readers = in_threads(app, [lambda: reader("busy", 7), lambda: reader("busy", 50), lambda: reader("calm", 500)])
    writers = in_threads(app, [lambda seed=seed: writer(seed) for seed in range(12)])  # type: ignore[misc]
    stop.wait(3)
    stop.set()
    for thread in writers:
        thread.join(10)
    facts = written(settings)
    wait_until(lambda: bool(failed) or all(len(seen(settings, name)) >= len(facts) for name in ("busy", "calm")), 15)
    done.set()
    for thread in readers:
        thread.join(20)
    assert not any(thread.is_alive() for thread in (*writers, *readers))
    assert not failed, failed
    assert min(happened["committed"], happened["stale"], happened["rolled back"]) > 10, happened
    for name in ("busy", "calm"):
        order = seen(settings, name)
        assert facts - set(order) == set(), "something is missing"
        assert len(order) == len(facts), "something is double"
        for stream_id in {stream_id for stream_id, _ in order}:
            versions = [version for each, version in order if each == stream_id]
            assert versions == list(range(1, len(versions) + 1))


def test_an_open_transaction_is_waited_for_and_not_skipped(app: Flask, store: Store, settings: Settings) -> None:
    subscription, slow, fast = keeping("patient"), new_id(), new_id()
    caught_up(subscription)
    before = len(seen(settings, "patient"))
    with store.transaction(tenant_scope(new_id()), CODE) as tx:
        count(tx, slow)

        def elsewhere() -> None:
            write(tenant_scope(new_id()), CODE, count, fast)
            assert caught_up(subscription) == 0

        _joined(in_threads(app, [elsewhere]))
        assert len(seen(settings, "patient")) == before
    caught_up(subscription, 2)
    assert seen(settings, "patient")[before:] == [(slow, 1), (fast, 1)]


def _joined(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_what_was_computed_and_the_place_are_saved_together_or_not_at_all(store: Store, settings: Settings) -> None:
    subscription, stream_id = keeping("careful"), new_id()
    caught_up(subscription)
    before = len(seen(settings, "careful"))
    write(tenant_scope(new_id()), CODE, count, stream_id, 3)

    def handle(connection: Connection, events: Sequence[Recorded]) -> None:
        subscription.handle(connection, events)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        advance(Subscription("careful", handle, ANY), store.keyring)
    assert len(seen(settings, "careful")) == before
    assert caught_up(subscription, 3) == 3
    assert seen(settings, "careful")[before:] == [(stream_id, 1), (stream_id, 2), (stream_id, 3)]


def test_two_readers_of_one_name_take_turns(app: Flask, store: Store, settings: Settings) -> None:
    caught_up(keeping("twins"))
    before = len(seen(settings, "twins"))
    stream_id, inside, go = new_id(), [], threading.Event()
    write(tenant_scope(new_id()), CODE, count, stream_id, 4)
    together: list[int] = []

    def handle(connection: Connection, events: Sequence[Recorded]) -> None:
        inside.append(1)
        together.append(len(inside))
        go.wait(5)
        keeping("twins").handle(connection, events)
        inside.pop()

    def read() -> None:
        advance(Subscription("twins", handle, ANY), store.keyring, limit=2)

    threads = in_threads(app, [read, read])
    assert wait_until(lambda: _waiting(settings) == 1, 5)
    go.set()
    _joined(threads)
    assert together == [1, 1]
    assert seen(settings, "twins")[before:] == [(stream_id, version) for version in (1, 2, 3, 4)]


def _waiting(settings: Settings) -> int:
    """How many sessions of this database wait for a lock."""
    with sql.superuser(settings) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
    return row[0] if row else 0


def test_a_reader_gets_its_own_types_alone_and_still_moves_on(store: Store, settings: Settings) -> None:
    got: list[str] = []
    subscription = Subscription(
        "picky", lambda connection, events: got.extend(item.type for item in events), frozenset({"reader_test.said"})
    )
    caught_up(subscription)
    got.clear()
    write(tenant_scope(new_id()), CODE, count, new_id(), 5)

    def others_are_behind() -> bool:
        assert advance(subscription, store.keyring) == 0
        with sql.superuser(settings) as connection:
            row = connection.execute(
                "select count(*) from events e, subscription_cursors c where c.name = 'picky'"
                " and (e.epoch, e.txid, e.position) > (c.epoch, c.txid, c.position)"
            ).fetchone()
        return row == (0,)

    assert wait_until(others_are_behind, 5), "events of other types are not read again each time"
    write(tenant_scope(new_id()), CODE, lambda tx: tx.append((tx.load(COUNTER, new_id()), [Said(new_id(), "hello")])))
    assert caught_up(subscription, 1) == 1
    assert got == ["reader_test.said"]


def test_personal_fields_are_readable_for_a_reader_of_all_tenants(store: Store) -> None:
    words: list[str] = []
    subscription = Subscription(
        "listener", lambda connection, events: words.extend(item.value.words for item in events), frozenset({"reader_test.said"})
    )
    caught_up(subscription)
    words.clear()
    person = new_id()
    for text in ("one", "two"):
        said = [Said(person, text)]
        write(tenant_scope(new_id()), CODE, lambda tx, said=said: tx.append((tx.load(COUNTER, new_id()), said)))
    caught_up(subscription, 2)
    assert words == ["one", "two"]


def test_the_lag_counts_what_is_readable_of_the_readers_types(app: Flask, store: Store) -> None:
    subscription = Subscription("lagging", lambda connection, events: None, frozenset({"reader_test.counted"}))

    def behind() -> int:
        with db.transaction(system_scope("health")) as connection:
            return lag(connection, subscription)

    assert behind() > 0
    caught_up(subscription, behind())
    assert behind() == 0
    write(tenant_scope(new_id()), CODE, count, new_id(), 3)
    write(tenant_scope(new_id()), CODE, lambda tx: tx.append((tx.load(COUNTER, new_id()), [Said(new_id(), "not counted")])))
    assert wait_until(lambda: behind() == 3, 5)
    with store.transaction(tenant_scope(new_id()), CODE) as tx:
        count(tx, new_id())
        found: list[int] = []
        _joined(in_threads(app, [lambda: found.append(behind())]))
        assert found == [3], "an open transaction's events are not readable yet"
    assert wait_until(lambda: behind() == 4, 5)
    assert caught_up(subscription, 4) == 4
    assert behind() == 0


def test_a_cursor_is_a_place_that_can_be_read_from_again(store: Store) -> None:
    stream_id = new_id()
    write(tenant_scope(new_id()), CODE, count, stream_id, 3)
    with db.transaction(system_scope("subscriptions")) as connection:
        everything, end = read_after(connection, store.keyring, Cursor(), types=ANY, limit=10_000)
        again, place = [], Cursor()
        while True:
            events, place = read_after(connection, store.keyring, place, types=ANY, limit=11)
            again += events
            if not events:
                break
    assert [(item.stream_id, item.version) for item in again] == [(item.stream_id, item.version) for item in everything]
    assert (stream_id, 3) in {(item.stream_id, item.version) for item in everything}
    assert place == end


def test_after_a_restore_older_rows_with_ids_of_the_future_are_readable_and_come_first(store: Store, settings: Settings) -> None:
    """Runs last in this file: the epoch never goes back."""
    subscription, restored, later = keeping("restored"), new_id(), new_id()
    caught_up(subscription)
    before = len(seen(settings, "restored"))
    with sql.owner(settings) as connection:
        connection.execute(
            "insert into events (tenant_id, stream_id, version, event_id, stream_type, type, schema_version, data, meta,"
            " recorded_at, hash, epoch, txid) select %s, %s, v, gen_random_uuid(), 'counter', 'reader_test.counted', 1, %s, '{}',"
            " now(), %s, (select current from epoch), '4611686018427387904' from generate_series(1, 2) v",
            (new_id(), restored, '{"number": 1}', bytes(32)),
        )
    write(tenant_scope(new_id()), CODE, count, later)
    caught_up(subscription, 1)
    assert seen(settings, "restored")[before:] == [(later, 1)], "an id of the future counts as an open transaction's"
    with sql.owner(settings) as connection:
        connection.execute("update epoch set current = current + 1")
    newest = new_id()
    write(tenant_scope(new_id()), CODE, count, newest)
    caught_up(subscription, 3)
    assert seen(settings, "restored")[before + 1 :] == [(restored, 1), (restored, 2), (newest, 1)]
