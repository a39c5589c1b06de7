"""Vectors of records in the database, so that a new process need not compute them again.

A row holds the vectors of one partner's record as half floats, the model that made them, and a digest of the texts that they
are of: a changed profile or another model is not read, and its row is written anew at the first use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from .records import Document
from .vectors import MODEL, SIZE, digest, encode

if TYPE_CHECKING:
    from psycopg import Connection

    from .vectors import Matrix

_AT_ONCE = 500
"""Rows read or written in one statement, about 7 MB."""


def vectors_of(documents: Sequence[Document]) -> list[Matrix]:
    """The vectors of each document's `texts`: as kept where there is a platform around, else computed, and kept then.

    Rounded to half floats either way, so that a ranking is the same whether they were kept or not.
    """
    import numpy as np

    found = dict.fromkeys(documents) | _read(documents)
    missing = [document for document, vectors in found.items() if vectors is None]
    for at in range(0, len(missing), _AT_ONCE):  # what is done is kept, also where the process ends before all is
        some = missing[at : at + _AT_ONCE]
        made = encode([text for document in some for text in document.texts]).astype(np.float16)
        ends = np.cumsum([len(document.texts) for document in some])
        computed = dict(zip(some, np.split(made, ends[:-1]), strict=True))
        _write(computed)
        found |= computed
    return [vectors.astype(np.float32) for document in documents if (vectors := found[document]) is not None]


def _record(document: Document) -> str:
    return digest(*document.texts)


def _platform() -> bool:
    """Whether there is a database: `fxo match evaluate` and measurements have none."""
    from flask import has_app_context

    return has_app_context()


def _read(documents: Sequence[Document]) -> dict[Document, Matrix | None]:
    import numpy as np

    if not _platform():
        return {}
    from fxo.core.db import driver_of, transaction
    from fxo.core.scope import system_scope

    by_id = {document.record.id: document for document in documents}
    ids, rows = list(by_id), list[tuple[UUID, str, bytes]]()
    with transaction(system_scope("vectors")) as connection:
        driver: Connection[tuple[UUID, str, bytes]] = driver_of(connection)
        for at in range(0, len(ids), _AT_ONCE):
            statement = (
                "select partner_id, record, vectors from plugin_matching_local.vectors where partner_id = any(%s) and model = %s"
            )
            rows += driver.execute(statement, (ids[at : at + _AT_ONCE], MODEL), binary=True).fetchall()
    return {
        by_id[partner_id]: np.frombuffer(vectors, dtype=np.float16).reshape(-1, SIZE)
        for partner_id, record, vectors in rows
        if record == _record(by_id[partner_id])
    }


def _write(computed: dict[Document, Matrix]) -> None:
    if not _platform():
        return
    from fxo.core.db import driver_of, transaction
    from fxo.core.scope import system_scope

    rows = sorted((document.record.id, MODEL, _record(document), made.tobytes()) for document, made in computed.items())
    with transaction(system_scope("vectors")) as connection, driver_of(connection).cursor() as cursor:
        cursor.executemany(
            "insert into plugin_matching_local.vectors (partner_id, model, record, vectors) values (%s, %s, %s, %s)"
            " on conflict (partner_id)"
            " do update set model = excluded.model, record = excluded.record, vectors = excluded.vectors",
            rows,
        )
