"""Sessions about which their two people do not agree: the queue, deciding one, and cancelling for somebody."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import commands as consultations
from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.scope import Permission, tenant_scope
from fxo.core.work import alarms
from fxo.tenants import operations
from fxo.web import amounts, choices, forms, identity, paging, shown
from fxo.web.language import _, said
from fxo.web.operator import bookings
from fxo.web.operator.blueprint import act, blueprint, page, used
from fxo.web.operator.deciding import parties, says
from fxo.web.said import done


@blueprint.get("/cases")
@identity.needs(Permission.RUN_PLATFORM)
def cases() -> ResponseReturnValue:
    """What waits for a decision, the oldest first; or what was decided."""
    asked = paging.asked("state")
    decided, zone = asked.of("state") == "decided", identity.required().zone
    with used("cases") as tx:
        found, (number, _settled) = operations.cases(tx, decided=decided), alarms.counts(tx)
    return page(
        "operator/cases.html", alarms=number, decided=decided,
        tabs=[
            {"label": _("Open"), "url": asked.url(state=""), "current": not decided},
            {"label": _("Decided"), "url": asked.url(state="decided"), "current": decided},
        ],
        rows=[
            {
                "what": {"text": says()[one.says], "note": _("says %(who)s", who=parties()[one.opened_by]),
                         "url": f"/bookings/{one.tenant_id}/{one.consultation_id}"},
                "partner": {"text": one.partner, "note": one.tenant}, "opened": shown.time(one.opened_at, zone),
                "heard": _("Both are heard") if one.heard == 2 else _("One is heard"), "price": str(one.price),
                "fee": str(one.fee) if one.fee is not None else "",
            }
            for one in found
        ],
    )  # fmt: skip


@blueprint.post("/bookings/<tenant_id>/<consultation_id>/decide")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def decide_case(tenant_id: str, consultation_id: str) -> ResponseReturnValue:
    """What the client owes, and why; both of them read it."""
    found_tenant, found = choices.id_from(tenant_id), choices.id_from(consultation_id)
    with used(f"booking {found}: decides") as tx:
        one = operations.booking(tx, found_tenant, found)
    try:
        fee = _fee(one)
        act(f"booking {found}: decided", tenant_scope(found_tenant), consultations.decide, found, fee,
            request.form.get("words", ""))  # fmt: skip
    except Invalid as error:
        return bookings.show(found_tenant, found, {error.field or "fee": said(error)}, 422)
    with used(f"alarms: settled with the case {found}") as tx:
        alarms.settle(tx, found_tenant, derived_id(found, "alarm", "session.contested"), _("Decided."))
    done(_("It is decided. Both are told why, and the money follows."))
    return redirect("/cases", 303)


def _fee(one: operations.Booking) -> Money:
    match request.form.get("fee", ""):
        case "full":
            return one.price
        case "part":
            return amounts.money_from(request.form.get("part", ""), one.price.currency, "part")
        case "nothing":
            return Money(0, one.price.currency)
    raise Invalid(_("Please choose what the client pays."), field="fee")


@blueprint.post("/bookings/<tenant_id>/<consultation_id>/cancel")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def cancel_booking(tenant_id: str, consultation_id: str) -> ResponseReturnValue:
    """Cancel for somebody who cannot, for the client's fee or for nothing."""
    found_tenant, found = choices.id_from(tenant_id), choices.id_from(consultation_id)
    scope, form = tenant_scope(found_tenant), request.form
    try:
        act(f"booking {found}: cancelled", scope, _cancel, found, form.get("reason", ""), form.get("words", ""),
            waived="waived" in form)  # fmt: skip
    except Invalid as error:
        return bookings.show(found_tenant, found, {error.field or "reason": said(error)}, 422)
    done(_("The booking is cancelled, and both are told."))
    return redirect(f"/bookings/{found_tenant}/{found}", 303)


def _cancel(tx: Transaction, consultation_id: UUID, reason: str, words: str, *, waived: bool) -> None:
    config = platform.current().records.of_scope(tx)
    consultations.cancel(tx, config, consultation_id, reason, words=words, waived=waived)
