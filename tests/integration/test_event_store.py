"""The event store: facts are appended at the version they were decided on, never changed, and personal ones can be erased."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask

from fxo import platform
from fxo.app import create_app
from fxo.core.clients import commands as clients
from fxo.core.clients.model import CLIENT, Joined
from fxo.core.clock import system_now
from fxo.core.consultations import commands as consultations
from fxo.core.consultations.model import CONSULTATION, Completed, Confirmed, Party, Started
from fxo.core.db import transaction
from fxo.core.errors import Conflict, NotAllowed, NotFound, StaleStream
from fxo.core.events import chain
from fxo.core.events.envelopes import PersonErased
from fxo.core.events.model import ERASED, Personal, Recorded, event
from fxo.core.events.store import Store, StreamType, Transaction, read_stream
from fxo.core.ids import NETWORK, new_id
from fxo.core.matching import commands as matching
from fxo.core.matching.model import BRIEF
from fxo.core.payments.queries import payment_id_of
from fxo.core.ratings import commands as ratings
from fxo.core.scope import CODE, Actor, ActorKind, Permission, TenantConfig, system_scope, tenant_scope
from fxo.settings import Settings
from tests.conftest import Databases, add_member, add_partners, add_tenant, running, write
from tests.support import sql

PROBLEM = "Our plant stands still and the insurer asks for a plan."


@event("store_test.noted")
@dataclass(frozen=True, slots=True)
class Noted:
    text: str


@event("store_test.whispered")
@dataclass(frozen=True, slots=True)
class Whispered:
    person_id: UUID
    words: Annotated[str, Personal("person_id")]
    aside: Annotated[str, Personal("person_id")]


@event("store_test.measured")
@dataclass(frozen=True, slots=True)
class Measured:
    values: dict[str, Any]


NOTES = StreamType[tuple[str, ...]](
    "notes", (), lambda state, it: (*state, it.text if isinstance(it, Noted) else getattr(it, "words", ""))
)


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture
def store(app: Flask) -> Store:
    return platform.current().store


@pytest.fixture
def somewhere() -> UUID:
    """A tenant's id that nobody else uses."""
    return new_id()


def note(tx: Transaction, stream_id: UUID, *texts: str) -> list[Recorded]:
    stream = tx.load(NOTES, stream_id)
    return tx.append((stream, [Noted(text) for text in texts]))


def notes(tenant_id: UUID, stream_id: UUID) -> tuple[str, ...]:
    return write(tenant_scope(tenant_id), CODE, lambda tx: tx.load(NOTES, stream_id).state)


def everything(tenant_id: UUID, stream_id: UUID) -> list[Recorded]:
    with transaction(tenant_scope(tenant_id)) as connection:
        return read_stream(connection, platform.current().store.keyring, tenant_id, stream_id)


# Append and load ---------------------------------------------------------------------------------------------------


def test_what_was_appended_is_loaded_in_order(somewhere: UUID, app: Flask) -> None:
    stream_id = new_id()
    first = write(tenant_scope(somewhere), CODE, note, stream_id, "a", "b")
    second = write(tenant_scope(somewhere), CODE, note, stream_id, "c")
    assert [item.version for item in (*first, *second)] == [1, 2, 3]
    with platform.current().store.transaction(tenant_scope(somewhere), CODE) as tx:
        stream = tx.load(NOTES, stream_id)
    assert stream.state == ("a", "b", "c")
    assert (stream.version, stream.hash, len(stream.events)) == (3, second[-1].hash, 3)
    assert list(stream.events) == [*first, *second]


def test_a_stream_that_does_not_exist_is_empty_at_version_0(somewhere: UUID, store: Store) -> None:
    with store.transaction(tenant_scope(somewhere), CODE) as tx:
        stream = tx.load(NOTES, new_id())
    assert not stream
    assert (stream.version, stream.hash, stream.state) == (0, bytes(32), ())


