"""Payouts: what partners are owed, one press that pays it, and what was paid."""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import parse_id
from fxo.core.ledger import commands as ledger_commands
from fxo.core.ledger import queries as ledger
from fxo.core.money import Money
from fxo.core.scope import Permission, tenant_scope
from fxo.core.work import alarms
from fxo.web import choices, forms, identity, shown
from fxo.web.language import _, ngettext, said
from fxo.web.operator.blueprint import act, blueprint, page, used
from fxo.web.said import done


@blueprint.get("/payouts")
@identity.needs(Permission.RUN_PLATFORM)
def payouts() -> ResponseReturnValue:
    """What is owed to whom, and the newest payouts."""
    return _payouts({}, {})


def _payouts(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    with used("payouts") as tx:
        accounts, newest, (waiting, _settled) = ledger.accounts(tx), ledger.payouts(tx), alarms.counts(tx)
    zone = identity.required().zone
    nothing = str(Money(0, accounts[0].amount.currency)) if accounts else "0"
    owed = [one for one in accounts if one.amount.minor > 0]
    owing = [one for one in accounts if one.amount.minor < 0]
    tenants = {one.tenant_id: one.tenant for one in owed}
    return page(
        "operator/payouts.html", alarms=waiting, typed=typed, errors=errors,
        stats=[
            {"label": _("Owed to partners"), "value": shown.total(one.amount for one in owed) or nothing,
             "note": ngettext("%(num)s account", "%(num)s accounts", len(owed))},
            {"label": _("Owed by partners"), "value": shown.total(-one.amount for one in owing) or nothing,
             "note": _("set off against their next payouts")},
            {"label": _("On its way"), "value": shown.total(one.amount for one in newest if one.state == "planned") or nothing,
             "note": _("planned, not paid yet")},
        ],
        runs=[
            {"tenant_id": str(tenant_id), "tenant": name,
             "amount": shown.total(one.amount for one in owed if one.tenant_id == tenant_id),
             "people": ngettext("%(num)s partner", "%(num)s partners",
                                len({one.partner_id for one in owed if one.tenant_id == tenant_id}))}
            for tenant_id, name in sorted(tenants.items(), key=lambda each: each[1])
        ],
        accounts=[
            {"partner": one.partner, "tenant": one.tenant, "amount": one.amount.exact, "owes": one.amount.minor < 0,
             "entries": ngettext("%(num)s entry", "%(num)s entries", one.entries), "since": shown.time(one.since, zone)}
            for one in accounts
        ],
        payouts=[_row(one, zone) for one in newest],
    ), status  # fmt: skip


def _row(one: ledger.Payout, zone: str) -> dict[str, Any]:
    badges = {
        "planned": {"text": _("By bank, to be paid") if one.way == "hand" else _("On its way"), "kind": "info"},
        "paid": {"text": _("Paid"), "kind": "success"}, "failed": {"text": _("Refused"), "kind": "danger"},
    }  # fmt: skip
    back = _("%(amount)s taken back", amount=one.reversed) if one.reversed.minor else ""
    return {
        "id": str(one.id), "tenant_id": str(one.tenant_id), "partner": one.partner, "tenant": one.tenant,
        "amount": one.amount.exact, "badge": badges[one.state], "note": back or one.reference or one.reason or "",
        "when": shown.time(one.paid_at or one.planned_at, zone), "by_hand": one.way == "hand" and one.state == "planned",
    }  # fmt: skip


@blueprint.post("/payouts")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def run() -> ResponseReturnValue:
    """Pay what is owed in one tenant, or in all of them."""
    parts, only = platform.current(), parse_id(request.form.get("tenant", ""))
    planned = 0
    for config in parts.records.all():
        if only in (None, config.id):
            provider = parts.providers.chain(config, "payments")[0][0]
            planned += len(act(f"payouts of {config.slug}", tenant_scope(config.id), ledger_commands.plan, config, provider))
    if planned:
        done(ngettext("%(num)s payout is on its way.", "%(num)s payouts are on their way.", planned))
    else:
        done(_("Nothing is owed to anybody at the moment."))
    return redirect("/payouts", 303)


@blueprint.post("/payouts/<tenant_id>/<payout_id>/paid")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def paid(tenant_id: str, payout_id: str) -> ResponseReturnValue:
    """It was paid by bank, under this reference."""
    tenant, found, reference = choices.id_from(tenant_id), choices.id_from(payout_id), request.form.get("reference", "")

    def command(tx: Transaction) -> None:
        ledger_commands.paid_by_hand(tx, found, reference)

    try:
        act(f"payout {found}: paid by hand", tenant_scope(tenant), command)
    except Invalid as error:
        return _payouts({f"reference-{found}": reference}, {f"reference-{found}": said(error)}, error.status)
    done(_("Written down. The partner is told, with the statement."))
    return redirect("/payouts", 303)
