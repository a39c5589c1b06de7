"""What was paid out to a partner: each payout with the statement of its entries, and the same as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.ledger import queries as ledger
from fxo.core.money import Money
from fxo.core.scope import Permission
from fxo.web import choices, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.partner import words
from fxo.web.partner.blueprint import blueprint
from fxo.web.partner.sheets import cell, decimal


def kind(entry: ledger.Entry) -> str:
    """What an entry is, for people."""
    return {
        "earned": _("Your share"), "refunded": _("Refund to the client"), "frozen": _("Disputed, frozen"),
        "released": _("Dispute won"), "returned": _("Taken back from a payout"), "fee": _("Payment provider's fee"),
    }[entry.kind]  # fmt: skip


def less_fee(fee: Money) -> str:
    """What was taken off an amount already; nothing where the expert bears none of it."""
    return _("after %(fee)s for the payment provider", fee=fee.exact) if fee.minor else ""


def payout_row(one: ledger.Payout, zone: str) -> dict[str, Any]:
    """A payout in a list."""
    badges = {
        "planned": {"text": _("On its way"), "kind": "info"}, "paid": {"text": _("Paid"), "kind": "success"},
        "failed": {"text": _("Refused"), "kind": "danger"},
    }  # fmt: skip
    back = _("%(amount)s taken back later", amount=one.reversed) if one.reversed.minor else ""
    return {
        "when": shown.date(one.paid_at or one.planned_at, zone), "url": f"/earnings/payouts/{one.id}", "portal": one.tenant,
        "amount": one.amount.exact, "badge": badges[one.state], "note": back or one.reference or "",
    }  # fmt: skip


@blueprint.get("/earnings/payouts/<payout_id>")
@identity.needs(Permission.COMPLETE_SESSIONS)
def statement(payout_id: str) -> ResponseReturnValue:
    """The statement of one payout."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        payout, entries = ledger.my_payout(tx, choices.id_from(payout_id))
    row = payout_row(payout, user.zone)
    back = _("%(amount)s taken back later", amount=payout.reversed) if payout.reversed.minor else ""
    return render_template(
        "partner/payout.html", **frame(), row=row, back=back, file_url=f"{row['url']}.csv",
        facts=[
            {"label": _("Portal"), "value": payout.tenant},
            {"label": _("Paid"), "value": shown.time(payout.paid_at, user.zone) if payout.paid_at else _("not yet")},
            {"label": _("Way"), "value": _("Bank transfer") if payout.way == "hand" else _("Payment provider"),
             "note": payout.reference or ""},
            {"label": _("Amount"), "value": payout.amount.exact, "total": True},
        ],
        entries=[
            {"when": shown.time(each.at, user.zone), "what": kind(each), "amount": each.amount.exact,
             "less": less_fee(each.fee) if each.kind != "fee" else "",
             "number": words.number(each.consultation_id) if each.consultation_id else "",
             "url": f"/sessions/{each.consultation_id}" if each.consultation_id else ""}
            for each in entries
        ],
    )  # fmt: skip


@blueprint.get("/earnings/payouts/<payout_id>.csv")
@identity.needs(Permission.COMPLETE_SESSIONS)
def statement_file(payout_id: str) -> ResponseReturnValue:
    """The statement for a spreadsheet."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        payout, entries = ledger.my_payout(tx, choices.id_from(payout_id))
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow((_("Date"), _("Session"), _("What"), _("Portal"), _("Amount"), _("Currency"), _("Provider's fee, taken off")))
    for each in entries:
        session = words.short_number(each.consultation_id) if each.consultation_id else ""
        line = (each.at.isoformat(timespec="minutes"), session, kind(each), each.tenant)
        sheet.writerow((*map(cell, line), decimal(each.amount), each.amount.currency, decimal(each.fee)))
    headers = {"Content-Disposition": f"attachment; filename=payout-{str(payout.id)[-12:]}.csv"}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers=headers)
