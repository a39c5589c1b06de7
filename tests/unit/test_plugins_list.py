"""`fxo plugins list`: every installed plugin is a row, also one that does not load."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fxo.cli import main

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a plugin of one module: `install("crm_acme", source)`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def made(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.delitem(sys.modules, name, raising=False)
        info = tmp_path / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fxo-{name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[fxo.plugins]\n{name} = {name}\n")

    return made


def fxo(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def rows() -> dict[str, dict[str, object]]:
    found = fxo("plugins", "list", "--json")
    assert found.exit_code == 0, found.output
    return {one["name"]: one for one in json.loads(found.stdout)}


def test_the_shipped_plugins_are_listed_with_kind_package_hooks_and_settings() -> None:
    sandbox = rows()["payments_sandbox"]
    assert (sandbox["kind"], sandbox["package"], sandbox["problem"]) == ("payments", "fxo", None)
    assert sandbox["hooks"] == ["fxo_register_payment_provider", "fxo_blueprint", "fxo_migrations"]
    assert sandbox["settings"] == [
        "webhook_secret", "deliver_to", "fee_rate", "fee_fixed", "fee_after", "fee_returned",
    ]  # fmt: skip


def test_a_plugin_without_a_provider_has_no_kind(install: Install) -> None:
    install("crm_listed", "from fxo.core.hookspecs import hookimpl\n@hookimpl\ndef fxo_health_check():\n    return None\n")
    found = rows()["crm_listed"]
    assert (found["kind"], found["package"], found["version"]) == (None, "fxo-crm_listed", "1.2")
    assert (found["hooks"], found["settings"], found["problem"]) == (["fxo_health_check"], [], None)


def test_one_that_cannot_be_imported_says_why_and_the_others_are_listed(install: Install) -> None:
    install("crm_absent", "import a_package_that_nobody_has\n")
    found = rows()
    assert "crm_absent cannot be imported: ModuleNotFoundError" in str(found["crm_absent"]["problem"])
    assert found["matching_local"]["problem"] is None
    told = fxo("plugins", "list")
    assert told.exit_code == 0 and "WRONG  crm_absent" in told.output and "ok     matching_local" in told.output


def test_one_with_a_misspelt_hook_says_which(install: Install) -> None:
    install(
        "crm_misspelt",
        "from fxo.core.hookspecs import hookimpl\n@hookimpl\ndef fxo_booking_confirmd(booking):\n    return None\n",
    )
    assert "fxo_booking_confirmd" in str(rows()["crm_misspelt"]["problem"])


def test_no_value_of_a_setting_is_shown(install: Install) -> None:
    install(
        "crm_secret",
        "from pydantic import BaseModel, SecretStr\nfrom fxo.core.hookspecs import hookimpl\n"
        "class Settings(BaseModel):\n    key: SecretStr = SecretStr('hush-hush')\n"
        "@hookimpl\ndef fxo_settings_model():\n    return Settings\n",
    )
    assert rows()["crm_secret"]["settings"] == ["key"]
    assert "hush-hush" not in fxo("plugins", "list").output
