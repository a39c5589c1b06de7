"""What an operator may do about one booking: decide a case with both statements and the evidence, or cancel. For the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request

from fxo.core.consultations import changes
from fxo.core.consultations import commands as consultations
from fxo.core.consultations.model import Party
from fxo.core.consultations.queries import Case
from fxo.tenants.operations import Booking
from fxo.web import amounts, shown
from fxo.web.language import _


def parties() -> dict[str, str]:
    """What the sides are called."""
    return {
        "client": _("the client"), "partner": _("the expert"), "operator": _("an operator"), "system": _("the platform"),
    }  # fmt: skip


def says() -> dict[str, str]:
    """What an objection says."""
    return {
        "was_there": _("I was there"), "other_absent": _("The other one did not come"),
        "not_as_agreed": _("It was not as agreed"),
    }  # fmt: skip


def evidence(one: Booking, zone: str, now: datetime) -> list[dict[str, Any]]:
    """Who came when, as far as there is a trace of it; once the session has begun."""
    if one.state in ("held", "released", "requested", "declined", "lost", "cancelled") or now < one.starts_at:
        return []
    return [
        {"label": label, "value": shown.time(at, zone) if at else _("never, as far as we know")}
        for label, at in ((_("Client came"), one.client_here_at), (_("Expert came"), one.partner_here_at))
    ]


def case_shown(case: Case | None, one: Booking, zone: str, errors: dict[str, str]) -> dict[str, Any] | None:
    """Both statements; and the form to decide, or what was decided."""
    if case is None:
        return None
    opened = _(
        "%(who)s says: %(what)s (%(when)s)", who=parties()[case.opened_by].capitalize(),
        what=says()[case.says], when=shown.time(case.opened_at, zone)["text"],
    )  # fmt: skip
    choices = [
        {"value": "full", "label": _("All of it"), "note": _("%(amount)s; the expert earns %(earns)s", amount=one.price,
                                                             earns=one.price.share(one.partner_share))},
        {"value": "part", "label": _("A part"), "note": _("The amount below; the expert earns their part of it")},
        {"value": "nothing", "label": _("Nothing"), "note": _("What is held is let go, what was taken is given back")},
    ]  # fmt: skip
    sent = request.path.endswith("/decide")
    return {
        "opened": opened, "client": case.client_words, "partner": case.partner_words,
        "decided": shown.time(case.decided_at, zone) if case.decided_at else None, "fee": str(case.fee) if case.fee else "",
        "words": case.words, "action": f"/bookings/{one.tenant_id}/{one.id}/decide", "choices": choices,
        "choice": request.form.get("fee", "") if sent else "", "part": request.form.get("part", "") if sent else "",
        "typed": request.form.get("words", "") if sent else "", "errors": errors if sent else {},
        "example": amounts.plain(one.price.share(5_000)), "longest": consultations.LONGEST,
    }  # fmt: skip


def cancelling(one: Booking, now: datetime, errors: dict[str, str]) -> dict[str, Any] | None:
    """The form that cancels a booking for somebody who cannot."""
    if one.state not in ("confirmed", "started") or now >= one.ends_at:
        return None
    labels = {
        "client_asked": _("The client asked for it"), "expert_asked": _("The expert asked for it"),
        "mistake": _("It was a mistake"), "other": _("Something else"),
    }  # fmt: skip
    sent = request.path.endswith("/cancel")
    return {
        "action": f"/bookings/{one.tenant_id}/{one.id}/cancel",
        "reasons": [{"value": code, "label": labels[code]} for code in changes.REASONS[Party.OPERATOR]],
        "reason": request.form.get("reason", "") if sent else "", "words": request.form.get("words", "") if sent else "",
        "waived": "waived" in request.form if sent else True, "errors": errors if sent else {}, "longest": consultations.LONGEST,
    }  # fmt: skip
