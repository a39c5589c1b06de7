"""The plugin pages say what the code says: every hook with its signature, every member of a port, and a tutorial that runs."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from fxo.core import hookspecs
from fxo.core.hookspecs import HOOKS
from fxo.core.ports import PORTS
from fxo.kit import reference
from fxo.kit.imports import PUBLIC

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text()
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


def test_the_tutorial_s_commands_lead_to_an_installed_plugin(tmp_path: Path, clean: dict[str, str]) -> None:
    tutorial = PAGE.split("## A provider in ten minutes")[1].split("\n### ")[0]
    folder, said = tmp_path, ""
    for kind, text in re.findall(r"```(\w+)\n(.*?)```", tutorial, re.DOTALL):
        if kind == "python":
            name, _, source = text.partition("\n")
            assert (folder / name.removeprefix("# ")).is_file(), "the tutorial changes files that `fxo plugins new` has written"
            (folder / name.removeprefix("# ")).write_text(source)
            continue
        script = "\n".join(line.removeprefix("$ ") for line in text.splitlines())
        done = subprocess.run(
            ["sh", "-ec", script], cwd=folder, env=clean, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said = done.stdout
        assert "It fits." in said and " passed" in said
        folder = folder / "fxo-notifications-texts" if folder == tmp_path else folder
    assert "ok     notifications_texts: notifications, fxo-notifications-texts 0.1.0" in said
    assert "settings: url, key" in said
