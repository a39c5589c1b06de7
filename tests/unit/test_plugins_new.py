"""`fxo plugins new`: what it writes fits, passes its contract suite and can be installed, before anything is changed in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fxo.cli import main
from fxo.cli.plugins import new
from fxo.kit.new import KINDS

ROOT = Path(__file__).parents[2]


def fxo(*arguments: str) -> Result:
    found = CliRunner().invoke(main, ["plugins", *arguments])
    assert "Traceback" not in found.output
    return found


def run(folder: Path, *command: str, path: str = "") -> str:
    """What the command says, in that folder, with this checkout and `path` to import from."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), path))), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_fits_and_passes_its_contract_suite_at_once(tmp_path: Path, kind: str) -> None:
    assert fxo("new", "blue-harbour", "--kind", kind, "--into", str(tmp_path)).exit_code == 0
    folder = tmp_path / f"fxo-{kind}-blue-harbour"
    told = json.loads(run(folder, "-m", "fxo.cli", "plugins", "check", ".", "--json"))
    (plugin,) = told["plugins"]
    assert told["ok"] and plugin["name"] == f"{kind}_blue_harbour"
    looked_at = {each["name"] for each in plugin["checks"]}
    assert looked_at - {"contributions"} == {"import", "hooks", "imports", "load", "settings", "provider", "contract"}
    said = run(folder, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert " passed" in said and "failed" not in said
    assert not [path for path in folder.rglob("*") if path.is_file() and "acme" in path.read_text("utf-8").lower()]


def test_a_new_plugin_can_be_installed_with_its_files_and_is_then_listed(tmp_path: Path) -> None:
    fxo("new", "harbour", "--kind", "payments", "--into", str(tmp_path))
    folder, place = tmp_path / "fxo-payments-harbour", tmp_path / "installed"
    pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(place))
    run(folder, *pip, str(folder))
    assert (place / "payments_harbour" / "static" / "card.js").is_file()
    listed = {
        each["name"]: each for each in json.loads(run(tmp_path, "-m", "fxo.cli", "plugins", "list", "--json", path=str(place)))
    }
    harbour = listed["payments_harbour"]
    assert (harbour["kind"], harbour["package"], harbour["version"]) == ("payments", "fxo-payments-harbour", "0.1.0")
    assert (harbour["settings"], harbour["problem"]) == (["webhook_secret"], None)
    assert "It fits." in run(tmp_path, "-m", "fxo.cli", "plugins", "check", "fxo_payments.harbour", path=str(place))


def test_the_kind_may_stand_in_the_name(tmp_path: Path) -> None:
    said = fxo("new", "calendar_harbour", "--kind", "calendar", "--into", str(tmp_path)).output
    assert "the plugin calendar_harbour" in said and (tmp_path / "fxo-calendar-harbour" / "calendar_harbour").is_dir()


@pytest.mark.parametrize("name", ["Harbour", "2harbour", "har bour", "harbour__pay", "../harbour", "h" * 40, ""])
def test_a_name_that_no_plugin_can_have_is_refused(tmp_path: Path, name: str) -> None:
    found = fxo("new", name, "--kind", "payments", "--into", str(tmp_path))
    assert found.exit_code == 1 and "is no name for a plugin" in found.output
    assert not list(tmp_path.iterdir())


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    assert fxo("new", "harbour", "--kind", "matching", "--into", str(tmp_path)).exit_code == 0
    again = fxo("new", "harbour", "--kind", "matching", "--into", str(tmp_path))
    assert again.exit_code == 1 and "is there already" in again.output
    taken = fxo("new", "sandbox", "--kind", "payments", "--into", str(tmp_path))
    assert taken.exit_code == 1 and "There is a plugin called payments_sandbox already" in taken.output


def test_the_command_offers_every_kind() -> None:
    (kind,) = (each for each in new.params if each.name == "kind")
    assert tuple(kind.type.choices) == KINDS  # type: ignore[attr-defined]