def test_an_id_of_another_kind_of_stream_looks_as_if_it_did_not_exist(somewhere: UUID, store: Store) -> None:
    stream_id = new_id()
    write(tenant_scope(somewhere), CODE, note, stream_id, "a")
    with store.transaction(tenant_scope(somewhere), CODE) as tx:
        assert not tx.load(BRIEF, stream_id)


def test_nothing_to_append_writes_nothing(somewhere: UUID, store: Store) -> None:
    with store.transaction(tenant_scope(somewhere), CODE) as tx:
        assert tx.append((tx.load(NOTES, new_id()), [])) == []
        assert tx.driver.execute("select pg_current_xact_id_if_assigned()").fetchone() == (None,)


def test_an_event_says_who_did_it_in_which_scope_and_when(somewhere: UUID, store: Store) -> None:
    who = Actor(new_id(), ActorKind.MEMBER)
    before = system_now()
    item = store.run(tenant_scope(somewhere), who, note, new_id(), "a")[0]
    assert item.meta == {
        "actor": {"kind": "member", "id": str(who.id)}, "scope": f"tenant:{somewhere}", "request": "", "causation": "",
    }  # fmt: skip
    assert before <= item.recorded_at <= system_now()
    assert item.recorded_at.tzinfo is not None


def test_several_streams_are_appended_together_or_not_at_all(somewhere: UUID, store: Store) -> None:
    one, other, ahead = new_id(), new_id(), new_id()
    write(tenant_scope(somewhere), CODE, note, ahead, "there before")

    def both(tx: Transaction, third: bool) -> list[Recorded]:
        streams = [tx.load(NOTES, stream_id) for stream_id in (other, one)]
        changes: list[Any] = [(stream, [Noted("x"), Noted("y")]) for stream in streams]
        if third:
            changes.append((replace(tx.load(NOTES, ahead), version=0, hash=chain.START), [Noted("late")]))
        return tx.append(*changes)

    with pytest.raises(StaleStream):
        store.run(tenant_scope(somewhere), CODE, both, True)
    assert notes(somewhere, one) == notes(somewhere, other) == ()
    recorded = store.run(tenant_scope(somewhere), CODE, both, False)
    assert [(item.stream_id, item.version) for item in recorded] == [(one, 1), (one, 2), (other, 1), (other, 2)]
    assert notes(somewhere, one) == notes(somewhere, other) == ("x", "y")


def test_a_second_append_of_one_transaction_builds_on_the_first(somewhere: UUID, store: Store) -> None:
    stream_id = new_id()
    with store.transaction(tenant_scope(somewhere), CODE) as tx:
        stream = tx.load(NOTES, stream_id)
        stream = tx.advance(stream, tx.append((stream, [Noted("a")])))
        assert stream.state == ("a",)
        tx.append((stream, [Noted("b")]))
    assert notes(somewhere, stream_id) == ("a", "b")
    assert chain.first_break(everything(somewhere, stream_id)) is None


# Who comes too late ------------------------------------------------------------------------------------------------


def test_appending_where_somebody_was_faster_is_stale(somewhere: UUID, store: Store) -> None:
    stream_id = new_id()
    with store.transaction(tenant_scope(somewhere), CODE) as tx:
        stale = tx.load(NOTES, stream_id)
    write(tenant_scope(somewhere), CODE, note, stream_id, "faster")
    with pytest.raises(StaleStream), store.transaction(tenant_scope(somewhere), CODE) as tx:
        tx.append((stale, [Noted("slower")]))
    assert notes(somewhere, stream_id) == ("faster",)


def test_a_command_that_came_too_late_is_decided_again(somewhere: UUID, app: Flask, store: Store) -> None:
    stream_id, decided = new_id(), []

    def command(tx: Transaction) -> None:
        stream = tx.load(NOTES, stream_id)
        decided.append(stream.state)
        if len(decided) < 3:
            _elsewhere(app, lambda: write(tenant_scope(somewhere), CODE, note, stream_id, f"faster {len(decided)}"))
        tx.append((stream, [Noted(f"after {len(stream.state)}")]))

    store.run(tenant_scope(somewhere), CODE, command)
    assert decided == [(), ("faster 1",), ("faster 1", "faster 2")]
    assert notes(somewhere, stream_id) == ("faster 1", "faster 2", "after 2")


