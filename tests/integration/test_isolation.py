"""Isolation in the database itself: whatever the application asks, each scope reaches its own rows and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import flask
import psycopg
import pytest
import sqlalchemy.exc
from psycopg.types.range import TimestamptzRange

import fxo
from fxo.core import settlement
from fxo.core.clients import commands as clients
from fxo.core.clients import favourites
from fxo.core.clock import system_now
from fxo.core.consultations import commands as consultations
from fxo.core.db import db, execute, in_transaction, transaction
from fxo.core.ids import NETWORK, new_id
from fxo.core.ledger import commands as payouts
from fxo.core.matching import commands as matching
from fxo.core.notifications import suppressions
from fxo.core.notifications.port import Channel
from fxo.core.plugins.context import StoredState
from fxo.core.scope import (
    CODE,
    DEFINER_FUNCTIONS,
    SYSTEM_CALL_SITES,
    Actor,
    ActorKind,
    Permission,
    Scope,
    operator_scope,
    partner_scope,
    system_scope,
    tenant_scope,
)  # fmt: skip
from fxo.core.work import routine
from fxo.migrations import ROLES
from fxo.plugins.matching_openai.kept import Kept
from fxo.plugins.notifications_twilio import texts
from fxo.settings import Settings
from fxo.tenants import api_keys, invitations, logos, tokens
from tests.conftest import PASSWORD, add_member, add_tenant
from tests.support import sql
from tests.support.api import Program
from tests.support.browser import Person
from tests.support.flow import shortlist, sign_in
from tests.support.story import Story, story

DENIED = psycopg.errors.InsufficientPrivilege
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def here(databases: Any) -> Iterator[Story]:
    """Fortium, after a session with Dana from brief to rating."""
    with story(databases) as made:
        lived(made, "fortium", "dana")
        yield made


@pytest.fixture(scope="module")
def there(here: Story) -> Story:
    """Globex, after the same with Kofi; Dana serves both, Ines Fortium alone."""
    config = add_tenant("globex", "Globex", 72_000, [here.partners["dana"], here.partners["kofi"]])
    made = here.of(config, add_member(config, "sarah@lindqvist.example"))
    lived(made, "globex", "kofi")
    return made


@pytest.fixture
def settings(here: Story) -> Settings:
    return here.settings


def lived(told: Story, slug: str, partner: str) -> None:
    """Everything that a tenant can have: the whole flow, a form, an alarm, a plugin's memory."""
    visitor = Actor(new_id(), ActorKind.VISITOR)
    told.run(visitor, matching.submit, matching.Submission(new_id(), "A visitor's brief"))
    person = Person(flask.current_app, f"{slug}.localhost")
    sign_in(person, "sarah@lindqvist.example", PASSWORD)
    assert shortlist(person).status == 200
    assert person.submit(person.get("/"), "/settings/theme", theme="dark").status == 303
    starts_at = told.ahead(2 * DAY)
    while starts_at.hour != 11 or starts_at.weekday() > 4:
        starts_at += HOUR
    booked = told.book(partner, starts_at)
    told.live_until(starts_at + HOUR)
    told.complete(booked, partner)
    told.live(HOUR)
    told.rate(booked, 5, "Thanks.")
    told.run(OPERATOR, payouts.plan, told.config, "payments_sandbox")
    routine.hand_out(told.parts.store, settlement.ROUTINES, lambda tenant_id, work_id: None)
    told.work()
    told.run(told.client, favourites.mark, told.partners["dana"], keep=True)
    told.subscribe()
    told.run(told.client, consultations.object_to, booked, "not_as_agreed", "It was short.")  # a case, and so an alarm
    told.run(told.client, tokens.issue, tokens.RESET, told.client.id)
    told.run(told.client, favourites.mark, told.partners[partner], keep=True)
    told.run(CODE, invitations.invite, told.config, f"new@{slug}.example", "client")
    told.run(CODE, suppressions.begin, Channel.MAIL, "sarah@lindqvist.example", "bounced")
    told.run(CODE, clients.add_contact, told.client.id, "sms", "+15551230000")
    texts.begin(told.config.id, f"text-{slug}", told.now.date().replace(day=1), Decimal(1), Decimal(9), told.now)
    told.run(CODE, logos.keep, logos.Logo("0" * 32, b"a picture"), "")
    key = told.run(CODE, api_keys.create, "A program", "sarah@lindqvist.example")
    program = Program(flask.current_app, f"{slug}.localhost", key)  # type: ignore[arg-type]
    assert program.change("/briefs", {"text": "A program's brief"}).status_code == 201
    StoredState(told.config.id, "calendar_local").put("cursor", 1)
    model = Kept(told.config.id, "matching_openai")
    model.reserve(1, 1_000, system_now())
    model.keep_answer(b"a question", "an answer", system_now())
    model.keep_vectors("a model", [(told.partners[partner], "digest", b"vector")])
    assert told.parts.providers.faring
    told.parts.providers.faring.keep()
    with sql.owner(told.settings) as connection:
        connection.execute("insert into hosts (host, tenant_id) values (%s, %s)", (f"experts.{slug}.example", told.config.id))
    assert told.effects("capture")


