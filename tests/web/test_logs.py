"""What the logs say of a request: one JSON object a line, whose it was, and nothing about persons."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from fxo.core.scope import TenantConfig
from fxo.logs import JsonFormatter
from tests.support.browser import Person

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(app: Flask) -> Iterator[Lines]:
    """Everything that is logged from now on, as it would be written."""
    root, written = logging.getLogger("fxo"), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)


def test_each_request_is_one_line_with_its_id_and_its_tenant(
    app: Flask, tenant: TenantConfig, other_tenant: TenantConfig, visit: Callable[[str], Person], lines: Lines
) -> None:
    for host in ("fortium.localhost", "globex.localhost", "partners.localhost"):
        visit(host).get("/sign-in?mail=sarah@lindqvist.example")
    found = lines()
    assert [line.get("tenant") for line in found] == ["fortium", "globex", None]
    assert [(line["message"], line["status"], line["path"]) for line in found] == [("request", 200, "/sign-in")] * 3
    assert len({line["request"] for line in found}) == 3
    assert all(line["request"] for line in found)
    assert "sarah@lindqvist.example" not in json.dumps(found)


def test_an_error_is_logged_with_its_place_and_without_its_text(
    app: Flask, tenant: TenantConfig, visit: Callable[[str], Person], lines: Lines
) -> None:
    def broken() -> str:
        raise ValueError("sarah@lindqvist.example cannot be written down")

    for endpoint in [name for name in app.view_functions if name.endswith("help_page")]:  # one for each kind of host
        app.view_functions[endpoint] = broken
    answer = visit("fortium.localhost").get("/help")
    (error,) = [line for line in lines() if line["level"] == "error"]
    assert answer.status == 500
    assert (error["error"], error["tenant"]) == ("ValueError", "fortium")
    assert error["request"] in answer.words
    assert error["trace"][-1].endswith(" broken")
    assert "lindqvist" not in json.dumps(lines())
