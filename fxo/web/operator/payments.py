"""Payments that need a person, all others, and one payment with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core import record
from fxo.core.consultations import queries as consultations
from fxo.core.errors import FxoError, Invalid, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import parse_id
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.payments import desk, receipts
from fxo.core.payments.desk import Row
from fxo.core.scope import ActorKind, Permission, tenant_scope
from fxo.core.work import alarms
from fxo.tenants import operations
from fxo.web import amounts, choices, forms, identity, paging, papers, shown, timeline
from fxo.web.language import _, said
from fxo.web.operator.blueprint import act, blueprint, page, used
from fxo.web.said import done

_OWED = ("owing", "client_asked", "needs_person")


def number(row: Row) -> str:
    """What people call a payment: the end of its booking's id."""
    return _("No. %(number)s", number=str(row.consultation_id)[-12:].upper())


def badge(row: Row) -> dict[str, str]:
    """The state in a word or two."""
    if row.dispute in ("open", "answered"):
        return {"text": _("Disputed"), "kind": "danger"}
    if row.dispute == "lost":
        return {"text": _("Dispute lost"), "kind": "danger"}
    if row.refunded.minor:
        return {"text": _("Refunded") if not row.kept.minor else _("Part refunded"), "kind": ""}
    return {
        "requested": {"text": _("Being asked"), "kind": "info"}, "challenged": {"text": _("At the bank"), "kind": "info"},
        "declined": {"text": _("Declined"), "kind": "danger"}, "card_saved": {"text": _("Card kept"), "kind": ""},
        "authorised": {"text": _("Held"), "kind": "info"}, "captured": {"text": _("Paid"), "kind": "success"},
        "voided": {"text": _("Released"), "kind": ""}, "abandoned": {"text": _("Nothing charged"), "kind": ""},
        "handed_over": {"text": _("With another booking"), "kind": ""},
        "owing": {"text": _("Being charged"), "kind": "info"}, "client_asked": {"text": _("Client asked"), "kind": "warning"},
        "needs_person": {"text": _("Needs you"), "kind": "danger"},
    }.get(row.state, {"text": row.state, "kind": ""})  # fmt: skip


def note(row: Row, zone: str) -> str:
    """What is to be known beside the state."""
    if row.dispute == "open" and row.dispute_until:
        return _("Answer by %(when)s", when=shown.time(row.dispute_until, zone)["text"])
    if row.dispute == "answered":
        return _("Answered, the bank decides")
    if row.refunded.minor:
        return _("%(amount)s back", amount=row.refunded)
    if row.state in _OWED and row.due:
        return _("%(amount)s owed: %(reason)s", amount=row.due, reason=reason(row.reason))
    if row.state == "authorised" and row.capture_before:
        return _("Expires %(when)s", when=shown.time(row.capture_before, zone)["text"])
    return reason(row.reason) if row.state == "declined" else ""


def reason(code: str | None) -> str:
    """A code of the payment's, for people."""
    return {
        "card_declined": _("the bank declined"), "insufficient_funds": _("not enough on the card"),
        "expired_card": _("the card has expired"), "authentication_required": _("the bank wants the client's word"),
        "authorisation_expired": _("the hold ran out"), "authorisation_voided": _("the hold was ended at the bank"),
        "client_silent": _("the client has not answered"),
    }.get(code or "", (code or "").replace("_", " "))  # fmt: skip


