"""What is installed: each plugin by itself, so that one that does not load is a row and not the end of the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from fxo.core.hookspecs import HOOKS
from fxo.core.plugins import GROUP, PluginError, load_alone
from fxo.core.ports import PORTS


@dataclass(frozen=True, slots=True)
class Listed:
    """One installed plugin. `problem` says in a sentence why it does not load; None where it does."""

    name: str
    kind: str | None
    """`matching`, `calendar`, `payments` or `notifications`; None for a plugin without a provider."""
    package: str
    version: str
    hooks: tuple[str, ...] = ()
    """Those that it implements, in the order of `hookspecs.py`."""
    settings: tuple[str, ...] = ()
    """The names of the fields that a tenant fills in."""
    problem: str | None = None


def installed() -> Sequence[Listed]:
    """Every installed plugin, by name."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    named = Counter(point.name for point in found)
    return [_listed(point, twice=named[point.name] > 1) for point in found]


def kind_of(name: str) -> str | None:
    """The kind that the plugin's name says: `payments` of `payments_acme`."""
    return next((port.prefix.rstrip("_") for port in PORTS.values() if name.startswith(port.prefix)), None)


def hooks_of(plugin: object) -> tuple[str, ...]:
    """The hooks that a module has a function for."""
    return tuple(hook for hook in HOOKS if callable(getattr(plugin, hook, None)))


def _listed(point: EntryPoint, *, twice: bool) -> Listed:
    package = (point.dist.name, point.dist.version) if point.dist else ("unknown", "unknown")
    try:
        plugin = point.load()
    except Exception as error:
        problem = f"{point.name} cannot be imported: {type(error).__name__}: {error}"
        return Listed(point.name, kind_of(point.name), *package, problem=problem)
    try:
        loaded = load_alone(PORTS, point.name, plugin)
    except PluginError as error:
        return Listed(point.name, kind_of(point.name), *package, hooks_of(plugin), problem=str(error))
    spec, model = loaded.specs.get(point.name), loaded.settings.get(point.name)
    return Listed(
        point.name,
        kind_of(point.name) if spec else None,
        *package,
        hooks_of(plugin),
        tuple(model.model_fields) if model else (),
        f"two plugins are called {point.name}: uninstall one of them" if twice else None,
    )
