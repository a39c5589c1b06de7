"""The pages of the footer: help for each role, how payment works, privacy, terms."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import NotFound
from fxo.core.scope import Permission
from fxo.web import about_texts as texts
from fxo.web import identity
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.places import OPS, PARTNERS, PORTAL, here
from fxo.web.portal.words import sent_out

blueprint = Blueprint("about", __name__)


def _page(text: texts.Text, *, more: list[dict[str, str]] | None = None) -> ResponseReturnValue:
    return render_template("about.html", **frame(), text=text, more=more or [])


@blueprint.get("/help")
def help_page() -> ResponseReturnValue:
    """Help for the people of this place: clients, experts, operators."""
    place = here()
    if place.kind == OPS:
        identity.required()
        return _page(texts.operator_help())
    if place.kind == PARTNERS:
        return _page(texts.partner_help())
    user = identity.me()
    more = []
    if user and user.actor.may(Permission.MANAGE_TENANT):
        more.append({"label": _("Help for administrators"), "url": "/help/administrators"})
    return _page(texts.client_help(place.tenant, platform.current().settings.claim_minutes), more=more)


@blueprint.get("/help/administrators")
def administrators() -> ResponseReturnValue:
    """Help for the administrator of a portal."""
    if here().kind != PORTAL:
        raise NotFound("There is no such page here.")
    return _administrators()


@identity.needs(Permission.MANAGE_TENANT)
def _administrators() -> ResponseReturnValue:
    return _page(texts.administrator_help(here().tenant), more=[{"label": _("Help for clients"), "url": "/help"}])


@blueprint.get("/how-payment-works")
def payment() -> ResponseReturnValue:
    """What is held, what is taken, and when; for an expert, what is theirs."""
    place = here()
    if place.kind == PORTAL:
        return _page(texts.payment(place.tenant))
    if place.kind == PARTNERS:
        return _page(texts.partner_payment())
    raise NotFound("There is no such page here.")


def _name() -> str:
    place = here()
    if place.kind == OPS:
        raise NotFound("There is no such page here.")
    return place.config.name if place.config else "fxo"


@blueprint.get("/privacy")
def privacy() -> ResponseReturnValue:
    """What is kept of people, and how."""
    place = here()
    return _page(texts.privacy(_name(), sent_out=place.kind == PORTAL and sent_out(place.tenant)))


@blueprint.get("/terms")
def terms() -> ResponseReturnValue:
    """The rules, in plain words."""
    return _page(texts.terms(_name()))
