"""The first files of a plugin: a package that runs, fits and passes its contract suite before anything is changed in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from fxo.core.errors import Conflict, Invalid
from fxo.core.plugins import GROUP

SKELETONS = Path(__file__).parent / "skeletons"
KINDS = ("payments", "calendar", "matching", "notifications")
"""The kinds, each of them the first word of its plugins' names and a folder of `SKELETONS`."""

_PROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{project}"
version = "0.1.0"
description = "{kind} for fxo"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["fxo"]

[project.entry-points."fxo.plugins"]
{name} = "{name}"

[tool.setuptools]
packages = ["{name}"]

[tool.setuptools.package-data]
{name} = ["static/*"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
"""
_README = """\
# {project}

A plugin for fxo. It runs as it is, without calling anybody; `{name}/provider.py` is where your service goes in.

```console
$ fxo plugins check .      # whether it fits, and how to mend it
$ python -m pytest -q      # whether it keeps what its port promises
$ pip install -e .         # from now on an administrator can choose {name}
```
"""


def write(given: str, kind: str, into: Path) -> tuple[str, Path]:
    """The new plugin's name, and the folder of its project, a new one in `into`.

    Raises `Invalid` for a name that no plugin can have, `Conflict` where the folder or an installed plugin of the name exists.
    """
    own = given.replace("-", "_").removeprefix(f"{kind}_")
    name = f"{kind}_{own}"
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", own) or len(name) > 40:
        raise Invalid(
            f"{given!r} is no name for a plugin: use lower-case letters, digits and underscores, a letter first, "
            f"at most {40 - len(kind) - 1} of them."
        )
    if any(point.name == name for point in entry_points(group=GROUP)):
        raise Conflict(f"There is a plugin called {name} already: see `fxo plugins list`.")
    project = f"fxo-{name.replace('_', '-')}"
    folder = into / project
    if folder.exists():
        raise Conflict(f"{folder} is there already: choose another name, or another folder with --into.")
    for path, text in _files(kind, name, own, project):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return name, folder


def _files(kind: str, name: str, own: str, project: str) -> Iterator[tuple[Path, str]]:
    """Path in the project, and text."""
    camel = "".join(part.capitalize() for part in own.split("_"))
    values = {"project": project, "name": name, "kind": kind.capitalize()}
    yield Path("pyproject.toml"), _PROJECT.format(**values)
    yield Path("README.md"), _README.format(**values)
    skeleton = SKELETONS / kind
    for path in sorted(skeleton.rglob("*")):
        if path.suffix in (".py", ".js"):
            place = Path("tests/test_contract.py") if path.name == "contract.py" else name / path.relative_to(skeleton)
            text = path.read_text("utf-8").replace(f"{kind}_acme", name)
            yield place, text.replace("Acme", camel).replace("acme", own)
