"""Forms that change something: each carries a token; the same token again gets the same answer, a foreign one gets nothing."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import ParamSpec
from urllib.parse import urlencode

from flask import Flask, Response, current_app, g, make_response, request, session
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.errors import Conflict, Invalid
from fxo.core.events.store import Transaction
from fxo.web import again
from fxo.web.identity import actor, forms_scope
from fxo.web.places import OPS, PARTNERS, PORTAL

P = ParamSpec("P")
STALE = "stale_form"
_LIFE = timedelta(days=2)
_WAIT = 15.0
_STALE = timedelta(seconds=60)
_LONGEST_BODY = 400_000


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="form")


def new_token() -> str:
    """A token for one form: signed, bound to this browser's cookie, different each time."""
    if "nonce" not in session:
        session["nonce"] = secrets.token_urlsafe(12)
    return _signer().dumps([session["nonce"], secrets.token_urlsafe(9)])


def init_app(app: Flask) -> None:
    """Refuse every changing request that does not carry a token of this browser (PRD SR-3.2)."""
    app.jinja_env.globals["form_token"] = new_token

    @app.before_request
    def _check() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS") or g.place.kind not in (PORTAL, PARTNERS, OPS):
            return
        if (request.endpoint or "").startswith("plugin_"):
            return  # a plugin's page guards itself; it gets no session of ours to misuse
        try:
            nonce, _ = _signer().loads(request.form.get("form_token", ""), max_age=_LIFE.total_seconds())
        except (BadSignature, ValueError):
            nonce = None
        if nonce is None or nonce != session.get("nonce"):
            raise Invalid(
                "This form is too old, or was opened in another browser. Nothing was changed. Please go back, reload the page and"
                " send it again.",
                code=STALE,
            )
        if any("\x00" in value for value in request.form.values()):
            raise Invalid(
                "A field holds a character that is no text. Nothing was changed. Please go back and type that field again.",
                code="unreadable",
            )
        again.recall()


def once(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """The view runs once for a form's token. A repeat, also one that comes while the first still runs, gets the first
    one's answer.

    An answer that is an error is not kept, so that the mended form can be sent again.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        store, (scope, tenant_id), who = platform.current().store, forms_scope(), actor()
        key = {"t": tenant_id, "k": _fingerprint(), "a": who.id}

        def begin(tx: Transaction) -> tuple[int | None, str | None, str | None] | None:
            now = system_now()
            begun = tx.driver.execute(
                "insert into form_submissions (tenant_id, token, actor_id, begun_at) values (%(t)s, %(k)s, %(a)s, %(now)s)"
                " on conflict (tenant_id, token) do update set begun_at = excluded.begun_at"
                " where form_submissions.status is null and form_submissions.begun_at < %(stale)s and"
                " form_submissions.actor_id = %(a)s",
                {**key, "now": now, "stale": now - _STALE},
            ).rowcount
            return None if begun else look(tx)

        def look(tx: Transaction) -> tuple[int | None, str | None, str | None]:
            row = tx.driver.execute(
                "select status, location, body from form_submissions where tenant_id = %(t)s and token = %(k)s and"
                " actor_id = %(a)s",
                key,
            ).fetchone()
            return (row[0], row[1], row[2]) if row else (409, None, None)

        def keep(tx: Transaction, response: Response) -> None:
            body = "" if response.location else response.get_data(as_text=True)[:_LONGEST_BODY]
            tx.driver.execute(
                "update form_submissions set status = %(s)s, location = %(l)s, body = %(b)s where tenant_id = %(t)s"
                " and token = %(k)s",
                {**key, "s": response.status_code, "l": response.location, "b": body},
            )

        def forget(tx: Transaction) -> None:
            tx.driver.execute("delete from form_submissions where tenant_id = %(t)s and token = %(k)s", key)

        earlier = store.run(scope, who, begin)
        if earlier is not None:
            return _again(earlier, lambda: store.run(scope, who, look))
        try:
            response = make_response(view(*args, **kwargs))
        except BaseException:
            store.run(scope, who, forget)
            raise
        store.run(scope, who, keep if response.status_code < 400 else lambda tx, _: forget(tx), response)
        return response

    return guarded


def _fingerprint() -> str:
    """What makes a submission the same: its token, where it went, and what it said; a picker has many slots under one token."""
    body = urlencode(sorted(request.form.items(multi=True)))
    return sha256(f"{request.path}?{body}".encode()).hexdigest()


def _again(
    found: tuple[int | None, str | None, str | None], look: Callable[[], tuple[int | None, str | None, str | None]]
) -> ResponseReturnValue:
    """The answer of the first submission, waited for while it still runs."""
    pause, waited = threading.Event(), 0.0
    while found[0] is None and waited < _WAIT:
        pause.wait(0.1)
        waited += 0.1
        found = look()
    status, location, body = found
    if status is None or (status == 409 and body is None):
        raise Conflict(
            "This was sent before and is still being worked on. Please wait a moment and look again.", code="still_running"
        )
    response = Response(body or "", status, mimetype="text/html")
    if location:
        response.headers["Location"] = location
    return response
