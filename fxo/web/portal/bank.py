"""What stands between a card and its answer: still asking, the bank's own question, and the way back from it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import redirect, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.partners import queries as partners
from fxo.core.partners.queries import Profile
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, Permission
from fxo.core.work import rows
from fxo.core.work.perform import Outcome
from fxo.web import choices, identity
from fxo.web.frame import frame
from fxo.web.places import here
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.checkout import hold_shown
from fxo.web.portal.readers import partner_shown, span_shown
from fxo.web.portal.slots import taken


@blueprint.get("/book/<consultation_id>/checking")
@identity.needs(Permission.BOOK)
def checking(consultation_id: str) -> ResponseReturnValue:
    """Where an attempt stands: on to the session, to the bank, back to the card, or still asking (never "declined" for
    want of an answer).
    """
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if row.state == "lost":
        return _taken_too_late(row)
    match paying.attempt if paying else "":
        case "challenged":
            return redirect(f"/book/{row.id}/bank", 303)
        case "requested":
            return _still_checking(row, profile, now, f"/book/{row.id}/checking")
    return redirect(_settled_at(row, paying), 303)


def _settled_at(row: ConsultationRow, paying: payment_rows.PaymentRow | None) -> str:
    """The page that shows how the attempt ended."""
    if row.state in ("held", "released"):
        return f"/book/{row.id}"
    declined = paying is not None and paying.changing == "declined"
    where = "card" if row.state == "confirmed" and paying is not None and paying.state == "card_saved" else "pay"
    return f"/sessions/{row.id}/{where}" if declined else f"/sessions/{row.id}"


def _still_checking(row: ConsultationRow, profile: Profile, now: datetime, poll_url: str) -> ResponseReturnValue:
    return render_template(
        "portal/checking.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        amount=str(row.price),
        poll_url=poll_url,
    )


@blueprint.get("/book/<consultation_id>/bank")
@identity.needs(Permission.BOOK)
def bank(consultation_id: str) -> ResponseReturnValue:
    """The bank wants the client's own word."""
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if paying is None or paying.attempt != "challenged":
        return redirect(f"/book/{row.id}/checking", 303)
    return render_template(
        "portal/challenge.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        amount=str(row.price),
        kept=paying.authorise_at is not None and paying.authorise_at > now,
        bank_url=paying.challenge_url,
        hold=hold_shown(row, now, identity.required().zone) if row.state == "held" and row.held_until > now else None,
    )


@blueprint.get("/book/<consultation_id>/return")
@identity.needs(Permission.BOOK)
def back_from_bank(consultation_id: str) -> ResponseReturnValue:
    """The client is back from the bank: ask the provider how it stands. The address itself proves nothing (hard case 7)."""
    parts, config = platform.current(), here().tenant
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if paying and paying.attempt == "challenged" and paying.order_reference:
        work_id = choices.id_from(paying.order_reference)
        woken = parts.store.run(identity.scope(), CODE, rows.wake, work_id, offer=False)
        if woken and parts.performer.perform(config.id, work_id) is Outcome.NOT_NOW:
            # The provider has told a worker meanwhile: wait for it, rather than ask the client to confirm once more.
            return _still_checking(row, profile, now, f"/book/{row.id}/return")
    return redirect(f"/book/{row.id}/checking", 303)


def _paying(consultation_id: UUID) -> tuple[ConsultationRow, payment_rows.PaymentRow | None, Profile, datetime]:
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        return row, payment_rows.find(tx, payment_id_of(row.id)), partners.profile(tx, row.partner_id), tx.now


def _taken_too_late(row: ConsultationRow) -> ResponseReturnValue:
    """The money came after the hold, and the time is gone: told at once, with alternatives (hard case 6)."""
    return taken(row.partner_id, row.starts_at, str(row.brief_id) if row.brief_id else "", charged=True)
