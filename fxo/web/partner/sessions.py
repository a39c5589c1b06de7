"""The partner's workspace: the day, one session, earnings. A partner reads own rows and acts in the tenant of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from math import ceil
from typing import Any, Concatenate
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import redirect, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import agenda_queries as agenda
from fxo.core.consultations import commands as consultations
from fxo.core.consultations.agenda_queries import AgendaRow
from fxo.core.consultations.model import EARLY, UNDO
from fxo.core.events.store import Transaction
from fxo.core.ledger import queries as ledger
from fxo.core.ratings import queries as ratings
from fxo.core.ratings.queries import RatingRow
from fxo.core.scope import Permission, tenant_scope
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.partner.blueprint import blueprint

_BADGES = {
    "confirmed": ("Booked", "success"), "started": ("Under way", "info"), "completed": ("Completed", ""),
    "cancelled": ("Cancelled", "danger"),
}  # fmt: skip
_TO_COMPLETE = ("Complete it", "warning")
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


# The day -----------------------------------------------------------------------------------------------------------


@blueprint.get("/")
@identity.needs(Permission.COMPLETE_SESSIONS)
def dashboard() -> ResponseReturnValue:
    """Today, what needs the partner, what comes and what is done, of all portals."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        now, ahead, done, earned = tx.now, agenda.ahead(tx), agenda.done(tx, 20), ledger.earnings(tx)
    zone = ZoneInfo(user.zone)
    local = now.astimezone(zone)
    needs = [row for row in ahead if row.ends_at <= now]
    today = [row for row in ahead if row.ends_at > now and row.starts_at.astimezone(zone).date() <= local.date()]
    later = [row for row in ahead if row.ends_at > now and row not in today]
    this_month = [one for one in earned if (at := one.at.astimezone(zone)) and (at.year, at.month) == (local.year, local.month)]
    zone_name = shown.time(now, user.zone)["text"].rpartition(" ")[2]
    city = user.zone.rpartition("/")[2].replace("_", " ")
    return render_template(
        "partner/dashboard.html", **frame(),
        now={"text": f"{local:%A} {local.day} {local:%B}, {local:%H:%M} in {city} ({zone_name})", "iso": now.isoformat()},
        heading=_heading(len(today), len(needs)), availability_url="/availability",
        needs=[_line(row, user.zone, now) for row in needs], today=[_line(row, user.zone, now) for row in today],
        today_note=_next_note(today, now), upcoming=[_listed(row, user.zone, now) for row in later],
        done=[_listed(row, user.zone, now) for row in done], zone=zone_name, all_url=None,
        stats_title=f"{local:%B}",
        stats=[
            {"label": "Earned", "value": shown.total(one.amount for one in this_month) or "0", "note": "your share"},
            {"label": "Sessions", "value": len(this_month), "note": "completed and paid"},
            {"label": "Booked", "value": len(today) + len(later), "note": "sessions ahead"},
        ],
        calendar={"badge": {"text": "fxo", "kind": "success"}, "text": "Your open times are kept here.", "url": "/availability"},
    )  # fmt: skip


def _count(number: int, what: str) -> str:
    word = _COUNTS[number] if number < len(_COUNTS) else str(number)
    return f"{word} {what}{'' if number == 1 else 's'}"


def _heading(today: int, needs: int) -> str:
    return _count(today, "session").capitalize() + " today" + (f", {_count(needs, 'thing')} to finish" if needs else "")


def _next_note(today: Iterable[AgendaRow], now: datetime) -> str:
    starts = [row.starts_at for row in today if row.starts_at > now]
    return f"next {shown.relative(starts[0], now)}" if starts else ""


def _badge(row: AgendaRow, now: datetime) -> dict[str, str]:
    text, kind = _TO_COMPLETE if row.state in ("confirmed", "started") and row.ends_at <= now else _BADGES[row.state]
    return {"text": text, "kind": kind}


def _about(row: AgendaRow) -> str:
    text = " ".join(row.brief.split())
    return text if len(text) <= 120 else text[:119] + "…"


