"""The SQL that a request sends, statement by statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event

from fxo.core.db import db


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Every statement that new connections of the application send while this is open; entering a scope is left out."""
    found: list[str] = []

    class Recording(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            text = query if isinstance(query, str) else query.as_string(self) if hasattr(query, "as_string") else str(query)
            if "set_config(" not in text:
                found.append(" ".join(text.split()))
            return super().execute(query, params, **how)

    def equip(connection: psycopg.Connection[Any], _record: object) -> None:
        connection.cursor_factory = Recording

    for engine in db.engines.values():
        engine.dispose()
        event.listen(engine, "connect", equip)
    try:
        yield found
    finally:
        for engine in db.engines.values():
            event.remove(engine, "connect", equip)
            engine.dispose()


def repeated(statements: list[str]) -> list[str]:
    """Which of these were sent more than once."""
    return [statement for statement, count in Counter(statements).items() if count > 1]
