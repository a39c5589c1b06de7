"""Keys of the API on the administrator's pages: made and shown once, for nobody but oneself or to read, revoked for good."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from fxo.core.clock import system_now
from fxo.core.errors import NotAllowed
from fxo.core.scope import CODE, Actor, TenantConfig, tenant_scope
from fxo.settings import Settings
from fxo.tenants import api_keys
from tests.conftest import add_member, write
from tests.support import sql
from tests.support.api import Program, newest
from tests.support.browser import Page, Person

Enter = Callable[..., Person]
HERE, HOST, ADA = "/admin/api-keys", "fortium.localhost", "ada@fortium.example"


@pytest.fixture
def boss(tenant: TenantConfig, client_actor: Actor) -> Actor:
    """Fortium's administrator, with Sarah as a client."""
    return add_member(tenant, ADA, role="administrator", name="Ada Admin")


@pytest.fixture
def ada(signed_in: Enter, boss: Actor) -> Person:
    return signed_in(HOST, ADA)


def make(ada: Person, **values: str) -> Page:
    return ada.submit(ada.get(HERE), HERE, **({"name": "Planner", "acts": "reads", "days": "90"} | values))


def key_on(page: Page) -> str:
    [key] = set(re.findall(r"fxo_[\w-]{43}", page.text))
    return str(key)


def row(page: Page, name: str) -> str:
    [found] = [each.get_text(" ", strip=True) for each in page.soup.select("tbody tr") if name in each.get_text()]
    return found


def test_a_key_is_shown_once_and_kept_nowhere(app: Flask, ada: Person, settings: Settings) -> None:
    form = ada.get(HERE)
    made = ada.submit(form, HERE, name="Planner", acts="reads", days="90")
    assert made.status == 200 and "not shown again" in made.words and "/api/v1/partners" in made.words
    assert made.headers["Cache-Control"] == "no-store"
    key = key_on(made)
    assert Program(app, HOST, key).get("/partners").status_code == 200
    again = ada.follow(ada.submit(form, HERE, name="Planner", acts="reads", days="90"))
    assert "was made already" in again.words and key not in again.text
    listed = ada.get(HERE)
    assert key not in listed.text and listed.text.count("Planner") == again.text.count("Planner")
    assert re.search(r"Planner Reads for the portal Active until .* Ada Admin", row(listed, "Planner"))
    with sql.superuser(settings) as connection:
        everything = str([connection.execute(f"select t::text from {name} t").fetchall() for name in tables(connection)])
    assert "Planner" in everything and key.removeprefix("fxo_") not in everything


def tables(connection: object) -> list[str]:
    return [name for (name,) in connection.execute("select tablename from pg_tables where schemaname = 'public'")]  # type: ignore[attr-defined]


def test_a_key_acts_for_who_made_it_and_for_nobody_else(app: Flask, ada: Person, boss: Actor, tenant: TenantConfig) -> None:
    program = Program(app, HOST, key_on(make(ada, acts="me", name="My own")))
    assert program.change("/briefs", {"text": "Our insurer wants a tested recovery plan before January."}).status_code == 201
    assert f"Acts for {ADA}" in row(ada.get(HERE), "My own")
    with pytest.raises(NotAllowed, match="acts for yourself"):
        write(tenant_scope(tenant.id), boss, api_keys.create, "Not mine", "sarah@lindqvist.example")
    assert make(ada, acts="sarah@lindqvist.example").status == 422


def test_revoking_ends_a_key_at_once_and_says_who_did_it(app: Flask, ada: Person, boss: Actor, settings: Settings) -> None:
    program = Program(app, HOST, key_on(make(ada)))
    page = ada.get(HERE)
    [action] = [str(form["action"]) for form in page.soup.find_all("form") if str(form["action"]).endswith("/revoke")]
    after = ada.follow(ada.submit(page, action))
    assert "refused from now on" in after.text and "Revoked since" in row(after, "Planner")
    assert program.get("/partners").status_code == 401
    assert ada.submit(page, action).status == 303 and ada.post(action).status == 422
    assert ada.submit(ada.get(HERE), HERE, name="Another", acts="reads", days="0").status == 200
    with sql.superuser(settings) as connection:
        found = connection.execute(
            "select type, meta->>'actor' from events where stream_type = 'api_key' order by recorded_at, version"
        ).fetchall()
    assert [kind for kind, _actor in found] == ["api_key.created", "api_key.revoked", "api_key.created"]
    assert all(str(boss.id) in actor for _kind, actor in found)


def test_a_key_ends_by_itself(app: Flask, ada: Person, settings: Settings) -> None:
    program = Program(app, HOST, key_on(make(ada, days="30")))
    assert program.get("/partners").status_code == 200
    with sql.owner(settings) as connection:
        connection.execute("update api_keys set ends_at = %s", (system_now() - timedelta(seconds=1),))
    assert "has ended" in program.get("/partners").get_json()["detail"]
    assert "Ended until" in row(ada.get(HERE), "Planner") and "Revoke this key" not in ada.get(HERE).text


def test_what_cannot_be_a_key_is_said_next_to_the_field(ada: Person) -> None:
    for field, value in (("name", " "), ("name", "x" * 81), ("acts", "everything"), ("days", "36500")):
        page = make(ada, **{field: value})
        assert page.status == 422 and len(page.soup.select(".field__error")) == 1, (field, value)
    assert "No program has a key yet" in ada.get(HERE).words
    assert ada.get(HERE).form(HERE)["days"] == "90", "a key that ends is the usual one"


def test_keys_are_for_the_administrator_of_this_tenant_alone(
    ada: Person, signed_in: Enter, tenant: TenantConfig, other_tenant: TenantConfig, client_actor: Actor
) -> None:
    make(ada)
    path = f"{HERE}/{newest(tenant)}/revoke"
    sarah = signed_in(HOST, "sarah@lindqvist.example")
    assert sarah.get(HERE).status == 403
    add_member(other_tenant, "gus@globex.example", role="administrator", name="Gus")
    gus = signed_in("globex.localhost", "gus@globex.example")
    page = gus.get(HERE)
    assert "Planner" not in page.text
    assert gus.post(path, page.form(HERE)).status == 404
    with pytest.raises(NotAllowed):
        write(tenant_scope(tenant.id), client_actor, api_keys.create, "Mine", None)
    assert [key.revoked_at for key in write(tenant_scope(tenant.id), CODE, api_keys.list_)] == [None]
