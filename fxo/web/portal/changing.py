"""Before the session: what cancelling costs and until when, another time, an expert's proposal, a request taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import changes
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import Party
from fxo.core.consultations.policy import Term, cancellation_terms, move_allowed
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.consultations.slots import Busy, without
from fxo.core.errors import Conflict, Invalid
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.partners.queries import Profile
from fxo.core.scope import Permission
from fxo.web import amounts, choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, said
from fxo.web.places import here
from fxo.web.portal import times
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import partner_shown, span_shown

SHOWN_AHEAD = timedelta(days=21)
"""How far ahead other times are shown."""


def reasons() -> list[dict[str, str]]:
    """Why a client cancels, as choices."""
    labels = {
        "plans_changed": _("My plans changed"), "not_needed": _("I do not need it any more"),
        "found_other": _("I found somebody else"), "other": _("Something else"),
    }  # fmt: skip
    return [{"value": code, "label": labels[code]} for code in changes.REASONS[Party.CLIENT]]


def plans(row: ConsultationRow, zone: str, now: datetime) -> dict[str, Any] | None:
    """What one may still change about a session, with what it costs; None where nothing may be changed any more."""
    if row.state not in ("confirmed", "started") or now >= row.ends_at:
        return None
    left = row.policy.moves - row.moves
    until = row.starts_at - timedelta(hours=row.policy.move_until_hours)
    may = row.state == "confirmed" and move_allowed(row.policy, row.moves, row.starts_at, now)
    term = term_now(row, now)
    cost = _("Cancelling is free.") if not term.amount.minor else _("Cancelling costs %(amount)s.", amount=term.amount)
    if term.until:
        when = shown.time(term.until, zone)["text"]
        cost = (
            _("Cancelling is free until %(when)s.", when=when)
            if not term.amount.minor
            else _("Cancelling costs %(amount)s until %(when)s.", amount=term.amount, when=when)
        )
    moving = _("Moving is free until %(when)s.", when=shown.time(until, zone)["text"]) if may else ""
    if not may and row.state == "confirmed":
        moving = _("It has been moved as often as its rules allow.") if left <= 0 else _("It is too late to move it.")
    return {
        "move_url": f"/sessions/{row.id}/move" if may else None,
        "cancel_url": f"/sessions/{row.id}/cancel",
        "text": " ".join(part for part in (moving, cost) if part),
    }


def term_now(row: ConsultationRow, now: datetime) -> Term:
    """What cancelling costs at the moment, and until when that holds."""
    terms = cancellation_terms(row.policy, row.price, row.starts_at)
    return next(term for term in terms if term.until is None or now <= term.until)


# Cancelling ---------------------------------------------------------------------------------------------------------


@blueprint.get("/sessions/<consultation_id>/cancel")
@identity.needs(Permission.BOOK)
def cancel_page(consultation_id: str) -> ResponseReturnValue:
    """Exactly what cancelling costs now, and until when that holds."""
    return _cancel_page(choices.id_from(consultation_id), {})


def _read(consultation_id: UUID) -> tuple[ConsultationRow, Profile, datetime]:
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        return row, partners.profile(tx, row.partner_id), tx.now


def _cancel_page(
    consultation_id: UUID, errors: dict[str, str], status: int = 200, *, changed: bool = False
) -> ResponseReturnValue:  # fmt: skip
    row, profile, now = _read(consultation_id)
    if plans(row, identity.required().zone, now) is None:
        return redirect(f"/sessions/{row.id}", 303)
    zone, term, first = identity.required().zone, term_now(row, now), profile.name.split()[0]
    free = not term.amount.minor
    rest = row.price - term.amount
    page = render_template(
        "portal/cancel.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        back={"label": _("Back to your session"), "url": f"/sessions/{row.id}"},
        action=f"/sessions/{row.id}/cancel",
        fee={
            "value": amounts.plain(term.amount),
            "title": _("Cancelling costs nothing") if free else _("Cancelling costs %(amount)s", amount=term.amount),
            "text": _cost_words(row, term, rest, zone),
        },
        changed=_("Cancelling costs %(amount)s now: a limit has passed since you opened the page.", amount=term.amount)
        if changed
        else "",
        later=_later(row, term, zone),
        move_url=(plans(row, zone, now) or {}).get("move_url"),
        first=first,
        reasons=reasons(),
        reason=request.form.get("reason", ""),
        words=request.form.get("words", ""),
        errors=errors,
        label=_("Cancel the session") if free else _("Cancel and pay %(amount)s", amount=term.amount),
        longest=consultations.LONGEST,
    )
    return page, status


def _cost_words(row: ConsultationRow, term: Term, rest: Money, zone: str) -> str:
    until = _(" This holds until %(when)s.", when=shown.time(term.until, zone)["text"]) if term.until else ""
    if not term.amount.minor:
        return _("What is held on your card is let go.") + until
    if rest.minor:
        words = _("%(amount)s is charged, and %(rest)s of what is held is let go.", amount=term.amount, rest=rest)
        return words + until
    return _("The whole price is charged, since the session is so near.") + until


def _later(row: ConsultationRow, now: Term, zone: str) -> list[str]:
    """What it costs after that, a sentence each."""
    terms = cancellation_terms(row.policy, row.price, row.starts_at)
    after = terms[terms.index(now) + 1 :]
    return [
        _("Then %(amount)s until %(when)s.", amount=term.amount, when=shown.time(term.until, zone)["text"])
        if term.until
        else _("From then on the whole %(amount)s.", amount=term.amount)
        for term in after
    ]


@blueprint.post("/sessions/<consultation_id>/cancel")
@identity.needs(Permission.BOOK)
@forms.once
def cancel(consultation_id: str) -> ResponseReturnValue:
    """Cancel for what the page said; where it costs something else by now, ask again."""
    found_id, config = choices.id_from(consultation_id), here().tenant
    row, _profile, _now = _read(found_id)
    reason, words = request.form.get("reason", ""), request.form.get("words", "")
    try:
        agreed = _agreed(request.form.get("fee", ""), row.price.currency)
        platform.current().store.run(
            identity.scope(), identity.required().actor, consultations.cancel, config, found_id, reason, words=words,
            agreed=agreed,
        )  # fmt: skip
    except changes.PriceChanged:
        return _cancel_page(found_id, {}, 409, changed=True)
    except Invalid as error:
        return _cancel_page(found_id, {error.field or "reason": said(error)}, 422)
    return redirect(f"/sessions/{found_id}", 303)


def _agreed(text: str, currency: str) -> Money:
    """What the page said; a form without it agrees to nothing, which a charge then contradicts."""
    if text in ("", "0"):
        return Money(0, currency)
    return amounts.money_from(text, currency, "fee")


# Moving -------------------------------------------------------------------------------------------------------------


@blueprint.get("/sessions/<consultation_id>/move")
@identity.needs(Permission.BOOK)
def move_page(consultation_id: str) -> ResponseReturnValue:
    """Other times of the same expert."""
    return _move_page(choices.id_from(consultation_id))


def _move_page(consultation_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    row, profile, now = _read(consultation_id)
    zone = identity.required().zone
    offered = plans(row, zone, now)
    if offered is None or (offered["move_url"] is None and not row.proposed):
        return redirect(f"/sessions/{row.id}", 303)
    external = _external(row, now)
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        found = consultation_rows.open_for_move(tx, row.partner_id, row.starts_at, external or ())
    starts = [] if external is None else [start for start in found if start < now + SHOWN_AHEAD]
    there = profile.zone if profile.zone != zone else ""
    page = render_template(
        "portal/move.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        back={"label": _("Back to your session"), "url": f"/sessions/{row.id}"},
        action=f"/sessions/{row.id}/move",
        problem=problem,
        unknown=external is None,
        days=times.by_day(starts, zone, there, profile.name, now),
        left=row.policy.moves - row.moves,
        money=_(
            "The payment goes along. Where the new time lies beyond what your bank holds, the amount is held anew, never twice."
        ),
        cancel_url=f"/sessions/{row.id}/cancel",
    )  # fmt: skip
    return page, status


def _external(row: ConsultationRow, now: datetime) -> Busy | None:
    """When the expert's own calendar says that they are taken, but for this session; None where it cannot be read."""
    parts = platform.current()
    window = (now, now + SHOWN_AHEAD)
    found = calendars.external_busy(parts.providers, here().tenant, [row.partner_id], window).get(row.partner_id)
    return None if found is None else without(found, (row.starts_at, row.ends_at))


