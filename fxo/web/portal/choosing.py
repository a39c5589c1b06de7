"""What readers choose for themselves on the way: the zone of their times, and the experts they keep."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, flash, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clients import commands as clients
from fxo.core.clients import favourites
from fxo.core.errors import Invalid, NotFound
from fxo.core.matching import commands as matching
from fxo.core.partners import queries as partners
from fxo.web import choices, forms, identity
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.places import here
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import part_wanted, reader_zone, visitors_welcome


@blueprint.get("/zone")
def zone_page() -> ResponseReturnValue:
    """In which zone the reader wants to see times."""
    visitors_welcome()
    return _zone_form(choices.path_from(request.args.get("next", "/")), request.args.get("brief", ""))


def _zone_form(back: str, brief: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "portal/zone.html",
        **frame(),
        action="/zone",
        zones=choices.zones(),
        zone=request.form.get("zone") or reader_zone(),
        fields={"next": back} | ({"brief": brief} if brief else {}),
        errors={"zone": error} if error else {},
        back={"label": _("Back"), "url": back},
        kept=_("It is kept in your profile, and everything we send you uses it.")
        if identity.me()
        else _("It is kept in this browser until you close it. With an account it is yours for good."),
    )
    return page, status


@blueprint.post("/zone")
@forms.once
def choose_zone() -> ResponseReturnValue:
    """Show times there from now on; with a brief, which has its own zone, in that one too."""
    visitors_welcome()
    parts, scope, actor = platform.current(), identity.scope(), identity.actor()
    back, zone, brief = (
        choices.path_from(request.form.get("next", "/")),
        request.form.get("zone", ""),
        request.form.get("brief", ""),
    )
    if not choices.known_zone(zone):
        return _zone_form(back, brief, _("Please choose your time zone from the list."), 422)
    if brief:
        found_id = choices.id_from(brief)
        if parts.store.run(scope, actor, matching.revise, matching.Revision(found_id, zone=zone)):
            matching.match(parts.store, parts.providers, scope, actor, here().tenant, found_id)
    if identity.me():
        parts.store.run(scope, actor, clients.move, zone)
    else:
        session["zone"] = zone
    return redirect(back, 303)


@blueprint.post("/favourites")
@forms.once
def keep() -> ResponseReturnValue:
    """Keep an expert to find them again, or keep them no longer."""
    visitors_welcome()
    back, partner_id = choices.path_from(request.form.get("next", "/")), choices.id_from(request.form.get("partner", ""))
    wanted = request.form.get("keep", "")
    if wanted not in ("0", "1"):
        raise Invalid(_("Please use the button of the page."), field="keep")
    if identity.me() is None:
        flash(_("Sign in or make an account to keep experts. Then press the bookmark once more."), "info")
        return _elsewhere(f"/sign-in?next={quote(back)}")
    parts, scope, actor = platform.current(), identity.scope(), identity.actor()
    with parts.store.transaction(scope, actor) as tx:
        profile = partners.profile(tx, partner_id)
        if wanted == "1" and partners.roster_entry(tx, partner_id) is None:
            raise NotFound(_("There is no such expert here."))
    parts.store.run(scope, actor, favourites.mark, partner_id, keep=wanted == "1")
    if not part_wanted():
        return redirect(back, 303)
    shown = {"id": str(partner_id), "name": profile.name, "favourite": {"kept": wanted == "1", "next": back}}
    return render_template("portal/favourite_part.html", partner=shown)


def _elsewhere(url: str) -> ResponseReturnValue:
    """On to another page, also for a script that has asked for a part of this one."""
    if not part_wanted():
        return redirect(url, 303)
    answer: Response = make_response("", 200)
    answer.headers["HX-Redirect"] = url
    return answer
