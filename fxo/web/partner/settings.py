"""A partner's own settings: the look of the pages, the password."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Invalid
from fxo.core.scope import CODE, Permission, system_scope
from fxo.tenants import network
from fxo.tenants.passwords import SHORTEST
from fxo.web import forms, identity, theme_choice
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.partner.blueprint import blueprint


@blueprint.get("/settings")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def settings() -> ResponseReturnValue:
    """Theme, address, password."""
    return _page({})


def _page(errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    user = identity.required()
    with platform.current().store.transaction(system_scope("sign_in"), CODE) as tx:
        mail = network.partner_address(tx, user.actor.id)
    themes = [
        {"value": "system", "label": _("As your device"), "icon": "monitor"},
        {"value": "light", "label": _("Light"), "icon": "sun"},
        {"value": "dark", "label": _("Dark"), "icon": "moon"},
    ]  # fmt: skip
    page = render_template(
        "partner/settings.html", **frame(), mail=mail, errors=errors, minimum=SHORTEST, themes=themes,
        chosen=theme_choice.chosen(user) or "system",
    )  # fmt: skip
    return page, status


@blueprint.post("/settings/password")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def change_password() -> ResponseReturnValue:
    """Another password, for who knows the one of now."""
    current, password = request.form.get("current", ""), request.form.get("password", "")
    try:
        platform.current().store.run(
            system_scope("sign_in"), CODE, network.change_partner_password, identity.required().actor.id, current, password
        )
    except Invalid as error:
        return _page({error.field or "password": error.message}, 422)
    flash(_("Your password is changed. Use the new one from the next sign-in on."), "success")
    return redirect("/settings", 303)