@blueprint.post("/sessions/<consultation_id>/move")
@identity.needs(Permission.BOOK)
@forms.once
def move(consultation_id: str) -> ResponseReturnValue:
    """Take this time: the old one is free in the same moment."""
    found_id = choices.id_from(consultation_id)
    row, _profile, now = _read(found_id)
    starts_at = choices.instant_from(request.form.get("slot", ""))
    external = _external(row, now)
    if external is None and starts_at not in row.proposed:
        return _move_page(found_id, _("The calendar cannot be read at the moment. Please try again in a few minutes."), 409)
    try:
        platform.current().store.run(
            identity.scope(), identity.required().actor, consultations.move, found_id, starts_at, external=external or ()
        )
    except consultations.SlotTaken:
        return _move_page(found_id, _("Somebody was a moment faster and has that time now. Your session is where it was."), 409)
    except Conflict as error:
        if error.code in ("moves_used", "too_late_to_move"):
            return _move_page(found_id, said(error), 409)
        raise
    return redirect(f"/sessions/{found_id}", 303)


# What an expert proposes, and a request -------------------------------------------------------------------------------


def proposal(row: ConsultationRow, zone: str, now: datetime) -> dict[str, Any] | None:
    """The times that the expert proposes, each one tap, and the way out."""
    if not row.proposed or row.state != "confirmed":
        return None
    ahead = [start for start in row.proposed if start > now]
    return {
        "slots": [shown.slot(start, zone, now=now) for start in ahead],
        "action": f"/sessions/{row.id}/move",
        "refuse": f"/sessions/{row.id}/refuse",
        "words": row.words,
    }


@blueprint.post("/sessions/<consultation_id>/refuse")
@identity.needs(Permission.BOOK)
@forms.once
def refuse(consultation_id: str) -> ResponseReturnValue:
    """None of the expert's times suits: cancelled, at no cost."""
    found_id = choices.id_from(consultation_id)
    platform.current().store.run(identity.scope(), identity.required().actor, consultations.refuse_move, found_id)
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.post("/sessions/<consultation_id>/withdraw")
@identity.needs(Permission.BOOK)
@forms.once
def withdraw(consultation_id: str) -> ResponseReturnValue:
    """The request is taken back before the expert has answered."""
    found_id = choices.id_from(consultation_id)
    platform.current().store.run(identity.scope(), identity.required().actor, consultations.end_request, found_id)
    return redirect(f"/sessions/{found_id}", 303)
