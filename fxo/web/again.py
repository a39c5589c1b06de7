"""What was typed is not lost: a form that could not be taken comes back with all that was in it, to be sent again.

That happens when its token is too old, and when its sender has to sign in first. A page that carries what somebody typed is
shown only for a form of our own pages in the same browser, so that nobody can have another person send what they did not write.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app, g, render_template, request, session
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer

from fxo.web.choices import path_from
from fxo.web.language import _

FIELD = "pending"
_LIFE = 2 * 3_600
_SECRET = ("pass", "secret", "token", "cvc")
_LONGEST = 100_000

Fields = list[tuple[str, str]]


def of_our_own() -> bool:
    """Whether the browser says that a page of this host sent the form."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def typed() -> Fields:
    """What the form holds, without what is nobody's to keep: tokens, passwords."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != FIELD and not any(word in name.lower() for word in _SECRET)
    ]


def page(action: str, fields: Fields, title: str, lead: str, status: int, back: str = "/") -> ResponseReturnValue:
    """The form with all that was in it, and a button that sends it."""
    from fxo.web.frame import frame  # it needs who is here, which needs this

    longest = max((value for _name, value in fields), key=len, default="")
    answer = render_template(
        "send_again.html", **frame(), action=action, fields=fields, title=title, lead=lead,
        excerpt=longest if len(longest) > 20 and " " in longest else "", back=back,
        left_out=bool(request.files) or any(any(word in name.lower() for word in _SECRET[:1]) for name in request.form),
    )  # fmt: skip
    return answer, status


def too_old() -> ResponseReturnValue | None:
    """The answer to a form with a token that is too old; None where it is not for us to show what it holds."""
    if not of_our_own() or not typed():
        return None
    return page(
        request.full_path.rstrip("?"), typed(), _("Nothing is lost"),
        _("The page was open for so long that we did not take the form at once. What you typed is here: send it now."),
        422, before(),
    )  # fmt: skip


def before() -> str:
    """The page that the form was on, where it can be opened again."""
    found, adapter = urlsplit(request.referrer or ""), current_app.create_url_adapter(request)
    if found.netloc != request.host or adapter is None or not adapter.test(found.path, "GET"):
        return "/"
    return path_from(f"{found.path}?{found.query}".rstrip("?"))


def keep() -> bool:
    """Keep this form while its sender signs in, in the page itself; whether there was something to keep."""
    fields = typed()
    if not fields or sum(len(value) for _name, value in fields) > _LONGEST or "nonce" not in session:
        return False
    g.pending = _signer().dumps([session["nonce"], request.full_path.rstrip("?"), fields])
    return True


def kept() -> dict[str, str]:
    """The hidden field of a sign-in form that carries what is kept."""
    return {FIELD: g.pending} if "pending" in g else {}


def recall() -> None:
    """Find what a sign-in form carries. Before the sign-in, which begins another session: only this browser may bring it."""
    blob = request.form.get(FIELD, "")
    if not blob:
        return
    try:
        nonce, action, fields = _signer().loads(blob, max_age=_LIFE)
    except (BadSignature, ValueError):
        return
    if nonce == session.get("nonce"):
        g.pending = blob
        g.resume = (path_from(action), [(str(name), str(value)) for name, value in fields])


def resume() -> ResponseReturnValue | None:
    """After the sign-in: the form that was kept, to be sent; None where there is none."""
    found: tuple[str, Fields] | None = g.get("resume")
    if found is None:
        return None
    return page(*found, _("You are signed in, and nothing is lost"), _("What you typed before is here: send it now."), 200)


def _signer() -> Any:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="pending")
