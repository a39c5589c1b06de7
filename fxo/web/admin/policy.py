"""The rules of booking: what cancelling costs until when, how often a session is moved, the grace, and who is asked first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo.core.consultations.policy import cancellation_terms
from fxo.core.errors import Invalid
from fxo.core.scope import CancellationPolicy, Permission
from fxo.tenants import policy as rules
from fxo.web import forms, identity
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _, said
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/policy"


@blueprint.get("/policy")
@identity.needs(Permission.MANAGE_TENANT)
def policy() -> ResponseReturnValue:
    """The rules as they stand."""
    config = here().tenant
    stand = {name: str(getattr(config.policy, name)) for name in rules.LIMITS}
    return _page(stand | ({"asks_first": "on"} if config.asks_first else {}), {})


def _page(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    config = here().tenant
    with reading() as tx:
        now = tx.now
    return page(
        "admin/policy.html", typed=typed, errors=errors, limits=rules.LIMITS, version=config.policy.version,
        asks_first=bool(typed.get("asks_first")), price=str(config.tax.gross(config.price)), says=_says(config.policy, now),
    ), status  # fmt: skip


def _says(policy: CancellationPolicy, now: Any) -> list[str]:
    """What the rules mean for an hour at the default price, in sentences."""
    config, start = here().tenant, now + timedelta(days=60)
    price = config.tax.gross(config.price)
    found = []
    for term in cancellation_terms(policy, price, start):
        hours = int((start - term.until).total_seconds() // 3600) if term.until else 0
        if term.until and not term.amount.minor:
            found.append(_("Free until %(hours)s hours before.", hours=hours))
        elif term.until:
            found.append(_("%(amount)s until %(hours)s hours before.", amount=term.amount, hours=hours))
        else:
            found.append(_("%(amount)s after that, and for who does not come.", amount=term.amount))
    return [*found, _("Nothing at all where the expert cancels or does not come.")]


@blueprint.post("/policy")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def change() -> ResponseReturnValue:
    """New bookings go by these rules; what is held or booked keeps its own."""
    config = here().tenant
    typed = {name: request.form.get(name, "").strip() for name in (*rules.LIMITS, "asks_first")}
    errors, numbers = {}, {}
    for name, (least, most) in rules.LIMITS.items():
        if typed[name].isascii() and typed[name].isdecimal() and len(typed[name]) < 6:
            numbers[name] = int(typed[name])
        else:
            errors[name] = _("Write a whole number from %(least)s to %(most)s.", least=least, most=most)
    if errors:
        return _page(typed, errors, 422)
    try:
        changed = run(rules.change, config, CancellationPolicy(**numbers), asks_first="asks_first" in request.form)
    except Invalid as error:
        return _page(typed, {error.field or "": said(error)}, 422)
    if changed:
        done(_("These rules count for new bookings. What is held or booked keeps the rules that its client accepted."))
    return redirect(_HERE, 303)
