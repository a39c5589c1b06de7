"""Whether a plugin fits, before it is installed for anybody: what was looked at, what is wrong, and how to mend it."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, SecretStr

from fxo.core import hookspecs
from fxo.core.hookspecs import HOOKS, ProviderSpec
from fxo.core.plugins import PluginError, Plugins, Port, load_alone, secret_fields
from fxo.core.ports import PORTS
from fxo.kit.found import Found
from fxo.kit.imports import PUBLIC, strangers
from fxo.kit.signatures import hook_misfit, port_misfits

SUITES = {
    "matching": "MatchingContract",
    "calendars": "CalendarContract",
    "payments": "PaymentContract",
    "notifications": "NotificationContract",
}
"""Port to its contract suite in `fxo.testing`."""

_SECRET = re.compile(r"^(?!public|publishable|.*_verification_key)(.*_)?(secret|token|password|passphrase|key)$")


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is all right, what was seen, and how to mend it."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def check(found: Found, taken: Collection[str]) -> Iterator[Check]:
    """Each check of this plugin, in an order in which the first wrong one is what to mend first.

    `taken` are the names of the platform's own commands.
    """
    name = found.point.name
    try:
        plugin = found.point.load()
    except Exception as error:
        yield Check(
            "import", False, f"{found.point.value} cannot be imported: {_first_line(error)}",
            "The entry point names the module with the hooks; an SDK is imported inside the functions that need it.",
        )  # fmt: skip
        return
    yield Check("import", True, f"{found.point.value} is imported")
    hooks = list(_hooks(plugin))
    yield from hooks
    yield _imports(plugin)
    if not all(each.ok for each in hooks):
        return
    try:
        loaded = load_alone(PORTS, name, plugin)
    except PluginError as error:
        yield Check("load", False, str(error), "docs/plugins.md says what a plugin is; the hooks are in fxo/core/hookspecs.py.")
        return
    yield Check("load", True, "it loads as at the start of the platform")
    yield _settings(name, loaded)
    yield from _contributions(loaded, taken)
    if name in loaded.specs:
        spec = loaded.specs[name]
        yield _provider(spec, PORTS[spec.port])
        yield _suite(spec, _project(found, plugin))


def _hooks(plugin: object) -> Iterator[Check]:
    mine = [name for name in dir(plugin) if name.startswith("fxo_")]
    wrong = False
    for name in mine:
        implementation = getattr(plugin, name)
        if name not in HOOKS:
            near = difflib.get_close_matches(name, HOOKS, 1)
            mend = f"Did you mean {near[0]}?" if near else "The hooks are in fxo/core/hookspecs.py."
            yield Check("hooks", False, f"{name} is no hook", mend)
        elif not hasattr(implementation, "fxo_impl"):
            yield Check("hooks", False, f"{name} is not marked", "Put @hookimpl from fxo.core.hookspecs above it.")
        elif misfit := hook_misfit(inspect.signature(getattr(hookspecs, name)), implementation):
            said, _, mend = misfit.partition(": ")
            yield Check("hooks", False, f"{name} {said}", f"{mend[0].upper()}{mend[1:]}.")
        else:
            continue
        wrong = True
    if not mine:
        yield Check("hooks", False, "it implements no hook", "Add functions marked with @hookimpl to the entry point's module.")
    elif not wrong:
        yield Check("hooks", True, ", ".join(name for name in HOOKS if name in mine))


def _contributions(loaded: Plugins, taken: Collection[str]) -> Iterator[Check]:
    """What the plugin gives at start, where it gives anything."""
    import click
    import flask

    given: list[str] = []
    try:
        for hook in ("fxo_templates", "fxo_migrations"):
            given += [folder.name for _, folder in loaded.folders(hook)]
        for _, blueprint in loaded.contributions("fxo_blueprint"):
            given += [_of(blueprint, flask.Blueprint, "fxo_blueprint").name]
        for area in get_args(hookspecs.Area):
            for _, entries in loaded.contributions("fxo_menu_entries", area=area):
                given += [_of(entry, hookspecs.MenuEntry, "fxo_menu_entries").label for entry in entries]
        for _, commands in loaded.contributions("fxo_cli_commands"):
            names = [str(_of(command, click.Command, "fxo_cli_commands").name) for command in commands]
            if twice := sorted(set(names) & set(taken)):
                raise PluginError(f"fxo has a command {twice[0]} already: choose another name")
            given += names
    except (PluginError, TypeError) as error:
        yield Check("contributions", False, str(error), "docs/plugins/hooks.md says what each hook returns.")
    else:
        if given:
            yield Check("contributions", True, ", ".join(given))


def _of(value: Any, kind: Any, hook: str) -> Any:
    if not isinstance(value, kind):
        raise PluginError(f"{hook} gives a {type(value).__name__}, not a {kind.__name__}")
    return value


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _settings(name: str, loaded: Plugins) -> Check:
    model = loaded.settings.get(name)
    if model is None:
        return Check("settings", True, "it has none")
    untitled = [key for key, field in model.model_fields.items() if not field.title]
    if untitled:
        mend = f'Say what the form calls it: {untitled[0]}: ... = Field(title="...").'
        return Check("settings", False, f"without a title: {', '.join(untitled)}", mend)
    sealed = secret_fields(model)
    bare = [key for key in model.model_fields if _SECRET.search(key) and key not in sealed]
    if bare:
        return Check(
            "settings", False, f"kept in the clear: {', '.join(bare)}", "Make it a pydantic.SecretStr; it is then sealed."
        )
    return Check("settings", True, ", ".join(f"{key} (sealed)" if key in sealed else key for key in model.model_fields) or "none")


def _provider(spec: ProviderSpec, port: Port) -> Check:
    promised = f"{port.protocol.__module__}.{port.protocol.__name__}"
    try:
        offered = _offered(spec, port)
    except Exception as error:
        return Check(
            "provider", False, f"its factory makes nothing to look at: {_first_line(error)}",
            "Use the provider's class as the factory, or annotate the factory with the class that it returns.",
        )  # fmt: skip
    shown = offered.__name__ if isinstance(offered, type) else type(offered).__name__
    misfits = list(port_misfits(port, offered))
    if misfits:
        said = "; ".join(misfits)
        return Check("provider", False, f"{shown} is no {port.protocol.__name__}: it {said}", f"The port is {promised}.")
    return Check("provider", True, f"{shown} is a {promised}")


def _offered(spec: ProviderSpec, port: Port) -> Any:
    """The provider's class where it says all, else a provider made with example settings."""
    factory: Any = spec.factory
    said = factory if isinstance(factory, type) else _returned(factory)
    if isinstance(said, type) and said is not port.protocol and all(hasattr(said, member) for member in port.answers):
        return said
    from fxo.testing import context

    try:
        return factory(context(spec.name, settings=_example(spec.settings) if spec.settings else None))
    except Exception:
        if isinstance(factory, type):
            return factory
        raise


