"""The recipes for plugins are one plugin, which is written out of the page, installed and used."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
import httpx
import pytest

from fxo.core.hookspecs import Booking
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.migrations import initialise, migrate
from fxo.migrations.walk import problems
from fxo.testing import context
from tests.support.browser import Person
from tests.support.sql import superuser
from tests.support.story import story

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins" / "recipes.md").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The recipes' files, each under the name in its first line."""
    for text in re.findall(r"```(?:python|sql|toml)\n(.*?)```", PAGE, re.DOTALL):
        first, _, source = text.partition("\n")
        path = tmp_path / first.split(" ", 1)[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return tmp_path


def test_the_recipes_pass_their_own_tests_and_fit(project: Path) -> None:
    here = dict(os.environ) | {"PYTHONPATH": f"{ROOT}{os.pathsep}{project}"}
    for command in (["pytest", "-q", "-p", "no:cacheprovider", "tests"], ["fxo.cli", "plugins", "check", "."]):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=project, env=here, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "It fits." in done.stdout


def test_the_recipes_bring_a_table_a_reaction_and_a_page(project: Path, databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project))
    rooms: Any = importlib.import_module("rooms")
    asked: list[str] = []

    def office(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"room": "Room 7"})

    with story(databases, rooms) as told:
        initialise(told.settings)
        migrate(told.settings, {"rooms": sorted(rooms.fxo_migrations().glob("*.sql"))})
        with superuser(told.settings) as connection:
            assert problems(connection, told.settings) == []
        settings = importlib.import_module("rooms.settings").Settings(key="right")
        with httpx.Client(transport=httpx.MockTransport(office)) as http:
            given = context("rooms", settings=settings, tenant_id=told.config.id, http=http)
            at = datetime(2030, 5, 6, 9, 0, tzinfo=UTC)
            booking = Booking(
                new_id(), told.config.id, told.partners["dana"], told.client.id, at, at + timedelta(hours=1),
                Money(80_000, "USD"), "confirmed",
            )  # fmt: skip
            for _ in range(2):
                rooms.fxo_booking_confirmed(booking, given)
        table = importlib.import_module("rooms.table")
        assert table.room_of(told.config.id, booking.id) == "Room 7"
        assert asked == [f"/reservations/{booking.id}"], "asked once, however often it was told"
        assert table.room_of(new_id(), booking.id) is None, "another tenant sees nothing of it"
        page = Person(flask.current_app._get_current_object(), "fortium.localhost").get("/plugins/rooms/")  # type: ignore[attr-defined]
        assert (page.status, "has a room" in page.text) == (200, True)