def test_who_is_too_late_every_time_is_told_in_the_end(somewhere: UUID, app: Flask, store: Store) -> None:
    stream_id, tries = new_id(), []

    def command(tx: Transaction) -> None:
        stream = tx.load(NOTES, stream_id)
        tries.append(1)
        _elsewhere(app, lambda: write(tenant_scope(somewhere), CODE, note, stream_id, "faster"))
        tx.append((stream, [Noted("never")]))

    with pytest.raises(StaleStream, match="look again"):
        store.run(tenant_scope(somewhere), CODE, command)
    assert len(tries) == 4
    assert set(notes(somewhere, stream_id)) == {"faster"}


def test_callbacks_run_after_the_commit_and_only_then(somewhere: UUID, store: Store) -> None:
    stream_id, seen = new_id(), []

    def command(tx: Transaction, fail: bool) -> None:
        note(tx, stream_id, "a")
        tx.after_commit(lambda: seen.append(notes(somewhere, stream_id)))
        if fail:
            raise Conflict("no")

    with pytest.raises(Conflict):
        store.run(tenant_scope(somewhere), CODE, command, True)
    assert seen == []
    store.run(tenant_scope(somewhere), CODE, command, False)
    assert seen == [("a",)]


def _elsewhere(app: Flask, call: Callable[[], object]) -> None:
    """Somebody else does this at the same time, on a connection of their own."""
    failed: list[BaseException] = []

    def run() -> None:
        with app.app_context():
            try:
                call()
            except BaseException as error:
                failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive() and not failed, failed


# What the database itself refuses ----------------------------------------------------------------------------------


def test_a_gap_is_refused_by_the_database(somewhere: UUID, store: Store) -> None:
    stream_id = new_id()
    write(tenant_scope(somewhere), CODE, note, stream_id, "a")
    for version in (2, 7):
        with pytest.raises(StaleStream), store.transaction(tenant_scope(somewhere), CODE) as tx:
            tx.append((replace(tx.load(NOTES, stream_id), version=version), [Noted("after a gap")]))
    with pytest.raises(StaleStream), store.transaction(tenant_scope(somewhere), CODE) as tx:
        tx.append((replace(tx.load(NOTES, new_id()), version=1), [Noted("without a beginning")]))
    assert notes(somewhere, stream_id) == ("a",)


def test_another_hash_than_the_streams_own_is_refused_by_the_database(somewhere: UUID, store: Store) -> None:
    stream_id = new_id()
    write(tenant_scope(somewhere), CODE, note, stream_id, "a")
    with pytest.raises(StaleStream), store.transaction(tenant_scope(somewhere), CODE) as tx:
        tx.append((replace(tx.load(NOTES, stream_id), hash=b"x" * 32), [Noted("another history")]))
    assert notes(somewhere, stream_id) == ("a",)


def test_an_event_of_another_tenant_cannot_be_written(somewhere: UUID, settings: Settings) -> None:
    with (
        sql.scoped(settings, "tenant", somewhere) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(
            "insert into events (tenant_id, stream_id, version, event_id, stream_type, type, schema_version, data, meta,"
            " recorded_at, hash, epoch) values (%s, %s, 1, %s, 'notes', 'x', 1, '{}', '{}', now(), %s, 1)",
            (new_id(), new_id(), new_id(), bytes(32)),
        )


@pytest.mark.parametrize("statement", ["update events set type = 'forged'", "delete from events", "truncate events"])
def test_the_applications_roles_cannot_change_what_happened(somewhere: UUID, settings: Settings, statement: str) -> None:
    write(tenant_scope(somewhere), CODE, note, new_id(), "a")
    tries = [
        sql.scoped(settings, "tenant", somewhere),
        sql.scoped(settings, "partner", somewhere),
        sql.login(settings, "system"),
        sql.login(settings, "operator"),
        sql.login(settings, "app"),
    ]
    for attempt in tries:
        with attempt as connection, pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            connection.execute(statement)


@pytest.mark.parametrize("statement", ["update events set type = 'forged'", "delete from events", "truncate events"])
def test_not_even_the_owner_or_the_superuser_changes_what_happened(somewhere: UUID, settings: Settings, statement: str) -> None:
    write(tenant_scope(somewhere), CODE, note, new_id(), "a")
    for who in (sql.owner(settings), sql.superuser(settings)):
        with who as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement)


