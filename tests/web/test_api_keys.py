"""Keys of the API: shown once, kept as a hash, each within its own tenant, and worth nothing from the moment they are revoked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from fxo.app import create_app
from fxo.cli import main
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, Permission, TenantConfig, system_scope, tenant_scope
from fxo.demo import environment
from fxo.settings import Settings
from fxo.tenants import api_keys, membership, records, throttle
from tests.conftest import Databases, add_member, add_partners, add_tenant, running, write
from tests.support import sql
from tests.support.api import Program, new_key, newest

FORTIUM, GLOBEX, MAIL = "fortium.localhost", "globex.localhost", "sarah@globex.example"


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture(scope="module")
def portals(app: Flask) -> dict[str, TenantConfig]:
    """Fortium with Dana, Kofi and Ines; closed Globex with Dana and Kofi. Sarah is a member of both."""
    ids = add_partners()
    made = {
        "fortium": add_tenant("fortium", "Fortium", 80_000, list(ids.values())),
        "globex": add_tenant("globex", "Globex", 72_000, [ids["dana"], ids["kofi"]], visitors_may_match=False),
    }
    for config in made.values():
        add_member(config, MAIL)
    return made


@pytest.fixture
def fortium(portals: dict[str, TenantConfig]) -> TenantConfig:
    return portals["fortium"]


@pytest.fixture
def globex(portals: dict[str, TenantConfig]) -> TenantConfig:
    return portals["globex"]


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"].split()[0] for item in answer.get_json()["items"]]


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem that the answer is, which says everything that a problem says."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.get_json()
    assert (body["type"], body["status"]) == (f"urn:fxo:{code}", status)
    assert len(body["detail"].split()) > 4
    assert body["request"] == answer.headers["X-Request-Id"] != ""
    return body


def test_a_key_reads_its_own_tenant(app: Flask, fortium: TenantConfig, globex: TenantConfig) -> None:
    for config, there, count, price in ((fortium, FORTIUM, 3, 80_000), (globex, GLOBEX, 2, 72_000)):
        for key in (new_key(config), new_key(config, MAIL)):
            answer = Program(app, there, key).get("/partners")
            assert len(names(answer)) == count
            assert answer.get_json()["items"][0]["price"] == {"minor": price, "currency": "USD"}
            assert "Set-Cookie" not in answer.headers


def test_a_key_of_one_tenant_is_nothing_to_another(app: Flask, fortium: TenantConfig, globex: TenantConfig) -> None:
    for key in (new_key(fortium), new_key(fortium, MAIL)):
        answer = Program(app, GLOBEX, key).get("/partners")
        assert "another portal's" in problem(answer, 401, "key_unknown")["detail"]
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    listed = Program(app, FORTIUM, new_key(fortium)).get("/partners").get_json()["items"]
    [ines] = [each for each in listed if each["name"].startswith("Inês")]
    problem(Program(app, GLOBEX, new_key(globex)).get(f"/partners/{ines['id']}"), 404, "not_found")


def test_without_a_key_nothing_is_said(app: Flask, fortium: TenantConfig) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}):
        problem(Program(app, FORTIUM).get("/partners", **headers), 401, "key_needed")
    problem(Program(app, FORTIUM, "fxo_guessed").get("/partners"), 401, "key_unknown")


def test_a_browser_that_is_signed_in_is_nobody_to_the_api(app: Flask, fortium: TenantConfig, signed_in: Any) -> None:
    page = signed_in(FORTIUM, MAIL).get("/api/v1/partners")
    assert page.status == 401
    assert "urn:fxo:key_needed" in page.text


def test_a_revoked_key_is_worth_nothing_from_the_next_request_on(app: Flask, fortium: TenantConfig, globex: TenantConfig) -> None:
    program = Program(app, FORTIUM, new_key(fortium))
    key_id = newest(fortium)
    with pytest.raises(Exception, match="no key with that id"):
        write(tenant_scope(globex.id), CODE, api_keys.revoke, key_id)
    assert names(program.get("/partners"))
    write(tenant_scope(fortium.id), CODE, api_keys.revoke, key_id)
    problem(program.get("/partners"), 401, "key_unknown")


def test_a_members_key_ends_with_their_account(app: Flask, fortium: TenantConfig) -> None:
    leaving, boss = add_member(fortium, "leaving@x.example"), add_member(fortium, "boss@x.example", role="administrator")
    program = Program(app, FORTIUM, new_key(fortium, "leaving@x.example"))
    assert names(program.get("/partners"))
    write(tenant_scope(fortium.id), boss, membership.shut_out, leaving.id)
    problem(program.get("/partners"), 401, "key_unknown")


def test_a_key_may_no_more_than_a_client(app: Flask, fortium: TenantConfig) -> None:
    boss = add_member(fortium, "chief@x.example", role="administrator")
    found = write(tenant_scope(fortium.id), CODE, api_keys.bearer, new_key(fortium, "chief@x.example"))
    assert found.actor == Actor(boss.id, ActorKind.MEMBER, frozenset({Permission.BOOK}))
    assert found.actor.permissions < ROLES["administrator"]
    reads = write(tenant_scope(fortium.id), CODE, api_keys.bearer, new_key(fortium))
    assert not reads.actor.permissions and not reads.acts


def test_the_key_itself_is_kept_nowhere(app: Flask, fortium: TenantConfig, settings: Settings) -> None:
    key = new_key(fortium, MAIL)
    with sql.superuser(settings) as connection:
        rows = connection.execute("select k::text from api_keys k").fetchall()
    assert rows and key not in str(rows) and key.removeprefix("fxo_") not in str(rows)


def test_what_is_not_there_and_what_is_not_possible_are_problems_too(app: Flask, fortium: TenantConfig) -> None:
    program = Program(app, FORTIUM, new_key(fortium))
    assert "openapi.json" in problem(program.get("/nothing"), 404, "not_found")["detail"]
    answer = program.send("DELETE", "/partners")
    assert "Allow" in problem(answer, 405, "method_not_allowed")["detail"]
    assert "GET" in answer.headers["Allow"]
    problem(program.send("POST", "/nothing", json={}), 404, "not_found")
    body = problem(program.get("/partners?limit=0&more=1"), 422, "invalid")
    assert {each["field"] for each in body["errors"]} == {"limit", "more"}
    problem(program.get("/partners?after=nonsense"), 422, "cursor")


def test_pages_of_a_list_follow_each_other(app: Flask, fortium: TenantConfig) -> None:
    program, seen, query = Program(app, FORTIUM, new_key(fortium)), [], "limit=2"
    while query:
        answer = program.get(f"/partners?{query}")
        seen += names(answer)
        following = answer.get_json()["next"]
        query = f"limit=2&after={following}" if following else ""
    assert seen == sorted(seen) and len(seen) == 3


def test_a_key_that_asks_too_often_is_told_when_to_come_again(app: Flask, settings: Settings, fortium: TenantConfig) -> None:
    program = Program(app, FORTIUM, new_key(fortium))
    with sql.owner(settings) as connection:
        connection.execute("delete from attempts")
    assert program.get("/partners").status_code == 200
    with sql.owner(settings) as connection:
        connection.execute("update attempts set count = %s", (throttle.API_KEY.tries - 1,))
    assert program.get("/partners").status_code == 200
    answer = program.get("/partners")
    problem(answer, 429, "too_many")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    with sql.owner(settings) as connection:
        connection.execute("delete from attempts")


def test_a_paused_portal_says_so(app: Flask, portals: dict[str, TenantConfig]) -> None:
    config = add_tenant("paused", "Paused", 80_000, [])
    program = Program(app, "paused.localhost", new_key(config))
    write(system_scope("tenants"), CODE, records.pause, config.id, suspended=True)
    answer = program.get("/partners")
    assert "takes nothing new" in problem(answer, 503, "paused")["detail"]
    assert "Retry-After" in answer.headers


def test_the_command_line_makes_lists_and_revokes_keys(app: Flask, fortium: TenantConfig, settings: Settings) -> None:
    def fxo(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["api-keys", *arguments, "--tenant", "fortium"], env=environment.variables(settings))

    made = fxo("create", "--name", "Planner", "--member", MAIL)
    assert made.exit_code == 0, made.output
    key = made.stdout.strip()
    assert names(Program(app, FORTIUM, key).get("/partners"))
    [line] = [line for line in fxo("list").stdout.splitlines() if "Planner" in line]
    assert MAIL in line and "used " in line and key not in line
    assert fxo("create", "--name", "Report", "--days", "30").exit_code == 0
    [report] = [line for line in fxo("list").stdout.splitlines() if "Report" in line]
    assert "reads only" in report and "never used  ends 20" in report
    assert fxo("revoke", line.split()[0]).exit_code == 0
    assert Program(app, FORTIUM, key).get("/partners").status_code == 401
    assert "revoked " in fxo("list").stdout
    assert "No member of this portal" in fxo("create", "--name", "x", "--member", "nobody@x.example").stderr
    assert "name the key" in fxo("create", "--name", " ").stderr
