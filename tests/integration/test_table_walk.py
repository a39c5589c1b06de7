"""The table walk finds every way in which isolation could be open, and nothing in the database as it is migrated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fxo.core.scope import DEFINER_FUNCTIONS, NETWORK_TABLES
from fxo.migrations import ROLES
from fxo.migrations.walk import problems
from fxo.settings import Settings
from tests.conftest import Databases
from tests.support import sql

OWN = "tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid"
SOUND = (
    "create table public.{name} (tenant_id uuid not null, id uuid, primary key (tenant_id, id));"
    " alter table public.{name} enable row level security, force row level security;"
    " create policy owner on public.{name} to {{owner}} using (true) with check (true);"
    f" create policy tenant on public.{{name}} to {{{{tenant}}}} using ({OWN}) with check ({OWN});"
)
FUNCTION = "create function public.{name}() returns int language sql {how} as 'select 1'; "
CLOSED = "revoke execute on function public.{name} from public;"


def table(name: str) -> str:
    """The statements that make a table as it should be."""
    return SOUND.format(name=name)


def function(name: str, how: str = "") -> str:
    return FUNCTION.format(name=name, how=how) + CLOSED.format(name=name)


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture
def scratch(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's transaction, rolled back at the end: what is changed in it, roles included, nobody else sees."""
    with sql.superuser(settings, autocommit=False) as connection:
        yield connection
        connection.rollback()


def do(connection: psycopg.Connection[Any], settings: Settings, statements: str) -> None:
    connection.execute(statements.format(**{name: settings.role(name) for name in ROLES}))  # type: ignore[arg-type]


def test_the_migrated_database_has_no_problems(scratch: psycopg.Connection[Any], settings: Settings) -> None:
    assert problems(scratch, settings) == []


def test_any_of_our_logins_may_ask(settings: Settings) -> None:
    for name in ("app", "system", "operator"):
        with sql.login(settings, name) as connection:  # type: ignore[arg-type]
            assert problems(connection, settings) == []