OPERATOR = Actor(new_id(), ActorKind.OPERATOR, frozenset({Permission.RUN_PLATFORM}))


def tables(settings: Settings, *, with_tenant: bool | None = None) -> list[str]:
    """Every table of every schema of ours; or those with, or without, a tenant's own rows."""
    with sql.superuser(settings) as connection:
        rows = connection.execute(
            "select format('%%I.%%I', n.nspname, c.relname), exists (select from pg_policies p where p.schemaname = n.nspname"
            " and p.tablename = c.relname and %s = any(p.roles) and p.qual like %s)"
            " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)' order by 1",
            (settings.role("tenant"), "(tenant_id = %"),
        ).fetchall()
    return [name for name, own in rows if with_tenant is None or own == with_tenant]


def readable(connection: psycopg.Connection[Any], names: list[str]) -> set[str]:
    """The tables of which this connection may read all columns."""
    found = set()
    for name in names:
        try:
            connection.execute(f"select * from {name}")
        except DENIED:
            continue
        found.add(name)
    return found


def short(names: set[str]) -> set[str]:
    return {name.removeprefix("public.") for name in names}


# Without a scope ---------------------------------------------------------------------------------------------------


def test_without_a_scope_every_table_is_an_error_and_never_an_empty_page(settings: Settings) -> None:
    names = tables(settings)
    assert len(names) > 45
    with sql.login(settings, "app") as connection:
        for name in names:
            for statement in (
                f"select * from {name}", f"select count(*) from {name}", f"insert into {name} default values",
                f"delete from {name}", f"truncate {name}",
            ):  # fmt: skip
                with pytest.raises(DENIED):
                    connection.execute(statement)  # type: ignore[arg-type]


def test_without_a_scope_the_applications_own_session_is_refused_too(here: Story) -> None:
    with pytest.raises(Exception, match="permission denied for table clients") as caught:
        db.session.execute(db.text("select * from clients"))
    assert isinstance(caught.value.__cause__, DENIED)
    db.session.remove()


def test_without_a_scope_no_function_of_ours_may_be_called(settings: Settings) -> None:
    with sql.superuser(settings) as connection:
        rows = connection.execute(
            "select p.oid::regprocedure::text, has_function_privilege(%s, p.oid, 'execute') from pg_proc p"
            " where p.pronamespace = 'public'::regnamespace"
            " and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')",
            (settings.role("app"),),
        ).fetchall()
    assert len(rows) >= 6
    assert [name for name, may in rows if may] == []


def test_a_tenants_role_without_a_tenant_sees_nothing(here: Story, settings: Settings) -> None:
    for tenant in ("", None):
        with sql.login(settings, "app") as connection:
            connection.execute("select set_config('role', %s, false)", (settings.role("tenant"),))
            if tenant is not None:
                connection.execute("select set_config('fxo.tenant', %s, false)", (tenant,))
            for name in tables(settings, with_tenant=True):
                assert connection.execute(f"select count(*) from {name}").fetchone() == (0,), name


# A tenant's scope --------------------------------------------------------------------------------------------------


def test_both_tenants_have_rows_in_every_tenants_table(here: Story, there: Story, settings: Settings) -> None:
    """Otherwise the next tests would prove nothing."""
    names = tables(settings, with_tenant=True)
    assert len(names) >= 20
    with sql.superuser(settings) as connection:
        for name in names:
            found = {row[0] for row in connection.execute(f"select distinct tenant_id from {name}")}
            assert {here.config.id, there.config.id} <= found, name


