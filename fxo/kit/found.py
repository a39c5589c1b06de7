"""Which plugins are meant: by a plugin's name, by an installed package, or by the folder of one that is not installed yet."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from fxo.core.errors import Invalid, NotFound
from fxo.core.plugins import GROUP


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin to look at, and the folder of its project where it is known."""

    point: EntryPoint
    folder: Path | None = None


def find(what: str) -> Sequence[Found]:
    """The plugins that `what` names. A folder is put at the head of `sys.path`, so that its plugins can be imported.

    Raises `NotFound`, or `Invalid` for a folder whose pyproject.toml declares no plugin.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    named = [point for point in points if point.name == what]
    packaged = [point for point in points if point.dist and _folded(point.dist.name) == _folded(what)]
    if named or packaged:
        return [Found(point) for point in named or packaged]
    folder = Path(what)
    if folder.is_dir():
        return _in(folder.resolve())
    raise NotFound(
        f"There is no plugin, package or folder {what!r}: see `fxo plugins list`; "
        "a plugin that is not installed yet is checked by the folder with its pyproject.toml."
    )


def _in(folder: Path) -> Sequence[Found]:
    project = folder / "pyproject.toml"
    try:
        declared = tomllib.loads(project.read_text("utf-8")).get("project", {}).get("entry-points", {}).get(GROUP, {})
    except FileNotFoundError:
        raise NotFound(f"{folder} has no pyproject.toml: name the folder of the plugin's project.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{project} cannot be read: {error}.") from error
    if not declared:
        raise Invalid(f'{project} declares no plugin: add [project.entry-points."{GROUP}"] with a line `name = "module"`.')
    for place in (folder / "src", folder):
        if place.is_dir() and str(place) not in sys.path:
            sys.path.insert(0, str(place))
    return [Found(EntryPoint(str(name), str(value), GROUP), folder) for name, value in sorted(declared.items())]


def _folded(name: str) -> str:
    """A package's name as the packaging specification compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
