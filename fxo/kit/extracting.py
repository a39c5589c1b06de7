"""Messages in settings models, for `pybabel`: an extractor beside Babel's own, which does not look into `Field(title=...)`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

SAID = ("title", "description")
"""What a form shows of a field."""


def settings(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Line, function, message, comments of each title and description of a field of a pydantic model, in their order.

    The arguments are Babel's (https://babel.pocoo.org/en/latest/messages.html#writing-extraction-methods).
    """
    for call in ast.walk(ast.parse(file.read())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Field":
            for given in call.keywords:
                if given.arg in SAID and isinstance(given.value, ast.Constant) and isinstance(given.value.value, str):
                    yield given.value.lineno, "gettext", given.value.value, []
