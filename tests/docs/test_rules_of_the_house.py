"""Rules that the code keeps everywhere, as tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for path in (ROOT / "fxo").rglob("*.py"))


def strings(path: Path) -> list[str]:
    """Every string in the module that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


@pytest.mark.parametrize("path", [path for path in SOURCES if "migrations" not in path.parts], ids=lambda path: path.stem)
def test_time_never_comes_from_the_database(path: Path) -> None:
    clocks = re.compile(r"\b(now\(\)|current_timestamp|clock_timestamp|localtimestamp|current_date)", re.IGNORECASE)
    assert not [
        text for text in strings(path) if clocks.search(text) and re.search(r"\b(select|insert|update|delete)\b", text, re.I)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "fxo")))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert doc and doc.splitlines()[0].rstrip().endswith((".", ":"))


def test_the_product_imports_nothing_of_its_tests() -> None:
    imports = [
        (path, name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    ]
    assert [f"{path}: {name}" for path, name in imports if name.split(".")[0] in ("tests", "bench")] == []


def test_no_name_says_nothing() -> None:
    empty = {"utils", "helpers", "manager_", "misc", "common", "base2"}
    assert not [path for path in SOURCES if path.stem in empty]


def test_the_documentation_names_only_files_that_exist() -> None:
    for page in (ROOT / "docs" / "architecture.md", ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for name in re.findall(r"`((?:fxo|tests|docs|bench)/[\w./-]+)`", page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{page.name} names {name}"


def decisions() -> list[tuple[str, str]]:
    """Every decision: a public function of a state that says which events follow."""
    return [
        (str(path.relative_to(ROOT)), item.name)
        for path in SOURCES
        for item in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_") and item.returns
        if ast.unparse(item.returns) == "list[object]" and item.args.args and item.args.args[0].arg == "state"
    ]


def test_every_decision_is_told_as_given_when_then() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "unit").glob("test_*.py"))
    found = decisions()
    assert len(found) >= 30
    assert [f"{path}: {name}" for path, name in found if not re.search(rf"when\(\s*(\w+\.)*{name}\b", tests)] == []
