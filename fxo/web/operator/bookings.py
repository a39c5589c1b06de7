"""One booking as the operator sees it: states and amounts, no client's name, and of words those that were written to us."""

from __future__ import annotations

from uuid import UUID

from flask.typing import ResponseReturnValue

from fxo.core.consultations import queries as consultations
from fxo.core.scope import Permission
from fxo.core.work import alarms
from fxo.tenants import operations
from fxo.web import amounts, choices, identity, shown
from fxo.web.language import _
from fxo.web.operator.blueprint import blueprint, page, used
from fxo.web.operator.deciding import cancelling, case_shown, evidence, parties

_BADGES = {
    "held": "info", "confirmed": "success", "started": "info", "completed": "", "cancelled": "danger", "lost": "danger",
    "released": "", "requested": "info", "declined": "", "missed": "warning", "contested": "warning", "settled": "",
    "decided": "",
}  # fmt: skip


def _state(state: str) -> str:
    return {
        "held": _("On hold"), "confirmed": _("Booked"), "started": _("Under way"), "completed": _("Completed"),
        "cancelled": _("Cancelled"), "lost": _("Time was lost"), "released": _("Hold ended"),
        "requested": _("Asked for"), "declined": _("Declined"), "missed": _("Missed"), "contested": _("Contested"),
        "settled": _("Missed, settled"), "decided": _("Decided"),
    }.get(state, state)  # fmt: skip


@blueprint.get("/bookings/<tenant_id>/<consultation_id>")
@identity.needs(Permission.RUN_PLATFORM)
def booking(tenant_id: str, consultation_id: str) -> ResponseReturnValue:
    """Where it stands, and where its money stands."""
    return show(choices.id_from(tenant_id), choices.id_from(consultation_id), {})


def show(found_tenant: UUID, found: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The page, with a form of it that has to be mended."""
    with used(f"booking {found}") as tx:
        one, (number, _settled) = operations.booking(tx, found_tenant, found), alarms.counts(tx)
        case, now = consultations.case_of(tx, found_tenant, found), tx.now
    zone = identity.required().zone
    earns, keeps = one.price.split(one.partner_share)
    return page(
        "operator/booking.html", alarms=number, number=_("No. %(number)s", number=str(one.id)[-12:].upper()),
        badge={"text": _state(one.state), "kind": _BADGES.get(one.state, "")},
        facts=[
            {"label": _("Tenant"), "value": one.tenant, "url": f"/tenants/{one.tenant_id}"},
            {"label": _("Expert"), "value": one.partner, "url": f"/partners/{one.partner_id}"},
            {"label": _("Begins"), "value": shown.time(one.starts_at, zone)},
            *([{"label": _("Booked"), "value": shown.time(one.confirmed_at, zone)}] if one.confirmed_at else []),
            *([{"label": _("Completed"), "value": shown.time(one.completed_at, zone)}] if one.completed_at else []),
            *([{"label": _("Cancelled by"), "value": parties().get(one.ended_by, one.ended_by)}]
              if one.ended_by and one.state == "cancelled" else []),
            *([{"label": _("Reason"), "value": one.reason}] if one.reason else []),
            *evidence(one, zone, now),
        ],
        case=case_shown(case, one, zone, errors), cancel=cancelling(one, now, errors),
        money=[
            {"label": _("Price"), "value": str(one.price)},
            {"label": _("Split %(split)s", split=amounts.split(one.partner_share)), "value": f"{earns} / {keeps}"},
            {"label": _("Payment"), "value": one.payment or _("None yet")},
            *([{"label": _("Provider"), "value": one.provider}] if one.provider else []),
            *([{"label": _("Reason"), "value": one.payment_reason}] if one.payment_reason else []),
            *([{"label": _("Owed"), "value": str(one.fee)}] if one.fee and one.state != "contested" else []),
            {"label": _("Taken"), "value": str(one.captured), "total": True},
        ],
    ), status  # fmt: skip
