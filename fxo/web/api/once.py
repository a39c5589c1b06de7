"""Idempotency: what changes something is done once for its key, and the same request again gets the same answer.

After the working draft of the IETF, "The Idempotency-Key HTTP Header Field".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import Response, g, request
from psycopg.types.json import Jsonb

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.errors import Conflict, FxoError, Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.web import identity, problems
from fxo.web.api.blueprint import bearer
from fxo.web.language import _

KEPT = timedelta(days=2)
"""How long an answer is given again."""

STALE = timedelta(seconds=60)
"""After so long a request that has not ended was lost with its process, and the next one takes over."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_OWN = "tenant_id = %(t)s and key_id = %(k)s and idempotency_key = %(i)s"


def made_id(what: str) -> UUID:
    """The id of what this request makes: the same one for the same request again."""
    return derived_id(bearer().key_id, what, g.idempotency_key, g.fingerprint.hex())


def once(run: Callable[[], Response]) -> Response:
    """The answer of `run`, or the one that it gave to this request before. Refusals are kept too, save those that may pass."""
    g.idempotency_key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(g.idempotency_key):
        raise Invalid(
            "Send the header Idempotency-Key with a fresh UUID, and the same one when you send this request again.",
            code="idempotency_key_needed",
        )
    g.fingerprint = sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).digest()
    mine, begun_at = partial(platform.current().store.run, identity.scope(), bearer().actor), system_now()
    if not mine(_begin, begun_at):
        return _earlier(mine(_look))
    try:
        answer = run()
    except FxoError as error:
        if error.status >= 500 or error.status in (422, 429):
            mine(_forget, begun_at)
            raise
        answer = problems.of(error)
    except BaseException:
        mine(_forget, begun_at)
        raise
    mine(_keep, begun_at, answer)
    return answer


def _row(tx: Transaction) -> dict[str, Any]:
    return {"t": tx.scope.tenant_id, "k": bearer().key_id, "i": g.idempotency_key, "f": g.fingerprint}


def _begin(tx: Transaction, now: Any) -> bool:
    """Whether this request is the one to run."""
    values = {**_row(tx), "now": now, "stale": now - STALE, "old": now - KEPT}
    tx.driver.execute("delete from api_answers where tenant_id = %(t)s and key_id = %(k)s and begun_at < %(old)s", values)
    return bool(
        tx.driver.execute(
            "insert into api_answers (tenant_id, key_id, idempotency_key, fingerprint, begun_at)"
            " values (%(t)s, %(k)s, %(i)s, %(f)s, %(now)s) on conflict (tenant_id, key_id, idempotency_key) do update"
            " set begun_at = excluded.begun_at where api_answers.status is null and api_answers.begun_at < %(stale)s"
            " and api_answers.fingerprint = %(f)s",
            values,
        ).rowcount
    )


def _look(tx: Transaction) -> Any:
    return tx.driver.execute(f"select fingerprint, status, headers, body from api_answers where {_OWN}", _row(tx)).fetchone()


def _earlier(found: Any) -> Response:
    if found is not None and bytes(found[0]) != g.fingerprint:
        raise Invalid(
            "This Idempotency-Key was used for another request. Send what differs with a fresh key.", code="idempotency_key_used"
        )
    if found is None or found[1] is None:
        raise StillRunning(_("This was sent before and is still being worked on. Send it again after Retry-After."))
    return Response(found[3], found[1], found[2])


class StillRunning(Conflict):
    """The same request came before and has not ended."""

    code = "still_running"
    after = 1


def _keep(tx: Transaction, begun_at: Any, answer: Response) -> None:
    headers = {name: value for name, value in answer.headers.items() if name in ("Content-Type", "Location", "Retry-After")}
    tx.driver.execute(
        f"update api_answers set status = %(s)s, headers = %(h)s, body = %(b)s where {_OWN} and begun_at = %(now)s",
        {**_row(tx), "now": begun_at, "s": answer.status_code, "h": Jsonb(headers), "b": answer.get_data(as_text=True)},
    )


def _forget(tx: Transaction, begun_at: Any) -> None:
    tx.driver.execute(
        f"delete from api_answers where {_OWN} and begun_at = %(now)s and status is null", {**_row(tx), "now": begun_at}
    )
