"""A client's receipts and credit notes, the booking record, and paying what is owed with another card."""

from __future__ import annotations

from uuid import UUID

from flask import Response, redirect, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core import record
from fxo.core.consultations import queries as consultation_rows
from fxo.core.errors import FxoError, Invalid, NotFound
from fxo.core.partners import queries as partners
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.payments import receipts
from fxo.core.payments.outcomes import Paper
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.receipts import Receipt
from fxo.core.scope import Permission
from fxo.web import choices, forms, identity, papers, security, shown
from fxo.web.frame import frame
from fxo.web.language import _, said
from fxo.web.places import here
from fxo.web.portal import planner
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.checkout import chosen_card, methods_shown
from fxo.web.portal.readers import partner_shown, span_shown

OWING = ("owing", "client_asked", "needs_person")
"""The states in which a client may pay with another card."""


@blueprint.get("/receipts")
@identity.needs(Permission.BOOK)
def receipts_page() -> ResponseReturnValue:
    """Every receipt and credit note of this client, the newest first."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        found = receipts.mine(tx)
    return render_template("portal/receipts.html", **frame(), rows=[row_shown(each, user.zone) for each in found])


def row_shown(paper: Receipt, zone: str) -> dict[str, object]:
    """A document in a list."""
    credit = paper.kind is Paper.CREDIT_NOTE
    return {
        "code": paper.code, "kind": _("Credit note") if credit else _("Receipt"), "url": url_of(paper),
        "amount": ("-" if credit else "") + paper.amount.exact, "when": shown.date(paper.issued_at, zone),
        "session": {"text": paper.expert, "url": f"/sessions/{paper.consultation_id}",
                    "note": shown.time(paper.starts_at, zone)["text"]},
        "tax": f"{paper.tax_name} {paper.tax.exact}" if paper.tax_rate else "",
    }  # fmt: skip


def url_of(paper: Receipt) -> str:
    """Where the document is downloaded."""
    return f"/receipts/{paper.kind}-{paper.number}.pdf"


@blueprint.get("/receipts/<kind>-<int:number>.pdf")
@identity.needs(Permission.BOOK)
def receipt_file(kind: str, number: int) -> ResponseReturnValue:
    """The document as a PDF; another client's is not found."""
    if kind not in tuple(Paper) or number > 2_000_000_000:
        raise NotFound("There is no such receipt here.")
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        found = receipts.find(tx, Paper(kind), number)
    return papers.response(here().tenant, found)


@blueprint.get("/sessions/<consultation_id>/record.json")
@identity.needs(Permission.BOOK)
def booking_record(consultation_id: str) -> ResponseReturnValue:
    """The booking's events with their hashes, for the client's own files."""
    found_id = choices.id_from(consultation_id)
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        body = record.export(tx, found_id)
    name = f"booking-{str(found_id)[-12:]}.json"
    return Response(body, mimetype="application/json", headers={"Content-Disposition": f"attachment; filename={name}"})


@blueprint.get("/sessions/<consultation_id>/pay")
@identity.needs(Permission.BOOK)
def pay_page(consultation_id: str) -> ResponseReturnValue:
    """Choose another card for what is owed; where nothing is, the session's page says how it stands."""
    return _pay_page(choices.id_from(consultation_id))


def _pay_page(consultation_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    parts, config, user = platform.current(), here().tenant, identity.required()
    with parts.store.transaction(identity.scope(), user.actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile, now = partners.profile(tx, row.partner_id), tx.now
    if paying is None or paying.state not in OWING or paying.due is None:
        return redirect(f"/sessions/{row.id}", 303)
    if paying.attempt in ("requested", "challenged"):
        return redirect(f"/book/{row.id}/checking", 303)
    setup = parts.providers.named(config, "payments", paying.provider).client_setup()
    security.allow(setup.csp_sources)
    with parts.store.transaction(identity.scope(), user.actor) as tx:
        cards = payment_rows.cards(tx, user.actor.id, paying.provider)
    error: dict[str, str] | None = {"title": _("Please look at your card."), "text": problem} if problem else None
    if not error and paying.changing == "declined":
        error = planner.refusal(paying.changing_reason or "card_declined", kept="")
    page = render_template(
        "portal/pay.html",
        **frame(),
        partner=partner_shown(profile),
        span=span_shown(row, profile, now),
        back={"label": _("Back to your session"), "url": f"/sessions/{row.id}"},
        why={
            "title": _("%(amount)s is still to be paid.", amount=paying.due.exact),
            "text": _("%(card)s was refused by its bank. Another card is charged at once, and the receipt comes by mail.",
                      card=paying.method_label or _("Your card")),
        },
        price_rows=[{"label": _("To be paid"), "value": paying.due.exact, "total": True}],
        methods=methods_shown(cards, user.zone),
        method="new",
        card=planner.card_field(setup, paying.due, holds=True),
        action=f"/sessions/{row.id}/pay",
        button_label=_("Pay %(amount)s", amount=paying.due.exact),
        consent=planner.consent(),
        error=error,
    )  # fmt: skip
    return page, status


@blueprint.post("/sessions/<consultation_id>/pay")
@identity.needs(Permission.BOOK)
@forms.once
def pay_due(consultation_id: str) -> ResponseReturnValue:
    """Charge this card for what is owed."""
    parts, config, user = platform.current(), here().tenant, identity.required()
    found_id = choices.id_from(consultation_id)
    try:
        work_id = parts.store.run(identity.scope(), user.actor, payments.pay_due, chosen_card(found_id))
    except Invalid as error:
        return _pay_page(found_id, said(error), 422)
    except FxoError as error:
        if error.code in ("payment_running", "no_card_wanted"):
            return redirect(f"/sessions/{found_id}/pay", 303)
        raise
    parts.performer.perform(config.id, work_id)
    return redirect(f"/book/{found_id}/checking", 303)