def test_in_one_tenants_scope_no_row_of_another_is_seen_in_any_table(here: Story, there: Story, settings: Settings) -> None:
    with sql.scoped(settings, "tenant", here.config.id) as connection:
        for name in tables(settings, with_tenant=True):
            found = {row[0] for row in connection.execute(f"select tenant_id from {name}")}
            assert found == {here.config.id}, name
        for name in tables(settings, with_tenant=False):
            if name not in readable(connection, [name]):
                continue
            with connection.execute(f"select * from {name}") as cursor:
                columns = [column.name for column in cursor.description or ()]
                rows = cursor.fetchall()
            if "tenant_id" in columns:
                assert {row[columns.index("tenant_id")] for row in rows} <= {here.config.id}, name
            assert str(there.config.id) not in str(rows), name


def test_of_the_network_a_tenant_reads_only_what_it_needs(here: Story, there: Story, settings: Settings) -> None:
    with sql.scoped(settings, "tenant", there.config.id) as connection:
        found = readable(connection, tables(settings, with_tenant=False))
        assert short(found) == {
            "tenants", "partners", "partner_contacts", "partner_standing", "availability", "clock", "epoch",
            "calendar_connections",
        }  # fmt: skip
        assert connection.execute("select id from tenants").fetchall() == [(there.config.id,)]
        roster = {there.partners["dana"], there.partners["kofi"]}
        for name, column in (("partners", "id"), ("partner_contacts", "partner_id"), ("availability", "partner_id")):
            assert {row[0] for row in connection.execute(f"select {column} from {name}")} == roster, name


def test_in_one_tenants_scope_no_row_can_be_given_to_another(here: Story, there: Story, settings: Settings) -> None:
    with sql.scoped(settings, "tenant", here.config.id) as connection:
        for name in tables(settings, with_tenant=True):
            with pytest.raises(DENIED, match=r"row-level security|permission denied"):
                connection.execute(
                    f"insert into {name} overriding system value select"
                    f" (jsonb_populate_record(r, jsonb_build_object('tenant_id', %s::text))).* from {name} r limit 1",
                    (str(there.config.id),),
                )
            with pytest.raises(DENIED, match=r"row-level security|permission denied"):
                connection.execute(f"update {name} set tenant_id = %s", (there.config.id,))


def test_a_tenant_writes_the_look_and_price_of_its_own_record_and_nothing_that_was_agreed(
    here: Story, there: Story, settings: Settings
) -> None:
    with sql.scoped(settings, "tenant", here.config.id) as connection:
        own = ", ".join(f"{name} = {name}" for name in ("name", "brand", "price_minor", "policy", "asks_first", "providers"))
        assert connection.execute(f"update tenants set {own}").rowcount == 1
        assert connection.execute("update tenants set name = 'x' where id = %s", (there.config.id,)).rowcount == 0
        for column in ("partner_share", "fee_bearer", "currency", "mail_domains", "suspended_at", "slug", "id"):
            with pytest.raises(DENIED):
                connection.execute(f"update tenants set {column} = {column}")


def test_in_one_tenants_scope_no_row_of_another_can_be_changed_or_deleted(here: Story, there: Story, settings: Settings) -> None:
    before = _of(settings, there.config.id)
    with sql.scoped(settings, "tenant", here.config.id) as connection:
        for name in tables(settings, with_tenant=True):
            for statement in (f"update {name} set tenant_id = tenant_id", f"delete from {name}"):
                try:
                    changed = connection.execute(f"{statement} where tenant_id = %s", (there.config.id,)).rowcount
                except DENIED:
                    continue
                assert changed == 0, name
    assert _of(settings, there.config.id) == before


def _of(settings: Settings, tenant_id: UUID) -> dict[str, int]:
    with sql.superuser(settings) as connection:
        counts = {}
        for name in tables(settings, with_tenant=True):
            row = connection.execute(f"select count(*) from {name} where tenant_id = %s", (tenant_id,)).fetchone()
            assert row
            counts[name] = row[0]
        return counts


def test_a_tenant_refers_to_its_own_roster_and_learns_nothing_of_other_partners(there: Story, settings: Settings) -> None:
    """A foreign key looks past policies: a partner who exists and one who does not are refused alike."""
    with sql.scoped(settings, "tenant", there.config.id) as connection:
        for partner_id in (there.partners["ines"], new_id()):
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                connection.execute(
                    "insert into ratings (tenant_id, id, consultation_id, partner_id, client_id, stars, comment, public,"
                    " given_at) values (%s, %s, %s, %s, %s, 5, '', true, now())",
                    (there.config.id, new_id(), new_id(), partner_id, new_id()),
                )


