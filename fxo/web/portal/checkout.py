"""From a held slot to a paid booking: the card, the bank, and what stands in between."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import FxoError, Gone, Invalid
from fxo.core.ids import parse_id
from fxo.core.partners import queries as partners
from fxo.core.partners.queries import Profile
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.model import CONSENT
from fxo.core.payments.plan import Mode, Plan
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, Permission
from fxo.core.work import rows
from fxo.core.work.perform import Outcome
from fxo.web import choices, forms, identity, security, shown
from fxo.web.frame import frame
from fxo.web.places import here
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import partner_shown, reader_zone, span_shown
from fxo.web.portal.slots import taken

_REFUSALS = {
    "card_declined": "Your bank declined this card. Nothing was charged. Please try another card, or ask your bank.",
    "insufficient_funds": "The card has not enough funds for this. Nothing was charged. Please try another card.",
    "expired_card": "This card has expired. Nothing was charged. Please use another one.",
    "authentication_failed": "The confirmation at your bank was refused. Nothing was charged. Try again or use another card.",
    "abandoned": "Your bank did not hear from you in time. Nothing was charged. You can try again.",
    "provider_unavailable": "The payment service does not answer at the moment. Nothing was charged. Please try again.",
    "unknown_card": "This card number is not known here. Please check it.",
}


@blueprint.get("/book/<consultation_id>")
@identity.needs(Permission.BOOK)
def checkout(consultation_id: str) -> ResponseReturnValue:
    """One page, one button; or where the booking stands already."""
    return _checkout(choices.id_from(consultation_id))


def _checkout(consultation_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.required().actor
    with parts.store.transaction(scope, actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile = partners.profile(tx, row.partner_id)
        now = tx.now
    elsewhere = _elsewhere(row, paying, now)
    if elsewhere:
        return elsewhere
    if row.state != "held" or row.held_until <= now:
        return _hold_ended(row, profile, now)
    name, provider = parts.providers.chain(config, "payments")[0]
    windows, setup = provider.windows(), provider.client_setup()
    security.allow(setup.csp_sources)
    with parts.store.transaction(scope, actor) as tx:
        plan = payments.plan_of(tx, row, windows)
        saved = payment_rows.newest_card(tx, actor.id, name)
    zone = identity.required().zone
    refusal = error or (
        _REFUSALS.get(paying.reason or "", _REFUSALS["card_declined"]) if paying and paying.state == "declined" else ""
    )
    left = max(0, int((row.held_until - now).total_seconds()))
    page = render_template(
        "portal/checkout.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        back={"label": "Back", "url": f"/briefs/{row.brief_id}" if row.brief_id else "/"},
        other_times_url=f"/experts/{row.partner_id}",
        hold={
            "text": f"This time is held for you until {shown.clock(row.held_until, zone)}",
            "left": left,
            "total": parts.settings.claim_minutes * 60,
            "ended_url": f"/book/{row.id}",
        },
        price_rows=_price_rows(row, plan, zone),
        steps=_plan_steps(row, plan, zone),
        rules=_rules(plan, zone),
        methods=[{"value": str(saved.id), "label": saved.label, "note": "Saved from last time"}] if saved else [],
        method=str(saved.id) if saved and not refusal else "new",
        card={"module_url": setup.module_url, "config": dict(setup.public_config)},
        no_script="",
        action=f"/book/{row.id}",
        button_label=f"Authorise {row.price} and book"
        if plan.mode is Mode.AUTHORISE_NOW
        else f"Save the card and book for {row.price}",
        consent=CONSENT,
        terms_url=None,
        error={"title": "Please look at your card." if error else "That did not work.", "text": refusal} if refusal else None,
        fields={},
    )
    return page, status


def _elsewhere(row: ConsultationRow, paying: payment_rows.PaymentRow | None, now: datetime) -> ResponseReturnValue | None:
    """Where a booking that is past checkout has its page."""
    if row.state in ("confirmed", "started", "completed", "cancelled"):
        return redirect(f"/sessions/{row.id}", 303)
    if paying and paying.state == "challenged" and paying.challenge_url:
        return redirect(f"/book/{row.id}/bank", 303)
    if paying and paying.state == "requested":
        return redirect(f"/book/{row.id}/checking", 303)
    return None


def _hold_ended(row: ConsultationRow, profile: Profile, now: datetime) -> ResponseReturnValue:
    parts = platform.current()
    # The timer that gives the time back may be a moment behind this page.
    parts.store.run(identity.scope(), CODE, consultations.release, row.id, "expired")
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        nearest = consultation_rows.nearest_open(tx, row.partner_id, row.starts_at)
        around = consultation_rows.open_slots(tx, [row.partner_id], (row.starts_at, row.starts_at + timedelta(minutes=1)))
    page = render_template(
        "portal/hold_ended.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        free=bool(around.get(row.partner_id)),
        hold_action="/holds",
        hold_fields={"partner": str(row.partner_id), "slot": row.starts_at.isoformat()}
        | ({"brief": str(row.brief_id)} if row.brief_id else {}),
        slots=[shown.slot(start, reader_zone()) for start in nearest],
        back={"label": "Back", "url": f"/briefs/{row.brief_id}" if row.brief_id else "/"},
    )
    return page, 410


def _price_rows(row: ConsultationRow, plan: Plan, zone: str) -> list[dict[str, Any]]:
    if plan.mode is Mode.AUTHORISE_NOW:
        first = {"label": "Held on your card today", "value": str(row.price)}
    else:
        assert plan.authorise_at is not None
        first = {"label": f"Held on your card on {shown.time(plan.authorise_at, zone)['text']}", "value": str(row.price)}
    return [
        {"label": "60 minutes", "value": str(row.price)},
        first,
        {"label": "Paid after the session", "value": str(row.price), "total": True},
    ]


def _plan_steps(row: ConsultationRow, plan: Plan, zone: str) -> list[dict[str, Any]]:
    session = {
        "title": shown.time(row.starts_at, zone)["text"],
        "text": "Your session. The money is taken only once it is completed.",
        "state": "",
    }
    if plan.mode is Mode.AUTHORISE_NOW:
        return [{"title": "Today", "text": f"{row.price} is held on your card. Nothing is charged.", "state": "current"}, session]
    assert plan.authorise_at is not None
    return [
        {"title": "Today", "text": "Your card is kept. Nothing is held and nothing is charged.", "state": "current"},
        {"title": shown.time(plan.authorise_at, zone)["text"], "text": f"{row.price} is held on your card.", "state": ""},
        session,
    ]


def _rules(plan: Plan, zone: str) -> list[dict[str, str]]:
    rules = []
    for term in plan.terms:
        until = f"Until {shown.time(term.until, zone)['text']}:" if term.until else "After that:"
        rules.append(
            {"title": until, "text": "cancelling is free." if not term.amount.minor else f"cancelling costs {term.amount}."}
        )
    return rules


@blueprint.post("/book/<consultation_id>")
@identity.needs(Permission.BOOK)
@forms.once
def pay(consultation_id: str) -> ResponseReturnValue:
    """Authorise and book: the request itself asks the provider, holding the lease; a worker finishes it if this process dies."""
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.required().actor
    found_id = choices.id_from(consultation_id)
    name, provider = parts.providers.chain(config, "payments")[0]
    windows = provider.windows()
    wanted = payments.Pay(found_id, request.form.get("method_token", "")[:400], parse_id(request.form.get("method", "")))
    try:
        work_id = parts.store.run(scope, actor, payments.request, wanted, name, windows)
    except Gone:
        return redirect(f"/book/{found_id}", 303)
    except Invalid as error:
        return _checkout(found_id, error.message, 422)
    except FxoError as error:
        if error.code in ("payment_running", "already_paid"):
            return redirect(f"/book/{found_id}", 303)
        raise
    parts.performer.perform(config.id, work_id)
    return redirect(f"/book/{found_id}/checking", 303)


@blueprint.get("/book/<consultation_id>/checking")
@identity.needs(Permission.BOOK)
def checking(consultation_id: str) -> ResponseReturnValue:
    """Where an attempt stands: on to the session, to the bank, back to checkout, or still asking (never "declined" for
    want of an answer).
    """
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if row.state == "lost":
        return _taken_too_late(row)
    if (
        paying is None
        or paying.state in ("declined", "abandoned")
        or row.state in ("confirmed", "started", "completed", "cancelled")
    ):
        return redirect(f"/book/{row.id}" if paying is None or row.state in ("held", "released") else f"/sessions/{row.id}", 303)
    if paying.state == "challenged":
        return redirect(f"/book/{row.id}/bank", 303)
    return _still_checking(row, profile, now, f"/book/{row.id}/checking")


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
    if paying is None or paying.state != "challenged":
        return redirect(f"/book/{row.id}/checking", 303)
    return render_template(
        "portal/challenge.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        amount=str(row.price),
        bank_url=paying.challenge_url,
        bank_label="Go to your bank",
        hold=None,
    )


@blueprint.get("/book/<consultation_id>/return")
@identity.needs(Permission.BOOK)
def back_from_bank(consultation_id: str) -> ResponseReturnValue:
    """The client is back from the bank: ask the provider how it stands. The address itself proves nothing (hard case 7)."""
    parts, config = platform.current(), here().tenant
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if paying and paying.state == "challenged" and paying.order_reference:
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
