"""What an expert does with a booking before and after its hour: answer a request, propose other times, cancel, say who came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import agenda_queries, changes
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.agenda_queries import AgendaRow
from fxo.core.consultations.model import EARLY, Party
from fxo.core.errors import Conflict, Invalid, NotFound
from fxo.core.scope import Permission, tenant_scope
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, said
from fxo.web.partner import changing
from fxo.web.partner.blueprint import blueprint
from fxo.web.partner.session import act, show

SHOWN_AHEAD = timedelta(days=14)
"""How far ahead one's own free times are shown."""


def _read(consultation_id: UUID) -> tuple[AgendaRow, consultation_rows.ConsultationRow, Any]:
    """The session in the partner's own agenda, as its tenant has it, and the time."""
    store, actor = platform.current().store, identity.required().actor
    with store.transaction(identity.scope(), actor) as tx:
        row = agenda_queries.find(tx, consultation_id)
    with store.transaction(tenant_scope(row.tenant_id), actor) as tx:
        return row, consultation_rows.find(tx, consultation_id), tx.now


def _head(row: AgendaRow, now: Any) -> dict[str, Any]:
    """What stands beside the form: who, and when."""
    zone = identity.required().zone
    client = shown.person(row.client_name, row.client_id, row.client_company or row.tenant_name)
    other = (client["first_name"], row.client_zone)
    return {
        "client": client, "span": shown.span(row.starts_at, row.ends_at, zone, now=now, other=other),
        "back": {"label": _("Back to the session"), "url": f"/sessions/{row.consultation_id}"},
    }  # fmt: skip


# A request -----------------------------------------------------------------------------------------------------------


@blueprint.post("/sessions/<consultation_id>/accept")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def accept(consultation_id: str) -> ResponseReturnValue:
    """Take the booking."""
    return act(consultation_id, consultations.accept)


@blueprint.post("/sessions/<consultation_id>/decline")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def decline(consultation_id: str) -> ResponseReturnValue:
    """Leave it; the client reads why, where that was written."""
    return act(consultation_id, consultations.end_request, request.form.get("words", ""))


# Cancelling ----------------------------------------------------------------------------------------------------------


def _reasons() -> list[dict[str, str]]:
    labels = {
        "ill": _("I am ill"), "conflict": _("Something else came between"),
        "wrong_person": _("I am not the right one for this"), "other": _("Something else"),
    }  # fmt: skip
    return [{"value": code, "label": labels[code]} for code in changes.REASONS[Party.PARTNER]]


@blueprint.get("/sessions/<consultation_id>/cancel")
@identity.needs(Permission.COMPLETE_SESSIONS)
def cancel_page(consultation_id: str) -> ResponseReturnValue:
    """What follows from cancelling."""
    return _cancel_page(choices.id_from(consultation_id), {})


