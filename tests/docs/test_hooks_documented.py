"""The plugin pages say what the code says: every hook with its signature, every member of a port, and a tutorial that runs."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import socket
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fxo.core import hookspecs
from fxo.core.hookspecs import HOOKS, ProviderSpec
from fxo.core.payments import commands as payments
from fxo.core.ports import PORTS
from fxo.embedded.processes import wait_until
from fxo.kit import reference
from fxo.kit.imports import PUBLIC
from tests.support.money import DAY, MINUTE, agreed
from tests.support.plugins import plugin
from tests.support.story import story

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text()
TUTORIAL = (ROOT / "docs" / "plugins" / "tutorial.md").read_text()
HOOKS_PAGE = (ROOT / "docs" / "plugins" / "hooks.md").read_text()
TESTS = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]


def test_the_page_of_hooks_is_current() -> None:
    assert reference.page() == HOOKS_PAGE, "run `make hooks`"


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_signature(hook: str) -> None:
    signature = str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")
    assert f"`{hook}{signature}`" in HOOKS_PAGE


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_test_that_names_it(hook: str) -> None:
    assert any(re.search(rf"\b{hook}\b", test) for test in TESTS)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_says_when_it_runs_what_it_may_do_what_to_return_and_how_to_fail(hook: str) -> None:
    contract = str(getattr(hookspecs, hook).__doc__).lower()
    assert all(word in contract for word in ("when", "allowed", "return", "failing", "@hookimpl", f"def {hook}("))


def test_no_hook_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"`(fxo_\w+)\(", HOOKS_PAGE)) == set(HOOKS)
    assert set(re.findall(r"\bfxo_(?:register|booking|session|person)\w*", PAGE)) <= set(HOOKS)


@pytest.mark.parametrize("port", PORTS)
def test_every_member_of_a_port_is_documented(port: str) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{port}` | "))
    assert f"`{PORTS[port].protocol.__module__}.{PORTS[port].protocol.__name__}`" in row
    assert set(re.findall(r"`(\w+)`", row)) - {port} == set(PORTS[port].answers)


def test_the_page_says_what_may_be_imported() -> None:
    table = PAGE.split("### What may be imported")[1].split("\n## ")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `fxo.")]
    assert sorted(name for row in rows for name in re.findall(r"`([\w.]+)`", row)) == sorted(PUBLIC)


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """An environment of its own, into which plugins can be installed: it sees this one's packages and this checkout's fxo."""
    place = tmp_path / "environment"
    venv.create(place, symlinks=True)
    (found,) = place.glob("lib/python*/site-packages")
    (found / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, module in (("fxo", "fxo.cli"), ("pip", "pip")):
        command = place / "bin" / name
        command.write_text(f'#!/bin/sh\nexec "{place}/bin/python" -m {module} "$@"\n')
        command.chmod(0o755)
    path = os.pathsep.join((str(place / "bin"), os.environ["PATH"]))
    # Nothing is fetched; a build uses the setuptools that are here (pip reads "0" as no isolation).
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {"PATH": path, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **pip}


def followed(tutorial: str, tmp_path: Path, clean: dict[str, str]) -> tuple[Path, list[str]]:
    """The project to which the tutorial leads, whose commands are run and whose files are written in its order, and what the
    commands have said.
    """
    folder, said = tmp_path, []
    for kind, text in re.findall(r"```(\w+)\n(.*?)```", tutorial, re.DOTALL):
        if kind == "python":
            name, _, source = text.partition("\n")
            (folder / name.removeprefix("# ")).write_text(source)
            continue
        script = "\n".join(line.removeprefix("$ ") for line in text.splitlines())
        done = subprocess.run(
            ["sh", "-ec", script], cwd=folder, env=clean, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout)
        if folder == tmp_path:
            (folder,) = tmp_path.glob("fxo-*")
    assert all(("It fits." in each and " passed" in each) for each in (said[0], said[-1]))
    return folder, said


def test_the_tutorial_s_commands_lead_to_an_installed_plugin(tmp_path: Path, clean: dict[str, str]) -> None:
    tutorial = PAGE.split("## A provider in ten minutes")[1].split("\n### ")[0]
    _project, said = followed(tutorial, tmp_path, clean)
    assert "ok     notifications_texts: notifications, fxo-notifications-texts 0.1.0" in said[-1]
    assert "settings: url, key" in said[-1]


def test_the_payment_tutorial_leads_from_nothing_to_a_booking_that_is_paid(
    tmp_path: Path, clean: dict[str, str], databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, said = followed(TUTORIAL, tmp_path, clean)
    assert "ok     payments_pebble: payments, fxo-payments-pebble 0.1.0" in said[-1]
    assert "settings: url, key, webhook_secret" in said[-1]
    monkeypatch.syspath_prepend(str(project))
    with ExitStack() as stack:
        url = stack.enter_context(served(project / "tests" / "pebble.py", clean))
        written = importlib.import_module("payments_pebble.provider")
        filled_in = written.Settings(url=url, key="pebble-key", webhook_secret="pebble-secret")

        def register() -> ProviderSpec:
            def made(context: Any) -> Any:
                return written.PebblePayments(replace(context, settings=filled_in))

            return ProviderSpec("payments_pebble", "payments", made)

        told = stack.enter_context(story(databases, plugin("payments_pebble", fxo_register_payment_provider=register)))
        told = told.reconfigured(providers={"payments": ["payments_pebble"]})
        starts_at = told.ahead(2 * DAY)
        booked = told.hold("dana", starts_at)
        windows = told.parts.providers.named(told.config, "payments", "payments_pebble").windows()
        work_id = told.run(told.client, payments.request, payments.Pay(booked, "card_works"), "payments_pebble", windows)
        told.perform(work_id)
        assert told.payment(booked) == ("authorised", None)
        told.live_until(starts_at)
        told.complete(booked, "dana")
        told.live(MINUTE)
        assert told.payment(booked) == ("captured", None)
        fee = "select captured_minor, provider_fee_minor from payments where consultation_id = %(id)s"
        assert told.rows(fee, id=booked) == [(80_000, 1_600)]
        assert agreed(told) == []


@contextmanager
def served(script: Path, clean: dict[str, str]) -> Iterator[str]:
    """The address of the tutorial's simulator while it runs."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    python = next(iter(clean["PATH"].split(os.pathsep))) + "/python"
    server = subprocess.Popen([python, str(script), str(port)], env=clean, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: _listens(port), 30), "the simulator does not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _listens(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True
    return False
