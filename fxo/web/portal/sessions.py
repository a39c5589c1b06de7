"""The place for a session, from booked to rated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core import record
from fxo.core.calendars import queries as calendars
from fxo.core.calendars.ics import invitation
from fxo.core.calendars.model import meeting_id_of
from fxo.core.calendars.port import MeetingWanted
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import ANSWER, EARLY
from fxo.core.consultations.queries import Case, ConsultationRow
from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction
from fxo.core.matching import queries as briefs
from fxo.core.notifications import facts
from fxo.core.partners import queries as partners
from fxo.core.payments import queries as payment_rows
from fxo.core.payments import receipts as receipt_rows
from fxo.core.payments.queries import payment_id_of
from fxo.core.ratings import commands as ratings
from fxo.core.ratings import queries as rating_rows
from fxo.core.scope import CODE, Permission
from fxo.web import choices, forms, identity, shown, timeline
from fxo.web.frame import frame
from fxo.web.language import _, said
from fxo.web.places import here
from fxo.web.portal import calendar_links, changing, happened, rescue, times
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.card import why_shown
from fxo.web.portal.readers import part_wanted, partner_shown, scripts_run, span_shown
from fxo.web.portal.receipts import row_shown, url_of
from fxo.web.portal.standing import Standing

QUICK, SLOW = 3, 30
"""Seconds after which the page looks again: for what comes in a moment, and for what comes with the hour."""

FOLLOW_UPS = 6
"""How many times for another hour are offered on the page."""

NEAR = timedelta(hours=2)
"""So long before the start the page begins to look by itself whether one can come in."""


@blueprint.get("/sessions/<consultation_id>")
@identity.needs(Permission.BOOK)
def session_page(consultation_id: str) -> ResponseReturnValue:
    """The place for one session."""
    return session_with_errors(choices.id_from(consultation_id), {})


def session_with_errors(consultation_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The page, with a form of it that has to be mended: the rating, or what one says about what happened."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        now = tx.now
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile, entry = partners.profile_and_entry(tx, row.partner_id)
        link = calendars.join_url(tx, row.id)
        rated = rating_rows.of_session(tx, row.id) if row.state == "completed" else None
        brief = briefs.words(tx, row.brief_id) if row.brief_id else ""
        case = consultation_rows.case_of(tx, tx.scope.tenant_id, row.id) if row.has_case else None
        events = record.story(tx, row.id, row.brief_id)
        documents = receipt_rows.of_payment(tx, payment_id_of(row.id)) if paying and paying.captured_at else []
    if row.state in ("held", "released"):
        return redirect(f"/book/{row.id}", 303)
    standing = Standing(row, paying, profile, user.zone, now, rated is not None)
    person = partner_shown(profile) | {"url": _profile_url(row)}
    page = render_template(
        "portal/session.html",
        **frame(),
        partner=person,
        span=span_shown(row, profile, now),
        number=_("Session number %(number)s", number=str(row.id)[-12:].upper()),
        badge=standing.badge(),
        steps=standing.steps(),
        notice=_notice(standing, link, case),
        plans=None if happened.late(row, now) else changing.plans(row, user.zone, now),
        proposal=changing.proposal(row, user.zone, now),
        withdraw=f"/sessions/{row.id}/withdraw" if row.state == "requested" else None,
        rescue=rescue.offer(row, user.zone, now),
        absent=happened.absent(row, standing.first, now),
        otherwise=happened.otherwise(row, standing.first, now, errors if request.path.endswith("/object") else {}),
        case=happened.own_case(row, case, standing.first, errors),
        meeting=_meeting(standing, link),
        check_in={"action": f"/sessions/{row.id}/check-in"} if standing.soon and not row.here("client") else None,
        brief={"text": brief, "url": f"/briefs/{row.brief_id}"} if brief else None,
        next_steps=standing.next_steps(),
        money=standing.money(),
        documents=[{"label": row_shown(each, user.zone)["kind"], "value": each.code, "url": url_of(each)} for each in documents],
        record_url=f"/sessions/{row.id}/record.json",
        timeline=timeline.told(events, user.actor.kind, user.zone, now),
        card_url=f"/sessions/{row.id}/card" if standing.card_kept and not standing.card_refused else None,
        looks_again=_looks_again(standing, link),
        rating=_rating(standing, rated, errors),
        follow_up=_follow_up(standing, entry, later=scripts_run()),
        self_url=f"/sessions/{row.id}",
        portal_name=here().tenant.name,
    )
    return page, status


def _notice(standing: Standing, link: str | None, case: Case | None) -> dict[str, Any] | None:
    """What is to be said first: what happened, what it means, what to do."""
    row, first, now = standing.row, standing.first, standing.now
    if standing.owes and standing.paying and standing.paying.due:
        return {
            "kind": "warning", "title": _("%(amount)s is still to be paid.", amount=standing.paying.due.exact),
            "text": _("Your card was refused by its bank. Please take another one."),
            "link": {"label": _("Pay with another card"), "url": f"/sessions/{row.id}/pay"},
        }  # fmt: skip
    if ended := _ended(standing, case):
        return ended
    if standing.card_refused and standing.paying:
        why = why_shown(standing.paying, row.starts_at, standing.zone, now)
        return why | {"kind": "warning", "link": {"label": _("Look at your card"), "url": f"/sessions/{row.id}/card"}}
    if row.state == "lost":
        text = _(
            "Your bank answered after the ten minutes were over, and somebody else had the time by then. The hold on your card is"
            " ended; you pay nothing. Your brief is kept."
        )
        return {"kind": "warning", "title": _("This time could not be kept."), "text": text}
    if standing.settling:
        text = _("The amount is taken in a few seconds. This page goes on by itself.")
        return {"kind": "success", "title": _("%(name)s has completed the session.", name=first), "text": text}
    if row.moved_from and row.state == "confirmed" and not standing.soon:
        before = shown.time(row.moved_from, standing.zone)["text"]
        text = _(
            "It was to be on %(when)s. The invitation in your calendar moves by itself; the payment goes along.", when=before
        )
        return {"kind": "info", "title": _("This session has been moved."), "text": text}
    fresh = row.confirmed_at is not None and now - row.confirmed_at < timedelta(minutes=30)
    if row.rescues and fresh and not standing.soon:
        text = _("The invitation is on its way. You need not do anything else.")
        return {"kind": "success", "title": _("You are booked, with the same brief and the same payment."), "text": text}
    if row.state == "confirmed" and fresh and not standing.soon and not row.proposed:
        mail = identity.required().mail
        if row.brief_id:
            text = _(
                "The invitation is on its way to %(mail)s. Next: add it to your calendar, and look once more at what %(name)s"
                " will read.",
                mail=mail, name=first,
            )  # fmt: skip
        else:
            text = _("The invitation is on its way to %(mail)s. Next: add it to your calendar.", mail=mail)
        return {"kind": "success", "title": _("You are booked."), "text": text}
    return None


def _ended(standing: Standing, case: Case | None) -> dict[str, Any] | None:
    """What is to be said of a booking that is asked for, or went otherwise than planned."""
    row, first, zone = standing.row, standing.first, standing.zone
    fee = row.fee if row.fee and row.fee.minor else None
    if row.rescued_by:
        link = {"label": _("Open the session that is booked instead"), "url": f"/sessions/{row.rescued_by}"}
        text = _("Somebody else has taken over, with the same brief and the same payment.")
        return {"kind": "info", "title": _("%(name)s could not come.", name=first), "text": text, "link": link}
    match row.state:
        case "requested":
            until = shown.time(row.answer_until, zone)["text"] if row.answer_until else ""
            text = _(
                "You hear by %(until)s at the latest. The time is kept for you and your card is saved; nothing is held on it"
                " before the answer.", until=until,
            )  # fmt: skip
            return {"kind": "info", "title": _("%(name)s is asked.", name=first), "text": text}
        case "declined":
            why = {
                "partner": _("%(name)s cannot take this hour.", name=first),
                "system": _("%(name)s has not answered in time.", name=first), "client": _("You have taken the request back."),
            }[row.ended_by or "system"]  # fmt: skip
            words = f"“{row.words}”" if row.words else ""
            text = " ".join(part for part in (why, words, _("Nothing was held on your card. Your brief is kept.")) if part)
            link = {"label": _("See who else is free"), "url": f"/briefs/{row.brief_id}" if row.brief_id else "/experts"}
            return {"kind": "warning", "title": _("This time does not work out."), "text": text, "link": link}
        case "cancelled":
            return {"kind": "warning", "title": _("This session is cancelled."), "text": _cancelled(standing)}
        case "missed" if row.missing == "partner":
            text = _("We are sorry. You pay nothing; what is held on your card is let go.")
            if row.rescue_until:
                until = shown.time(row.stands_at, zone)["text"]
                text = _(
                    "We are sorry. You pay nothing. Somebody else can take over, or what is held on your card is let go on"
                    " %(when)s.", when=until,
                )  # fmt: skip
            return {"kind": "warning", "title": _("%(name)s did not come.", name=first), "text": text}
        case "missed":
            when = shown.time(row.ends_at + ANSWER, zone)["text"]
            text = _(
                "%(name)s was there and waited. By the rules you accepted %(fee)s is charged on %(when)s. Were you there? Say so"
                " before that.", name=first, fee=fee or "", when=when,
            )  # fmt: skip
            return {"kind": "warning", "title": _("We missed you."), "text": text}
        case "settled":
            text = _("Nobody has objected, so %(fee)s was due by the rules you accepted.", fee=fee or row.price)
            return {"kind": "info", "title": _("You did not come to this session."), "text": text}
        case "contested":
            text = _("A person reads what both of you say, and decides. No money moves before that.")
            return {"kind": "info", "title": _("What happened is being looked at."), "text": text}
        case "decided":
            text = _("You pay %(fee)s.", fee=fee) if fee else _("You pay nothing.")
            back = _("What was held or taken beyond it goes back to your card.")
            why = case.words if case else ""
            return {"kind": "info", "title": _("It is decided."), "text": " ".join(part for part in (text, back, why) if part)}
    return None


def _cancelled(standing: Standing) -> str:
    """Who has cancelled, why, and what it costs."""
    row, first = standing.row, standing.first
    why = {
        "payment": _("The card was refused twice, so the time was given back as announced."),
        "partner": _("%(name)s had to cancel. We are sorry.", name=first),
        "client": _("It was cancelled as you asked."),
        "operator": _("It was cancelled by the platform."),
    }.get("payment" if row.reason == "payment" else row.ended_by or "", _("It does not take place."))
    words = f"“{row.words}”" if row.words and row.ended_by != "client" else ""
    money = _("Nothing was charged.")
    if row.fee and row.fee.minor:
        money = _("By the rules you accepted it costs %(fee)s.", fee=row.fee)
    return " ".join(part for part in (why, words, money) if part)


def _meeting(standing: Standing, link: str | None) -> dict[str, Any]:
    """The way in: on its way, there but not open yet, open, or over."""
    row = standing.row
    if row.state == "requested":
        return {"state": "asked", "url": None, "menu": []}
    if not standing.ahead:
        return {"state": "over", "url": None, "menu": []}
    opens = "" if standing.soon else _("Opens %(when)s", when=shown.time(row.starts_at - EARLY, standing.zone)["text"])
    return {
        "state": "ready" if link else "pending",
        "url": link,
        "join_url": f"/sessions/{row.id}/join",
        "host": urlsplit(link or "").netloc,
        "opens": opens,
        "menu": [
            {"label": _("Calendar file (.ics)"), "url": f"/sessions/{row.id}/session.ics", "icon": "download"},
            {"label": _("Google Calendar"), "url": f"/sessions/{row.id}/calendar/google", "icon": "arrow-up-right"},
            {"label": _("Outlook at work"), "url": f"/sessions/{row.id}/calendar/office", "icon": "arrow-up-right"},
            {"label": _("Outlook.com"), "url": f"/sessions/{row.id}/calendar/outlook", "icon": "arrow-up-right"},
        ],
    }


def _looks_again(standing: Standing, link: str | None) -> int | None:
    """After how many seconds the page looks again by itself; None where nothing comes by itself."""
    row, now = standing.row, standing.now
    if standing.settling:
        return QUICK
    if row.state == "requested":
        return SLOW
    if not standing.ahead:
        return SLOW if standing.waits_for_completion and now < row.ends_at + NEAR else None
    if link is None:
        waits = now - (row.confirmed_at or now)
        return QUICK if waits < timedelta(minutes=2) else SLOW
    return SLOW if now >= row.starts_at - NEAR else None


def _rating(standing: Standing, rated: rating_rows.RatingRow | None, errors: dict[str, str]) -> dict[str, Any] | None:
    if standing.row.state != "completed":
        return None
    sent = request.method == "POST" and request.path.endswith("/rating")
    return {
        "action": f"/sessions/{standing.row.id}/rating",
        "stars": request.form.get("stars", type=int) if sent else rated.stars if rated else 0,
        "text": request.form.get("text", "") if sent else rated.comment if rated else "",
        "public": "public" in request.form if sent else rated.public if rated else True,
        "given": {"stars": rated.stars, "text": rated.comment, "answer": rated.answer} if rated else None,
        "open": sent and bool(errors),
        "errors": errors if sent else {},
    }


def _profile_url(row: ConsultationRow) -> str:
    """The expert's page, in view of the session's brief."""
    return f"/experts/{row.partner_id}" + (f"?brief={row.brief_id}" if row.brief_id else "")


@blueprint.get("/sessions/<consultation_id>/times")
@identity.needs(Permission.BOOK)
def session_times(consultation_id: str) -> ResponseReturnValue:
    """The times for another hour, for a script to put into the session's page: their calendar may take its time to answer."""
    found_id, user = choices.id_from(consultation_id), identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        now, row = tx.now, consultation_rows.find(tx, found_id)
        profile, entry = partners.profile_and_entry(tx, row.partner_id)
    if not part_wanted():
        return redirect(f"/sessions/{found_id}", 303)
    follow_up = _follow_up(Standing(row, None, profile, user.zone, now), entry, later=False)
    return render_template("portal/session_follow_up.html", follow_up=follow_up) if follow_up else ""


