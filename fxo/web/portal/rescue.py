"""Equal experts who can take over when one cannot come: the same brief and the same payment, in one tap (hard case 15)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core import life
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.consultations.slots import Slot
from fxo.core.errors import Invalid
from fxo.core.ids import new_id, parse_id
from fxo.core.matching import queries as briefs
from fxo.core.partners import queries as partners
from fxo.core.partners.directory import trust
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import Permission
from fxo.web import choices, forms, identity, shown
from fxo.web.language import _
from fxo.web.places import here
from fxo.web.portal import times
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.happened import late

OFFERED = 3
"""How many experts are offered, and how many times of each."""

AHEAD = timedelta(days=7)
"""How far ahead somebody may be free to be offered."""


def offer(row: ConsultationRow, zone: str, now: datetime) -> dict[str, Any] | None:
    """Who can take over, and when; None where nobody has to. The time that was lost comes first, then the soonest."""
    waiting = late(row, now)
    if not waiting and not (row.rescue_until and now < row.rescue_until):
        return None
    config = here().tenant
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        equal = consultation_rows.equals(tx, config, row.partner_id, row.price)
        roster = partners.roster(tx)
        brief = briefs.find(tx, row.brief_id) if row.brief_id else None
    place = {one.partner_id: n for n, one in enumerate(brief.matched.shortlist)} if brief and brief.matched else {}
    people = {one.id: one for one, _entry in roster if one.id in equal}
    prices = {entry.partner_id: entry.price(config) for _one, entry in roster}
    free = times.times_within(equal, (now, max(row.starts_at, now) + AHEAD))
    ranked = sorted(
        (key for key in people if free.get(key)),
        key=lambda key: (row.starts_at not in free[key], place.get(key, len(place)), -trust(people[key])),
    )  # fmt: skip
    cards = [
        shown.partner_card(
            people[key],
            [shown.slot(start, zone, now=now) for start in _times(key, free[key], row.starts_at, zone)],
            str(prices[key]),
            config.tax,
            url=f"/experts/{key}",
        )
        | {"line": people[key].headline}
        for key in ranked[:OFFERED]
    ]  # fmt: skip
    until = shown.clock(row.rescue_until, zone) if row.rescue_until else ""
    return {
        "people": cards,
        "action": f"/sessions/{row.id}/rescue",
        "until": until,
        "end": f"/sessions/{row.id}/rescue/end" if row.state == "cancelled" else None,
        "price": str(row.price),
    }


def _times(partner_id: UUID, free: list[datetime], wanted: datetime, zone: str) -> list[datetime]:
    """The lost time where it is free, and the soonest ones that differ enough to be a choice."""
    first = [wanted] if wanted in free else []
    others = [Slot(partner_id, start, start + consultations.SESSION) for start in free if start != wanted]
    return sorted([*first, *(slot.start for slot in times.offered(others, zone, OFFERED - len(first)))])


@blueprint.post("/sessions/<consultation_id>/rescue")
@identity.needs(Permission.BOOK)
@forms.once
def rescue(consultation_id: str) -> ResponseReturnValue:
    """This expert takes over at this time."""
    parts, config, user = platform.current(), here().tenant, identity.required()
    found_id = choices.id_from(consultation_id)
    with parts.store.transaction(identity.scope(), user.actor) as tx:
        row = consultation_rows.find(tx, found_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
    partner_id, starts_at = parse_id(request.form.get("partner", "")), choices.instant_from(request.form.get("slot", ""))
    if paying is None or partner_id is None:
        raise Invalid(_("Please use one of the times of the page."), field="slot")
    window = (starts_at - timedelta(days=1), starts_at + timedelta(days=1))
    external = calendars.external_busy(parts.providers, config, [partner_id], window)
    wanted = consultations.Hold(new_id(), partner_id, starts_at, row.brief_id)
    windows = parts.providers.named(config, "payments", paying.provider).windows()
    try:
        if partner_id not in external:
            raise consultations.SlotTaken(partner_id, starts_at)
        parts.store.run(
            identity.scope(), user.actor, life.rescue, config, found_id, wanted, windows, external=external[partner_id]
        )
    except consultations.SlotTaken:
        flash(_("That time has just gone. Nothing has changed; please choose another one."), "warning")
        return redirect(f"/sessions/{found_id}#rescue", 303)
    return redirect(f"/sessions/{wanted.consultation_id}", 303)


@blueprint.post("/sessions/<consultation_id>/rescue/end")
@identity.needs(Permission.BOOK)
@forms.once
def end(consultation_id: str) -> ResponseReturnValue:
    """Nobody has to take over: what is held is let go at once."""
    found_id: UUID = choices.id_from(consultation_id)
    platform.current().store.run(identity.scope(), identity.required().actor, consultations.end_rescue, found_id, "not_wanted")
    flash(_("What was held on your card is let go."), "success")
    return redirect(f"/sessions/{found_id}", 303)