def _line(row: AgendaRow, zone: str, now: datetime) -> dict[str, Any]:
    day, _, _ = shown.time(row.starts_at, zone)["text"].partition(", ")
    url = f"/sessions/{row.consultation_id}"
    action = None
    if now >= row.starts_at:
        action = {"label": "Complete session", "url": f"{url}/complete", "post": True, "kind": "primary", "icon": "check"}
    elif row.join_url:
        action = {"label": "Join", "url": row.join_url, "post": False, "kind": "", "icon": "video"}
    return {
        "day": day, "time": f"{row.starts_at.astimezone(ZoneInfo(zone)):%H:%M}", "iso": row.starts_at.isoformat(), "url": url,
        "person": shown.person(row.client_name, row.client_id, row.client_company), "text": _about(row),
        "badge": _badge(row, now), "action": action,
    }  # fmt: skip


def _listed(row: AgendaRow, zone: str, now: datetime) -> dict[str, Any]:
    return {
        "when": shown.time(row.starts_at, zone), "url": f"/sessions/{row.consultation_id}", "client": row.client_name,
        "company": row.client_company or row.tenant_name, "about": _about(row), "badge": _badge(row, now),
        "earns": "" if row.state == "cancelled" else str(row.earns),
    }  # fmt: skip


# One session -------------------------------------------------------------------------------------------------------


@blueprint.get("/sessions/<consultation_id>")
@identity.needs(Permission.COMPLETE_SESSIONS)
def session_page(consultation_id: str) -> ResponseReturnValue:
    """The brief, the link to join, and the one click that completes it."""
    user = identity.required()
    store = platform.current().store
    with store.transaction(identity.scope(), user.actor) as tx:
        row, now = agenda.find(tx, choices.id_from(consultation_id)), tx.now
    rated = None
    if row.state == "completed":
        with store.transaction(tenant_scope(row.tenant_id), user.actor) as tx:
            rated = ratings.of_session(tx, row.consultation_id)
    url = f"/sessions/{row.consultation_id}"
    over = row.state in ("completed", "cancelled")
    client = shown.person(row.client_name, row.client_id, row.client_company)
    return render_template(
        "partner/session.html", **frame(), client=client, badge=_badge(row, now), portal_name=row.tenant_name,
        span=shown.span(row.starts_at, row.ends_at, user.zone, now=now, other=(client["first_name"], row.client_zone)),
        brief={"text": row.brief, "topics": []} if row.brief else None,
        facts=[
            {"label": "Booked through", "value": row.tenant_name}, {"label": "Number", "value": _number(row.consultation_id)},
            {"label": "Client pays", "value": str(row.price)}, {"label": "You earn", "value": str(row.earns), "total": True},
        ],
        steps=_steps(row, rated, now),
        meeting={"state": "over" if over else "ready" if row.join_url else "pending", "url": row.join_url,
                 "host": (row.join_url or "").partition("//")[2].partition("/")[0], "opens": "", "calendar_url": None},
        check_in=_check_in(row, url, now), self_url=url, complete=_complete(row, url, now), undo=_undo(row, url, now),
        rating={"stars": rated.stars, "text": rated.comment} if rated else None, trouble=None,
    )  # fmt: skip


def _number(consultation_id: UUID) -> str:
    return f"No. {str(consultation_id)[-12:].upper()}"


def _steps(row: AgendaRow, rated: RatingRow | None, now: datetime) -> list[dict[str, str]]:
    if row.state == "cancelled":
        return [
            {"title": "Booked", "text": "", "state": "done"},
            {"title": "Cancelled", "text": "Your time is free again.", "state": "current"},
        ]
    at = 1 if now < row.ends_at else 2
    if row.state == "completed":
        at = 4 if rated else 3
    names = ["Booked", "Session", "Completed", "Rated"]
    return [
        {"title": name, "text": "", "state": "done" if n < at else "current" if n == at else ""} for n, name in enumerate(names)
    ]


