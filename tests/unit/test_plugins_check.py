"""`fxo plugins check`: every way in which a plugin does not fit is a sentence that says how to mend it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fxo.cli import main
from fxo.core.ports import PORTS
from fxo.kit.checks import SUITES
from fxo.kit.signatures import port_misfits
from fxo.plugins.payments_sandbox.provider import Sandbox

GOOD = """
from pydantic import BaseModel, Field, SecretStr
from fxo.core.errors import Declined, Misconfigured
from fxo.core.hookspecs import ProviderSpec, hookimpl
from fxo.core.notifications.port import Channel, Delivery, NotificationCapabilities

class Settings(BaseModel):
    key: SecretStr = Field(title="Key")

class Post:
    capabilities = NotificationCapabilities(frozenset({Channel.SMS}))
    def __init__(self, context):
        self.context = context
    def deliver(self, message, channel):
        return Delivery(message.id)
    def read_webhook(self, headers, body):
        raise Declined("bad_signature")

@hookimpl
def fxo_register_notification_provider():
    return ProviderSpec("notifications_checked", "notifications", Post, settings=Settings)

@hookimpl
def fxo_booking_confirmed(booking, context):
    return None
"""
Project = Callable[[str], Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The folder of a plugin that is not installed, whose one module has this source."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def made(source: str) -> Path:
        (tmp_path / "pyproject.toml").write_text('[project.entry-points."fxo.plugins"]\nnotifications_checked = "checked"\n')
        (tmp_path / "checked.py").write_text(source)
        (tmp_path / "test_checked.py").write_text("from fxo.testing import NotificationContract\n")
        return tmp_path

    yield made
    sys.modules.pop("checked", None)


def fxo(*arguments: str) -> Result:
    found = CliRunner().invoke(main, ["plugins", "check", *arguments])
    assert "Traceback" not in found.output
    return found


def wrong(folder: Path, name: str) -> str:
    """What the check of that name says is wrong, and how to mend it."""
    found = fxo(str(folder), "--json")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["ok"]) == (1, False)
    (plugin,) = told["plugins"]
    failed = [f"{each['detail']}. {each['mend']}" for each in plugin["checks"] if each["name"] == name and not each["ok"]]
    assert failed, told
    return " ".join(failed)


@pytest.mark.parametrize("name", ["payments_stripe", "notifications_webpush", "fxo"])
def test_what_ships_fits(name: str) -> None:
    found = fxo(name)
    assert found.exit_code == 0, found.output
    assert found.output.splitlines()[-1] == "It fits."


def test_a_plugin_that_fits_is_told_what_was_looked_at(project: Project) -> None:
    found = fxo(str(project(GOOD)))
    assert found.exit_code == 0, found.output
    for line in (
        "ok     hooks: fxo_register_notification_provider, fxo_booking_confirmed",
        "ok     settings: key (sealed)",
        "ok     provider: Post is a fxo.core.notifications.port.NotificationProvider",
        "ok     contract: test_checked.py inherits fxo.testing.NotificationContract",
    ):
        assert line in found.output


def test_a_misspelt_hook_is_told_the_right_spelling(project: Project) -> None:
    said = wrong(project(GOOD.replace("fxo_booking_confirmed", "fxo_booking_confirmd")), "hooks")
    assert "fxo_booking_confirmd is no hook" in said and "Did you mean fxo_booking_confirmed?" in said


def test_a_hook_without_its_mark_is_told_to_be_marked(project: Project) -> None:
    assert "@hookimpl" in wrong(project(GOOD.replace("@hookimpl\ndef fxo_booking", "def fxo_booking")), "hooks")


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("def fxo_booking_confirmed(consultation)", "It gives booking, context"),
        ("def fxo_booking_confirmed(booking, context=None)", "Leave the default out"),
        ("def fxo_booking_confirmed(**facts)", "Name the arguments"),
        ("async def fxo_booking_confirmed(booking)", "Make it a plain function"),
    ],
)
def test_a_hook_that_cannot_be_called_as_specified_is_told_so(project: Project, signature: str, said: str) -> None:
    source = GOOD.replace("def fxo_booking_confirmed(booking, context)", signature)
    assert said in wrong(project(source), "hooks")


def test_a_name_of_another_kind_does_not_load(project: Project) -> None:
    assert "payments_..." in wrong(project(GOOD.replace("fxo_register_notification_", "fxo_register_payment_")), "load")


def test_settings_that_are_no_model_do_not_load(project: Project) -> None:
    assert "pydantic.BaseModel" in wrong(project(GOOD.replace("settings=Settings", "settings=dict")), "load")


def test_a_setting_without_a_title_is_named(project: Project) -> None:
    assert "without a title: key" in wrong(project(GOOD.replace(' = Field(title="Key")', "")), "settings")


def test_a_secret_in_the_clear_is_named(project: Project) -> None:
    said = wrong(project(GOOD.replace("key: SecretStr", "api_key: str")), "settings")
    assert "api_key" in said and "SecretStr" in said


def test_what_the_provider_lacks_of_its_port_is_named(project: Project) -> None:
    said = wrong(project(GOOD.replace("def read_webhook", "def read_hook")), "provider")
    assert "Post is no NotificationProvider" in said and "add read_webhook(headers, body)" in said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("deliver(self, message, channel)", "deliver(self, channel, message)", "the port calls deliver(message, channel)"),
        ("deliver(self, message, channel)", "deliver(self, message)", "take the same arguments"),
        ("deliver(self, message, channel)", "deliver(self, message, channel, urgent)", "take the same arguments"),
        ("def deliver(", "async def deliver(", "make it a plain method"),
        ("    capabilities = Noti", "    def capabilities(self):\n        return Noti", "put @property above it"),
        ("frozenset({Channel.SMS})", "['sms']", "is not what the port promises"),
    ],
)
def test_a_provider_that_cannot_be_called_as_its_port_says_is_told_so(
    project: Project, before: str, after: str, said: str
) -> None:
    assert said in wrong(project(GOOD.replace(before, after)), "provider")


def test_a_provider_that_inherits_the_protocol_still_has_to_do_the_work(project: Project) -> None:
    source = GOOD.replace("NotificationCapabilities\n", "NotificationCapabilities, NotificationProvider\n", 1)
    source = source.replace("class Post:", "class Post(NotificationProvider):").replace("def read_webhook", "def other")
    assert "has no read_webhook" in wrong(project(source), "provider")


def test_a_provider_that_says_its_capabilities_when_made_fits(project: Project) -> None:
    source = GOOD.replace("    capabilities = ", "    say = ").replace("self.context = context", "self.capabilities = self.say")
    assert fxo(str(project(source))).exit_code == 0


def test_a_factory_that_makes_nothing_without_real_settings_is_told_how_to_be_looked_at(project: Project) -> None:
    source = GOOD.replace("Post, settings", "lambda context: context.settings.nothing, settings")
    assert "Use the provider's class as the factory" in wrong(project(source), "provider")


@pytest.mark.parametrize(
    "line", ["from fxo.platform import Platform", "import fxo.web", "from fxo.core import settlement", "from fxo import tenants"]
)
def test_an_import_of_the_platform_s_inside_is_named_by_line(project: Project, line: str) -> None:
    said = wrong(project(GOOD.replace("    return None", f"    {line}")), "imports")
    assert f"checked.py:{len(GOOD.splitlines())} imports fxo." in said and "fxo.core.errors" in said


def test_every_file_of_the_plugin_s_package_is_read_for_imports(project: Project, tmp_path: Path) -> None:
    folder = project("")
    (folder / "pyproject.toml").write_text('[project.entry-points."fxo.plugins"]\nnotifications_checked = "checked_deep.hooks"\n')
    (folder / "checked.py").unlink()
    package = folder / "src" / "checked_deep"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "hooks.py").write_text(GOOD)
    (package / "inner" / "deep.py").write_text("from ..hooks import Post\nfrom fxo.web import theme\n")
    (package / "broken.py").write_text("def\n")
    said = wrong(folder, "imports")
    assert "deep.py:2 imports fxo.web.theme" in said and "broken.py cannot be read: SyntaxError" in said
    assert "hooks.py" not in said
    for name in ("checked_deep", "checked_deep.hooks"):
        sys.modules.pop(name)


def test_a_factory_whose_annotation_cannot_be_read_is_asked_for_a_provider(project: Project) -> None:
    source = GOOD.replace("@hookimpl", "def factory(context: 'Absent') -> 'Absent':\n    return Post(context)\n\n@hookimpl", 1)
    assert fxo(str(project(source.replace("Post, settings", "factory, settings")))).exit_code == 0


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("def fxo_blueprint():\n    return 'pages'", "fxo_blueprint gives a str, not a Blueprint"),
        ("def fxo_menu_entries(area):\n    return ['Budgets']", "fxo_menu_entries gives a str, not a MenuEntry"),
        ("def fxo_cli_commands():\n    import click\n    return [click.Command('db')]", "fxo has a command db already"),
        ("def fxo_templates():\n    return 'templates'", "fxo_templates names no folder"),
        ("def fxo_menu_entries(area):\n    raise KeyError(area)", "fxo_menu_entries failed with KeyError"),
    ],
)
def test_what_it_gives_at_start_and_does_not_fit_is_named(project: Project, hook: str, said: str) -> None:
    assert said in wrong(project(f"{GOOD}\n@hookimpl\n{hook}\n"), "contributions")


def test_a_project_without_the_contract_suite_is_told_its_name(project: Project) -> None:
    folder = project(GOOD)
    (folder / "test_checked.py").unlink()
    assert "fxo.testing.NotificationContract" in wrong(folder, "contract")


def test_what_cannot_be_imported_says_why(project: Project) -> None:
    assert "ModuleNotFoundError" in wrong(project("import a_package_that_nobody_has\n"), "import")


def test_what_is_not_there_says_how_to_name_it(tmp_path: Path) -> None:
    for what, said in (("payments_nobody", "fxo plugins list"), (str(tmp_path), "has no pyproject.toml")):
        found = fxo(what)
        assert found.exit_code == 1 and said in found.output
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'empty'\n")
    assert "declares no plugin" in fxo(str(tmp_path)).output


def test_every_port_has_a_suite_and_its_own_protocol_is_no_provider() -> None:
    assert set(SUITES) == set(PORTS)
    for port in PORTS.values():
        assert len(list(port_misfits(port, port.protocol))) == len(port.answers)
    assert not list(port_misfits(PORTS["payments"], Sandbox))