# A partner's scope -------------------------------------------------------------------------------------------------

PARTNERS_OWN = {
    "partner_agenda": "partner_id", "partner_earnings": "partner_id", "partners": "id", "availability": "partner_id",
    "partner_standing": "partner_id", "events": "stream_id", "work": "stream_id", "person_keys": "person_id",
    "form_submissions": "actor_id", "partner_contacts": "partner_id", "partner_opened": "partner_id", "preferences": "person_id",
    "partner_payouts": "partner_id", "calendar_connections": "partner_id",
}  # fmt: skip


def test_a_partner_reads_what_was_made_for_partners_and_own_rows_alone(here: Story, there: Story, settings: Settings) -> None:
    dana = here.partners["dana"]
    with sql.scoped(settings, "partner", dana) as connection:
        assert short(readable(connection, tables(settings))) == {*PARTNERS_OWN, "clock", "epoch"}
        for name, column in PARTNERS_OWN.items():
            assert {row[0] for row in connection.execute(f"select {column} from {name}")} <= {dana}, name
        assert {row[0] for row in connection.execute("select tenant_id from events")} == {NETWORK}
        assert {row[0] for row in connection.execute("select tenant_id from partner_agenda")} == {here.config.id}
        assert connection.execute("select count(*) from partner_earnings").fetchone() == (1,)
        assert {row[0] for row in connection.execute("select partner_id from partner_time")} <= {dana}
        with pytest.raises(DENIED):
            connection.execute("select tenant_id from partner_time")


def test_a_partner_writes_own_rows_of_the_network_alone(here: Story, there: Story, settings: Settings) -> None:
    dana, kofi = here.partners["dana"], here.partners["kofi"]
    event = (
        "insert into events (tenant_id, stream_id, version, event_id, stream_type, type, schema_version, data, meta, recorded_at,"
        " hash, epoch) values (%s, %s, 99, %s, 'partner', 'x', 1, '{}', '{}', now(), %s, 1)"
    )
    work = (
        "insert into work (tenant_id, id, kind, stream_id, body, due_at, created_at) values (%s, %s, 'x', %s, '{}', now(), now())"
    )
    with sql.scoped(settings, "partner", dana) as connection:
        for tenant_id, stream_id in ((NETWORK, kofi), (here.config.id, dana), (here.config.id, new_id())):
            with pytest.raises(DENIED, match="row-level security"):
                connection.execute(event, (tenant_id, stream_id, new_id(), bytes(32)))
            with pytest.raises(DENIED, match="row-level security"):
                connection.execute(work, (tenant_id, new_id(), stream_id))
        assert connection.execute("update partners set name = 'x' where id = %s", (kofi,)).rowcount == 0
        assert connection.execute("update availability set data = '{}' where partner_id = %s", (kofi,)).rowcount == 0
        assert connection.execute("update partner_contacts set email = 'x' where partner_id = %s", (kofi,)).rowcount == 0
        with pytest.raises(DENIED, match="row-level security"):
            connection.execute("insert into partner_opened values (%s, %s, now())", (kofi, new_id()))
        for statement in ("update partners set id = gen_random_uuid()", "update partners set suspended_at = null"):
            with pytest.raises(DENIED):
                connection.execute(statement)  # type: ignore[arg-type]
        for name in ("partner_agenda", "partner_earnings", "partner_standing", "partner_time", "consultations", "roster"):
            with pytest.raises(DENIED):
                connection.execute(f"update {name} set partner_id = partner_id")
        with pytest.raises(DENIED):
            connection.execute("update person_keys set wrapped = null")
        assert connection.execute(work, (NETWORK, new_id(), dana)).rowcount == 1


# The operator's and the system's scope -----------------------------------------------------------------------------


def test_the_operator_reads_what_runs_the_platform_and_no_words_of_clients(settings: Settings) -> None:
    with sql.login(settings, "operator") as connection:
        assert short(readable(connection, tables(settings))) == {
            "tenants", "hosts", "partners", "availability", "partner_standing", "roster", "partner_time", "events", "work",
            "alarms", "cases", "payments", "postings", "operators", "operator_uses", "subscription_cursors", "clock",
            "epoch", "form_submissions", "preferences", "partner_earnings", "partner_payouts", "ledger_checks", "meetings",
            "provider_hours",
        }  # fmt: skip
        assert connection.execute("select state, fee_minor from consultations").fetchall()
        with pytest.raises(DENIED):
            connection.execute("select words from consultations")


