"""From a held slot to a paid booking: one page, one button."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
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
from fxo.core.payments.plan import Mode
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, Permission
from fxo.web import booking, choices, forms, identity, security, shown
from fxo.web.frame import frame
from fxo.web.language import _, said
from fxo.web.places import here
from fxo.web.portal import planner
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import partner_shown, span_shown


@blueprint.get("/book/<consultation_id>")
@identity.needs(Permission.BOOK)
def checkout(consultation_id: str) -> ResponseReturnValue:
    """One page, one button; or where the booking stands already."""
    return _checkout(choices.id_from(consultation_id))


def _checkout(consultation_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.required().actor
    with parts.store.transaction(scope, actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile = partners.profile(tx, row.partner_id)
        now = tx.now
    elsewhere = _elsewhere(row, paying)
    if elsewhere:
        return elsewhere
    if row.state != "held" or row.held_until <= now:
        return _hold_ended(row, profile, now)
    name, provider = parts.providers.chain(config, "payments")[0]
    windows, setup = provider.windows(), provider.client_setup()
    security.allow(setup.csp_sources)
    with parts.store.transaction(scope, actor) as tx:
        plan = payments.plan_of(tx, row, windows)
        cards = payment_rows.cards(tx, actor.id, name)
    zone, first = identity.required().zone, profile.name.split()[0]
    until = shown.clock(row.held_until, zone)
    error = {"title": _("Please look at your card."), "text": problem} if problem else None
    if not error and paying and paying.state == "declined":
        kept = _("Your time stays held until %(time)s.", time=until)
        error = planner.refusal(paying.reason or "card_declined", kept=kept)
    page = render_template(
        "portal/checkout.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        back=_back(row),
        other_times_url=_times_url(row),
        hold=hold_shown(row, now, zone),
        price_rows=planner.price_rows(row, plan, zone),
        steps=planner.steps(row, plan, zone, first),
        rules=planner.rules(plan.terms, zone, first),
        methods=methods_shown(cards, zone),
        method=str(cards[0].id) if cards and not error else "new",
        card=planner.card_field(setup, row.price, holds=plan.mode is Mode.AUTHORISE_NOW),
        resting=parts.providers.resting(config, "payments", name),
        action=f"/book/{row.id}",
        button_label=planner.button(row, plan, first),
        consent=planner.consent(),
        terms_url="/terms",
        error=error,
    )
    return page, status


def methods_shown(cards: list[payment_rows.Card], zone: str) -> list[dict[str, str]]:
    """The client's saved cards as choices, the one used last first."""
    return [
        {
            "value": str(card.id),
            "label": card.label,
            "note": _("Used last on %(when)s", when=shown.time(card.saved_at, zone)["text"]),
        }
        for card in cards
    ]


def hold_shown(row: ConsultationRow, now: datetime, zone: str) -> dict[str, Any]:
    """The timer of a held slot."""
    return {
        "text": _("This time is held for you until %(time)s", time=shown.clock(row.held_until, zone)),
        "left": max(0, int((row.held_until - now).total_seconds())),
        "total": platform.current().settings.claim_minutes * 60,
        "ended_url": f"/book/{row.id}",
    }


def _back(row: ConsultationRow) -> dict[str, str]:
    if row.brief_id:
        return {"label": _("Back to your shortlist"), "url": f"/briefs/{row.brief_id}"}
    return {"label": _("Back"), "url": f"/experts/{row.partner_id}"}


def _times_url(row: ConsultationRow) -> str:
    return f"/experts/{row.partner_id}" + (f"?{urlencode({'brief': str(row.brief_id)})}" if row.brief_id else "")


def _elsewhere(row: ConsultationRow, paying: payment_rows.PaymentRow | None) -> ResponseReturnValue | None:
    """Where a booking that is past checkout has its page."""
    if row.state not in ("held", "released", "lost"):
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
    kept = {"partner": str(row.partner_id)} | ({"brief": str(row.brief_id)} if row.brief_id else {})
    free = bool(around.get(row.partner_id))
    page = render_template(
        "portal/hold_ended.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        free=free,
        hold_action="/holds",
        hold_fields=kept | ({"slot": row.starts_at.isoformat()} if free else {}),
        slots=[shown.slot(start, identity.required().zone, now=now) for start in nearest],
        all_times_url=_times_url(row),
        back=_back(row),
    )
    return page, 410


@blueprint.post("/book/<consultation_id>")
@identity.needs(Permission.BOOK)
@forms.once
def pay(consultation_id: str) -> ResponseReturnValue:
    """Authorise and book: the request itself asks the provider, holding the lease; a worker finishes it if this process dies."""
    found_id = choices.id_from(consultation_id)
    try:
        booking.pay(identity.required().actor, chosen_card(found_id))
    except Gone:
        return redirect(f"/book/{found_id}", 303)
    except Invalid as error:
        return _checkout(found_id, said(error), 422)
    except FxoError as error:
        if error.code in ("payment_running", "already_paid"):
            return redirect(f"/book/{found_id}", 303)
        raise
    return redirect(f"/book/{found_id}/checking", 303)


def chosen_card(consultation_id: UUID) -> payments.Pay:
    """The card that the form chose: a saved one by its id, or the token of a new one."""
    return payments.Pay(consultation_id, request.form.get("method_token", "")[:400], parse_id(request.form.get("method", "")))
