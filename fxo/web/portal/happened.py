"""What happened in a session, as its client sees it: an expert who is late, saying that it was otherwise, a case. For reading."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request

from fxo.core.consultations import commands as consultations
from fxo.core.consultations.model import ANSWER
from fxo.core.consultations.queries import Case, ConsultationRow
from fxo.web.language import _


def late(row: ConsultationRow, now: datetime) -> bool:
    """The client is there, the grace is over, and the expert is not."""
    return row.state == "started" and row.here("client") and not row.here("partner") and row.grace_over <= now < row.ends_at


def may_object(row: ConsultationRow, now: datetime) -> bool:
    """Whether the client may still say that it was otherwise."""
    if row.state == "completed":
        return row.completed_at is not None and now < row.completed_at + ANSWER
    if row.state == "missed":
        return row.missing == "client" and now < row.ends_at + ANSWER
    return row.state == "started" and row.grace_over <= now < row.ends_at + ANSWER and not late(row, now)


def otherwise(row: ConsultationRow, first: str, now: datetime, errors: dict[str, str]) -> dict[str, Any] | None:
    """The form that says so; None where it is not (or no longer) possible."""
    if not may_object(row, now):
        return None
    labels = {
        "not_as_agreed": _("It was not as agreed"), "other_absent": _("%(name)s did not come", name=first),
        "was_there": _("I was there"),
    }  # fmt: skip
    says = ["was_there"] if row.state == "missed" else ["not_as_agreed", "other_absent"]
    return {
        "action": f"/sessions/{row.id}/object",
        "title": _("I was there") if row.state == "missed" else _("It was not as agreed"),
        "text": _("A person hears you and %(name)s, and decides. Nothing is charged before that.", name=first)
        if row.state != "completed"
        else _("A person hears you and %(name)s, and decides what you get back.", name=first),
        "says": [{"value": code, "label": labels[code]} for code in says],
        "said": request.form.get("says", says[0]),
        "words": request.form.get("words", "") if errors else "",
        "open": bool(errors) or row.state == "missed",
        "errors": errors,
        "longest": consultations.LONGEST,
    }


def own_case(row: ConsultationRow, case: Case | None, first: str, errors: dict[str, str]) -> dict[str, Any] | None:
    """A case: what one has said, or the form to say it; and what was decided."""
    if case is None:
        return None
    heard = bool(case.client_words)
    return {
        "decided": case.words if case.decided_at else "",
        "said": case.client_words,
        "form": None
        if heard or case.decided_at
        else {
            "action": f"/sessions/{row.id}/object", "title": _("How did you see it?"),
            "text": _("%(name)s sees it otherwise. A person reads both before they decide.", name=first),
            "says": [], "said": "was_there", "words": request.form.get("words", "") if errors else "", "errors": errors,
            "longest": consultations.LONGEST, "open": True,
        },
    }  # fmt: skip


def absent(row: ConsultationRow, first: str, now: datetime) -> dict[str, str] | None:
    """The button for a client whose expert does not come."""
    if not late(row, now):
        return None
    return {"action": f"/sessions/{row.id}/absent", "label": _("%(name)s did not come", name=first)}