def test_the_operator_settles_alarms_and_signs_each_use_with_their_own_name(here: Story, settings: Settings) -> None:
    mine, other = new_id(), new_id()
    use = "insert into operator_uses (id, operator_id, what, at) values (%s, %s, 'ledger', now())"
    with sql.login(settings, "operator") as connection:
        connection.execute("select set_config('fxo.operator', %s, false)", (str(mine),))
        assert connection.execute(use, (new_id(), mine)).rowcount == 1
        with pytest.raises(DENIED, match="row-level security"):
            connection.execute(use, (new_id(), other))
        assert connection.execute("update alarms set settled_at = now() where tenant_id = %s", (here.config.id,)).rowcount == 1
        for statement in (
            "update alarms set sentence = ''", "delete from alarms", "update operator_uses set what = ''",
            "delete from operator_uses", "update tenants set name = ''", "update consultations set state = 'x'",
            "insert into postings default values", "update roster set ended_at = now()", "update work set state = 'done'",
        ):  # fmt: skip
            with pytest.raises(DENIED):
                connection.execute(statement)  # type: ignore[arg-type]


def test_the_system_reads_what_our_code_answers_for_and_appends_to_platform_streams_alone(
    here: Story, settings: Settings
) -> None:
    with sql.login(settings, "system") as connection:
        found = readable(connection, tables(settings))
        assert short({name for name in found if name.startswith("public.")}) == {
            "tenants", "hosts", "partners", "partner_logins", "partner_contacts", "partner_standing", "availability", "roster",
            "work", "operators", "subscription_cursors", "clock", "epoch", "inbox", "events", "alarms", "ratings", "members",
            "person_keys", "preferences", "tokens", "sign_ins", "attempts", "consultations", "payments", "postings",
            "partner_earnings", "partner_time", "meetings", "ledger_checks",
            "calendar_connections", "calendar_tokens", "suppressions", "provider_hours",
        }  # fmt: skip
        with pytest.raises(DENIED, match="row-level security"):
            connection.execute(
                "insert into events (tenant_id, stream_id, version, event_id, stream_type, type, schema_version, data, meta,"
                " recorded_at, hash, epoch) values (%s, %s, 1, %s, 'x', 'x', 1, '{}', '{}', now(), %s, 1)",
                (here.config.id, new_id(), new_id(), bytes(32)),
            )
        for statement in ("update members set role = 'administrator'", "update ratings set stars = 5", "delete from work"):
            with pytest.raises(DENIED):
                connection.execute(statement)  # type: ignore[arg-type]


def test_a_call_site_of_the_system_scope_that_is_not_listed_is_refused() -> None:
    with pytest.raises(PermissionError, match="not a call site"):
        system_scope("anywhere")


def test_the_listed_call_sites_are_those_in_the_code() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in Path(fxo.__file__).parent.rglob("*.py"))
    assert set(re.findall(r'system_scope\("(\w+)"\)', source)) == set(SYSTEM_CALL_SITES)
    assert not re.findall(r"system_scope\((?!\"|site: str\))[^)]*\)", source), "a call site is named where it is used"
    assert len(re.findall(r"ScopeKind\.SYSTEM, NETWORK", source)) == 1, "a system scope is made in one place"


# A partner's time --------------------------------------------------------------------------------------------------


class Doors:
    """The four functions, as one tenant calls them."""

    def __init__(self, connection: psycopg.Connection[Any], partner_id: UUID) -> None:
        self.connection = connection
        self.partner_id = partner_id

    def take(self, start: datetime, consultation: UUID, *, until: datetime | None = None, now: datetime | None = None) -> bool:
        return self._ask(
            "select take_time(%s, %s, %s, %s, %s)",
            self.partner_id, TimestamptzRange(start, start + HOUR), consultation, until, now or system_now(),
        )  # fmt: skip

    def keep(self, consultation: UUID, *, now: datetime | None = None) -> bool:
        return self._ask("select keep_time(%s, %s)", consultation, now or system_now())

    def move(self, consultation: UUID, start: datetime, *, now: datetime | None = None) -> bool:
        wanted = TimestamptzRange(start, start + HOUR)
        return self._ask("select move_time(%s, %s, %s)", consultation, wanted, now or system_now())

    def free(self, consultation: UUID) -> bool:
        return self._ask("select free_time(%s)", consultation)

    def taken(self, start: datetime) -> bool:
        row = self.connection.execute(
            "select exists (select from partner_time where partner_id = %s and starts_at = %s)", (self.partner_id, start)
        ).fetchone()
        return bool(row and row[0])

    def _ask(self, statement: str, *values: object) -> bool:
        row = self.connection.execute(statement, values).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return bool(row[0])


