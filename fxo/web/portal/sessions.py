"""The place for a session, from booked to rated."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.calendars.ics import invitation
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import EARLY
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import Invalid
from fxo.core.ids import derived_id
from fxo.core.matching import queries as briefs
from fxo.core.notifications import facts
from fxo.core.partners import queries as partners
from fxo.core.partners.queries import Profile
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import payment_id_of
from fxo.core.ratings import commands as ratings
from fxo.core.ratings import queries as rating_rows
from fxo.core.scope import CODE, Permission
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.places import here
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import partner_shown, span_shown


@blueprint.get("/sessions")
@identity.needs(Permission.BOOK)
def sessions() -> ResponseReturnValue:
    """All of the client's sessions."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        rows, now = consultation_rows.mine(tx), tx.now
        people = {partner_id: partners.profile(tx, partner_id) for partner_id in {row.partner_id for row in rows}}
    items = [_session_item(row, people[row.partner_id], user.zone) for row in rows if row.state != "held" or row.held_until > now]
    ahead = {str(row.id) for row in rows if row.ends_at > now and row.state in ("held", "confirmed", "started")}
    return render_template(
        "portal/sessions.html",
        **frame(),
        upcoming=[item for item in items if item["id"] in ahead],
        past=[item for item in items if item["id"] not in ahead],
        find_url="/",
    )


_BADGES = {
    "held": ("Held, not booked yet", "warning"),
    "confirmed": ("Booked", "success"),
    "started": ("Under way", "info"),
    "completed": ("Completed", ""),
    "cancelled": ("Cancelled", "danger"),
    "lost": ("Not booked", "danger"),
    "released": ("Not booked", ""),
}


def _session_item(row: ConsultationRow, profile: Profile, zone: str) -> dict[str, Any]:
    day, _, clock = shown.time(row.starts_at, zone)["text"].partition(", ")
    text, kind = _BADGES[row.state]
    return {
        "id": str(row.id),
        "url": f"/book/{row.id}" if row.state == "held" else f"/sessions/{row.id}",
        "partner": partner_shown(profile),
        "day": day,
        "time": clock,
        "iso": row.starts_at.isoformat(),
        "about": "",
        "badge": {"text": text, "kind": kind},
        "amount": str(row.price),
    }


@blueprint.get("/sessions/<consultation_id>")
@identity.needs(Permission.BOOK)
def session_page(consultation_id: str) -> ResponseReturnValue:
    """The place for one session, from booked to rated."""
    return _session_page(choices.id_from(consultation_id), {})


