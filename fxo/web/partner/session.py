"""One session as its partner sees it: the brief, the way in, the one click that completes it, what the client said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Concatenate
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core import record
from fxo.core.calendars.ics import invitation
from fxo.core.consultations import agenda_commands, agenda_queries
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.agenda_queries import AgendaRow
from fxo.core.consultations.model import EARLY, UNDO
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.core.matching.port import URGENCIES
from fxo.core.notifications import facts
from fxo.core.payments.split import parts
from fxo.core.ratings import commands as ratings
from fxo.core.ratings import queries as rating_rows
from fxo.core.ratings.queries import RatingRow
from fxo.core.scope import CODE, FeeBearer, Permission, tenant_scope
from fxo.web import choices, forms, identity, shown, timeline
from fxo.web.frame import frame
from fxo.web.language import _, ngettext
from fxo.web.partner import changing, words
from fxo.web.partner.blueprint import blueprint

_TAKEN_SOON = timedelta(minutes=1)
"""How long a page that is open looks by itself whether the money was taken."""


@blueprint.get("/sessions/<consultation_id>")
@identity.needs(Permission.COMPLETE_SESSIONS)
def session_page(consultation_id: str) -> ResponseReturnValue:
    """The place for one session."""
    return show(choices.id_from(consultation_id), {})


def show(consultation_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    user = identity.required()
    store = platform.current().store
    with store.transaction(identity.scope(), user.actor) as tx:
        row, now = agenda_queries.find(tx, consultation_id), tx.now
        before = agenda_queries.with_client(tx, row)
        if request.method == "GET" and not row.opened:
            agenda_commands.opened(tx, row.consultation_id)
    with store.transaction(tenant_scope(row.tenant_id), user.actor) as tx:
        booking = consultation_rows.find(tx, row.consultation_id)
        case = consultation_rows.case_of(tx, row.tenant_id, row.consultation_id) if booking.has_case else None
        rated = rating_rows.of_session(tx, row.consultation_id) if row.state == "completed" else None
        happened = record.story(tx, row.consultation_id, booking.brief_id)
    url = f"/sessions/{row.consultation_id}"
    client = shown.person(row.client_name, row.client_id, row.client_company)
    waiting = row.state == "completed" and row.money not in (*words.TAKEN, "failed")
    page = render_template(
        "partner/session.html", **frame(), client=client, badge=_badge(row, now),
        span=shown.span(row.starts_at, row.ends_at, user.zone, now=now, other=(client["first_name"], row.client_zone)),
        brief={"text": row.brief, "topics": row.topics} if row.brief else None, facts=_facts(row, before, now),
        money=_money(row, booking),
        asked=changing.asked(booking, user.zone), plans=changing.plans(booking, now),
        proposed=changing.proposed(booking, user.zone), absences=changing.absences(booking, client["first_name"], now),
        otherwise=changing.otherwise(booking, now, errors), case=changing.own_case(case, booking, errors),
        steps=_steps(row, rated, user.zone, now), meeting=_meeting(row, url, user.zone, now),
        check_in=_check_in(booking, url, now), ended=changing.ended(booking, case, client["first_name"], user.zone),
        self_url=url, looks_again=waiting and row.completed_at is not None and now < row.completed_at + _TAKEN_SOON,
        timeline=timeline.told(happened, user.actor.kind, user.zone, now), record_url=f"{url}/record.json",
        complete=_complete(row, url, now), undos=[one for one in [words.undo(row, now, url)] if one],
        rating=_rating(rated, url, errors) if rated else None,
    )  # fmt: skip
    return page, status


def _badge(row: AgendaRow, now: datetime) -> dict[str, str]:
    """Where it stands, with the minutes that matter before, during and after the hour."""
    standing = words.badge(row, now)
    if row.to_complete(now):
        return {"text": _("Ended %(ago)s", ago=words.ago(row.ends_at, now)), "kind": "warning"}
    if row.state in ("confirmed", "started"):
        if now >= row.starts_at:
            return {"text": _("Under way, %(time)s left", time=words.to_go(row.ends_at, now)), "kind": "info"}
        if row.state == "confirmed" and now >= row.starts_at - timedelta(hours=1):
            return {"text": _("Begins in %(time)s", time=words.to_go(row.starts_at, now)), "kind": "info"}
    return standing


def _facts(row: AgendaRow, before: int, now: datetime) -> list[dict[str, Any]]:
    theirs = _("%(city)s, now %(time)s", city=shown.city(row.client_zone), time=shown.clock(now, row.client_zone))
    found = [
        (_("Company"), row.client_company or _("Not given")), (_("Industry"), row.industry),
        (_("Urgency"), URGENCIES.get(row.urgency, "")), (_("Their time"), theirs),
        (_("Before"), ngettext("%(num)s session with you", "%(num)s sessions with you", before) if before
         else _("First session with you")),
        (_("Portal"), row.tenant_name), (_("Number"), words.number(row.consultation_id)),
    ]  # fmt: skip
    return [{"label": label, "value": value} for label, value in found if value]


def _money(row: AgendaRow, booking: ConsultationRow) -> list[dict[str, Any]]:
    if row.state in words.ENDED and row.state != "contested":
        if not (booking.fee and booking.fee.minor):
            return []
        earns = parts(booking.fee, booking.partner_share, booking.tax.rate).partner
        return [
            {"label": _("Client pays"), "value": str(booking.fee)}, *_fee(booking),
            {"label": _("You earn"), "value": str(earns), "total": True},
        ]  # fmt: skip
    return [
        {"label": _("Client pays"), "value": str(row.price)}, *_fee(booking),
        {"label": _("You earn"), "value": str(row.earns), "total": True},
    ]  # fmt: skip


def _fee(booking: ConsultationRow) -> list[dict[str, Any]]:
    """Who bears what the payment provider takes, where it is not the platform alone; how much it is, is known with the money."""
    says = {
        FeeBearer.PARTNER: _("comes off what you earn"),
        FeeBearer.SHARED: _("your share of it comes off what you earn"),
    }  # fmt: skip
    return [{"label": _("Payment provider's fee"), "value": says[booking.fee_bearer]}] if booking.fee_bearer in says else []


def _steps(row: AgendaRow, rated: RatingRow | None, zone: str, now: datetime) -> list[dict[str, str]]:
    booked = shown.time(row.booked_at, zone)["text"]
    held = {
        "authorised": _("%(booked)s. %(price)s is held on the card.", booked=booked, price=row.price),
        "card_saved": _("%(booked)s. The card is kept, %(price)s is held three days before.", booked=booked, price=row.price),
        "refused": _("%(booked)s. The card was refused, the client is asked for another.", booked=booked),
    }.get(row.money, booked)
    if row.state == "requested":
        return [
            {"title": _("Asked for"), "text": booked, "state": "done"},
            {"title": _("Your answer"), "text": _("The time is kept for the client meanwhile."), "state": "current"},
        ]
    if row.state in words.ENDED:
        free = _("Your time is free again.") if row.state in ("cancelled", "declined") else ""
        return [
            {"title": _("Booked"), "text": booked, "state": "done"},
            {"title": words.badge(row, now)["text"], "text": free, "state": "current"},
        ]
    completed = shown.time(row.completed_at, zone)["text"] if row.completed_at else _("With one click, once it has begun")
    paid = _("%(earns)s to you, ten seconds after that", earns=row.earns)
    if row.money in words.TAKEN:
        paid = _("%(earns)s to you", earns=row.earns)
    elif row.money == "failed":
        paid = _("The bank refused. A person at the platform looks at it; there is nothing for you to do.")
    said = ngettext("%(num)s star", "%(num)s stars", rated.stars) if rated else _("If the client wants to")
    at = 1 if now < row.ends_at else 2
    if row.state == "completed":
        at = 3 if row.money not in words.TAKEN else 5 if rated else 4
    session = shown.time(row.starts_at, zone)["text"]
    steps = [(_("Booked"), held), (_("Session"), session), (_("Completed"), completed), (_("Paid"), paid), (_("Rated"), said)]
    return [
        {"title": title, "text": text, "state": "done" if n < at else "current" if n == at else ""}
        for n, (title, text) in enumerate(steps)
    ]


def _meeting(row: AgendaRow, url: str, zone: str, now: datetime) -> dict[str, Any] | None:
    if row.state not in ("confirmed", "started"):
        return None
    opens = row.starts_at - EARLY
    note = _("You can say that you are there from %(time)s on.", time=shown.clock(opens, zone)) if now < opens else ""
    return {
        "state": "ready" if row.join_url else "pending", "url": f"{url}/join", "host": urlsplit(row.join_url or "").netloc,
        "note": note if row.state == "confirmed" else "", "calendar_url": f"{url}/session.ics",
    }  # fmt: skip


def _check_in(row: ConsultationRow, url: str, now: datetime) -> dict[str, Any] | None:
    if row.state not in ("confirmed", "started") or not row.starts_at - EARLY <= now < row.ends_at:
        return None
    if row.here("partner"):
        there = _("The client is there too.") if row.here("client") else _("The client has not said yet that they are there.")
        return {"action": "", "done": True, "text": _("You are there.") + " " + there}
    return {"action": f"{url}/check-in", "done": False, "text": ""}


def _complete(row: AgendaRow, url: str, now: datetime) -> dict[str, str] | None:
    if row.state not in ("confirmed", "started") or now < row.starts_at:
        return None
    text = _(
        "The card is charged %(price)s: %(earns)s to you, %(rest)s to the platform. You can undo for %(seconds)s seconds.",
        price=row.price, earns=row.earns, rest=row.price - row.earns, seconds=UNDO.seconds,
    )  # fmt: skip
    return {"action": f"{url}/complete", "text": text}


def _rating(rated: RatingRow, url: str, errors: dict[str, str]) -> dict[str, Any]:
    errors = errors if request.path.endswith("/answer") else {}
    typed = request.form.get("answer") if errors else None
    return {
        "stars": rated.stars, "text": rated.comment, "answer": rated.answer, "action": f"{url}/answer",
        "typed": rated.answer if typed is None else typed, "errors": errors,
    }  # fmt: skip


@blueprint.get("/sessions/<consultation_id>/session.ics")
@identity.needs(Permission.COMPLETE_SESSIONS)
def calendar_file(consultation_id: str) -> ResponseReturnValue:
    """The session for the partner's own calendar; the link in it leads to the partner's page."""
    parts, user = platform.current(), identity.required()
    with parts.store.transaction(identity.scope(), user.actor) as tx:
        row = agenda_queries.find(tx, choices.id_from(consultation_id))
    with parts.store.transaction(tenant_scope(row.tenant_id), CODE) as tx:
        config = parts.records.of_scope(tx)
        gathered = facts.gather(tx, config, row.consultation_id)
        wanted = facts.meeting_wanted(config, gathered, str(derived_id(row.consultation_id, "meeting")))
        own = parts.settings.url(parts.settings.host("partners"), f"/sessions/{row.consultation_id}")
        body = invitation(replace(wanted, description=own), "REQUEST", gathered.join_url, now=tx.now)
    return Response(body, mimetype="text/calendar", headers={"Content-Disposition": "attachment; filename=session.ics"})


@blueprint.get("/sessions/<consultation_id>/record.json")
@identity.needs(Permission.COMPLETE_SESSIONS)
def booking_record(consultation_id: str) -> ResponseReturnValue:
    """The booking's events with their hashes, for the partner's own files; the card is left out."""
    store, user = platform.current().store, identity.required()
    with store.transaction(identity.scope(), user.actor) as tx:
        row = agenda_queries.find(tx, choices.id_from(consultation_id))
    with store.transaction(tenant_scope(row.tenant_id), user.actor) as tx:
        body = record.export(tx, row.consultation_id)
    name = f"booking-{str(row.consultation_id)[-12:]}.json"
    return Response(body, mimetype="application/json", headers={"Content-Disposition": f"attachment; filename={name}"})


# What the partner does ---------------------------------------------------------------------------------------------


@blueprint.post("/sessions/<consultation_id>/check-in")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def check_in(consultation_id: str) -> ResponseReturnValue:
    """The partner is there."""
    return act(consultation_id, consultations.arrive)


@blueprint.post("/sessions/<consultation_id>/complete")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def complete(consultation_id: str) -> ResponseReturnValue:
    """The session took place; ten seconds later the money is taken."""
    return act(consultation_id, consultations.complete)


@blueprint.post("/sessions/<consultation_id>/undo")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def undo(consultation_id: str) -> ResponseReturnValue:
    """It was not completed after all."""
    return act(consultation_id, consultations.undo_completion)


@blueprint.post("/sessions/<consultation_id>/answer")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def answer(consultation_id: str) -> ResponseReturnValue:
    """What the partner says to the rating; it stands beside it."""
    try:
        done = act(consultation_id, ratings.answer, request.form.get("answer", ""))
    except Invalid as error:
        return show(choices.id_from(consultation_id), {"answer": error.message}, 422)
    flash(_("Your answer is kept. It stands beside the rating from now on."), "success")
    return done


def act(
    consultation_id: str, command: Callable[Concatenate[Transaction, UUID, ...], None], *values: object
) -> ResponseReturnValue:
    """Find the session in the partner's own agenda, then act in its tenant's scope as this partner."""
    store, actor = platform.current().store, identity.required().actor
    with store.transaction(identity.scope(), actor) as tx:
        row = agenda_queries.find(tx, choices.id_from(consultation_id))
    store.run(tenant_scope(row.tenant_id), actor, command, row.consultation_id, *values)
    return redirect(choices.path_from(request.form.get("return_to") or f"/sessions/{row.consultation_id}"), 303)