def _follow_up(standing: Standing, entry: partners.RosterEntry | None, *, later: bool) -> dict[str, Any] | None:
    """A few of the expert's next free times for another hour with the same brief; no times where they cannot be booked or read.

    None where it is too early for that. `later`: a script asks for the times when the page is there.
    """
    row = standing.row
    if standing.ahead or row.state in ("requested", "contested"):
        return None
    found = None
    if not (entry and later):
        free = times.next_times([row.partner_id], standing.now).get(row.partner_id, []) if entry else []
        found = [
            shown.slot(slot.start, standing.zone, now=standing.now) for slot in times.offered(free, standing.zone, FOLLOW_UPS)
        ]
    return {
        "title": _("Another time with %(name)s", name=standing.first)
        if row.state in ("cancelled", "lost", "declined", "missed")
        else _("Go on with %(name)s", name=standing.first),
        "slots": found,
        "times_url": f"/sessions/{row.id}/times",
        "all_times_url": _profile_url(row),
        "name": standing.first,
        "price": str(here().tenant.tax.gross(entry.price(here().tenant))) if entry else "",
        "fields": {"partner": str(row.partner_id)} | ({"brief": str(row.brief_id)} if row.brief_id else {}),
    }


@blueprint.post("/sessions/<consultation_id>/check-in")
@identity.needs(Permission.BOOK)
@forms.once
def check_in(consultation_id: str) -> ResponseReturnValue:
    """The client is there."""
    found_id = choices.id_from(consultation_id)
    platform.current().store.run(identity.scope(), identity.required().actor, consultations.arrive, found_id)
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.post("/sessions/<consultation_id>/rating")
@identity.needs(Permission.BOOK)
@forms.once
def rate(consultation_id: str) -> ResponseReturnValue:
    """Rate a completed session, or think again."""
    found_id, stars = choices.id_from(consultation_id), request.form.get("stars", "")
    try:
        platform.current().store.run(
            identity.scope(),
            identity.required().actor,
            ratings.rate,
            found_id,
            int(stars) if stars.isdecimal() and stars.isascii() and len(stars) < 4 else 0,
            request.form.get("text", ""),
            public="public" in request.form,
        )
    except Invalid as error:
        return session_with_errors(found_id, {"text" if error.field == "comment" else "stars": said(error)}, 422)
    flash(_("Thank you. Your rating helps the next person choose; you can change it here at any time."), "success")
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.get("/sessions/<consultation_id>/session.ics")
@identity.needs(Permission.BOOK)
def calendar_file(consultation_id: str) -> ResponseReturnValue:
    """The session for the client's own calendar; the same entry as the invitation that was mailed."""
    wanted, join_url, now = _entry(choices.id_from(consultation_id))
    body = invitation(wanted, "REQUEST", join_url, now=now)
    return Response(body, mimetype="text/calendar", headers={"Content-Disposition": "attachment; filename=session.ics"})


@blueprint.get("/sessions/<consultation_id>/calendar/<which>")
@identity.needs(Permission.BOOK)
def calendar_link(consultation_id: str, which: str) -> ResponseReturnValue:
    """On to a web calendar, with the session filled in; the addresses are made here and nowhere else."""
    wanted, join_url, _now = _entry(choices.id_from(consultation_id))
    match which:
        case "google":
            return redirect(calendar_links.google(wanted, join_url), 303)
        case "office" | "outlook":
            return redirect(calendar_links.outlook(wanted, join_url, work=which == "office"), 303)
    return redirect(f"/sessions/{choices.id_from(consultation_id)}/session.ics", 303)


def _entry(consultation_id: UUID) -> tuple[MeetingWanted, str | None, datetime]:
    """The calendar entry of the client's own session."""
    config = here().tenant

    def gathered(tx: Transaction) -> tuple[MeetingWanted, str | None, datetime]:
        found = facts.gather(tx, config, consultation_id)
        return facts.meeting_wanted(config, found, str(meeting_id_of(consultation_id)), found.sequence), found.join_url, tx.now

    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        consultation_rows.find(tx, consultation_id)
    return platform.current().store.run(identity.scope(), CODE, gathered)
