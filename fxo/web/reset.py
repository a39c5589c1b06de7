"""A forgotten password: a link by mail that works once, and the page on which a new one is chosen; at every place alike."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Gone, Invalid, TooMany
from fxo.core.scope import CODE
from fxo.tenants import accounts, throttle, tokens
from fxo.tenants.passwords import SHORTEST
from fxo.web import identity
from fxo.web.auth import account_key, address, kind, later, wait_sentence
from fxo.web.frame import frame
from fxo.web.language import _, said

blueprint = Blueprint("reset", __name__)
_WAITING = "reset"
"""Where the link's token waits in the cookie, so that it stands in no address and no history."""


@blueprint.get("/forgot")
def forgot() -> ResponseReturnValue:
    """The address to mail a link to."""
    return _forgot_form("", {})


def _forgot_form(mail: str, errors: dict[str, str], status: int = 200) -> tuple[str, int]:
    return render_template("account/forgot.html", **frame(), mail=mail, errors=errors, sign_in_url="/sign-in"), status


@blueprint.post("/forgot")
def ask() -> ResponseReturnValue:
    """Mail the link, if there is such an account; the answer is the same, and takes as long, where there is none."""
    mail = request.form.get("mail", "")
    if "@" not in mail or len(mail) > 254:
        return _forgot_form(mail, {"mail": _("This does not look like a mail address. It should read name@company.com.")}, 422)
    try:
        platform.current().throttle.spend((throttle.RESET_ACCOUNT, account_key(mail)), (throttle.RESET_ADDRESS, address()))
    except TooMany as error:
        return later(_forgot_form(mail, {"form": wait_sentence(error)}), error)
    platform.current().store.run(identity.account_scope(), CODE, accounts.ask_reset, kind(), mail)
    return redirect("/forgot/sent", 303)


@blueprint.get("/forgot/sent")
def sent() -> ResponseReturnValue:
    """What happens next; it names nobody."""
    return render_template("account/forgot_sent.html", **frame(), again_url="/forgot", sign_in_url="/sign-in")


@blueprint.get("/reset")
def reset_page() -> ResponseReturnValue:
    """The form behind the link. The token moves from the address into the cookie first."""
    if "token" in request.args:
        session[_WAITING] = request.args["token"][:100]
        return redirect("/reset", 303)
    try:
        with platform.current().store.transaction(identity.account_scope(), CODE) as tx:
            tokens.read(tx, tokens.RESET, session.get(_WAITING, ""))
    except Gone:
        return _gone()
    return _reset_form({})


def _reset_form(errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    return render_template("account/reset.html", **frame(), errors=errors, minimum=SHORTEST), status


def _gone() -> ResponseReturnValue:
    session.pop(_WAITING, None)
    return render_template("account/reset_gone.html", **frame(), again_url="/forgot", sign_in_url="/sign-in"), 410


@blueprint.post("/reset")
def reset() -> ResponseReturnValue:
    """Set the new password; every browser is signed out, also this one, and who has the new password signs in."""
    try:
        platform.current().store.run(
            identity.account_scope(), CODE, accounts.reset, kind(), session.get(_WAITING, ""), request.form.get("password", "")
        )
    except Invalid as error:
        return _reset_form({error.field or "form": said(error)}, error.status)
    except Gone:
        return _gone()
    session.pop(_WAITING, None)
    identity.sign_out()
    flash(_("Your password is changed, and every browser was signed out. Please sign in with the new one."), "success")
    return redirect("/sign-in", 303)
