"""The plugins in `examples/` are installed as their readers would install them, load, and pass their own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))
LOAD = """
from fxo.core.plugins import build_plugin_manager
from fxo.core.ports import PORTS
print(*sorted(build_plugin_manager(PORTS).names))
"""


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=dict(os.environ) | environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_installs_loads_and_passes_its_own_tests(example: Path, tmp_path: Path) -> None:
    copy, site = tmp_path / "source", tmp_path / "site"
    for path in example.rglob("*"):
        if path.is_file() and path.suffix in (".py", ".toml", ".md"):
            target = copy / path.relative_to(example)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    run(copy, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", site, copy)
    here = f"{ROOT}{os.pathsep}{site}"
    assert "slack" in run(tmp_path, "-c", LOAD, PYTHONPATH=here).split()
    assert " passed" in run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests", PYTHONPATH=here)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_knows_of_the_platform_what_an_outsider_may_know(example: Path) -> None:
    allowed = {"fxo.core.hookspecs", "fxo.core.errors", "fxo.core.money", "fxo.core.plugins", "fxo.testing"}
    sources = [line.split() for path in example.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    used = {words[1] for words in sources if words[:1] in (["from"], ["import"]) and words[1].startswith("fxo.")}
    assert used and used <= allowed
