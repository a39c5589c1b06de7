"""Signing up, in and out: members on their portal, partners and operators on their own hosts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Conflict, Invalid, NotFound, TooMany
from fxo.core.scope import Actor, ActorKind
from fxo.tenants import accounts, members, network, throttle
from fxo.tenants.passwords import SHORTEST
from fxo.web import again, identity, shown
from fxo.web.choices import path_from, zones
from fxo.web.frame import frame
from fxo.web.language import _, ngettext, said
from fxo.web.places import OPS, PARTNERS, PORTAL, here
from fxo.web.portal.readers import browser_zone
from fxo.web.portal.slots import hold_slot

blueprint = Blueprint("auth", __name__)
_PAGES = {PORTAL: "portal/sign_in.html", PARTNERS: "partner/sign_in.html", OPS: "operator/sign_in.html"}


def kind() -> accounts.Kind:
    """Whose accounts this place has."""
    kinds: dict[str, accounts.Kind] = {PORTAL: "member", PARTNERS: "partner", OPS: "operator"}
    return kinds[here().kind]


def address() -> str:
    """The network address that tries are counted for."""
    return throttle.network_of(request.remote_addr)


def account_key(mail: str) -> str:
    """The account at this place that tries are counted for, whether it exists or not."""
    return f"{here().key}/{accounts.fold(mail)}"


def wait_sentence(error: TooMany) -> str:
    """When the next try is heard."""
    minutes = -(-error.after // 60)
    return ngettext(
        "There were too many tries in a short time, so we wait a little. Please try again in a minute.",
        "There were too many tries in a short time, so we wait a little. Please try again in %(num)s minutes.",
        minutes,
    )


def later(page: ResponseReturnValue, error: TooMany) -> Response:
    """The page as the answer to a try that is not heard yet, with the header that says when to come again."""
    response = make_response(page)
    response.status_code = error.status
    response.headers["Retry-After"] = str(error.after)
    return response


def _next() -> str:
    """Where to go afterwards: a path of this host, never another site."""
    return path_from(request.values.get("next", "/"))


def _kept() -> dict[str, str]:
    """A slot that was chosen before signing in stays in the form."""
    if kept := again.kept():
        return {"next": _next()} | kept
    return {"next": _next()} | {name: request.values[name] for name in ("partner", "slot", "brief") if request.values.get(name)}


def _onward() -> ResponseReturnValue:
    if page := again.resume():
        return page
    kept = _kept()
    if here().kind == PORTAL and "slot" in kept and "partner" in kept:
        return hold_slot(kept["partner"], kept["slot"], kept.get("brief", ""))
    return redirect(kept["next"], 303)


def _waiting() -> str:
    """What is kept meanwhile, in a sentence."""
    if again.kept():
        return _("What you typed is kept. Sign in, and send it then.")
    slot = request.values.get("slot")
    if not slot:
        return ""
    when = shown.moment_from(slot, browser_zone())
    return _("%(when)s is waiting for you.", when=when) if when else _("The time you chose is waiting for you.")


@blueprint.get("/sign-in")
def sign_in_page() -> ResponseReturnValue:
    """The form; who is signed in goes on at once."""
    if identity.me():
        return redirect(_next(), 303)
    return _sign_in_form({}, {})


def _sign_in_form(form: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The sign-in page of this place."""
    query = request.query_string.decode()
    page = render_template(
        _PAGES[here().kind],
        **frame(),
        action="/sign-in",
        form=form,
        errors=errors,
        fields=_kept(),
        waiting=_waiting(),
        reset_url="/forgot",
        sign_up_url="/sign-up" + (f"?{query}" if query else "") if here().kind == PORTAL else None,
        lead="",
    )
    return page, status


def sign_in_first() -> ResponseReturnValue:
    """The form in answer to another one, which needs somebody who is signed in and is kept meanwhile (`again`)."""
    return _sign_in_form({}, {}, 401)


