"""The description of the API in OpenAPI 3.1, made from the route table and the models."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import fxo
from fxo.web.api import models
from fxo.web.api.blueprint import blueprint
from fxo.web.api.routes import OPERATIONS, Operation

_REF = "#/components/schemas/{model}"
_ALWAYS = (401, 429, 500, 503)
"""Statuses of refusals that any operation may answer with."""

_HEADERS = {"Location": (201, 202), "Retry-After": (202, 429, 503)}
_HEADER = {"Location": {"type": "string"}, "Retry-After": {"type": "integer"}}


@blueprint.get("/openapi.json", endpoint="description")
def openapi() -> Any:
    """What operations there are, what they take and answer; needs no key."""
    return description()


@cache
def description() -> dict[str, Any]:
    """The whole document."""
    sent = [(each.body, "validation") for each in OPERATIONS if each.body]
    told = [(model, "serialization") for each in OPERATIONS for model in each.answers.values()]
    _, schemas = models_json_schema([*dict.fromkeys([*sent, *told, (models.Problem, "serialization")])], ref_template=_REF)  # type: ignore[list-item]
    paths: dict[str, Any] = {}
    for each in OPERATIONS:
        paths.setdefault(f"/api/v1{each.path}", {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "fxo", "version": fxo.__version__},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(each: Operation) -> dict[str, Any]:
    changes = each.method == "POST"
    refusals = {*_ALWAYS, *each.problems}
    refusals |= {422} if each.query or each.body else set()
    refusals |= {403} if each.members else set()
    refusals |= {400, 409, 413, 415} if changes else set()
    answers = {str(status): _answer(status, model) for status, model in each.answers.items()}
    problems = {str(status): _answer(status, models.Problem, "application/problem+json") for status in sorted(refusals)}
    found: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "parameters": [*_ids(each), *_queries(each), *([_ONCE] if changes else [])],
        "responses": answers | problems,
    }
    if each.body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(each.body)}}}
    return found


_ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
}


def _ids(each: Operation) -> list[dict[str, Any]]:
    schema = {"type": "string", "format": "uuid"}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in re.findall(r"{(\w+)}", each.path)]


def _queries(each: Operation) -> list[dict[str, Any]]:
    if each.query is None:
        return []
    schema = each.query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": what}
        for name, what in schema["properties"].items()
    ]


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _answer(status: int, model: type[BaseModel], kind: str = "application/json") -> dict[str, Any]:
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": {kind: {"schema": _ref(model)}}}
    if names := [name for name, statuses in _HEADERS.items() if status in statuses]:
        found["headers"] = {name: {"schema": _HEADER[name]} for name in names}
    return found
