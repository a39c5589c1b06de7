"""What of fxo a plugin may import: what is kept stable for it, and nothing else."""

from __future__ import annotations

import ast
import sys
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

_SHIPPED = ("fxo.core", "fxo.plugins")
"""What the plugins that ship with fxo may import besides: they change with it."""


def strangers(plugin: object) -> Iterator[str]:
    """Every import of something else of fxo in the files of the plugin's package, as `file:line imports module`."""
    name = plugin.__name__ if isinstance(plugin, ModuleType) else getattr(plugin, "__module__", type(plugin).__module__)
    module = sys.modules[name]
    package = module.__package__ or ""
    allowed = (*PUBLIC, package or name, *(_SHIPPED if name.startswith("fxo.plugins.") else ()))
    for path, within in _files(module, package):
        try:
            imported = list(_imported(path, within))
        except (SyntaxError, UnicodeDecodeError) as error:
            yield f"{path.name} cannot be read: {type(error).__name__}"
            continue
        for line, found in imported:
            if found.split(".")[0] == "fxo" and not any(f"{found}.".startswith(f"{each}.") for each in allowed):
                yield f"{path.name}:{line} imports {found}"


def _files(module: ModuleType, package: str) -> Iterator[tuple[Path, str]]:
    """The plugin's Python files without its tests, each with the package that it is in."""
    for root in map(Path, sys.modules[package].__path__ if package else ()):
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).parts[:-1]
            if "tests" not in parts and not path.name.startswith(("test_", "conftest")):
                yield path, ".".join((package, *parts))
    if not package and module.__file__:
        yield Path(module.__file__), ""


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