def _check_in(row: AgendaRow, url: str, now: datetime) -> dict[str, Any] | None:
    if row.state == "started" and now < row.ends_at:
        return {"action": "", "done": True, "text": "The session is under way."}
    if row.state == "confirmed" and now >= row.starts_at - EARLY:
        return {"action": f"{url}/check-in", "done": False, "text": ""}
    return None


def _complete(row: AgendaRow, url: str, now: datetime) -> dict[str, str] | None:
    if row.state not in ("confirmed", "started") or now < row.starts_at:
        return None
    text = (
        f"The card is charged {row.price}: {row.earns} to you, {row.price - row.earns} to the platform."
        f" You can undo for {UNDO.seconds} seconds."
    )
    return {"action": f"{url}/complete", "text": text}


def _undo(row: AgendaRow, url: str, now: datetime) -> dict[str, Any] | None:
    if row.state != "completed" or row.completed_at is None or now >= row.completed_at + UNDO:
        return None
    left = ceil((row.completed_at + UNDO - now).total_seconds())
    return {"action": f"{url}/undo", "left": left, "text": f"Session completed. {row.earns} is on its way."}


@blueprint.post("/sessions/<consultation_id>/check-in")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def check_in(consultation_id: str) -> ResponseReturnValue:
    """The partner is there."""
    return _act(consultation_id, consultations.check_in)


@blueprint.post("/sessions/<consultation_id>/complete")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def complete(consultation_id: str) -> ResponseReturnValue:
    """The session took place; ten seconds later the money is taken."""
    return _act(consultation_id, consultations.complete)


@blueprint.post("/sessions/<consultation_id>/undo")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def undo(consultation_id: str) -> ResponseReturnValue:
    """It was not completed after all."""
    return _act(consultation_id, consultations.undo_completion)


def _act(consultation_id: str, command: Callable[Concatenate[Transaction, [UUID]], None]) -> ResponseReturnValue:
    """Find the session in the partner's own agenda, then act in its tenant's scope as this partner."""
    store, actor = platform.current().store, identity.required().actor
    with store.transaction(identity.scope(), actor) as tx:
        row = agenda.find(tx, choices.id_from(consultation_id))
    store.run(tenant_scope(row.tenant_id), actor, command, row.consultation_id)
    return redirect(f"/sessions/{row.consultation_id}", 303)


# Earnings ----------------------------------------------------------------------------------------------------------


@blueprint.get("/earnings")
@identity.needs(Permission.COMPLETE_SESSIONS)
def earnings() -> ResponseReturnValue:
    """The partner's share of every session whose payment was taken."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        found, now = ledger.earnings(tx), tx.now
        rows = agenda.among(tx, [one.consultation_id for one in found])
    local = now.astimezone(ZoneInfo(user.zone))
    month = [one for one in found if (at := one.at.astimezone(local.tzinfo)) and (at.year, at.month) == (local.year, local.month)]
    total = shown.total(one.amount for one in found)
    return render_template(
        "partner/earnings.html", **frame(), note="Your share of each session, from the moment its payment was taken.",
        stats=[
            {"label": "All time", "value": total or "0", "note": "your share"},
            {"label": f"{local:%B}", "value": shown.total(one.amount for one in month) or "0", "note": "your share"},
            {"label": "Sessions", "value": len(found), "note": "completed and paid"},
        ],
        rows=[_earned(one, rows.get(one.consultation_id), user.zone) for one in found],
        total={"price": shown.total(row.price for row in rows.values()), "share": total} if found else None,
    )  # fmt: skip


def _earned(one: ledger.Earning, row: AgendaRow | None, zone: str) -> dict[str, Any]:
    return {
        "when": shown.time(one.at, zone), "client": row.client_name if row else "A client", "portal": one.tenant,
        "number": _number(one.consultation_id), "url": f"/sessions/{one.consultation_id}", "price": str(row.price) if row else "",
        "share": str(one.amount), "badge": {"text": "Earned", "kind": "success"},
    }  # fmt: skip
