"""Where the link of an invitation leads: who was asked makes their account, once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Conflict, Invalid
from fxo.core.scope import Actor, ActorKind
from fxo.tenants import invitations, members
from fxo.tenants.membership import Invitation
from fxo.tenants.passwords import SHORTEST
from fxo.web import forms, identity
from fxo.web.choices import zones
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.places import here

blueprint = Blueprint("invitation", __name__)


@blueprint.get("/invitation/<token>")
def asked(token: str) -> ResponseReturnValue:
    """The form with which somebody who was invited makes their account; the link alone changes nothing."""
    return _form(token, _look(token), {}, {})


def _look(token: str) -> Invitation:
    found: Invitation = platform.current().store.run(identity.scope(), _stranger(), invitations.look, token)
    return found


def _stranger() -> Actor:
    return Actor(here().tenant.id, ActorKind.VISITOR)


def _form(
    token: str, invitation: Invitation, form: dict[str, Any], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return render_template(
        "portal/invitation.html", **frame(), action=f"/invitation/{token}", mail=invitation.email, form=form, errors=errors,
        administrator=invitation.role == "administrator", zones=zones(), minimum=SHORTEST,
    ), status  # fmt: skip


@blueprint.post("/invitation/<token>")
@forms.once
def accept(token: str) -> ResponseReturnValue:
    """Make the account and sign in. Address and role are the invitation's, whatever was sent."""
    config = here().tenant
    form = {name: request.form.get(name, "") for name in ("name", "company", "zone")}
    wanted = members.SignUp(
        form["name"], "", request.form.get("password", ""), form["company"], form["zone"],
        visitor_id=identity.visitor_id(make=False),
    )  # fmt: skip
    try:
        member_id = platform.current().store.run(identity.scope(), _stranger(), invitations.accept, config, token, wanted)
    except (Invalid, Conflict) as error:
        if isinstance(error, Conflict):
            sentence = _("There is an account with this address already; nothing about it was changed. Please sign in with it.")
            return _form(token, _look(token), form, {"form": sentence}, error.status)
        return _form(token, _look(token), form, {error.field or "form": error.message}, error.status)
    identity.sign_in(member_id)
    return redirect("/", 303)
