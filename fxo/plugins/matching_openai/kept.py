"""What is kept in the database for a tenant: vectors of its roster, sealed answers, and what was spent.

Without a platform around (`fxo match evaluate`, a plugin's own tests) nothing is kept or counted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fxo.core.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

LIFE = timedelta(days=1)
"""How long an answer is given again."""
_NONCE = 12


class Kept:
    """The rows of one tenant and one instance of the plugin. `now` is real time in UTC, as are bills."""

    def __init__(self, tenant_id: UUID, provider: str) -> None:
        self._tenant = tenant_id
        self._provider = provider

    @contextmanager
    def _rows(self) -> Iterator[Connection[Any] | None]:
        from flask import has_app_context

        if not has_app_context():
            yield None
            return
        from fxo.core.db import driver_of, transaction
        from fxo.core.scope import tenant_scope

        with transaction(tenant_scope(self._tenant)) as connection:
            yield driver_of(connection)

    # Answers

    def answer(self, question: bytes, now: datetime) -> str | None:
        """What was answered to exactly this within a day, or None."""
        with self._rows() as rows:
            if rows is None:
                return None
            found = rows.execute(
                "select sealed from plugin_matching_openai.answers where tenant_id = %s and question = %s and made_at > %s",
                (self._tenant, _name(question), now - LIFE),
            ).fetchone()
        if found is None:
            return None
        sealed = bytes(found[0])
        try:
            return AESGCM(_key(question)).decrypt(sealed[:_NONCE], sealed[_NONCE:], self._tenant.bytes).decode()
        except InvalidTag:
            return None

    def keep_answer(self, question: bytes, answer: str, now: datetime) -> None:
        """Keep it for a day, and throw away what is older."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(_key(question)).encrypt(nonce, answer.encode(), self._tenant.bytes)
        with self._rows() as rows:
            if rows is None:
                return
            rows.execute(
                "delete from plugin_matching_openai.answers where tenant_id = %s and made_at <= %s", (self._tenant, now - LIFE)
            )
            rows.execute(
                "insert into plugin_matching_openai.answers (tenant_id, question, sealed, made_at) values (%s, %s, %s, %s)"
                " on conflict (tenant_id, question) do update set sealed = excluded.sealed, made_at = excluded.made_at",
                (self._tenant, _name(question), sealed, now),
            )

    # Money

    def reserve(self, micros: int, budget: int, now: datetime) -> None:
        """Set this much of the month's budget aside. Raises `Retryable` where it is not there any more."""
        with self._rows() as rows:
            if rows is None:
                return
            taken = (
                micros <= budget
                and rows.execute(
                    "insert into plugin_matching_openai.spending as s (tenant_id, provider, month, calls, micros)"
                    " values (%(t)s, %(p)s, %(m)s, 1, %(c)s) on conflict (tenant_id, provider, month)"
                    " do update set calls = s.calls + 1, micros = s.micros + excluded.micros"
                    " where s.micros + excluded.micros <= %(b)s",
                    {"t": self._tenant, "p": self._provider, "m": _month(now), "c": micros, "b": budget},
                ).rowcount
            )
        if not taken:
            raise Retryable("the month’s budget is used up", after=_until_next_month(now))

    def settle(self, reserved: int, micros: int, now: datetime, *, tokens_in: int = 0, tokens_out: int = 0) -> None:
        """Put what it cost in place of what was set aside."""
        with self._rows() as rows:
            if rows is None:
                return
            rows.execute(
                "insert into plugin_matching_openai.spending as s (tenant_id, provider, month, tokens_in, tokens_out, micros)"
                " values (%(t)s, %(p)s, %(m)s, %(i)s, %(o)s, greatest(0, %(c)s)) on conflict (tenant_id, provider, month)"
                " do update set tokens_in = s.tokens_in + %(i)s, tokens_out = s.tokens_out + %(o)s,"
                " micros = greatest(0, s.micros + %(c)s)",
                {
                    "t": self._tenant, "p": self._provider, "m": _month(now),
                    "i": tokens_in, "o": tokens_out, "c": micros - reserved,
                },
            )  # fmt: skip

    # Vectors

    def vectors(self, model: str, digests: Mapping[UUID, str]) -> dict[UUID, bytes]:
        """Partner to vector, of those whose record still reads as when it was made."""
        with self._rows() as rows:
            if rows is None:
                return {}
            found = rows.execute(
                "select partner_id, record, vector from plugin_matching_openai.embeddings"
                " where tenant_id = %s and model = %s and partner_id = any(%s)",
                (self._tenant, model, list(digests)),
                binary=True,
            ).fetchall()
        return {partner_id: bytes(vector) for partner_id, record, vector in found if digests[partner_id] == record}

    def keep_vectors(self, model: str, made: Sequence[tuple[UUID, str, bytes]]) -> None:
        """Keep (partner, digest, vector) in place of what was there of these partners."""
        with self._rows() as rows:
            if rows is None:
                return
            with rows.cursor() as cursor:
                cursor.executemany(
                    "insert into plugin_matching_openai.embeddings (tenant_id, partner_id, model, record, vector)"
                    " values (%s, %s, %s, %s, %s) on conflict (tenant_id, partner_id, model)"
                    " do update set record = excluded.record, vector = excluded.vector",
                    [(self._tenant, partner_id, model, digest, vector) for partner_id, digest, vector in sorted(made)],
                )


def _name(question: bytes) -> str:
    return sha256(b"name\x00" + question).hexdigest()


def _key(question: bytes) -> bytes:
    return sha256(b"seal\x00" + question).digest()


def _month(now: datetime) -> str:
    return f"{now:%Y-%m}"


def _until_next_month(now: datetime) -> float:
    first = (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    return (first - now).total_seconds()
