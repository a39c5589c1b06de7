"""The plugin page says what the code says: every hook with its signature, every member of a port, and a tutorial that runs."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fxo.core import hookspecs
from fxo.core.hookspecs import HOOKS
from fxo.core.ports import PORTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text()
TESTS = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_signature(hook: str) -> None:
    signature = str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")
    assert f"`{hook}{signature}`" in PAGE


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_test_that_names_it(hook: str) -> None:
    assert any(re.search(rf"\b{hook}\b", test) for test in TESTS)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_says_when_it_runs_what_it_may_do_what_to_return_and_how_to_fail(hook: str) -> None:
    contract = str(getattr(hookspecs, hook).__doc__).lower()
    assert all(word in contract for word in ("when", "allowed", "return", "failing", "@hookimpl", f"def {hook}("))


def test_no_hook_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"`(fxo_\w+)\(", PAGE)) == set(HOOKS)


@pytest.mark.parametrize("port", PORTS)
def test_every_member_of_a_port_is_documented(port: str) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{port}` | "))
    assert f"`{PORTS[port].protocol.__module__}.{PORTS[port].protocol.__name__}`" in row
    assert set(re.findall(r"`(\w+)`", row)) - {port} == set(PORTS[port].answers)


def test_the_tutorial_s_provider_passes_the_tutorial_s_test(tmp_path: Path) -> None:
    for name, source in re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    (tmp_path / "load.py").write_text(
        "import notifications_texts\n"
        "from fxo.core.plugins import build_plugin_manager\n"
        "from fxo.core.ports import PORTS\n"
        "print(build_plugin_manager(PORTS, [notifications_texts]).specs['notifications_texts'].port)\n"
    )
    for command, expected in ((["-m", "pytest", "-q", "-p", "no:cacheprovider"], " passed"), (["load.py"], "notifications\n")):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env={"PYTHONPATH": f"{ROOT}:."}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and expected in done.stdout, done.stdout + done.stderr
