"""Errors become pages (or problem+json) in this one place."""

from __future__ import annotations

import logging
from urllib.parse import quote

import psycopg
import sqlalchemy.exc
from flask import Flask, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from fxo.core.errors import FxoError, ProviderError, SignInNeeded
from fxo.core.events.store import request_id

log = logging.getLogger("fxo.web")

_WORDS: dict[int, tuple[str, str, str]] = {
    400: ("We could not read that", "The request was not complete.", "Please go back, reload the page and try again."),
    403: (
        "This is not yours to open",
        "Your account may not see or do this.",
        "Sign in with another account, or ask an administrator.",
    ),
    404: (
        "We cannot find that page",
        "It may have moved, or it belongs to somebody else.",
        "Check the address, or begin at the front page.",
    ),
    405: (
        "That is not possible here",
        "The page was opened in a way it does not know.",
        "Please go back and use the buttons of the page.",
    ),
    409: ("This has changed meanwhile", "Somebody was faster, or it was done before.", "Please look again and choose anew."),
    410: ("The time for this is over", "What you opened has ended.", "Please begin again; nothing was charged."),
    413: (
        "That is too much at once",
        "What was sent is larger than we take. Nothing was kept.",
        "Please shorten the text and send it again.",
    ),
    415: ("We could not read that", "It was sent in a form we do not know.", "Please use the form on the page."),
    422: (
        "Something needs mending",
        "One of the fields could not be understood.",
        "Please go back; what you typed is still there.",
    ),
    429: ("One moment, please", "There were many requests in a short time.", "Please wait a minute and try again."),
    500: (
        "Something went wrong on our side",
        "It was noted, and nothing you sent is lost that was confirmed before.",
        "Please try again in a minute.",
    ),
    503: (
        "We are catching our breath",
        "A part of the platform does not answer at the moment.",
        "Please try again in a minute; nothing was charged.",
    ),
}


def init_app(app: Flask) -> None:
    """Turn every error into an answer with the right status and a sentence for people."""

    @app.errorhandler(FxoError)
    def refused(error: FxoError) -> ResponseReturnValue:
        if isinstance(error, SignInNeeded) and not _wants_json() and g.get("place"):
            from_here = request.full_path.rstrip("?") if request.method == "GET" else "/"
            return redirect(f"/sign-in?next={quote(from_here)}", 303)
        answer = make_response(_answer(error.status, error.message, error.code))
        if isinstance(error, TooMany):
            answer.headers["Retry-After"] = str(error.after)
        return answer

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        if error.code in (301, 302, 303, 307, 308):
            return error
        return _answer(error.code or 500, None, (error.name or "error").lower().replace(" ", "_"))

    @app.errorhandler(ProviderError)
    def provider(error: ProviderError) -> ResponseReturnValue:
        log.warning("a provider failed in a request", extra={"error": type(error).__name__})
        return _answer(
            503, "A service that we need for this does not answer at the moment. Nothing was charged.", "provider_unavailable"
        )

    @app.errorhandler(sqlalchemy.exc.OperationalError)
    @app.errorhandler(sqlalchemy.exc.TimeoutError)
    @app.errorhandler(psycopg.OperationalError)
    def database(error: Exception) -> ResponseReturnValue:
        log.error("the database failed in a request", extra={"error": type(error).__name__})
        return _answer(503, None, "unready")

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        # The edge of a request: recorded with its place in the code and its request id, never shown.
        log.exception("unexpected error", extra={"path": request.path})
        return _answer(500, None, "internal")


def _wants_json() -> bool:
    return request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json"


def _answer(status: int, sentence: str | None, code: str) -> ResponseReturnValue:
    title, what, todo = _WORDS.get(status, _WORDS[500 if status >= 500 else 400])
    if _wants_json():
        body = {
            "type": f"urn:fxo:{code}",
            "title": title,
            "status": status,
            "detail": sentence or what,
            "request": request_id.get(),
        }
        response = jsonify(body)
        response.mimetype = "application/problem+json"
        return response, status
    from fxo.web.frame import frame  # the frame of a page needs who is here, which may be what failed

    page = render_template(
        "error.html", **frame(bare=status >= 500), status=status, title=title, what=sentence or what, todo=todo,
        actions=[{"label": "To the front page", "url": "/", "kind": ""}],
    )  # fmt: skip
    return page, status
