"""Errors become pages (or problem+json) in this one place."""

from __future__ import annotations

import logging
from urllib.parse import quote

import psycopg
import sqlalchemy.exc
from flask import Flask, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from fxo.core.errors import FxoError, ProviderError, SignInNeeded, TooMany
from fxo.web import again, forms, problems
from fxo.web.language import _, said
from fxo.web.places import OPS, PARTNERS, PORTAL, is_api

log = logging.getLogger("fxo.web")


def _words(status: int) -> tuple[str, str, str]:
    """For a status: what it is, what happened and what that means, what to do."""
    match status:
        case 403:
            return (
                _("This is not yours to open"),
                _("Your account may not see or do this."),
                _("Sign in with another account, or ask an administrator."),
            )
        case 404:
            return (
                _("We cannot find that page"),
                _("It may have moved, or it belongs to somebody else."),
                _("Check the address, or begin at the front page."),
            )
        case 405:
            return (
                _("That is not possible here"),
                _("The page was opened in a way it does not know."),
                _("Please go back and use the buttons of the page."),
            )
        case 409:
            return (
                _("This has changed meanwhile"),
                _("Somebody was faster, or it was done before."),
                _("Please look again and choose anew."),
            )
        case 410:
            return (
                _("The time for this is over"),
                _("What you opened has ended."),
                _("Please begin again; nothing was charged."),
            )
        case 413:
            return (
                _("That is too much at once"),
                _("What was sent is larger than we take. Nothing was kept."),
                _("Please go back, shorten the text or choose a smaller file, and send it again."),
            )
        case 415:
            return (
                _("We could not read that"),
                _("It was sent in a form we do not know."),
                _("Please use the form on the page."),
            )
        case 422:
            return (
                _("Something needs mending"),
                _("One of the fields could not be understood."),
                _("Please go back; what you typed is still there."),
            )
        case 429:
            return (
                _("One moment, please"),
                _("There were many requests in a short time."),
                _("Please wait a minute and try again."),
            )
        case 503:
            return (
                _("We are catching our breath"),
                _("A part of the platform does not answer at the moment."),
                _("Please try again in a minute; nothing was charged."),
            )
        case code if code >= 500:
            return (
                _("Something went wrong on our side"),
                _("It was noted, and nothing you sent is lost that was confirmed before."),
                _("Please try again in a minute."),
            )
    return (
        _("We could not read that"),
        _("The request was not complete."),
        _("Please go back, reload the page and try again."),
    )


def _ways_on(status: int) -> list[dict[str, str]]:
    """What one can do now: the most likely first."""
    place = g.get("place")
    if place is None or place.kind not in (PORTAL, PARTNERS, OPS):  # nothing of ours is known by this name
        return []
    front = {"label": _("To the front page"), "url": "/", "kind": ""}
    help_ = {"label": _("Help"), "url": "/help", "kind": "quiet"}
    if status in (429, 503) or status >= 500:
        again_ = request.full_path.rstrip("?") if request.method == "GET" else again.before()
        return [{"label": _("Try again"), "url": again_, "kind": "primary"}, front]
    if request.method != "GET" and (back := again.before()) != "/":
        return [{"label": _("Back to the page"), "url": back, "kind": "primary"}, front]
    return [front | {"kind": "primary"}, help_]


def init_app(app: Flask) -> None:
    """Turn every error into an answer with the right status and a sentence for people."""

    @app.errorhandler(FxoError)
    def refused(error: FxoError) -> ResponseReturnValue:
        if is_api():
            return problems.of(error)
        if isinstance(error, SignInNeeded) and not _wants_json() and g.get("place"):
            return _sign_in_first()
        if error.code == forms.STALE and not _wants_json() and (page := again.too_old()):
            return page
        answer = make_response(_answer(error.status, said(error), error.code))
        if isinstance(error, TooMany):
            answer.headers["Retry-After"] = str(error.after)
        return answer

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        if error.code in (301, 302, 303, 307, 308):
            return error
        answer = make_response(_answer(error.code or 500, None, (error.name or "error").lower().replace(" ", "_")))
        if is_api():
            answer.headers.extend([(name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After")])
        return answer

    @app.errorhandler(ProviderError)
    def provider(error: ProviderError) -> ResponseReturnValue:
        log.warning("a provider failed in a request", extra={"error": type(error).__name__})
        return _answer(
            503, _("A service that we need for this does not answer at the moment. Nothing was charged."), "provider_unavailable"
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


def _sign_in_first() -> ResponseReturnValue:
    """To the sign-in, and back to this page; a form that was sent is kept meanwhile."""
    from fxo.web import auth  # its pages are drawn with what this module guards

    if request.method == "GET":
        return redirect(f"/sign-in?next={quote(request.full_path.rstrip('?'))}", 303)
    if again.keep():
        return auth.sign_in_first()
    return redirect(f"/sign-in?next={quote(again.before())}", 303)


def _wants_json() -> bool:
    return is_api() or request.accept_mimetypes.best == "application/json"


def _answer(status: int, sentence: str | None, code: str) -> ResponseReturnValue:
    if is_api():
        return problems.answer(status, code, sentence)
    title, what, todo = _words(status)
    if _wants_json():
        return problems.problem(status, code, title, sentence or what)
    from fxo.web.frame import frame  # the frame of a page needs who is here, which may be what failed

    page = render_template(
        "error.html", **frame(bare=status >= 500), status=status, title=title, what=sentence or what, todo=todo,
        actions=_ways_on(status),
    )  # fmt: skip
    response = make_response(page, status)
    if request.headers.get("HX-Request"):  # a part of a page was asked for: this is a whole one
        response.headers["HX-Retarget"] = response.headers["HX-Reselect"] = "#main"
        response.headers["HX-Reswap"] = "outerHTML"
    return response
