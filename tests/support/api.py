"""A program that uses a portal's API with a key; each answer is compared with the description."""

from __future__ import annotations

import re
from contextvars import Context
from typing import Any
from uuid import UUID

from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker

from fxo.core.ids import new_id
from fxo.core.scope import CODE, TenantConfig, tenant_scope
from fxo.tenants import api_keys
from fxo.web.api.description import description
from tests.conftest import write


def new_key(config: TenantConfig, mail: str | None = None) -> str:
    """A key of this tenant: for the member with that address, or to read."""
    key: str = write(tenant_scope(config.id), CODE, api_keys.create, "A program", mail)
    return key


def newest(config: TenantConfig) -> UUID:
    """The id of the key that was made last."""
    found: list[api_keys.Key] = write(tenant_scope(config.id), CODE, api_keys.list_)
    return found[-1].id


class Program:
    """It asks at a host with its key, without any browser."""

    def __init__(self, app: Flask, host: str, key: str = "") -> None:
        self.app, self.host = app, host
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, headers=headers)

    def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **values: Any) -> Any:
        """The answer to `/api/v1<path>`; each request comes from outside the test's own context."""
        named = {"headers": self.headers | (headers or {}), "base_url": f"http://{self.host}", "method": method}
        answer = Context().run(self.app.test_client(use_cookies=False).open, f"/api/v1{path}", **named, **values)
        described(method, f"/api/v1{path}".partition("?")[0], answer)
        return answer

    def change(self, path: str, body: Any, key: str = "") -> Any:
        """The answer to a request that changes something, under this idempotency key or a fresh one."""
        return self.send("POST", path, json=body, headers={"Idempotency-Key": key or str(new_id())})


def described(method: str, path: str, answer: Any) -> None:
    """The answer is one that the description has for the operation; for an address that it does not have, a problem."""
    whole = description()
    schema: Any = {"$ref": "#/components/schemas/Problem"}
    for rule, operations in whole["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", rule), path) and method.lower() in operations:
            found = operations[method.lower()]["responses"]
            assert str(answer.status_code) in found, (method, path, answer.status_code, answer.text)
            schema = found[str(answer.status_code)]["content"][answer.mimetype]["schema"]
    if path != "/api/v1/openapi.json":
        checker = Draft202012Validator({"components": whole["components"], **schema}, format_checker=FormatChecker())
        errors = [error.message for error in checker.iter_errors(answer.get_json())]
        assert not errors, (method, path, errors)