@blueprint.get("/payments")
@identity.needs(Permission.RUN_PLATFORM)
def payments_list() -> ResponseReturnValue:
    """The queue of payments that need a person, what waited longest first; and the other lists."""
    asked = paging.asked("show", "tenant")
    tab = asked.of("show") if asked.of("show") in desk.TABS else ""
    wanted = desk.Wanted(tab, parse_id(asked.of("tenant")), paging.SIZE, asked.offset)
    with used("payments") as tx:
        (rows, total), counts, pace, held = desk.find(tx, wanted), desk.counts(tx), desk.pace(tx), desk.held(tx)
        tenants, (waiting, _settled) = operations.tenants(tx), alarms.counts(tx)
    zone = identity.required().zone
    labels = {"": _("Need a person"), "disputes": _("Disputes"), "refunds": _("Refunds"), "all": _("All")}
    return page(
        "operator/payments.html", alarms=waiting, asked=asked, queue=not tab,
        stats=[
            {"label": _("Need a person"), "value": counts[""], "note": _("what waited longest comes first")},
            {"label": _("Held on cards"), "value": shown.total(held) or "0", "note": _("not taken yet")},
            {"label": _("Disputes"), "value": counts["disputes"], "note": _("open and decided")},
            {"label": _("From completed to paid"), "value": _seconds(pace.usual.total_seconds()) if pace else "–",
             "note": _("19 of 20 are faster; the slowest in 30 days took %(slowest)s",
                       slowest=_seconds(pace.slowest.total_seconds())) if pace else _("nothing was paid in 30 days")},
        ],
        tabs=[{"label": label, "url": asked.url(show=key), "current": key == tab, "count": counts[key] if key != "all" else None}
              for key, label in labels.items()],
        tenants=[{"value": "", "label": _("Any tenant")}, *({"value": str(one.id), "label": one.name} for one in tenants)],
        rows=[
            {"url": f"/payments/{row.tenant_id}/{row.id}", "number": number(row), "when": shown.time(row.updated_at, zone),
             "amount": _amount(row).exact, "tenant": row.tenant,
             "partner": row.partner, "badge": badge(row), "note": note(row, zone)}
            for row in rows
        ],
        foot=paging.foot(asked, total, len(rows)),
    )  # fmt: skip


def _amount(row: Row) -> Money:
    """What the row is about: what was taken, what is owed, or else the price."""
    if row.captured.minor:
        return row.captured
    return row.due if row.due and row.due.minor else row.amount


def _seconds(seconds: float) -> str:
    return _("%(num)s s", num=f"{seconds:.1f}") if seconds < 100 else _("%(num)s min", num=f"{seconds / 60:.0f}")


@blueprint.get("/payments/<tenant_id>/<payment_id>")
@identity.needs(Permission.RUN_PLATFORM)
def payment(tenant_id: str, payment_id: str) -> ResponseReturnValue:
    """One payment: where it stands, what happened, what can be done."""
    return _payment(choices.id_from(tenant_id), choices.id_from(payment_id), {}, {})


def _payment(
    tenant_id: UUID, payment_id: UUID, typed: dict[str, str], errors: dict[str, str], status: int = 200, *, problem: str = ""
) -> Any:
    with used(f"payment {payment_id}") as tx:
        row, (waiting, _settled) = desk.one(tx, tenant_id, payment_id), alarms.counts(tx)
    user, here = identity.required(), f"/payments/{tenant_id}/{payment_id}"
    with platform.current().store.transaction(tenant_scope(tenant_id), user.actor) as tx:
        brief_id = consultations.find(tx, row.consultation_id).brief_id
        events = record.story(tx, row.consultation_id, brief_id)
        papers_of, now = receipts.of_payment(tx, payment_id), tx.now
    return page(
        "operator/payment.html", alarms=waiting, number=number(row), badge=badge(row), here=here,
        typed=typed, errors=errors, problem=problem,
        standing=_standing(row, user.zone), longest=payments.LONGEST_NOTE, facts=_facts(row, user.zone), money=_money(row),
        steps=timeline.told(events, ActorKind.OPERATOR, user.zone, now),
        owed=row.due.exact if row.state in ("client_asked", "needs_person") and row.due else None,
        refundable=amounts.plain(row.kept) if row.state == "captured" and row.kept.minor and not _open(row) else None,
        currency=row.amount.currency, kept=row.kept.exact,
        dispute=_dispute(row, user.zone) if row.dispute else None,
        documents=[{"code": paper.code, "url": f"{here}/{paper.kind}-{paper.number}.pdf", "amount": paper.amount.exact,
                    "when": shown.time(paper.issued_at, user.zone)} for paper in papers_of],
        sandbox=platform.current().settings.demo and row.provider == "payments_sandbox" and row.state == "captured",
    ), status  # fmt: skip


def _open(row: Row) -> bool:
    return row.dispute in ("open", "answered")