def _cancel_page(consultation_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    row, booking, now = _read(consultation_id)
    offered = changing.plans(booking, now)
    if offered is None:
        return redirect(f"/sessions/{row.consultation_id}", 303)
    page = render_template(
        "partner/cancel.html", **frame(), **_head(row, now), action=f"/sessions/{row.consultation_id}/cancel",
        propose_url=offered["move_url"], reasons=_reasons(), reason=request.form.get("reason", ""),
        words=request.form.get("words", ""), errors=errors, longest=consultations.LONGEST,
    )  # fmt: skip
    return page, status


@blueprint.post("/sessions/<consultation_id>/cancel")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def cancel(consultation_id: str) -> ResponseReturnValue:
    """The client goes free, and is offered equal experts."""
    found_id = choices.id_from(consultation_id)
    row, _booking, _now = _read(found_id)
    store, parts = platform.current().store, platform.current()
    try:
        with store.transaction(tenant_scope(row.tenant_id), identity.required().actor) as tx:
            config = parts.records.of_scope(tx)
        store.run(
            tenant_scope(row.tenant_id), identity.required().actor, consultations.cancel, config, found_id,
            request.form.get("reason", ""), words=request.form.get("words", ""),
        )  # fmt: skip
    except Invalid as error:
        return _cancel_page(found_id, {error.field or "reason": said(error)}, 422)
    return redirect(f"/sessions/{found_id}", 303)


# Other times ---------------------------------------------------------------------------------------------------------


@blueprint.get("/sessions/<consultation_id>/propose")
@identity.needs(Permission.COMPLETE_SESSIONS)
def propose_page(consultation_id: str) -> ResponseReturnValue:
    """One's own free times, of which a few are proposed."""
    return _propose_page(choices.id_from(consultation_id), {})


def _propose_page(consultation_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    row, booking, now = _read(consultation_id)
    offered = changing.plans(booking, now)
    if offered is None or offered["move_url"] is None:
        return redirect(f"/sessions/{row.consultation_id}", 303)
    zone = identity.required().zone
    with platform.current().store.transaction(tenant_scope(row.tenant_id), identity.required().actor) as tx:
        found = consultation_rows.open_for_move(tx, booking.partner_id, booking.starts_at)
    chosen = set(request.form.getlist("slot")) or {start.isoformat() for start in booking.proposed}
    days: dict[str, list[dict[str, Any]]] = {}
    for start in found:
        if start < now + SHOWN_AHEAD:
            slot = shown.slot(start, zone, now=now)
            days.setdefault(slot["day"], []).append(slot | {"checked": slot["value"] in chosen})
    page = render_template(
        "partner/propose.html", **frame(), **_head(row, now), action=f"/sessions/{row.consultation_id}/propose",
        days=[{"day": day, "slots": slots, "open": n < 2 or any(slot["checked"] for slot in slots)}
              for n, (day, slots) in enumerate(days.items())],
        most=changes.MOST_TIMES, words=request.form.get("words", ""), errors=errors, longest=consultations.LONGEST,
    )  # fmt: skip
    return page, status


@blueprint.post("/sessions/<consultation_id>/propose")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def propose(consultation_id: str) -> ResponseReturnValue:
    """The client is asked to take one of these times."""
    found_id = choices.id_from(consultation_id)
    row, _booking, _now = _read(found_id)
    try:
        times = [choices.instant_from(text) for text in request.form.getlist("slot")[:20]]
        platform.current().store.run(
            tenant_scope(row.tenant_id), identity.required().actor, consultations.propose, found_id, times,
            words=request.form.get("words", ""),
        )  # fmt: skip
    except Invalid as error:
        return _propose_page(found_id, {error.field or "slot": said(error)}, 422)
    flash(_("The client is asked by mail. Until they choose, the session stays where it is."), "success")
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.post("/sessions/<consultation_id>/keep")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def keep(consultation_id: str) -> ResponseReturnValue:
    """The time can be kept after all."""
    return act(consultation_id, consultations.withdraw_proposal)


# Who came ------------------------------------------------------------------------------------------------------------


@blueprint.get("/sessions/<consultation_id>/join")
@identity.needs(Permission.COMPLETE_SESSIONS)
def join(consultation_id: str) -> ResponseReturnValue:
    """On to the meeting; that the expert went there is evidence that they came."""
    row, booking, now = _read(choices.id_from(consultation_id))
    if row.join_url is None:
        raise NotFound(_("There is no meeting to join here."))
    if booking.state in ("confirmed", "started") and booking.starts_at - EARLY <= now < booking.ends_at:
        actor = identity.required().actor
        platform.current().store.run(tenant_scope(row.tenant_id), actor, consultations.arrive, booking.id, "joined")
    return redirect(row.join_url, 303)


@blueprint.post("/sessions/<consultation_id>/absent")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def say_absent(consultation_id: str) -> ResponseReturnValue:
    """The client did not come, or the expert could not."""
    found_id, missing = choices.id_from(consultation_id), request.form.get("missing", Party.CLIENT)
    row, _booking, _now = _read(found_id)
    if missing not in (Party.CLIENT, Party.PARTNER):
        raise Invalid(_("Please use the button of the page."), field="missing")
    platform.current().store.run(
        tenant_scope(row.tenant_id), identity.required().actor, consultations.report_absence, found_id, Party(missing),
        words=request.form.get("words", ""),
    )  # fmt: skip
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.post("/sessions/<consultation_id>/object")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def say_otherwise(consultation_id: str) -> ResponseReturnValue:
    """How the expert saw it, for the person who decides."""
    found_id = choices.id_from(consultation_id)
    try:
        done = act(consultation_id, consultations.object_to, "was_there", request.form.get("words", ""))
    except Invalid as error:
        return show(found_id, {error.field or "words": said(error)}, 422)
    except Conflict as error:
        if error.code == "too_early":
            return show(found_id, {"words": said(error)}, 409)
        raise
    flash(_("Thank you. A person reads what you both say, and no money moves before they have decided."), "success")
    return done