def _returned(factory: Any) -> Any:
    """What the factory's annotation says, None where it says nothing that can be read."""
    try:
        return get_type_hints(factory).get("return")
    except (NameError, TypeError):
        return None


def _example(model: type[BaseModel]) -> BaseModel:
    """Settings with something in every field that has to be filled in: the field's own example, where it has one."""
    needed = {key: field for key, field in model.model_fields.items() if field.is_required()}
    usual = {key: "1" if field.annotation is not SecretStr else "example" for key, field in needed.items()}
    return model.model_validate(usual | {key: field.examples[0] for key, field in needed.items() if field.examples})


def _suite(spec: ProviderSpec, folder: Path | None) -> Check:
    suite = SUITES[spec.port]
    if folder is None:
        return Check("contract", True, f"its tests inherit fxo.testing.{suite}")
    places = (path for path in sorted(folder.rglob("test*.py")) if not _foreign(path.relative_to(folder)))
    tests = [path for path in places if re.search(rf"\b{suite}\b", path.read_text("utf-8", errors="replace"))]
    if tests:
        return Check("contract", True, f"{tests[0].relative_to(folder)} inherits fxo.testing.{suite}")
    mend = f"Write tests/test_contract.py with a class that inherits fxo.testing.{suite}; `fxo plugins new` shows one."
    return Check("contract", False, f"no test inherits fxo.testing.{suite}", mend)


def _foreign(path: Path) -> bool:
    """Whether it belongs to an environment or a tool and not to the project."""
    return any(part.startswith(".") or part in ("site-packages", "node_modules", "build") for part in path.parts)


def _imports(plugin: object) -> Check:
    wrong = list(strangers(plugin))
    if wrong:
        mend = f"Import from {', '.join(PUBLIC)}; the rest of fxo may change any day."
        return Check("imports", False, "; ".join(wrong), mend)
    return Check("imports", True, "nothing of fxo but what plugins may import")


def _project(found: Found, plugin: object) -> Path | None:
    """The folder with the plugin's pyproject.toml and tests, where it can be told."""
    if found.folder or not isinstance(plugin, ModuleType) or plugin.__file__ is None:
        return found.folder
    above = Path(plugin.__file__).parents[1 if hasattr(plugin, "__path__") else 0]
    return next((place for place in (above, above.parent) if (place / "pyproject.toml").is_file()), None)
