"""`python -m fxo.kit.reference`: the page of all hooks, made from `fxo/core/hookspecs.py`, so that it says what the code says."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator

from fxo.core import hookspecs
from fxo.core.hookspecs import HOOKS

_HEAD = """\
# Hooks

Made from [`fxo/core/hookspecs.py`](../../fxo/core/hookspecs.py) by `make hooks`; the tour is [plugins.md](../plugins.md).
"""


def page() -> str:
    """The whole page as Markdown: the values that hooks are given, then each hook by section with its contract."""
    source = inspect.getsource(hookspecs)
    body = ast.parse(source).body
    sections = _sections(source)
    parts = [_HEAD]
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name in HOOKS:
            parts += [f"## {title}\n" + (f"\n{rest}\n" if rest else "") for title, rest in _before(node.lineno, sections)]
            parts.append(_hook(node))
    parts.append("## Values\n")
    parts += [_value(node) for node in body if isinstance(node, ast.ClassDef)]
    return "\n".join(parts)


def _sections(source: str) -> list[tuple[int, str]]:
    """Line and text of each comment that begins a section."""
    return [(number, line[2:]) for number, line in enumerate(source.splitlines(), 1) if line.startswith("# ")]


def _before(line: int, sections: list[tuple[int, str]]) -> Iterator[tuple[str, str]]:
    """Takes the sections that begin above this line off the list, as title and sentence."""
    while sections and sections[0][0] < line:
        title, _, rest = sections.pop(0)[1].partition(". ")
        yield title.rstrip("."), rest


def _hook(node: ast.FunctionDef) -> str:
    signature = str(inspect.signature(getattr(hookspecs, node.name))).replace("'", "")
    told, _, example = (ast.get_docstring(node) or "").partition("\n\n    @hookimpl\n")
    example = textwrap.dedent(f"    @hookimpl\n{example}").strip()
    return f"### `{node.name}`\n\n`{node.name}{signature}`\n\n{_lines(told)}\n\n```python\n{example}\n```\n"


def _lines(told: str) -> str:
    """The contract with each of its answers (When, Allowed, Return, Failing) as an item."""
    first, _, rest = told.partition("\n\n")
    items: list[str] = []
    for line in rest.splitlines():
        starts = line.split(":")[0].split(",")[0] in ("When", "Allowed", "Return", "Failing")
        items.append(f"* {line}" if starts else f"  {line}")
    return "\n".join([first, "", *items]).strip()


def _value(node: ast.ClassDef) -> str:
    rows = [f"### `{node.name}`\n", inspect.cleandoc(ast.get_docstring(node) or ""), ""]
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            said = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            default = f" = {ast.unparse(field.value)}" if field.value else ""
            told = f": {' '.join(str(said).split())}" if said else ""
            rows.append(f"* `{ast.unparse(field.target)}: {ast.unparse(field.annotation)}{default}`{told}")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
