"""What of fxo a plugin may import: what is kept stable for it, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType

PUBLIC = (
    "fxo.core.hookspecs",
    "fxo.core.matching.port",
    "fxo.core.calendars.port",
    "fxo.core.payments.port",
    "fxo.core.notifications.port",
    "fxo.core.plugins",
    "fxo.core.errors",
    "fxo.core.money",
    "fxo.core.ids",
    "fxo.core.db",
    "fxo.core.scope",
    "fxo.testing",
)
"""The modules, each with what is below it; `docs/plugins.md` says what for."""

_SHIPPED = ("fxo.core",)
"""What the plugins that ship with fxo may import besides: they change with it."""


def strangers(plugin: ModuleType) -> Iterator[str]:
    """Every import of something else of fxo in the plugin's own files, as `file:line imports module`."""
    package = plugin.__name__ if hasattr(plugin, "__path__") else plugin.__name__.rpartition(".")[0]
    allowed = (*PUBLIC, plugin.__name__, *(_SHIPPED if plugin.__name__.startswith("fxo.plugins.") else ()))
    for path, root in _files(plugin):
        within = ".".join((package, *path.parent.relative_to(root).parts)) if hasattr(plugin, "__path__") else package
        for line, module in _imported(path, within):
            if module.split(".")[0] == "fxo" and not any(f"{module}.".startswith(f"{name}.") for name in allowed):
                yield f"{path.name}:{line} imports {module}"


def _files(plugin: ModuleType) -> Iterator[tuple[Path, Path]]:
    """The plugin's Python files without its tests, each with the folder of the package."""
    for root in map(Path, getattr(plugin, "__path__", ())):
        for path in sorted(root.rglob("*.py")):
            if "tests" not in path.relative_to(root).parts and not path.name.startswith(("test_", "conftest")):
                yield path, root
    if not hasattr(plugin, "__path__") and plugin.__file__:
        yield Path(plugin.__file__), Path(plugin.__file__).parent


def _imported(path: Path, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of each module, or name in a module, that the file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            for alias in node.names:  # `from fxo.core import errors` imports fxo.core.errors
                yield node.lineno, f"{module}.{alias.name}"
