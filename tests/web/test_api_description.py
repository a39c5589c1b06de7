"""Whatever is sent to the API, it answers as it is described, and never with an error of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fxo.app import create_app
from fxo.core.ids import new_id
from fxo.core.scope import TenantConfig
from fxo.settings import Settings
from fxo.web.api.description import description
from fxo.web.api.routes import OPERATIONS, Operation
from tests.conftest import Databases, add_member, add_partners, add_tenant, running
from tests.support.api import Program, new_key
from tests.support.flow import BRIEF

EXAMPLES = 40


@pytest.fixture(scope="module")
def made(databases: Databases) -> Iterator[Settings]:
    found = databases.make()
    yield found
    databases.drop(found)


@pytest.fixture(scope="module")
def app(made: Settings) -> Iterator[Flask]:
    yield from running(create_app(made))


@pytest.fixture(scope="module")
def config(app: Flask) -> TenantConfig:
    config = add_tenant("fortium", "Fortium", 80_000, list(add_partners().values()))
    add_member(config, "sarah@x.example")
    return config


def own_ids(program: Program) -> dict[str, UUID]:
    """Ids of things that there are."""
    brief = program.change("/briefs", {"text": BRIEF}).get_json()["id"]
    partner = program.get("/partners").get_json()["items"][0]["id"]
    return {"brief_id": UUID(brief), "partner_id": UUID(partner)}


TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["", "0", "-1", "%00", "\x00", "1e9", "2026-12-01T10:00:00Z", "9" * 400]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS, st.uuids().map(str)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema of one field describes."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of(*map(fitting, schema["anyOf"]))
    match schema.get("format", schema.get("type")):
        case "uuid":
            return st.uuids().map(str)
        case "date-time":
            return st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "string":
            return st.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 60), 60))
    return st.none()


def bodies(each: Operation) -> st.SearchStrategy[Any]:
    """Bodies that fit, bodies with a field that does not, and anything."""
    assert each.body
    schema = description()["components"]["schemas"][each.body.__name__]
    fields = {name: fitting(what) for name, what in schema["properties"].items()}
    good = st.fixed_dictionaries(
        {name: fields[name] for name in schema.get("required", ())},
        optional={name: strategy for name, strategy in fields.items() if name not in schema.get("required", ())},
    )
    spoilt = st.builds(lambda body, name, value: body | {name: value}, good, st.sampled_from([*fields, "more"]), VALUES)
    return st.one_of(good, spoilt, VALUES)


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_no_input_gets_an_answer_that_is_not_described(app: Flask, config: TenantConfig, each: Operation) -> None:
    acting, reading = (Program(app, "fortium.localhost", new_key(config, mail)) for mail in ("sarah@x.example", None))
    known = own_ids(acting)
    names = list((each.query.model_fields if each.query else {}).keys())
    queries = st.dictionaries(st.sampled_from([*names, "more"]), TEXTS, max_size=3)
    sent = bodies(each) if each.body else st.none()

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(sent, queries, st.booleans(), st.sampled_from([acting, acting, reading]))
    def asked(body: Any, query: dict[str, str], real: bool, program: Program) -> None:
        ids = {
            name: known.get(name, new_id()) if real else new_id()
            for name in ("brief_id", "partner_id", "booking_id", "session_id")
        }
        values: dict[str, Any] = {"query_string": query}
        if each.body:
            values |= {"json": body, "headers": {"Idempotency-Key": str(new_id())}}
        answer = program.send(each.method, each.path.format(**ids), **values)
        assert answer.status_code < 500, (body, query, answer.text)

    asked()


RAW = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"text": "\\ud800"}', b"[" * 5_000, b"9" * 5_000]),
)
KINDS = st.sampled_from(
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "nonsense"]
)
KEYS = st.one_of(st.none(), st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300))
PLACES = st.one_of(st.uuids().map(str), st.sampled_from(["0", "%00", "%2e%2e", "x" * 3_000, "%f0%9f%94%a5", "a%2Fb", "%C3"]))


@settings(max_examples=120, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(OPERATIONS), RAW, KINDS, KEYS, PLACES, st.booleans())
def test_nothing_that_is_no_json_no_key_or_no_id_gets_an_answer_that_is_not_described(
    app: Flask, config: TenantConfig, each: Operation, body: bytes, kind: str, key: str | None, place: str, known: bool
) -> None:
    program = Program(app, "fortium.localhost", new_key(config, "sarah@x.example") if known else "fxo_guessed")
    path = re.sub(r"{\w+}", lambda _: place, each.path)
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = program.send(each.method, path, data=body, content_type=kind, headers=headers)
    assert answer.status_code < 500, (path, answer.text)
    assert known or answer.status_code in (401, 404)
