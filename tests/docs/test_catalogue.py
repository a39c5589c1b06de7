"""Every word that people read on a page is in the message catalogue, ready for translation."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
WEB = ROOT / "fxo/web"
EXEMPT = {"styleguide.html", "browsers.py"}
"""The style guide shows invented content, for people who build pages; browsers have names and no words."""

NO_WORDS = {"button", "data-says-", "AB", "Ctrl K", "Instrument Sans,Helvetica,Arial,sans-serif"}
"""What looks like words and is a class, an example of a monogram, keys, fonts."""

TEMPLATES = [*WEB.glob("templates/**/*.html"), *WEB.glob("components/*.html"), *WEB.glob("templates/**/*.txt")]
VIEWS = list(WEB.glob("**/*.py"))
LOGS = {"debug", "info", "warning", "error", "exception"}

_LOOKED_UP = re.compile(r"{%-?\s*trans\b.*?{%-?\s*endtrans\s*-?%}", re.S)
_NAMES = re.compile(r"{%\s*block \w+_class\s*%}.*?{%\s*endblock\s*%}", re.S)
_JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}(?!})", re.S)
_NO_TEXT = re.compile(r"<!--.*?-->|<style.*?</style>|<kbd>.*?</kbd>|&[#\w]+;", re.S)
_TAG = re.compile(r"<[^>]*>", re.S)
_ATTRIBUTE = re.compile(r"[\w-]*=\"[^\"]*\"")
_SAID = re.compile(r"""\b(?:aria-label|alt|title|placeholder)=(?:"([^"]*)"|'([^']*)')""")
_WORD = re.compile(r"[A-Za-z]{2}")
_SENTENCE = re.compile(r"^[A-Z“][a-z’]+[ ,.:?!…]|^[A-Z][a-z]+(?: [\w’-]+)+[.?!]?$")
"""What reads like words for people rather than like a name for the machine."""

_SPOKEN = {"_", "N_", "gettext", "ngettext"}


def read(paths: list[Path]) -> list[Path]:
    return sorted(path for path in paths if path.name not in EXEMPT)


def environment() -> Environment:
    return Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, autoescape=True)


def _says(text: str) -> bool:
    return bool(_SENTENCE.search(text)) and text not in NO_WORDS


def literal_words(source: str) -> Iterator[str]:
    """Text and spoken attributes of a template that are written there as they are."""
    for pattern in (_LOOKED_UP, _NAMES, _JINJA, _NO_TEXT):
        source = pattern.sub(" ", source)
    said = [one or other for tag in _TAG.findall(source) for one, other in _SAID.findall(tag)]
    for text in [*said, *_TAG.split(source)]:
        words = " ".join(_ATTRIBUTE.sub(" ", text).split())  # attributes that a macro makes stand outside a tag
        if _WORD.search(words) and words not in NO_WORDS:
            yield words


def arguments(tree: nodes.Node) -> Iterator[tuple[int, str]]:
    """Sentences in a template's expressions that are not looked up."""
    for child in tree.iter_child_nodes():
        if isinstance(child, nodes.Call) and isinstance(child.node, nodes.Name) and child.node.name in _SPOKEN:
            continue
        if (
            isinstance(child, nodes.Const)
            and isinstance(child.value, str)
            and _SENTENCE.search(child.value)
            and child.value not in NO_WORDS
        ):
            yield child.lineno, child.value
        else:
            yield from arguments(child)


@pytest.mark.parametrize("path", read(TEMPLATES), ids=lambda path: str(path.relative_to(WEB)))
def test_no_template_has_words_of_its_own(path: Path) -> None:
    source = path.read_text()
    assert [*literal_words(source), *arguments(environment().parse(source))] == []


def sentences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Sentences of a view that are not looked up: not docstrings, logs, SQL, or what an error of the house says."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Call) and _called(child) in _SPOKEN:
            continue
        if isinstance(child, ast.Raise) or (
            isinstance(child, ast.Call) and _called(child) in {"debug", "info", "warning", "error", "exception"}
        ):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and _says(child.value):
            yield child.lineno, child.value
        yield from sentences(child)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""


@pytest.mark.parametrize("path", read(VIEWS), ids=lambda path: str(path.relative_to(WEB)))
def test_no_view_has_words_of_its_own(path: Path) -> None:
    assert list(sentences(ast.parse(path.read_text()))) == []


def test_the_catalogue_has_every_message(tmp_path: Path) -> None:
    fresh = tmp_path / "messages.pot"
    command = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "pybabel" in line)
    [errors] = re.findall(r"^ERRORS := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    keywords = [f"-k {name}" for name in errors.split()]
    words = command.replace("$(ERRORS:%=-k %)", " ".join(keywords)).split()[2:]
    words[words.index("-o") + 1] = str(fresh)
    subprocess.run([Path(sys.executable).parent / "pybabel", "--quiet", *words], cwd=ROOT, check=True)
    assert fresh.read_text() == (WEB / "translations/messages.pot").read_text(), "run `make catalogue`"