def test_a_stream_is_not_loaded_once_the_transaction_has_written(somewhere: UUID, store: Store) -> None:
    stream_id = new_id()
    with store.transaction(tenant_scope(somewhere), CODE) as tx:
        note(tx, stream_id, "a")
        with pytest.raises(RuntimeError, match="before the first write"):
            tx.load(NOTES, stream_id)


def test_a_stream_is_not_loaded_once_the_transaction_has_locked_a_row(somewhere: UUID, store: Store) -> None:
    write(tenant_scope(somewhere), CODE, lambda tx: platform.current().store.keyring.make(tx.driver, somewhere, somewhere))
    with store.transaction(tenant_scope(somewhere), CODE) as tx:
        tx.driver.execute("select from person_keys for update")
        with pytest.raises(RuntimeError, match="before the first write"):
            tx.load(NOTES, new_id())


# The hash chain ----------------------------------------------------------------------------------------------------


def test_the_chain_of_a_stream_is_sound_as_stored(somewhere: UUID, app: Flask) -> None:
    """Numbers, nested objects and every script survive the way through the database, and so does their hash."""
    stream_id, person = new_id(), new_id()
    values = {"z": 1, "a": [0.83, 1.0, 1e-7, 12345678901234], "é": {"b": None, "a": True}, "rtl": "שלום 🙂 \u2028", "n": -0.25}

    def command(tx: Transaction) -> None:
        tx.append((tx.load(NOTES, stream_id), [Noted("a"), Measured(values), Whispered(person, "w", "b"), Noted("ü")]))

    write(tenant_scope(somewhere), CODE, command)
    found = everything(somewhere, stream_id)
    assert [item.version for item in found] == [1, 2, 3, 4]
    assert found[1].value == Measured(values)
    assert chain.first_break(found) is None


@pytest.mark.parametrize(
    "change",
    [
        """data = '{"text": "forged"}'""",
        """meta = meta || '{"scope": "forged"}'""",
        "recorded_at = recorded_at - interval '1 second'",
        "type = 'store_test.measured', data = '{\"values\": {}}'",
        "event_id = gen_random_uuid()",
    ],
)
def test_tampering_by_the_superuser_is_found(somewhere: UUID, settings: Settings, change: str) -> None:
    stream_id = new_id()
    write(tenant_scope(somewhere), CODE, note, stream_id, "a", "b", "c")
    _tamper(settings, f"update events set {change} where stream_id = %s and version = 2", stream_id)
    assert chain.first_break(everything(somewhere, stream_id)) == 2


def test_a_removed_event_is_found(somewhere: UUID, settings: Settings) -> None:
    stream_id = new_id()
    write(tenant_scope(somewhere), CODE, note, stream_id, "a", "b", "c")
    _tamper(settings, "delete from events where stream_id = %s and version = 2", stream_id)
    assert chain.first_break(everything(somewhere, stream_id)) == 3


def _tamper(settings: Settings, statement: str, stream_id: UUID, *values: object) -> None:
    with sql.superuser(settings) as connection:
        connection.execute("set session_replication_role = replica")  # no trigger speaks up
        assert connection.execute(statement, (*values, stream_id)).rowcount == 1  # type: ignore[arg-type]


# Personal data -----------------------------------------------------------------------------------------------------


def whisper(tx: Transaction, stream_id: UUID, person: UUID, words: str) -> None:
    tx.append((tx.load(NOTES, stream_id), [Whispered(person, words, "an aside")]))