@pytest.mark.parametrize(
    "statements",
    [
        table("notes"),
        "create schema plugin_x; create table plugin_x.t (id int); comment on table plugin_x.t is 'network: one for all';"
        " alter table plugin_x.t enable row level security, force row level security;"
        " create policy owner on plugin_x.t to {owner} using (true)",
        "create view public.v with (security_invoker = true) as select 1 as one",
        function("harmless"),
        table("notes") + f"create policy more on public.notes as restrictive to {{tenant}} using (id is not null and {OWN})",
    ],
    ids=["a tenant's table", "a plugin's table of the network", "a view", "a function", "a policy that narrows"],
)
def test_what_is_made_as_it_should_be_is_no_problem(
    scratch: psycopg.Connection[Any], settings: Settings, statements: str
) -> None:
    do(scratch, settings, statements)
    assert problems(scratch, settings) == []


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ("create table public.t (id int)", "Table t has no tenant_id and is not listed as the network's."),
        ("create table public.t (id int)", "Table t has no row level security."),
        ("create table public.t (id int)", "Table t has no policy for"),
        ("create schema other; create table other.t (id int)", "Table other.t has no tenant_id"),
        ("create schema plugin_x; create table plugin_x.t (id int)", "Table plugin_x.t has no tenant_id"),
        ("create schema plugin_x; create table plugin_x.t (id int); comment on table plugin_x.t is 'network:'",
         "Table plugin_x.t has no tenant_id"),
        ("create table public.t (id int); comment on table public.t is 'network: only plugins may say so'",
         "Table t has no tenant_id"),
        ("create table public.t (tenant_id uuid)", "Table t has no tenant_id"),
        ("create table public.t (tenant_id uuid not null)", "Table t has no policy that shows a tenant its own rows"),
        (table("t") + "alter table public.t disable row level security", "Table t has no row level security."),
        (table("t") + "alter table public.t no force row level security", "Table t does not force row level security"),
        (table("t") + "drop policy owner on public.t", "Table t has no policy for"),
        (table("t") + "drop policy tenant on public.t", "Table t has no policy that shows a tenant its own rows"),
        (table("t") + "create policy more on public.t to {tenant} using (true)", "Table t has a policy for"),
        (table("t") + f"create policy more on public.t to {{tenant}} using ({OWN} or current_setting('x', true) = 'y')",
         "another rule than the tenant's own rows: more"),
        (table("t") + "create policy more on public.t for insert to {tenant} with check (true)", "another rule"),
        (table("t") + f"create policy more on public.t for update to {{tenant}} using ({OWN}) with check (true)", "another rule"),
        (table("t") + f"create policy more on public.t using ({OWN})", "Policy more of public.t is for everybody."),
        (table("t") + "alter table public.t add foreign key (id) references public.partners (id)", "Table t refers to partners"),
        (table("t") + "grant select on public.t to {app}", "Table t can be reached by"),
        (table("t") + "grant update (id) on public.t to {app}", "Table t can be reached by"),
        (table("t") + "grant select on public.t to public", "Table t can be reached by"),
        ("alter table events no force row level security", "Table events does not force row level security"),
        ("alter table partners disable row level security", "Table partners has no row level security."),
        ("drop table inbox", "Table inbox is listed as the network's and does not exist."),
        ("create view public.v as select 1 as one", "View v runs with its owner's rights"),
        ("create view public.v with (security_invoker = false) as select 1 as one", "View v runs with its owner's rights"),
        ("create materialized view public.v as select 1 as one", "v is a materialised view"),
        ("create function public.f() returns int language sql as 'select 1'", "Function f() may be executed by everybody."),
        (function("f", "security definer set search_path = public"), "f() runs with its owner's rights and is not listed."),
        ("create schema plugin_x; create function plugin_x.take_time() returns int language sql security definer"
         " set search_path = public as 'select 1'", "plugin_x.take_time() runs with its owner's rights and is not"),
        ("alter function free_time(uuid) reset search_path", "Function free_time(uuid) runs with its owner's rights and sets no"),
        ("alter function free_time(uuid) security invoker", "Function free_time is listed as running with its owner's rights"),
        ("grant execute on function keep_time to public", "time zone) may be executed by everybody."),
        ("alter role {tenant} bypassrls", "bypasses row level security."),
        ("alter role {system} bypassrls", "bypasses row level security."),
        ("alter role {owner} superuser", "is a superuser."),
        ("alter role {operator} createrole", "may create roles"),
        ("alter role {tenant} login", "_tenant may log in."),
        ("alter role {system} nologin", "_system may not log in."),
        ("alter role {app} inherit", "without a scope it must do nothing."),
        ("grant {owner} to {app}", "_app may become"),
        ("grant {owner} to {system}", "_system may become"),
        ("grant {owner} to {partner}", "_partner may become"),
        ("alter role {partner} rename to somebody", "_partner does not exist."),
    ],
)  # fmt: skip
def test_each_way_in_which_isolation_is_open_is_found(
    scratch: psycopg.Connection[Any], settings: Settings, statements: str, found: str
) -> None:
    do(scratch, settings, statements)
    told = problems(scratch, settings)
    assert any(found in sentence for sentence in told), told


@pytest.mark.parametrize(("name", "reason"), [*NETWORK_TABLES.items(), *DEFINER_FUNCTIONS.items()])
def test_whatever_is_listed_has_a_reason(name: str, reason: str) -> None:
    assert len(reason.split()) >= 3


def test_only_the_listed_functions_run_with_the_owners_rights(scratch: psycopg.Connection[Any]) -> None:
    rows = scratch.execute(
        "select proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where prosecdef and n.nspname !~ '^pg_'"
    ).fetchall()
    assert {name for (name,) in rows} == set(DEFINER_FUNCTIONS)