@pytest.fixture
def ours(here: Story, settings: Settings) -> Iterator[Doors]:
    with sql.scoped(settings, "tenant", here.config.id) as connection:
        yield Doors(connection, here.partners["dana"])


@pytest.fixture
def theirs(there: Story, settings: Settings) -> Iterator[Doors]:
    with sql.scoped(settings, "tenant", there.config.id) as connection:
        yield Doors(connection, there.partners["dana"])


_days = iter(range(100, 10_000))


@pytest.fixture
def start() -> datetime:
    """A time that nobody has."""
    return system_now().replace(minute=0, second=0, microsecond=0) + next(_days) * DAY


def test_of_partners_time_a_tenant_sees_busy_and_nothing_else(here: Story, there: Story, settings: Settings) -> None:
    with sql.superuser(settings) as connection:
        columns = {
            name for (name,) in connection.execute("select attname from pg_attribute where attrelid = 'partner_time'::regclass"
                                                   " and attnum > 0 and not attisdropped")
        }  # fmt: skip
        others = connection.execute("select count(*) from partner_time where tenant_id = %s", (here.config.id,)).fetchone()
    shown = {"partner_id", "during", "starts_at", "ends_at"}
    assert others and others[0] > 0
    with sql.scoped(settings, "tenant", there.config.id) as connection:
        assert connection.execute(f"select {', '.join(shown)} from partner_time").fetchall()
        for column in columns - shown:
            with pytest.raises(DENIED):
                connection.execute(f"select {column} from partner_time")
            with pytest.raises(DENIED):
                connection.execute(f"select 1 from partner_time where {column} is not null")
        for statement in (
            "select * from partner_time", "insert into partner_time default values", "update partner_time set during = during",
            "delete from partner_time",
        ):  # fmt: skip
            with pytest.raises(DENIED):
                connection.execute(statement)  # type: ignore[arg-type]


def test_a_tenant_sees_the_time_of_its_own_roster_alone(here: Story, there: Story, settings: Settings) -> None:
    here.hold("ines", here.ahead(3 * DAY))
    for told, seen in ((here, 1), (there, 0)):
        with sql.scoped(settings, "tenant", told.config.id) as connection:
            query = "select count(*) from partner_time where partner_id = %s"
            assert connection.execute(query, (told.partners["ines"],)).fetchone() == (seen,)


def test_the_four_doors_open_for_a_tenant_alone(settings: Settings) -> None:
    with sql.superuser(settings) as connection:
        for name in DEFINER_FUNCTIONS:
            rows = connection.execute(
                "select r.role, has_function_privilege(r.role, p.oid, 'execute') from pg_proc p, unnest(%s::text[]) r(role)"
                " where p.proname = %s",
                (["public", *(settings.role(role) for role in ROLES if role != "owner")], name),
            ).fetchall()
            assert {role for role, may in rows if may} == {settings.role("tenant")}, name


def test_without_a_tenant_in_scope_the_doors_stay_shut(settings: Settings, here: Story, start: datetime) -> None:
    with sql.login(settings, "app") as connection:
        connection.execute("select set_config('role', %s, false)", (settings.role("tenant"),))
        doors = Doors(connection, here.partners["dana"])
        for call in (
            lambda: doors.take(start, new_id()), lambda: doors.keep(new_id()), lambda: doors.move(new_id(), start),
            lambda: doors.free(new_id()),
        ):  # fmt: skip
            with pytest.raises(DENIED, match="no tenant in scope"):
                call()


def test_a_partner_who_is_not_on_the_roster_cannot_be_claimed(theirs: Doors, there: Story, start: datetime) -> None:
    for stranger in (there.partners["ines"], new_id()):
        with pytest.raises(DENIED, match="not on the roster"):
            Doors(theirs.connection, stranger).take(start, new_id())