def _standing(row: Row, zone: str) -> dict[str, str] | None:
    """What is to be said first."""
    if row.state == "needs_person":
        return {"kind": "danger", "title": _("This needs you."),
                "text": _("The saved card was refused and the client has not paid. Decide below how it goes on.")}  # fmt: skip
    if row.state == "client_asked":
        return {"kind": "warning", "title": _("The client was asked for another card."),
                "text": _("They have a link in their mail. If they do nothing within three days, it becomes yours.")}  # fmt: skip
    if row.dispute == "open" and row.dispute_until:
        return {"kind": "danger", "title": _("The cardholder disputes this payment."),
                "text": _("Evidence is heard until %(when)s. Until it is decided nothing can be given back.",
                          when=shown.time(row.dispute_until, zone)["text"])}  # fmt: skip
    return None


def _facts(row: Row, zone: str) -> list[dict[str, Any]]:
    through = {"platform": _("The platform's account"), "tenant": _("The tenant's own account"), "hand": _("By hand")}
    return [
        {"label": _("Tenant"), "value": row.tenant, "url": f"/tenants/{row.tenant_id}"},
        {"label": _("Expert"), "value": row.partner, "url": f"/partners/{row.partner_id}"},
        {"label": _("Session"), "value": shown.time(row.starts_at, zone),
         "url": f"/bookings/{row.tenant_id}/{row.consultation_id}"},
        {"label": _("Card"), "value": row.card or _("None yet")},
        {"label": _("Through"), "value": through.get(row.through, row.through)},
        {"label": _("Provider"), "value": row.provider, "note": row.provider_reference or ""},
    ]  # fmt: skip


def _money(row: Row) -> list[dict[str, Any]]:
    found = [{"label": _("Price"), "value": row.amount.exact}]
    if row.due is not None:
        found.append({"label": _("Owed"), "value": row.due.exact})
    found.append({"label": _("Taken"), "value": row.captured.exact})
    if row.refunded.minor:
        found.append({"label": _("Given back"), "value": f"-{row.refunded.exact}"})
    if row.lost.minor:
        found.append({"label": _("Lost in a dispute"), "value": f"-{row.lost.exact}"})
    found.append({"label": _("Kept"), "value": row.kept.exact, "total": True})  # type: ignore[dict-item]
    if row.captured.minor and row.through != "hand":
        fee = row.provider_fee.exact if row.provider_fee else _("not known yet")
        found.append({"label": _("Payment provider's fee"), "value": fee, "note": amounts.bearer(row.fee_bearer)})
    return found


def _dispute(row: Row, zone: str) -> dict[str, Any]:
    states = {
        "open": _("Waits for evidence"), "answered": _("The bank decides"), "won": _("Won"), "lost": _("Lost"),
    }  # fmt: skip
    return {
        "open": row.dispute == "open",
        "rows": [
            {"label": _("State"), "value": states[row.dispute or ""]},
            *([{"label": _("Disputed"), "value": row.disputed.exact}] if row.disputed else []),
            *([{"label": _("Evidence is heard until"), "value": shown.time(row.dispute_until, zone)}]
              if row.dispute == "open" and row.dispute_until else []),
        ],
    }  # fmt: skip


# What the operator does --------------------------------------------------------------------------------------------

_DECISIONS: dict[str, tuple[Callable[..., None], Callable[[], str]]] = {
    "retry": (payments.retry, lambda: _("The card is charged again. The outcome appears here in a moment.")),
    "ask": (payments.ask_client, lambda: _("The client has a new link to pay with another card.")),
    "waive": (payments.waive, lambda: _("Nothing is owed any more.")),
    "by-hand": (payments.enter_by_hand, lambda: _("It is entered as paid by hand, and the receipt goes out.")),
    "answer": (payments.answer_dispute, lambda: _("The evidence is on its way to the bank.")),
}