def _session_page(consultation_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile, now = partners.profile(tx, row.partner_id), tx.now
        link = calendars.join_url(tx, row.id)
        rated = rating_rows.of_session(tx, row.id)
        brief = briefs.find(tx, row.brief_id).text if row.brief_id else ""
    if row.state in ("held", "released"):
        return redirect(f"/book/{row.id}", 303)
    text, kind = _BADGES[row.state]
    over = row.state in ("completed", "cancelled", "lost")
    state = "over" if over else "ready" if link else "pending"
    page = render_template(
        "portal/session.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        number=f"No. {str(row.id)[-12:].upper()}",
        badge={"text": text, "kind": kind},
        steps=_session_steps(row, paying, rated is not None),
        confirmed=None,
        meeting={
            "state": state,
            "url": link,
            "host": urlsplit(link or "").netloc,
            "opens": "",
            "calendar_url": None if over else f"/sessions/{row.id}/session.ics",
        },
        check_in=_check_in(row, now),
        brief={"text": brief, "edit_url": None} if brief else None,
        notes=None,
        next_steps=_next_steps(row, paying, profile, user.zone),
        payment={"rows": _payment_rows(row, paying, user.zone), "note": ""},
        receipt=None,
        rating=_rating(row, rated, errors),
        follow_up=None,
        actions=[],
        self_url=f"/sessions/{row.id}",
    )
    return page, status


def _session_steps(row: ConsultationRow, paying: payment_rows.PaymentRow | None, rated: bool) -> list[dict[str, str]]:
    at = {"confirmed": 1, "started": 1, "completed": 3}.get(row.state, 0)
    if row.state == "completed" and paying and paying.state == "captured":
        at = 5 if rated else 4
    names = ["Booked", "Session", "Completed", "Paid", "Rated"]
    return [
        {"title": name, "text": "", "state": "done" if number < at else "current" if number == at else ""}
        for number, name in enumerate(names)
    ]


def _check_in(row: ConsultationRow, now: datetime) -> dict[str, Any] | None:
    if row.state == "confirmed" and now >= row.starts_at - EARLY:
        return {"action": f"/sessions/{row.id}/check-in", "done": False, "text": ""}
    return None


def _next_steps(
    row: ConsultationRow, paying: payment_rows.PaymentRow | None, profile: Profile, zone: str
) -> list[dict[str, str]]:
    if row.state not in ("confirmed", "started"):
        return []
    held = f"{row.price} is held on {paying.method_label if paying else 'your card'}."
    if paying and paying.state == "card_saved" and paying.authorise_at:
        held = f"{row.price} will be held on {paying.method_label} on {shown.time(paying.authorise_at, zone)['text']}."
    pay = {
        "title": "You pay after the session",
        "text": f"{held} It is taken once {profile.name.split()[0]} completes the session.",
    }
    invited = {
        "title": "Invitations are on their way",
        "text": "Both of you get one by mail, and a reminder a day and an hour before.",
    }
    return [invited, pay] if row.state == "confirmed" else [pay]


_PAYMENT_WORDS = {
    "requested": "Being asked",
    "challenged": "Waiting for your bank",
    "authorised": "Held, not charged",
    "card_saved": "Card kept, nothing held",
    "captured": "Charged",
    "voided": "Not charged",
    "abandoned": "Not charged",
    "declined": "Declined",
    "failed": "Being looked at by a person",
}


def _payment_rows(row: ConsultationRow, paying: payment_rows.PaymentRow | None, zone: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"label": "60 minutes", "value": str(row.price)}]
    if paying and paying.state == "card_saved" and paying.authorise_at:
        rows.append({"label": _PAYMENT_WORDS[paying.state], "value": paying.method_label})
        rows.append({"label": "Held from", "value": shown.time(paying.authorise_at, zone)})
    elif paying:
        rows.append(
            {
                "label": _PAYMENT_WORDS.get(paying.state, paying.state),
                "value": str(paying.captured if paying.captured.minor else paying.amount),
            }
        )
        if paying.method_label:
            rows.append({"label": "Card", "value": paying.method_label})
    return rows


def _rating(row: ConsultationRow, rated: rating_rows.RatingRow | None, errors: dict[str, str]) -> dict[str, Any] | None:
    if row.state != "completed":
        return None
    if rated:
        return {"action": "", "stars": rated.stars, "text": rated.comment, "given": True, "errors": {}, "help": ""}
    return {
        "action": f"/sessions/{row.id}/rating",
        "stars": request.form.get("stars", type=int),
        "text": request.form.get("text", ""),
        "given": False,
        "errors": errors,
        "help": "",
    }


@blueprint.post("/sessions/<consultation_id>/check-in")
@identity.needs(Permission.BOOK)
@forms.once
def check_in(consultation_id: str) -> ResponseReturnValue:
    """The client is there."""
    found_id = choices.id_from(consultation_id)
    platform.current().store.run(identity.scope(), identity.required().actor, consultations.check_in, found_id)
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.post("/sessions/<consultation_id>/rating")
@identity.needs(Permission.BOOK)
@forms.once
def rate(consultation_id: str) -> ResponseReturnValue:
    """Rate a completed session."""
    found_id, stars = choices.id_from(consultation_id), request.form.get("stars", "")
    try:
        platform.current().store.run(
            identity.scope(),
            identity.required().actor,
            ratings.rate,
            found_id,
            int(stars) if stars.isdecimal() else 0,
            request.form.get("text", ""),
            public=True,
        )
    except Invalid as error:
        return _session_page(found_id, {"text" if error.field == "comment" else "stars": error.message}, 422)
    flash("Thank you. Your rating helps the next person choose.", "success")
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.get("/sessions/<consultation_id>/session.ics")
@identity.needs(Permission.BOOK)
def calendar_file(consultation_id: str) -> ResponseReturnValue:
    """The session for the client's own calendar."""
    found_id = choices.id_from(consultation_id)
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        consultation_rows.find(tx, found_id)
    with platform.current().store.transaction(identity.scope(), CODE) as tx:
        gathered = facts.gather(tx, here().tenant, found_id)
        wanted = facts.meeting_wanted(here().tenant, gathered, str(derived_id(found_id, "meeting")))
        body = invitation(wanted, "REQUEST", gathered.join_url, now=tx.now)
    return Response(body, mimetype="text/calendar", headers={"Content-Disposition": "attachment; filename=session.ics"})