def test_a_claim_is_written_for_the_tenant_in_scope(ours: Doors, here: Story, settings: Settings, start: datetime) -> None:
    consultation = new_id()
    assert ours.take(start, consultation)
    with sql.superuser(settings) as connection:
        query = "select tenant_id from partner_time where consultation_id = %s"
        assert connection.execute(query, (consultation,)).fetchall() == [(here.config.id,)]


def test_overlapping_time_is_lost_and_time_beside_it_is_not(ours: Doors, theirs: Doors, start: datetime) -> None:
    assert ours.take(start, new_id())
    for shift in (timedelta(), HOUR / 2, -HOUR / 2, timedelta(minutes=59), -timedelta(minutes=59)):
        assert theirs.take(start + shift, new_id()) is False
        assert ours.take(start + shift, new_id()) is False
    assert theirs.take(start + HOUR, new_id())
    assert theirs.take(start - HOUR, new_id())


def test_an_expired_claim_of_anybody_is_no_obstacle_and_a_standing_one_is(ours: Doors, theirs: Doors, start: datetime) -> None:
    now, late = system_now(), new_id()
    assert ours.take(start, late, until=now - HOUR)
    assert theirs.take(start, new_id(), until=now + HOUR)
    assert ours.keep(late) is False
    assert ours.take(start, late) is False


def test_a_claim_that_is_kept_is_never_cleared_away(ours: Doors, theirs: Doors, start: datetime) -> None:
    consultation, now = new_id(), system_now()
    assert ours.take(start, consultation, until=now + timedelta(seconds=1))
    assert ours.keep(consultation, now=now)
    much_later = now + 300 * DAY  # this database has a clock that can be moved
    assert theirs.take(start, new_id(), now=much_later) is False
    assert ours.keep(consultation, now=much_later), "and may be kept again"


def test_a_claim_that_ran_out_is_not_kept(ours: Doors, start: datetime) -> None:
    consultation, now = new_id(), system_now()
    assert ours.take(start, consultation, until=now)
    assert ours.keep(consultation, now=now) is False
    assert ours.keep(new_id(), now=now) is False


def test_another_tenants_claim_is_neither_kept_nor_moved_nor_freed(ours: Doors, theirs: Doors, start: datetime) -> None:
    consultation = new_id()
    assert ours.take(start, consultation, until=system_now() + HOUR)
    assert theirs.keep(consultation) is False
    assert theirs.move(consultation, start + DAY / 2) is False
    assert theirs.free(consultation) is False
    assert ours.taken(start) and not ours.taken(start + DAY / 2)
    assert ours.free(consultation)
    assert not ours.taken(start)
    assert ours.free(consultation) is False


def test_a_claim_moves_in_one_step_or_stays_where_it_is(ours: Doors, theirs: Doors, start: datetime) -> None:
    consultation, now = new_id(), system_now()
    taken, expired = start + 3 * HOUR, start + 6 * HOUR
    assert ours.take(start, consultation)
    assert theirs.take(taken, new_id())
    assert theirs.take(expired, new_id(), until=now - HOUR)
    assert ours.move(consultation, taken) is False
    assert ours.taken(start) and ours.taken(taken)
    assert ours.move(consultation, expired)
    assert not ours.taken(start) and ours.taken(expired)
    assert ours.move(consultation, expired + HOUR / 2), "onto a part of its own time"
    assert ours.move(new_id(), start) is False


def test_the_given_time_may_not_lie_ahead_of_the_servers_unless_the_clock_can_be_moved(
    ours: Doors, settings: Settings, start: datetime
) -> None:
    consultation, ahead = new_id(), system_now() + timedelta(minutes=3)
    assert ours.take(start, consultation, until=ahead + HOUR)
    calls = (
        lambda now: ours.take(start + DAY / 2, new_id(), now=now),
        lambda now: ours.move(consultation, start + DAY / 2, now=now),
        lambda now: ours.keep(consultation, now=now),
    )
    with sql.owner(settings) as connection:
        [(kept,)] = connection.execute("delete from clock returning ahead").fetchall()
        try:
            for call in calls:
                with pytest.raises(psycopg.errors.InvalidParameterValue, match="lies in the future"):
                    call(ahead)
            assert ours.keep(consultation, now=system_now() + timedelta(seconds=30)), "clocks differ a little"
        finally:
            connection.execute("insert into clock (ahead) values (%s)", (kept,))
    assert ours.take(start + DAY / 2, new_id(), now=ahead)


