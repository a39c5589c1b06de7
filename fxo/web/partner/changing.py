"""What a session's page offers its expert beside completing it: a request, other plans, who came, a case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import request

from fxo.core.consultations import commands as consultations
from fxo.core.consultations.model import ANSWER
from fxo.core.consultations.queries import Case, ConsultationRow
from fxo.core.payments.split import parts
from fxo.web import shown
from fxo.web.language import _


def asked(row: ConsultationRow, zone: str) -> dict[str, Any] | None:
    """A request that waits for an answer."""
    if row.state != "requested" or row.answer_until is None:
        return None
    url = f"/sessions/{row.id}"
    return {
        "accept": f"{url}/accept", "decline": f"{url}/decline", "until": shown.time(row.answer_until, zone)["text"],
        "longest": consultations.LONGEST,
    }  # fmt: skip


def plans(row: ConsultationRow, now: datetime) -> dict[str, Any] | None:
    """What may still be changed before the session is over."""
    if row.state not in ("confirmed", "started") or now >= row.ends_at:
        return None
    may_move = row.state == "confirmed" and now <= row.starts_at - timedelta(hours=row.policy.move_until_hours)
    text = _("You may propose other times; the client chooses. Cancelling is free for the client, who is offered other experts.")
    return {
        "move_url": f"/sessions/{row.id}/propose" if may_move else None,
        "move_label": _("Propose another time"),
        "cancel_url": f"/sessions/{row.id}/cancel",
        "text": text if may_move else _("Cancelling is free for the client, who is offered other experts."),
    }


def proposed(row: ConsultationRow, zone: str) -> dict[str, Any] | None:
    """The times that were proposed and that the client has not chosen from yet."""
    if not row.proposed:
        return None
    return {"times": [shown.time(start, zone) for start in row.proposed], "keep": f"/sessions/{row.id}/keep"}


def absences(row: ConsultationRow, first: str, now: datetime) -> dict[str, Any] | None:
    """Saying that the client, or oneself, did not come: from the grace after the start on, until what was is settled."""
    if row.state != "started" or not row.grace_over <= now < row.ends_at + ANSWER:
        return None
    client_too = not row.here("client")
    return {
        "action": f"/sessions/{row.id}/absent",
        "choices": [
            *([{"value": "client", "label": _("%(name)s did not come", name=first)}] if client_too else []),
            {"value": "partner", "label": _("I could not come")},
        ],
        "value": "client" if client_too else "partner",
        "text": _("If the client did not come, they pay by the rules of the booking, a day later, unless they say that they were"
                  " there. If you could not come, they pay nothing."),
        "longest": consultations.LONGEST,
    }  # fmt: skip


def otherwise(row: ConsultationRow, now: datetime, errors: dict[str, str]) -> dict[str, Any] | None:
    """The form of an expert who is said not to have come, and did."""
    if row.state != "missed" or row.missing != "partner" or row.ended_by == "partner":
        return None
    if row.rescue_until is None or now >= row.stands_at:
        return None
    return _form(row, _("I was there"), _("A person hears you and the client, and decides. No money moves before that."), errors)


def own_case(case: Case | None, row: ConsultationRow, errors: dict[str, str]) -> dict[str, Any] | None:
    """A case: what one has said, or the form to say it."""
    if case is None:
        return None
    if case.partner_words or case.decided_at:
        return {"said": case.partner_words, "form": None}
    text = _("The client sees it otherwise. A person reads both before they decide.")
    return {"said": "", "form": _form(row, _("How did you see it?"), text, errors)}


def _form(row: ConsultationRow, title: str, text: str, errors: dict[str, str]) -> dict[str, Any]:
    sent = request.path.endswith("/object")
    return {
        "action": f"/sessions/{row.id}/object", "title": title, "text": text, "says": [], "said": "was_there",
        "words": request.form.get("words", "") if sent else "", "errors": errors if sent else {},
        "longest": consultations.LONGEST,
    }  # fmt: skip


def ended(row: ConsultationRow, case: Case | None, first: str, zone: str) -> dict[str, Any] | None:
    """What is to be said first of a booking that went otherwise than planned."""
    fee = row.fee if row.fee and row.fee.minor else None
    earns = parts(fee, row.partner_share, row.tax.rate).partner if fee else None
    by = "payment" if row.reason == "payment" else row.ended_by or ""
    match row.state:
        case "cancelled":
            why = {
                "payment": _("The client's card was refused again and again, so the time was given back."),
                "client": _("The client had to cancel."), "partner": _("You cancelled it."),
                "operator": _("It was cancelled by the platform."),
            }.get(by, _("It was cancelled."))  # fmt: skip
            words = f"“{row.words}”" if row.words and row.ended_by != "partner" else ""
            paid = _("By the rules of the booking you earn %(earns)s.", earns=earns) if earns else ""
            text = " ".join(part for part in (why, words, paid, _("Your time is free again.")) if part)
            return {"title": _("This session does not take place."), "text": text, "kind": "danger"}
        case "declined":
            why = {
                "partner": _("You declined it."), "client": _("The client has taken it back."),
            }.get(by, _("It was not answered in time."))  # fmt: skip
            return {"title": _("This request has ended."), "text": why + " " + _("Your time is free again."), "kind": "info"}
        case "missed" if row.missing == "client":
            when = shown.time(row.ends_at + ANSWER, zone)["text"]
            text = _("You earn %(earns)s on %(when)s, unless they say before that they were there.", earns=earns or "", when=when)
            return {"title": _("%(name)s did not come.", name=first), "text": text, "kind": "info"}
        case "missed" if row.ended_by == "partner":
            text = _("The client pays nothing, and is offered other experts.")
            return {"title": _("You could not come."), "text": text, "kind": "warning"}
        case "missed":
            text = _("The client pays nothing.")
            if row.rescue_until:
                text += " " + _("Were you there? Say so by %(when)s.", when=shown.time(row.stands_at, zone)["text"])
            return {"title": _("You are said not to have come."), "text": text, "kind": "warning"}
        case "settled":
            text = _("Nobody has objected: you earn %(earns)s.", earns=earns or "")
            return {"title": _("%(name)s did not come.", name=first), "text": text, "kind": "info"}
        case "contested":
            text = _("A person reads what both of you say, and decides. No money moves before that.")
            return {"title": _("What happened is being looked at."), "text": text, "kind": "info"}
        case "decided":
            money = _("You earn %(earns)s.", earns=earns) if earns else _("The client pays nothing.")
            text = " ".join(part for part in (money, case.words if case else "") if part)
            return {"title": _("It is decided."), "text": text, "kind": "info"}
    return None
