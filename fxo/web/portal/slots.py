"""Holding a free time for ten minutes, and what to do where somebody was faster."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.slots import Busy
from fxo.core.consultations.slots import nearest as nearest_of
from fxo.core.ids import new_id
from fxo.core.matching import queries as briefs
from fxo.core.partners import queries as partners
from fxo.core.partners.directory import trust
from fxo.web import booking, choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.places import here
from fxo.web.portal import times
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import reader_zone

NEAR = timedelta(hours=4)
"""How near to the wanted time others are to be free."""


@blueprint.post("/holds")
@forms.once
def hold() -> ResponseReturnValue:
    """Take the slot for ten minutes. Who is not signed in does that first, and the slot stays in the form."""
    partner, slot, brief = (request.form.get(name, "") for name in ("partner", "slot", "brief"))
    if identity.me() is None:
        kept = {"next": f"/briefs/{brief}" if brief else "/", "partner": partner, "slot": slot} | (
            {"brief": brief} if brief else {}
        )
        return redirect("/sign-up?" + urlencode(kept), 303)
    return hold_slot(partner, slot, brief)


def hold_slot(partner: str, slot: str, brief: str) -> ResponseReturnValue:
    """Hold the slot for who is signed in and go to checkout, or show what is free instead."""
    actor = identity.required().actor
    partner_id, starts_at = choices.id_from(partner), choices.instant_from(slot)
    brief_id = choices.id_from(brief) if brief else None
    booking.check_brief(actor, brief_id)
    external = booking.busy_around(partner_id, starts_at)
    wanted = consultations.Hold(new_id(), partner_id, starts_at, brief_id)
    try:
        booking.hold(actor, wanted, external)
    except consultations.SlotTaken:
        return taken(partner_id, starts_at, brief, external=external)
    return redirect(f"/book/{wanted.consultation_id}", 303)


def taken(
    partner_id: UUID, wanted: datetime, brief: str, *, external: Busy | None = (), charged: bool = False
) -> ResponseReturnValue:
    """409: the three nearest times, and others who are free near the wanted one. `charged`: a hold on the card is being ended.

    `external` are busy times from the partner's calendars; None where they are unknown, and unknown is not free.
    """
    parts, config = platform.current(), here().tenant
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        profile, now = partners.profile(tx, partner_id), tx.now
        nearest = [] if external is None else consultation_rows.nearest_open(tx, partner_id, wanted, external)
        roster = partners.roster(tx)
        zone = (briefs.find(tx, choices.id_from(brief)).zone if brief else "") or reader_zone()
    price = next((entry.price(config) for _profile, entry in roster if entry.partner_id == partner_id), config.price)
    alike = [(other, entry) for other, entry in roster if other.id != partner_id and set(other.roles) & set(profile.roles)]
    near = (max(now, wanted - NEAR), wanted + NEAR)
    free = times.times_within([other.id for other, _entry in alike], near)
    cards = [
        shown.partner_card(
            other,
            [shown.slot(start, zone, now=now) for start in sorted(nearest_of(free[other.id], wanted))],
            str(entry.price(config)),
            config.tax,
            url=f"/experts/{other.id}" + (f"?{urlencode({'brief': brief})}" if brief else ""),
        )
        | {"line": other.headline}
        for other, entry in sorted(alike, key=lambda pair: -trust(pair[0]))
        if free.get(other.id)
    ][:3]
    page = render_template(
        "portal/slot_taken.html",
        **frame(),
        partner=shown.person(profile.name, profile.id, profile.title),
        taken=shown.time(wanted, zone)["text"],
        slots=[shown.slot(start, zone, now=now) for start in sorted(nearest)],
        price=" ".join(filter(None, (str(price), shown.on_top(config.tax)))),
        charged=charged,
        unknown=external is None,
        all_times_url=f"/experts/{partner_id}" + (f"?{urlencode({'brief': brief})}" if brief else ""),
        hold_action="/holds",
        hold_fields={"partner": str(partner_id)} | ({"brief": brief} if brief else {}),
        others=cards,
        directory_url="/experts",
        back={"label": _("Back to the shortlist") if brief else _("Back"), "url": f"/briefs/{brief}" if brief else "/experts"},
    )
    return page, 409
