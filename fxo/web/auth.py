"""Signing up, in and out: members on their portal, partners and operators on their own hosts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Conflict, Invalid, NotFound
from fxo.core.scope import Actor, ActorKind
from fxo.tenants import members, network
from fxo.tenants.passwords import SHORTEST
from fxo.web import again, identity
from fxo.web.choices import path_from, zones
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.places import OPS, PARTNERS, PORTAL, here
from fxo.web.portal.slots import hold_slot

blueprint = Blueprint("auth", __name__)
_PAGES = {PORTAL: "portal/sign_in.html", PARTNERS: "partner/sign_in.html", OPS: "operator/sign_in.html"}


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
    if again.kept():
        return _("What you typed is kept. Sign in, and send it then.")
    return "The time you chose is waiting for you." if request.values.get("slot") else ""


@blueprint.get("/sign-in")
def sign_in_page() -> ResponseReturnValue:
    """The form; who is signed in goes on at once."""
    if identity.me():
        return redirect(_next(), 303)
    return _sign_in_form({}, {})


def _sign_in_form(form: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    query = request.query_string.decode()
    page = render_template(
        _PAGES[here().kind],
        **frame(),
        action="/sign-in",
        form=form,
        errors=errors,
        fields=_kept(),
        waiting=_waiting(),
        reset_url=None,
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
    mail, password, place = request.form.get("mail", ""), request.form.get("password", ""), here()
    found: UUID | None = None
    match place.kind:
        case "portal":
            found = _known(mail, password)
        case "partners":
            found = network.check_partner(mail, password)
        case "ops":
            found = network.check_operator(mail, password)
    if found is None:
        sentence = "Mail address and password do not belong together. Please check both; capital letters matter in the password."
        return _sign_in_form({"mail": mail}, {"form": sentence}, 422)
    identity.sign_in(found)
    return _onward()


def _known(mail: str, password: str) -> UUID | None:
    """The member of this portal with this address and password."""
    with platform.current().store.transaction(identity.scope(), Actor(here().tenant.id, ActorKind.VISITOR)) as tx:
        return members.check(tx, mail, password)


@blueprint.get("/sign-up")
def sign_up_page() -> ResponseReturnValue:
    """The form for a new member of this portal."""
    if here().kind != PORTAL:
        raise NotFound("There is no such page here.")
    if identity.me():
        return redirect(_next(), 303)
    return _sign_up_form({}, {})


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
        raise NotFound("There is no such page here.")
    form = {name: request.form.get(name, "") for name in ("name", "mail", "company", "zone")}
    wanted = members.SignUp(**form, password=request.form.get("password", ""), visitor_id=identity.visitor_id(make=False))
    try:
        member_id = platform.current().store.run(
            identity.scope(), Actor(place.tenant.id, ActorKind.VISITOR), members.sign_up, place.tenant, wanted
        )
    except (Invalid, Conflict) as error:
        known = _known(form["mail"], wanted.password) if isinstance(error, Conflict) else None
        if known:  # sent twice, or forgotten that one has signed up: the same address and password sign in
            identity.sign_in(known)
            return _onward()
        return _sign_up_form(form, {error.field or "form": error.message}, error.status)
    identity.sign_in(member_id)
    return _onward()


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    identity.sign_out()
    return redirect("/", 303)