@blueprint.post("/payments/<tenant_id>/<payment_id>/<what>")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def decide(tenant_id: str, payment_id: str, what: str) -> ResponseReturnValue:
    """Decide about it, with the reason why."""
    tenant, found, why = choices.id_from(tenant_id), choices.id_from(payment_id), request.form.get("note", "")
    try:
        if what == "refund":
            said_so = _refund(tenant, found, why)
        elif what in _DECISIONS:
            command, sentence = _DECISIONS[what]
            act(f"payment {found}: {what}", tenant_scope(tenant), command, found, why)
            said_so = sentence()
        elif what in ("dispute", "won", "lost"):
            said_so = _in_the_sandbox(tenant, found, what)
        else:
            raise NotFound("There is no such thing to do.")
    except Invalid as error:
        field = f"{error.field or 'note'}-{what}"
        return _payment(tenant, found, {f"note-{what}": why, f"amount-{what}": request.form.get("amount", "")},
                        {field: said(error)}, error.status)  # type: ignore[no-any-return]  # fmt: skip
    except FxoError as error:
        if error.status != 409:
            raise
        return _payment(tenant, found, {f"note-{what}": why}, {}, 409, problem=said(error))  # type: ignore[no-any-return]
    done(said_so)
    return redirect(f"/payments/{tenant}/{found}", 303)


def _refund(tenant: UUID, found: UUID, why: str) -> str:
    with used(f"payment {found}: refund") as tx:
        row = desk.one(tx, tenant, found)
    amount = amounts.money_from(request.form.get("amount", ""), row.amount.currency, "amount", least=0)
    act(f"payment {found}: refund {amount}", tenant_scope(tenant), payments.refund, found, amount, why)
    return _("%(amount)s is on its way back. The client gets a credit note.", amount=amount)


def _in_the_sandbox(tenant: UUID, found: UUID, what: str) -> str:
    """What a cardholder and their bank do elsewhere; only in the demo, where the card network is ours."""
    parts = platform.current()
    with used(f"sandbox: {what} {found}") as tx:
        row = desk.one(tx, tenant, found)
    if not parts.settings.demo or row.provider != "payments_sandbox" or not row.provider_reference:
        raise NotFound("There is no such thing to do.")
    from fxo.plugins.payments_sandbox.provider import Sandbox

    def config(tx: Transaction) -> Any:
        return parts.records.of_scope(tx)

    with parts.store.transaction(tenant_scope(tenant), identity.required().actor) as tx:
        card_network = Sandbox(parts.providers.context(config(tx), "payments_sandbox"))
    if what == "dispute":
        card_network.dispute(row.provider_reference)
        return _("The cardholder has opened a dispute. It appears here as soon as the network's notice has come.")
    card_network.decide_dispute(row.provider_reference, won=what == "won")
    return _("The cardholder's bank has decided. It appears here as soon as the network's notice has come.")


@blueprint.get("/payments/<tenant_id>/<payment_id>/<kind>-<int:paper>.pdf")
@identity.needs(Permission.RUN_PLATFORM)
def document(tenant_id: str, payment_id: str, kind: str, paper: int) -> ResponseReturnValue:
    """A receipt or credit note of this payment."""
    tenant, found = choices.id_from(tenant_id), choices.id_from(payment_id)
    with used(f"payment {found}: {kind} {paper}"):
        pass
    with platform.current().store.transaction(tenant_scope(tenant), identity.required().actor) as tx:
        of_it = [each for each in receipts.of_payment(tx, found) if (str(each.kind), each.number) == (kind, paper)]
        config = platform.current().records.of_scope(tx)
    if not of_it:
        raise NotFound("There is no such document.")
    return papers.response(config, of_it[0])


@blueprint.get("/payments/<tenant_id>/<payment_id>/record.json")
@identity.needs(Permission.RUN_PLATFORM)
def booking_record(tenant_id: str, payment_id: str) -> ResponseReturnValue:
    """The booking record: the events with their hashes."""
    tenant, found = choices.id_from(tenant_id), choices.id_from(payment_id)
    with used(f"payment {found}: record") as tx:
        row = desk.one(tx, tenant, found)
    with platform.current().store.transaction(tenant_scope(tenant), identity.required().actor) as tx:
        body = record.export(tx, row.consultation_id)
    name = f"booking-{str(row.consultation_id)[-12:]}.json"
    return Response(body, mimetype="application/json", headers={"Content-Disposition": f"attachment; filename={name}"})
