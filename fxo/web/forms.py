"""Forms that change something: each carries a token; the same token again gets the same answer, a foreign one gets nothing."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial, wraps
from hashlib import sha256
from typing import ParamSpec
from urllib.parse import urlencode
from uuid import UUID

import psycopg
import sqlalchemy.exc
from flask import Flask, Response, current_app, g, make_response, request, session
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.errors import Conflict, Invalid
from fxo.core.events.store import Store, Transaction
from fxo.core.scope import Actor, Scope
from fxo.core.turns import turns
from fxo.web import again
from fxo.web.identity import actor, forms_scope
from fxo.web.places import OPS, PARTNERS, PORTAL, is_api

P = ParamSpec("P")
STALE = "stale_form"
_LIFE = timedelta(days=2)
_WAIT = 15.0
_PAUSE = 0.1
_STALE = timedelta(seconds=60)
_LONGEST_BODY = 400_000
_AWAY = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.TimeoutError)
_OWN = "tenant_id = %(t)s and token = %(k)s and begun_at = %(now)s and status is null"
"""The row of this very submission, and not of one that took over from it."""


def _signer() -> URLSafeTimedSerializer:
    return _signer_with(current_app.secret_key or "")


@lru_cache(maxsize=4)
def _signer_with(key: str | bytes) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="form")


def page_token() -> str:
    """The token of this page's forms: signed, bound to this browser's cookie, different for each page that is made."""
    if "form_token" not in g:
        if "nonce" not in session:
            session["nonce"] = secrets.token_urlsafe(12)
        g.form_token = str(_signer().dumps([session["nonce"], secrets.token_urlsafe(9)]))
    return str(g.form_token)


def init_app(app: Flask) -> None:
    """Refuse every changing request that does not carry a token of this browser (PRD SR-3.2)."""
    app.jinja_env.globals["form_token"] = page_token

    @app.before_request
    def _check() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS") or g.place.kind not in (PORTAL, PARTNERS, OPS):
            return
        if is_api():
            return  # it heeds no cookie, so nobody's browser can be made to act
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


class ShownOnce(Response):
    """An answer that holds a secret and is therefore kept nowhere; a repeat of its form is led to `elsewhere` instead."""

    elsewhere = "/"


def once(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """The view runs once for a form's token. A repeat, also one that comes while the first still runs, gets the first
    one's answer.

    An answer that is an error is not kept, so that the mended form can be sent again.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        submission = _Submission(platform.current().store, *forms_scope(), actor())
        earlier = submission.earlier()
        if earlier is not None:
            return earlier
        try:
            response = make_response(view(*args, **kwargs))
        except BaseException:
            submission.end(submission.forget)
            raise
        submission.end(partial(submission.keep, response=response) if response.status_code < 400 else submission.forget)
        return response

    return guarded


class _Submission:
    """One sending of a form, and the row that says how far it has come: begun, or ended with its answer."""

    def __init__(self, store: Store, scope: Scope, tenant_id: UUID, who: Actor) -> None:
        self._run = partial(store.run, scope, who)
        self._row = {"t": tenant_id, "k": _fingerprint(), "a": who.id}
        self._begun_at = system_now()

    def earlier(self) -> Response | None:
        """The answer of the same submission that came before, waited for while that runs; None where this is the one to run."""
        pause, end = threading.Event(), time.monotonic() + _WAIT
        while not self._begun():
            found = self._run(self._look)
            if found and found[0] is not None:
                return _answer(*found)
            if time.monotonic() > end:
                raise Conflict(
                    "This was sent before and is still being worked on. Please wait a moment and look again.",
                    code="still_running",
                )
            with turns.aside():  # the first one may need the turn that this one has
                pause.wait(_PAUSE)
        return None

    def _begun(self) -> bool:
        self._begun_at = system_now()
        try:
            return self._run(self._begin)
        except _AWAY:
            self.end(self.forget)  # it may be written down all the same
            raise

    def _begin(self, tx: Transaction) -> bool:
        return bool(
            tx.driver.execute(
                "insert into form_submissions (tenant_id, token, actor_id, begun_at) values (%(t)s, %(k)s, %(a)s, %(now)s)"
                " on conflict (tenant_id, token) do update set begun_at = excluded.begun_at"
                " where form_submissions.status is null and form_submissions.begun_at < %(stale)s and"
                " form_submissions.actor_id = %(a)s",
                {**self._row, "now": self._begun_at, "stale": self._begun_at - _STALE},
            ).rowcount
        )

    def _look(self, tx: Transaction) -> tuple[int | None, str | None, str | None] | None:
        row = tx.driver.execute(
            "select status, location, body from form_submissions where tenant_id = %(t)s and token = %(k)s and actor_id = %(a)s",
            self._row,
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def keep(self, tx: Transaction, *, response: Response) -> None:
        """Write the answer down for repeats."""
        shown_once = isinstance(response, ShownOnce)
        status, location = (303, response.elsewhere) if shown_once else (response.status_code, response.location)
        body = "" if location else response.get_data(as_text=True)[:_LONGEST_BODY]
        tx.driver.execute(
            f"update form_submissions set status = %(s)s, location = %(l)s, body = %(b)s where {_OWN}",
            {**self._row, "now": self._begun_at, "s": status, "l": location, "b": body},
        )

    def forget(self, tx: Transaction) -> None:
        """Let the form be sent again."""
        tx.driver.execute(f"delete from form_submissions where {_OWN}", {**self._row, "now": self._begun_at})

    def end(self, write: Callable[[Transaction], None]) -> None:
        """Write down how it ended: now, or as soon as the database is back, so that a repeat need not wait until it is stale."""
        try:
            self._run(write)
        except _AWAY:
            app = current_app._get_current_object()  # type: ignore[attr-defined]
            threading.Thread(target=self._end_later, args=(app, write), name="form that has ended", daemon=True).start()

    def _end_later(self, app: Flask, write: Callable[[Transaction], None]) -> None:
        pause, end = threading.Event(), time.monotonic() + _STALE.total_seconds()
        while time.monotonic() < end:
            pause.wait(_PAUSE)
            with app.app_context(), suppress(*_AWAY):
                self._run(write)
                return


def _fingerprint() -> str:
    """What makes a submission the same: its token, where it went, and what it said; a picker has many slots under one token."""
    body = urlencode(sorted(request.form.items(multi=True)))
    return sha256(f"{request.path}?{body}".encode()).hexdigest()


def _answer(status: int | None, location: str | None, body: str | None) -> Response:
    response = Response(body or "", status, mimetype="text/html")
    if location:
        response.headers["Location"] = location
    return response
