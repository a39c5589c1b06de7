"""Whatever is sent to the API, it answers as it is described, and never with an error of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextvars import Context
from uuid import UUID

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fxo.app import create_app
from fxo.core.ids import new_id
from fxo.core.scope import TenantConfig
from fxo.settings import Settings
from fxo.web.api.description import description
from fxo.web.api.routes import OPERATIONS, Operation
from tests.conftest import Databases, add_member, add_partners, add_tenant, running
from tests.support.api import Program, new_key
from tests.support.flow import BRIEF

EXAMPLES = 20
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip


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


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_no_input_gets_an_answer_that_is_not_described(
    app: Flask, config: TenantConfig, each: Operation, mode: GenerationMode
) -> None:
    """With what schemathesis makes of the description: what fits it, and what does not."""
    acting, reading = (Program(app, "fortium.localhost", new_key(config, mail)) for mail in ("sarah@x.example", None))
    known = {name: str(value) for name, value in own_ids(acting).items()}
    schema = schemathesis.openapi.from_dict(description())
    schema.app = app
    sent = schema[f"/api/v1{each.path}"][each.method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(sent, st.booleans(), st.sampled_from([acting, acting, reading]))
    def asked(case: Case, real: bool, program: Program) -> None:
        if real:
            case.path_parameters.update((name, value) for name, value in known.items() if name in case.path_parameters)
        headers = program.headers | {"Idempotency-Key": str(new_id())}
        answer = Context().run(case.call, base_url="http://fortium.localhost", headers=headers)
        case.validate_response(answer, checks=CHECKS)

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