def _row(settings: Settings, stream_id: UUID, version: int = 1) -> str:
    with sql.superuser(settings) as connection:
        row = connection.execute("select e::text from events e where stream_id = %s and version = %s", (stream_id, version))
        return str(row.fetchone())


def test_personal_fields_are_nowhere_in_the_row(somewhere: UUID, settings: Settings) -> None:
    stream_id = new_id()
    write(tenant_scope(somewhere), CODE, whisper, stream_id, new_id(), "Zyanide")
    row = _row(settings, stream_id)
    assert "store_test.whispered" in row
    for form in ("Zyanide", "zyanide", b64encode(b"Zyanide").decode().rstrip("="), b"Zyanide".hex()):
        assert form not in row
    assert notes(somewhere, stream_id) == ("Zyanide",)


def test_one_person_has_one_key_in_a_tenant_and_another_in_the_next(somewhere: UUID, settings: Settings) -> None:
    person, elsewhere = new_id(), new_id()
    for tenant_id in (somewhere, somewhere, elsewhere):
        write(tenant_scope(tenant_id), CODE, whisper, new_id(), person, "x")
    with sql.superuser(settings) as connection:
        keys = connection.execute("select tenant_id, wrapped from person_keys where person_id = %s", (person,)).fetchall()
    assert {tenant_id for tenant_id, _ in keys} == {somewhere, elsewhere}
    assert len({wrapped for _, wrapped in keys}) == len(keys) == 2


def test_a_key_is_worth_nothing_for_another_person_or_without_the_master_key(somewhere: UUID, settings: Settings) -> None:
    from cryptography.exceptions import InvalidTag

    from fxo.core.events.envelopes import Keyring

    person, other, stream_id = new_id(), new_id(), new_id()
    write(tenant_scope(somewhere), CODE, whisper, stream_id, person, "x")
    write(tenant_scope(somewhere), CODE, whisper, new_id(), other, "y")
    with sql.superuser(settings) as connection:
        with pytest.raises(InvalidTag):
            Keyring(bytes(32)).find(connection, somewhere, {person})
        connection.execute(
            "update person_keys set wrapped = (select wrapped from person_keys where person_id = %s) where person_id = %s",
            (other, person),
        )
    with pytest.raises(InvalidTag):
        notes(somewhere, stream_id)


@pytest.mark.parametrize(
    ("moved", "words", "aside"),
    [
        ("'words', (select data->'words' from events where stream_id = e.stream_id and version = 2)", ERASED, "an aside"),
        ("'words', (select data->'words' from events where stream_id = %(other)s)", ERASED, "an aside"),
        ("'words', data->'aside', 'aside', data->'words'", ERASED, ERASED),
    ],
    ids=["from another version", "from another stream", "to another field"],
)
def test_an_envelope_that_was_moved_reads_as_erased(
    somewhere: UUID, settings: Settings, moved: str, words: str, aside: str
) -> None:
    stream_id, other, person = new_id(), new_id(), new_id()
    for target, text in ((stream_id, "first"), (stream_id, "second"), (other, "elsewhere")):
        write(tenant_scope(somewhere), CODE, whisper, target, person, text)
    with sql.superuser(settings) as connection:
        connection.execute("set session_replication_role = replica")
        changed = connection.execute(
            f"update events e set data = data || jsonb_build_object({moved}) where stream_id = %(stream)s and version = 1",
            {"stream": stream_id, "other": other},
        )
        assert changed.rowcount == 1
    found = everything(somewhere, stream_id)
    assert found[0].value == Whispered(person, words, aside)
    assert found[1].value == Whispered(person, "second", "an aside")
    assert chain.first_break(found) == 1


# Erasing a person --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Erasable:
    """A client who wrote a brief as a visitor and one as a member, on a tenant with a partner; `word` is in all they say."""

    config: TenantConfig
    client: Actor
    visitor: Actor
    partner_id: UUID
    briefs: tuple[UUID, UUID]
    word: str

    @property
    def mail(self) -> str:
        return f"{self.word}@lindqvist.example"

    @property
    def problem(self) -> str:
        return f"{PROBLEM} {self.word}"


