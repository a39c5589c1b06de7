"""What clients read about a partner, written by the partner, with the card beside it as clients see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import agenda_queries as agenda
from fxo.core.events.store import Transaction
from fxo.core.partners import commands as partners
from fxo.core.partners import own
from fxo.core.partners import queries as partner_rows
from fxo.core.partners.own import OwnProfile
from fxo.core.partners.queries import Profile
from fxo.core.scope import Permission
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.partner.blueprint import blueprint

_LINES = ("name", "title", "headline", "bio", "zone", "years")
_COMMAS = ("skills", "industries", "languages")
_LONGEST = 20_000

Typed = dict[str, str]


@blueprint.get("/profile")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def profile() -> ResponseReturnValue:
    """The profile as it stands."""
    return _page(None, {})


def _page(typed: Typed | None, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The form with what stands, or (after an error) with what was typed; the card always shows what stands."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        stands = partner_rows.profile(tx, user.actor.id)
        mail = partner_rows.contact(tx, user.actor.id)[1]
        slots, week_zone = _slots(tx)
        now = tx.now
    local = now.astimezone(ZoneInfo(stands.zone))
    hours = ""
    if week_zone and week_zone != stands.zone:
        hours = _("Your hours are in %(zone)s and stay there; change them under Availability.", zone=shown.city(week_zone))
    page = render_template(
        "partner/profile.html", **frame(), form=typed or _spelt(stands), errors=errors, zones=choices.zones(), mail=mail,
        roles=stands.roles, certifications=stands.certifications, card=_card(stands, slots), slug=stands.slug, hours_note=hours,
        zone_note=_("It is %(time)s there now. All times on your pages are shown so.", time=f"{local:%H:%M}"),
    )  # fmt: skip
    return page, status


def _slots(tx: Transaction) -> tuple[list[Any], str]:
    """The next three open times, as the card has them, and the zone of the week that they come from."""
    week = partner_rows.availability(tx, [tx.scope.id]).get(tx.scope.id)
    return (agenda.next_open(tx, week, 3), week.zone) if week else ([], "")


def _card(stands: Profile, starts: list[Any]) -> dict[str, Any]:
    slots = [shown.slot(start, stands.zone, url="/profile#card") for start in starts]
    return shown.partner_card(stands, slots, _("Portal’s price"))


def _spelt(stands: Profile) -> Typed:
    typed = {name: str(getattr(stands, name)) for name in _LINES}
    typed |= {name: ", ".join(getattr(stands, name)) for name in _COMMAS}
    return typed | {"cases": "\n".join(stands.cases)}


def _typed() -> Typed:
    return {name: request.form.get(name, "")[:_LONGEST].replace("\r\n", "\n") for name in (*_LINES, *_COMMAS, "cases")}


def _read(typed: Typed) -> OwnProfile | dict[str, str]:
    lists = {name: _parts(typed[name].replace("\n", ",").split(",")) for name in _COMMAS}
    return own.read({**typed, **lists, "cases": _parts(typed["cases"].split("\n"))})


def _parts(texts: list[str]) -> list[str]:
    """What is between the separators, each once."""
    return list(dict.fromkeys(found for text in texts if (found := text.strip())))


@blueprint.post("/profile")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def save_profile() -> ResponseReturnValue:
    """The profile from now on, on every portal."""
    typed = _typed()
    wanted = _read(typed)
    if isinstance(wanted, dict):
        return _page(typed, wanted, 422)
    platform.current().store.run(identity.scope(), identity.required().actor, partners.set_profile, wanted)
    flash(_("Your profile is saved. Clients see it from now on."), "success")
    return redirect("/profile", 303)


@blueprint.post("/profile/preview")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def preview_card() -> ResponseReturnValue:
    """The card as clients would see it with what is typed; nothing is kept."""
    user, typed = identity.required(), _typed()
    wanted = _read(typed)
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        stands = partner_rows.profile(tx, user.actor.id)
        starts, _zone = _slots(tx)
    if isinstance(wanted, dict):
        return render_template("partner/card.html", card=_card(stands, starts), note=_("This is your card as it stands."))
    return render_template("partner/card.html", card=_card(_with(stands, wanted), starts), note=_("Not saved yet."))


def _with(stands: Profile, wanted: OwnProfile) -> Profile:
    return replace(stands, **{name: getattr(wanted, name) for name in OwnProfile.model_fields})