@blueprint.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Check mail and password; the same sentence for an unknown address and a wrong password."""
    mail, password = request.form.get("mail", ""), request.form.get("password", "")
    tries, key = platform.current().throttle, account_key(mail)
    try:
        spent = tries.spend(
            (throttle.SIGN_IN_HERE, f"{key}/{address()}"),
            (throttle.SIGN_IN_ACCOUNT, key),
            (throttle.SIGN_IN_ADDRESS, address()),
        )
    except TooMany as error:
        return later(_sign_in_form({"mail": mail}, {"form": wait_sentence(error)}), error)
    found = _account(mail, password)
    if found is None:
        sentence = _(
            "Mail address and password do not belong together. Please check both; capital letters matter in the password."
        )
        return _sign_in_form({"mail": mail}, {"form": sentence}, 422)
    tries.give_back(spent)
    identity.sign_in(found)
    return _onward()


def _account(mail: str, password: str) -> UUID | None:
    """Whose account at this place has this address and password."""
    match here().kind:
        case "portal":
            with platform.current().store.transaction(identity.scope(), Actor(here().tenant.id, ActorKind.VISITOR)) as tx:
                return members.check(tx, mail, password)
        case "partners":
            return network.check_partner(mail, password)
    return network.check_operator(mail, password)


@blueprint.get("/sign-up")
def sign_up_page() -> ResponseReturnValue:
    """The form for a new member of this portal."""
    if here().kind != PORTAL:
        raise NotFound(_("There is no such page here."))
    if identity.me():
        return redirect(_next(), 303)
    return _sign_up_form({"zone": browser_zone()}, {})


def _sign_up_form(form: dict[str, Any], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    query = request.query_string.decode()
    page = render_template(
        "portal/sign_up.html",
        **frame(),
        action="/sign-up",
        form=form,
        errors=errors,
        fields=_kept(),
        zones=zones(),
        domains=list(here().tenant.mail_domains),
        waiting=_waiting(),
        sign_in_url="/sign-in" + (f"?{query}" if query else ""),
        minimum=SHORTEST,
    )
    return page, status


@blueprint.post("/sign-up")
def sign_up() -> ResponseReturnValue:
    """A new member, signed in at once; the brief and the slot they came with stay theirs."""
    place = here()
    if place.kind != PORTAL:
        raise NotFound(_("There is no such page here."))
    form = {name: request.form.get(name, "") for name in ("name", "mail", "company", "zone")}
    wanted = members.SignUp(**form, password=request.form.get("password", ""), visitor_id=identity.visitor_id(make=False))
    try:
        platform.current().throttle.spend((throttle.SIGN_UP_ADDRESS, address()))
        member_id = platform.current().store.run(
            identity.scope(), Actor(place.tenant.id, ActorKind.VISITOR), members.sign_up, place.tenant, wanted
        )
    except TooMany as error:
        return later(_sign_up_form(form, {"form": wait_sentence(error)}), error)
    except (Invalid, Conflict) as error:
        known = _tried_account(form["mail"], wanted.password) if isinstance(error, Conflict) else None
        if known:  # sent twice, or forgotten that one has signed up: the same address and password sign in
            identity.sign_in(known)
            return _onward()
        return _sign_up_form(form, {error.field or "form": said(error)}, error.status)
    identity.sign_in(member_id)
    return _onward()


def _tried_account(mail: str, password: str) -> UUID | None:
    """As `_account`; a wrong password counts as it does at the sign-in."""
    tries, key = platform.current().throttle, account_key(mail)
    try:
        spent = tries.spend((throttle.SIGN_IN_HERE, f"{key}/{address()}"), (throttle.SIGN_IN_ACCOUNT, key))
    except TooMany:
        return None
    found = _account(mail, password)
    if found:
        tries.give_back(spent)
    return found


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    identity.sign_out()
    flash(_("You are signed out. See you soon."), "success")
    return redirect("/", 303)