@pytest.fixture(scope="module")
def network(app: Flask) -> tuple[TenantConfig, UUID]:
    ids = add_partners()
    return add_tenant("fortium", "Fortium", 80_000, list(ids.values())), ids["dana"]


@pytest.fixture
def erasable(network: tuple[TenantConfig, UUID]) -> Erasable:
    config, partner_id = network
    word = f"zyanide{new_id().hex}"
    visitor, client = Actor(new_id(), ActorKind.VISITOR), add_member(config, f"{word}@lindqvist.example")
    made = Erasable(config, client, visitor, partner_id, (new_id(), new_id()), word)
    for who, brief_id in zip((visitor, client), made.briefs, strict=True):
        write(tenant_scope(config.id), who, matching.submit, matching.Submission(brief_id, made.problem))
    write(tenant_scope(config.id), client, clients.adopt, visitor.id)
    return made


def hold(erasable: Erasable, hours: int) -> UUID:
    store, config = platform.current().store, erasable.config
    starts = (system_now() + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    wanted = consultations.Hold(new_id(), erasable.partner_id, starts, erasable.briefs[1])
    store.run(tenant_scope(config.id), erasable.client, consultations.hold, config, wanted, minutes=10)
    return wanted.consultation_id


def completed_session(erasable: Erasable) -> UUID:
    """A session of this client that took place and was rated."""
    store, config, consultation_id = platform.current().store, erasable.config, hold(erasable, 60)

    def took_place(tx: Transaction) -> None:
        done = [Confirmed(payment_id_of(consultation_id)), Started(Party.SYSTEM), Completed(Party.PARTNER)]
        tx.append((tx.load(CONSULTATION, consultation_id), done))

    store.run(tenant_scope(config.id), CODE, took_place)
    store.run(tenant_scope(config.id), erasable.client, ratings.rate, consultation_id, 5, f"Thanks. {erasable.word}", public=True)
    return consultation_id


def tables_with(settings: Settings, word: str) -> set[str]:
    """Every table of every schema in which some row has this word."""
    with sql.superuser(settings) as connection:
        tables = connection.execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)'"
        ).fetchall()
        return {
            table for (table,) in tables
            if connection.execute(f"select from {table} t where t::text ilike %s limit 1", (f"%{word}%",)).fetchone() is not None
        }  # fmt: skip


def test_erasing_a_client_leaves_no_trace_of_their_words_in_any_table(erasable: Erasable, settings: Settings) -> None:
    config, client = erasable.config, erasable.client
    completed_session(erasable)
    assert tables_with(settings, erasable.word) == {
        "public.briefs", "public.clients", "public.members", "public.partner_agenda", "public.ratings",
    }  # fmt: skip
    write(tenant_scope(config.id), client, clients.erase, client.id)
    assert tables_with(settings, erasable.word) == set()
    with sql.superuser(settings) as connection:
        keys = connection.execute(
            "select wrapped, erased_at is not null from person_keys where tenant_id = %s and person_id = any(%s)",
            (config.id, [client.id, erasable.visitor.id]),
        ).fetchall()
    assert keys == [(None, True), (None, True)]


def test_what_an_erased_person_wrote_reads_as_erased_and_stays_in_the_chain(erasable: Erasable, store: Store) -> None:
    config, client = erasable.config, erasable.client
    store.run(tenant_scope(config.id), client, clients.erase, client.id)
    with store.transaction(tenant_scope(config.id), CODE) as tx:
        texts = [tx.load(BRIEF, brief_id).state.submitted for brief_id in erasable.briefs]
        joined = tx.load(CLIENT, client.id).events[0].value
    assert [said.text for said in texts if said] == [ERASED, ERASED]
    assert isinstance(joined, Joined)
    assert (joined.name, joined.email, joined.company, joined.zone) == (ERASED, ERASED, ERASED, "Europe/Stockholm")
    assert chain.first_break(everything(config.id, client.id)) is None


