"""Another card for a session whose saved card is still to be held: by choice, or since the bank refused it (hard case 2)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import redirect, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import queries as consultation_rows
from fxo.core.errors import FxoError, Invalid
from fxo.core.partners import queries as partners
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.plan import Mode, after_refusal
from fxo.core.payments.queries import PaymentRow, payment_id_of
from fxo.core.scope import Permission
from fxo.web import choices, forms, identity, security, shown
from fxo.web.frame import frame
from fxo.web.language import _, said
from fxo.web.places import here
from fxo.web.portal import planner
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.checkout import chosen_card, methods_shown
from fxo.web.portal.readers import partner_shown, span_shown


@blueprint.get("/sessions/<consultation_id>/card")
@identity.needs(Permission.BOOK)
def card(consultation_id: str) -> ResponseReturnValue:
    """Choose a card; where none is waited for, the session's page says how it stands."""
    return _card_page(choices.id_from(consultation_id))


def _card_page(consultation_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    parts, config, user = platform.current(), here().tenant, identity.required()
    with parts.store.transaction(identity.scope(), user.actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile, now = partners.profile(tx, row.partner_id), tx.now
    if row.state != "confirmed" or paying is None or paying.state != "card_saved":
        return redirect(f"/sessions/{row.id}", 303)
    if paying.attempt in ("requested", "challenged"):
        return redirect(f"/book/{row.id}/checking", 303)
    provider = parts.providers.named(config, "payments", paying.provider)
    windows, setup = provider.windows(), provider.client_setup()
    security.allow(setup.csp_sources)
    with parts.store.transaction(identity.scope(), user.actor) as tx:
        plan = payments.plan_of(tx, row, windows)
        cards = payment_rows.cards(tx, user.actor.id, paying.provider)
    first, now_held = profile.name.split()[0], plan.mode is Mode.AUTHORISE_NOW
    error: dict[str, str] | None = {"title": _("Please look at your card."), "text": problem} if problem else None
    if not error and paying.changing == "declined":
        error = planner.refusal(paying.changing_reason or "card_declined", kept=_("Your session stays booked."))
    page = render_template(
        "portal/card.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        back={"label": _("Back to your session"), "url": f"/sessions/{row.id}"},
        why=why_shown(paying, row.starts_at, user.zone, now),
        kind="warning" if paying.reason else "info",
        price_rows=planner.price_rows(row, plan, user.zone),
        steps=planner.steps(row, plan, user.zone, first),
        methods=methods_shown(cards, user.zone),
        method="new" if error or not cards else str(cards[0].id),
        card=planner.card_field(setup, row.price, holds=now_held),
        action=f"/sessions/{row.id}/card",
        button_label=_("Hold %(price)s on this card", price=str(row.price)) if now_held else _("Keep this card for the session"),
        consent=planner.consent(),
        error=error,
    )
    return page, status


def why_shown(paying: PaymentRow, starts_at: datetime, zone: str, now: datetime) -> dict[str, str]:
    """Why the client should, or may, look at the card: what happened, what it means, what to do."""
    assert paying.authorise_at is not None
    retry_at, give_up_at = after_refusal(starts_at, paying.authorise_at)
    retry, end = shown.time(retry_at, zone)["text"], shown.time(give_up_at, zone)["text"]
    if not paying.reason:
        return {
            "title": _("%(card)s is kept for this session.", card=paying.method_label),
            "text": _(
                "%(price)s is held on it on %(when)s. Another card takes its place as soon as its bank has agreed.",
                price=str(paying.amount), when=shown.time(paying.authorise_at, zone)["text"],
            ),
        }  # fmt: skip
    told = planner.refusal(paying.reason, kept="")["title"]
    return {
        "title": _("%(told)s Nothing was charged, and your time is still yours.", told=told),
        "text": _(
            "%(card)s is tried again on %(retry)s. If it is refused then, the time is given back on %(end)s, at no cost to you."
            " Choose another card, or the same one again: you can confirm it to your bank yourself.",
            card=paying.method_label, retry=retry, end=end,
        )
        if retry_at > now
        else _(
            "%(card)s was tried twice. Choose another card, or the same one again and confirm it to your bank yourself, until"
            " %(end)s; then the time is given back, at no cost to you.",
            card=paying.method_label, end=end,
        ),
    }  # fmt: skip


@blueprint.post("/sessions/<consultation_id>/card")
@identity.needs(Permission.BOOK)
@forms.once
def change_card(consultation_id: str) -> ResponseReturnValue:
    """Try this card now; the saved one stands until this one's bank has agreed."""
    parts, config, user = platform.current(), here().tenant, identity.required()
    found_id = choices.id_from(consultation_id)
    with parts.store.transaction(identity.scope(), user.actor) as tx:
        row = consultation_rows.find(tx, found_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
    if paying is None:
        return redirect(f"/sessions/{row.id}", 303)
    windows = parts.providers.named(config, "payments", paying.provider).windows()
    try:
        work_id = parts.store.run(
            identity.scope(), user.actor, payments.change_card, chosen_card(found_id), paying.provider, windows
        )
    except Invalid as error:
        return _card_page(found_id, said(error), 422)
    except FxoError as error:
        if error.code in ("payment_running", "no_card_wanted"):
            return redirect(f"/sessions/{found_id}/card", 303)
        raise
    parts.performer.perform(config.id, work_id)
    return redirect(f"/book/{found_id}/checking", 303)