# Transactions and their scopes -------------------------------------------------------------------------------------

_WHO = (
    "select pg_backend_pid(), current_user::text, coalesce(current_setting('fxo.tenant', true), '') ||"
    " coalesce(current_setting('fxo.partner', true), '') || coalesce(current_setting('fxo.operator', true), '')"
)


@pytest.mark.parametrize("end", ["commit", "error", "failed statement"])
@pytest.mark.parametrize("kind", ["tenant", "partner", "operator"])
def test_a_scope_never_outlives_its_transaction_on_the_connection(here: Story, settings: Settings, kind: str, end: str) -> None:
    scopes: dict[str, Scope] = {
        "tenant": tenant_scope(here.config.id),
        "partner": partner_scope(here.partners["dana"]),
        "operator": operator_scope(new_id()),
    }
    scope, pool = scopes[kind], db.engines["operator" if kind == "operator" else None]
    for engine in db.engines.values():
        engine.dispose()
    seen: list[tuple[int, str, str]] = []

    def work() -> None:
        with transaction(scope) as connection:
            seen.append(tuple(execute(connection, _WHO).one()))
            if end == "error":
                raise LookupError
            if end == "failed statement":
                execute(connection, "select * from there_is_no_such_table")

    if end == "commit":
        work()
    else:
        with pytest.raises((LookupError, sqlalchemy.exc.ProgrammingError)):
            work()
    [(pid, user, identity)] = seen
    assert (user, identity) == (settings.role(kind), str(scope.id))
    with pool.connect() as connection:
        again = connection.exec_driver_sql(_WHO).one()
    login = settings.role("operator" if kind == "operator" else "app")
    assert tuple(again) == (pid, login, "")


def test_the_next_transaction_on_the_same_connection_sees_its_own_tenant(here: Story, there: Story) -> None:
    for engine in db.engines.values():
        engine.dispose()
    pids = set()
    for told in (here, there, here):
        with transaction(tenant_scope(told.config.id)) as connection:
            pids.add(execute(connection, _WHO).one()[0])
            assert {row[0] for row in execute(connection, "select tenant_id from clients")} == {told.config.id}
    assert len(pids) == 1


def test_a_failure_that_somebody_ignored_is_an_error_at_the_end_and_nothing_is_kept(here: Story) -> None:
    def work() -> None:
        with here.parts.store.transaction(here.scope, here.client) as tx:
            tx.driver.execute("update clients set company = 'Ignored Ltd'")
            with suppress(psycopg.errors.UndefinedTable):
                tx.driver.execute("select * from there_is_no_such_table")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        work()
    with transaction(here.scope) as connection:
        assert execute(connection, "select 1 from clients where company = 'Ignored Ltd'").all() == []


def test_a_connection_that_the_server_has_ended_is_left_for_a_new_one(here: Story, settings: Settings) -> None:
    def end(pid: int) -> None:
        with sql.superuser(settings) as other:
            other.execute("select pg_terminate_backend(%s, 5000)", (pid,))

    def ended_within() -> None:
        with transaction(here.scope) as connection:
            pids.append(execute(connection, _WHO).one()[0])
            end(pids[0])

    pids: list[int] = []
    with pytest.raises(psycopg.OperationalError):
        ended_within()
    with transaction(here.scope) as connection:
        pids.append(execute(connection, _WHO).one()[0])
    end(pids[1])
    with transaction(here.scope) as connection:
        pids.append(execute(connection, _WHO).one()[0])
    assert len(set(pids)) == 3


def test_transactions_do_not_nest(here: Story) -> None:
    with (
        here.parts.store.transaction(here.scope, here.client),
        pytest.raises(RuntimeError, match="a transaction is open already"),
        transaction(system_scope("health")),
    ):
        pass
    assert not in_transaction()


def test_no_provider_is_called_inside_a_transaction(here: Story) -> None:
    calls: dict[str, Callable[[Any], object]] = {
        "payments": lambda provider: provider.windows(),
        "calendars": lambda provider: provider.busy_times([], (system_now(), system_now())),
        "matching": lambda provider: provider.rank(None, [], limit=1),
        "notifications": lambda provider: provider.deliver(None, None),
    }
    for port, call in calls.items():
        name, provider = here.parts.providers.chain(here.config, port)[0]
        with here.parts.store.transaction(here.scope, here.client), pytest.raises(RuntimeError, match=f"{name} is called inside"):
            call(provider)