def test_the_tables_that_pages_read_are_emptied_of_an_erased_person(erasable: Erasable, settings: Settings) -> None:
    config, client = erasable.config, erasable.client
    write(tenant_scope(config.id), client, clients.erase, client.id)
    with sql.scoped(settings, "tenant", config.id) as connection:
        assert connection.execute("select name, email, company from clients where id = %s", (client.id,)).fetchall() == [
            (ERASED, "", "")
        ]
        assert connection.execute("select distinct text from briefs where author_id = %s", (client.id,)).fetchall() == [(ERASED,)]
        assert connection.execute("select email, password_hash from members where id = %s", (client.id,)).fetchall() == [
            (str(client.id), "")
        ]


def test_nobody_signs_in_as_an_erased_person_and_their_address_is_free_again(erasable: Erasable, store: Store) -> None:
    from fxo.tenants import members
    from tests.conftest import PASSWORD

    config, client = erasable.config, erasable.client
    store.run(tenant_scope(config.id), client, clients.erase, client.id)
    with store.transaction(tenant_scope(config.id), CODE) as tx:
        assert members.check(tx, erasable.mail, PASSWORD) is None
        assert members.check(tx, str(client.id), "") is None
    assert add_member(config, erasable.mail).id != client.id


@pytest.mark.parametrize("who", ["client", "visitor", "visitor who never wrote"])
def test_nothing_new_can_be_recorded_about_an_erased_person(erasable: Erasable, store: Store, who: str) -> None:
    config, silent = erasable.config, Actor(new_id(), ActorKind.VISITOR)
    store.run(tenant_scope(config.id), erasable.client, clients.adopt, silent.id)
    store.run(tenant_scope(config.id), erasable.client, clients.erase, erasable.client.id)
    actor = {"client": erasable.client, "visitor": erasable.visitor}.get(who, silent)
    brief_id = new_id()
    with pytest.raises(PersonErased):
        store.run(tenant_scope(config.id), actor, matching.submit, matching.Submission(brief_id, PROBLEM))
    with store.transaction(tenant_scope(config.id), CODE) as tx:
        assert not tx.load(BRIEF, brief_id)


def test_erasing_is_refused_while_a_booking_is_open(erasable: Erasable, store: Store) -> None:
    config, client = erasable.config, erasable.client
    consultation_id = hold(erasable, 30)
    with pytest.raises(Conflict, match="still open"):
        store.run(tenant_scope(config.id), client, clients.erase, client.id)
    with store.transaction(tenant_scope(config.id), CODE) as tx:
        said = tx.load(BRIEF, erasable.briefs[1]).state.submitted
        assert said is not None and said.text == erasable.problem
    store.run(tenant_scope(config.id), client, consultations.release, consultation_id, "given_up")
    store.run(tenant_scope(config.id), client, clients.erase, client.id)


def test_erasing_twice_is_erasing_once(erasable: Erasable, store: Store) -> None:
    config, client = erasable.config, erasable.client
    for _ in range(2):
        store.run(tenant_scope(config.id), client, clients.erase, client.id)
    assert [item.type for item in everything(config.id, client.id)].count("person.erased") == 1


def test_only_the_person_an_administrator_or_our_code_may_erase(erasable: Erasable, store: Store) -> None:
    config = erasable.config
    neighbour = add_member(config, f"{new_id().hex}@neighbour.example")
    with pytest.raises(NotAllowed):
        store.run(tenant_scope(config.id), neighbour, clients.erase, erasable.client.id)
    administrator = add_member(config, f"{new_id().hex}@boss.example", role="administrator")
    assert administrator.may(Permission.MANAGE_TENANT)
    store.run(tenant_scope(config.id), administrator, clients.erase, erasable.client.id)


def test_an_administrator_of_another_tenant_finds_nobody_to_erase(erasable: Erasable, store: Store) -> None:
    stranger = Actor(new_id(), ActorKind.MEMBER, frozenset({Permission.MANAGE_TENANT}))
    with pytest.raises(NotFound):
        store.run(tenant_scope(new_id()), stranger, clients.erase, erasable.client.id)


