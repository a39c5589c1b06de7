"""The operator's workspace: tenants and partners, the ledger, alarms. Every use is recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.events.store import Transaction
from fxo.core.ledger import queries as ledger
from fxo.core.ledger.postings import Account
from fxo.core.ledger.queries import Line
from fxo.core.scope import Permission
from fxo.core.work import alarms
from fxo.tenants import operations
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame

blueprint = Blueprint("operator", __name__)

_NEWEST = 300
_ACCOUNTS = {
    Account.PROVIDER: "Held by the payment provider", Account.PARTNER: "Owed to partners", Account.PLATFORM: "Platform's share",
}  # fmt: skip
_ALARMS = {"payment.capture_failed": "Money was not taken", "meeting.no_link": "A session without a meeting link"}


@contextmanager
def _used(what: str) -> Iterator[Transaction]:
    """A transaction of this operator that first writes down what it is for, so that nothing is read unseen."""
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        operations.record_use(tx, what)
        yield tx


@blueprint.get("/")
@identity.needs(Permission.RUN_PLATFORM)
def home() -> ResponseReturnValue:
    """Every tenant and every partner."""
    with _used("overview") as tx:
        tenants, people = operations.tenants(tx), operations.partners(tx)
        balances, waiting = ledger.balances(tx), alarms.waiting(tx)
    settings = platform.current().settings
    taken = shown.total(money for _, account, money in balances if account == Account.PROVIDER)
    hosts = {tenant.id: tenant.host or settings.host(tenant.slug) for tenant in tenants}
    return render_template(
        "operator/home.html", **frame(), alarms=len(waiting), alarms_url="/alarms", ledger_url="/ledger",
        stats=[
            {"label": "Tenants", "value": len(tenants), "note": ""}, {"label": "Partners", "value": len(people), "note": ""},
            {"label": "Sessions", "value": sum(tenant.sessions for tenant in tenants), "note": "booked and done"},
            {"label": "Taken", "value": taken or "0", "note": "from clients"},
        ],
        tenants=[
            {"name": tenant.name, "url": settings.url(hosts[tenant.id]), "host": hosts[tenant.id], "price": str(tenant.price),
             "partners": str(tenant.partners), "sessions": str(tenant.sessions), "badge": {"text": "Open", "kind": "success"}}
            for tenant in tenants
        ],
        partners=[
            {"name": one.name, "title": one.title, "zone": one.zone.replace("_", " "), "sessions": str(one.sessions),
             "portals": ", ".join(one.portals) or "None",
             "badge": {"text": "Listed", "kind": "success"} if one.portals else {"text": "On no roster", "kind": ""}}
            for one in people
        ],
    )  # fmt: skip


@blueprint.get("/ledger")
@identity.needs(Permission.RUN_PLATFORM)
def ledger_page() -> ResponseReturnValue:
    """Who is owed what: balances by tenant, and the newest entries with their lines."""
    with _used("ledger") as tx:
        lines, balances = ledger.newest(tx, _NEWEST), ledger.balances(tx)
    left: Counter[tuple[str, str]] = Counter()
    for tenant, _, money in balances:
        left[tenant, money.currency] += money.minor
    balanced = not any(left.values())
    note = (
        "Every entry adds up to zero, by tenant and currency."
        if balanced
        else "Some entries do not add up to zero. This needs a person now."
    )
    return render_template(
        "operator/ledger.html", **frame(), balanced=balanced, balanced_note=note, pages=None,
        accounts=[{"name": _account(account), "tenant": tenant, "balance": str(money)} for tenant, account, money in balances],
        entries=[_entry(list(group)) for _, group in groupby(lines, key=lambda line: (line.tenant, line.payment_id, line.at))],
    )  # fmt: skip


def _entry(lines: list[Line]) -> dict[str, Any]:
    first = lines[0]
    return {
        "when": shown.time(first.at, identity.required().zone), "what": "Session paid", "url": None, "tenant": first.tenant,
        "number": f"No. {str(first.payment_id)[-12:].upper()}",
        "lines": [
            {"account": _account(line.account), "debit": str(line.amount) if line.amount.minor > 0 else "",
             "credit": str(-line.amount) if line.amount.minor < 0 else ""}
            for line in lines
        ],
    }  # fmt: skip


def _account(name: str) -> str:
    return _ACCOUNTS[Account(name)]


@blueprint.get("/alarms")
@identity.needs(Permission.RUN_PLATFORM)
def alarms_page() -> ResponseReturnValue:
    """What needs a person, and what was settled last."""
    with _used("alarms") as tx:
        waiting, settled = alarms.waiting(tx), alarms.settled(tx)
    zone = identity.required().zone
    return render_template(
        "operator/alarms.html", **frame(),
        alarms=[
            _alarm(one, zone) | {"action": {"label": "Settled", "url": f"/alarms/{one.tenant_id}/{one.id}/settle", "fields": {}}}
            for one in waiting
        ],
        closed=[
            _alarm(one, zone) | {"closed": shown.time(one.settled_at or one.raised_at, zone), "by": ""} for one in settled
        ],
    )  # fmt: skip


def _alarm(one: alarms.Alarm, zone: str) -> dict[str, Any]:
    title = _ALARMS.get(one.kind) or ("Work was given up" if one.kind.startswith("work.") else one.kind)
    return {"title": title, "text": one.sentence, "when": shown.time(one.raised_at, zone), "tenant": one.tenant, "url": None}


@blueprint.post("/alarms/<tenant_id>/<alarm_id>/settle")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def settle(tenant_id: str, alarm_id: str) -> ResponseReturnValue:
    """Somebody has looked after it."""
    with _used(f"alarms: settled {choices.id_from(alarm_id)}") as tx:
        alarms.settle(tx, choices.id_from(tenant_id), choices.id_from(alarm_id))
    return redirect("/alarms", 303)
