"""Loading: every plugin once, at start, refused there in one sentence or frozen for good."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

import pluggy
from pydantic import BaseModel

from fxo.core import hookspecs
from fxo.core.hookspecs import ProviderSpec
from fxo.core.plugins.port import Port

GROUP = "fxo.plugins"
REGISTRATIONS = {
    "matching": "fxo_register_matching_provider",
    "calendars": "fxo_register_calendar_provider",
    "payments": "fxo_register_payment_provider",
    "notifications": "fxo_register_notification_provider",
}


class PluginError(Exception):
    """A plugin does not fit; the platform does not start. The sentence names the plugin and what to mend."""


class Implementation(Protocol):
    """One plugin's implementation of a hook, called with any of the hook's arguments by name."""

    def __call__(self, **arguments: Any) -> Any: ...


class _Manager(pluggy.PluginManager):
    """pluggy's manager, closed once everything is loaded."""

    frozen = False

    def register(self, plugin: Any, name: str | None = None) -> str | None:
        if self.frozen:
            raise PluginError(f"{name or plugin!r} comes too late: plugins are loaded once, at start")
        return super().register(plugin, name)

    def unregister(self, plugin: Any = None, name: str | None = None) -> Any:
        raise PluginError("a loaded plugin stays loaded")


class Plugins:
    """The loaded plugins: who implements which hook, and who registered which provider. It does not change."""

    def __init__(self, manager: _Manager, ports: Mapping[str, Port]) -> None:
        self._manager = manager
        self._implementations: dict[str, list[tuple[str, Implementation]]] = {}
        self.ports = ports
        self.specs: Mapping[str, ProviderSpec] = dict(self._registered())
        self.settings: Mapping[str, type[BaseModel]] = dict(self._settings())
        """Plugin name to the model that its tenants fill in."""

    @property
    def names(self) -> Collection[str]:
        return [name for name, _ in self._manager.list_name_plugin()]

    def register(self, plugin: object, name: str | None = None) -> None:
        """Always refused: what is loaded is frozen."""
        self._manager.register(plugin, name)

    def implementations(self, hook: str) -> Iterator[tuple[str, Implementation]]:
        """Each plugin that implements the hook, in the order of their names."""
        if hook not in self._implementations:  # put in order once: nothing is registered after the start
            found = sorted(getattr(self._manager.hook, hook).get_hookimpls(), key=lambda one: str(one.plugin_name))
            self._implementations[hook] = [(one.plugin_name, _with_its_arguments(one)) for one in found]
        return iter(self._implementations[hook])

    def contributions(self, hook: str, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """What each plugin gives to a hook that runs at start; a failure is fatal, and nothing (None) is left out."""
        for name, implementation in self.implementations(hook):
            try:
                given = implementation(**arguments)
            except Exception as error:
                raise PluginError(f"{name}: {hook} failed with {type(error).__name__}: {error}") from error
            if given is not None:
                yield name, given

    def folders(self, hook: str) -> Iterator[tuple[str, Path]]:
        """The folders that plugins give to `fxo_migrations` or `fxo_templates`."""
        for name, folder in self.contributions(hook):
            if not isinstance(folder, Path) or not folder.is_dir():
                raise PluginError(f"{name}: {hook} names no folder: {folder}")
            yield name, folder

    def _registered(self) -> Iterator[tuple[str, ProviderSpec]]:
        seen: set[str] = set()
        for port in self.ports.values():
            for name, spec in self.contributions(REGISTRATIONS[port.name]):
                if not isinstance(spec, ProviderSpec):
                    raise PluginError(f"{name}: {REGISTRATIONS[port.name]} returns a ProviderSpec, not a {type(spec).__name__}")
                if spec.name != name:
                    raise PluginError(f"{name} registers its provider under another name, {spec.name}")
                if spec.port != port.name or not name.startswith(port.prefix):
                    raise PluginError(
                        f"{name} registers for {port.name} as {spec.port}: such a plugin is called {port.prefix}..."
                    )
                if name in seen:
                    raise PluginError(f"{name} registers more than one provider")
                seen.add(name)
                yield name, spec

    def _settings(self) -> Iterator[tuple[str, type[BaseModel]]]:
        models = {name: spec.settings for name, spec in self.specs.items() if spec.settings is not None}
        for name, model in [*models.items(), *self.contributions("fxo_settings_model")]:
            if name in models and models[name] is not model:
                raise PluginError(f"{name} has two settings models: one in its ProviderSpec, one from fxo_settings_model")
            if not (isinstance(model, type) and issubclass(model, BaseModel)):
                raise PluginError(f"{name}: its settings are not a subclass of pydantic.BaseModel")
            try:
                _schema(model)
            except Exception as error:
                raise PluginError(f"{name}: no form can be made of its settings: {str(error).splitlines()[0]}") from error
            yield name, model


def build_plugin_manager(ports: Mapping[str, Port], extra: Sequence[object] = ()) -> Plugins:
    """Load the installed plugins and those given, check them, and close the list. Raises `PluginError`.

    `extra` are modules or objects with hook implementations, named by the last part of their `__name__`; one that is
    installed as well is loaded once.
    """
    return _built(ports, [*_installed(), *((_name_of(plugin), plugin) for plugin in extra)])


def load_alone(ports: Mapping[str, Port], name: str, plugin: object) -> Plugins:
    """This plugin by itself, checked as at the start whatever else is installed. Raises `PluginError`."""
    return _built(ports, [(name, plugin)])


def _built(ports: Mapping[str, Port], named: Iterable[tuple[str, object]]) -> Plugins:
    manager = _Manager("fxo")
    manager.add_hookspecs(hookspecs)
    for name, plugin in named:
        if manager.get_plugin(name) is not plugin:
            _load(manager, name, plugin)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"{manager.get_name(error.plugin)}: {error}; the hooks are in fxo/core/hookspecs.py") from error
    manager.frozen = True
    return Plugins(manager, ports)


@cache
def _installed() -> tuple[tuple[str, object], ...]:
    return tuple((found.name, _imported(found)) for found in entry_points(group=GROUP))


def _imported(found: EntryPoint) -> object:
    try:
        return found.load()
    except Exception as error:
        raise PluginError(f"{found.name} cannot be imported: {type(error).__name__}: {error}") from error


@cache
def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema()


def _name_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", type(plugin).__name__)).rpartition(".")[2]


def _load(manager: _Manager, name: str, plugin: object) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise PluginError(f"{name!r} is no name for a plugin: use up to 40 lower-case letters, digits and underscores")
    if manager.has_plugin(name):
        raise PluginError(f"two plugins are called {name}: uninstall one of them")
    try:
        manager.register(plugin, name)
    except pluggy.PluginValidationError as error:
        raise PluginError(f"{name}: {str(error).splitlines()[-1]}") from error
    found = manager.get_hookcallers(plugin) or []
    for attribute in dir(plugin):
        if attribute.startswith("fxo_") and manager.parse_hookimpl_opts(plugin, attribute) is None:
            raise PluginError(f"{name}: {attribute} is not marked with @hookimpl")
    if not found:
        raise PluginError(f"{name} implements no hook")
    for caller in found:
        if any(mine.plugin_name == name and (mine.wrapper or mine.hookwrapper) for mine in caller.get_hookimpls()):
            raise PluginError(f"{name} wraps {caller.name}: a plugin speaks for itself only")


def _with_its_arguments(found: pluggy.HookImpl) -> Implementation:
    return lambda **arguments: found.function(*(arguments[name] for name in found.argnames))