def test_a_brief_that_is_written_while_its_author_is_erased_leaves_no_words_behind(
    erasable: Erasable, app: Flask, store: Store, settings: Settings
) -> None:
    """Either the writer is first and their words are emptied with the rest, or the eraser is first and they are refused."""
    config, client, brief_id = erasable.config, erasable.client, new_id()
    begun, erased = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def erase() -> None:
        with app.app_context():
            begun.wait(5)
            try:
                store.run(tenant_scope(config.id), client, clients.erase, client.id)
            except BaseException as error:
                failed.append(error)
            erased.set()

    eraser = threading.Thread(target=erase)
    eraser.start()
    with store.transaction(tenant_scope(config.id), client) as tx:
        matching.submit(tx, matching.Submission(brief_id, PROBLEM))
        begun.set()
        erased.wait(0.5)  # the eraser has to wait for this commit, or is done before it
    eraser.join(10)
    assert not failed, failed
    with sql.scoped(settings, "tenant", config.id) as connection:
        assert connection.execute("select text from briefs where id = %s", (brief_id,)).fetchall() == [(ERASED,)]


# What follows in the same transaction ------------------------------------------------------------------------------


def test_followers_run_in_the_order_of_registration_in_the_same_transaction(somewhere: UUID, store: Store) -> None:
    @event(f"store_test.followed_{new_id().hex}")
    @dataclass(frozen=True, slots=True)
    class Followed:
        text: str

    seen: list[tuple[str, int]] = []

    def reading(name: str) -> Callable[[Transaction, Recorded], None]:
        def follow(tx: Transaction, item: Recorded) -> None:
            row = tx.driver.execute("select count(*) from events where stream_id = %s", (item.stream_id,)).fetchone()
            assert row is not None
            seen.append((name, row[0]))

        return follow

    store.follow(Followed, reading("first"))
    store.follow(Followed, reading("second"))
    write(tenant_scope(somewhere), CODE, lambda tx: tx.append((tx.load(NOTES, new_id()), [Followed("a")])))
    assert seen == [("first", 1), ("second", 1)]


def test_a_follower_that_fails_undoes_the_append(somewhere: UUID, store: Store) -> None:
    @event(f"store_test.refused_{new_id().hex}")
    @dataclass(frozen=True, slots=True)
    class Refused:
        text: str

    def fail(tx: Transaction, item: Recorded) -> None:
        raise Conflict("the table cannot hold this")

    store.follow(Refused, fail)
    stream_id = new_id()
    with pytest.raises(Conflict, match="cannot hold"):
        write(tenant_scope(somewhere), CODE, lambda tx: tx.append((tx.load(NOTES, stream_id), [Noted("a"), Refused("b")])))
    assert everything(somewhere, stream_id) == []


def test_a_projection_and_its_event_stand_or_fall_together(erasable: Erasable, store: Store, settings: Settings) -> None:
    config, brief_id = erasable.config, new_id()

    def command(tx: Transaction) -> None:
        matching.submit(tx, matching.Submission(brief_id, PROBLEM))
        assert tx.driver.execute("select count(*) from briefs where id = %s", (brief_id,)).fetchone() == (1,)
        raise Conflict("changed my mind")

    with pytest.raises(Conflict, match="changed my mind"):
        store.run(tenant_scope(config.id), erasable.client, command)
    with sql.scoped(settings, "tenant", config.id) as connection:
        assert connection.execute("select count(*) from briefs where id = %s", (brief_id,)).fetchone() == (0,)
        assert connection.execute("select count(*) from events where stream_id = %s", (brief_id,)).fetchone() == (0,)


def test_platform_streams_are_written_in_the_systems_scope_alone(store: Store) -> None:
    stream_id = new_id()
    store.run(system_scope("network"), CODE, note, stream_id, "ours")
    assert everything(new_id(), stream_id) == []
    with transaction(system_scope("network")) as connection:
        assert [item.value for item in read_stream(connection, store.keyring, NETWORK, stream_id)] == [Noted("ours")]
