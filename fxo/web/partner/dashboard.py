"""The partner's day: what needs them, today, what comes, what is done, and how the month goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import connections
from fxo.core.consultations import agenda_queries as agenda
from fxo.core.consultations.agenda_queries import AgendaRow
from fxo.core.consultations.model import EARLY
from fxo.core.events.store import Transaction
from fxo.core.ledger import queries as ledger
from fxo.core.partners import queries as partners
from fxo.core.partners.availability import Availability
from fxo.core.partners.offered import offered_minutes
from fxo.core.partners.queries import Profile
from fxo.core.scope import Permission
from fxo.web import identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, ngettext
from fxo.web.partner import words
from fxo.web.partner.blueprint import blueprint

WEEKS = 9
_LISTED = 8
_DONE = 5
_UNREAD = 3
"""New sessions that are listed as such; the others are counted."""


@dataclass(frozen=True, slots=True)
class Day:
    """All that the page needs to know, read in one transaction."""

    now: datetime
    zone: str
    ahead: list[AgendaRow]
    done: list[AgendaRow]
    earned: list[ledger.Month]
    booked: int
    offered: int
    """Minutes of this month so far."""
    standing: tuple[float | None, int]
    weeks: list[tuple[date, int]]
    week: Availability | None
    next_open: datetime | None
    broken: str
    """The calendar provider whose connection does not work any more, if one is."""
    profile: Profile | None
    """Where nothing was ever booked: for what to do first."""

    @property
    def local(self) -> datetime:
        return self.now.astimezone(ZoneInfo(self.zone))


def _read(tx: Transaction, zone: str) -> Day:
    now, tz = tx.now, ZoneInfo(zone)
    local = now.astimezone(tz)
    month = datetime(local.year, local.month, 1, tzinfo=tz)
    monday = local.date() - timedelta(days=local.weekday())
    ahead, done = agenda.ahead(tx), agenda.done(tx, _DONE)
    history = partners.weeks_since(tx, month)
    week = history[-1].week if history else None
    return Day(
        now=now, zone=zone, ahead=ahead, done=done, earned=ledger.earned(tx, month, now),
        booked=agenda.booked_minutes(tx, month, now),
        offered=offered_minutes([(each.at, each.week) for each in history], month, now), standing=partners.standing(tx),
        weeks=agenda.weeks(tx, zone, monday - timedelta(weeks=WEEKS - 1), WEEKS), week=week,
        next_open=next(iter(agenda.next_open(tx, week, 1)), None) if week else None,
        broken=connections.broken_of(tx, tx.scope.id),
        profile=None if ahead or done else partners.profile(tx, tx.scope.id),
    )  # fmt: skip


@blueprint.get("/")
@identity.needs(Permission.COMPLETE_SESSIONS)
def dashboard() -> ResponseReturnValue:
    """Today, what needs the partner, what comes and what is done, of all portals."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        day = _read(tx, user.zone)
    now, local = day.now, day.local
    needs = [
        *(row for row in day.ahead if row.state == "requested"),
        *(row for row in day.ahead if row.to_complete(now)),
        *(row for row in day.ahead if row.starts_at > now and not row.opened and row.state != "requested"),
    ]
    more = max(0, sum(row.starts_at > now for row in needs) - _UNREAD)
    booked = [row for row in day.ahead if row.state != "requested"]
    today = [row for row in booked if row.ends_at > now and row.starts_at.astimezone(local.tzinfo).date() <= local.date()]
    later = [row for row in booked if row.ends_at > now and row not in today]
    return render_template(
        "partner/dashboard.html", **frame(),
        now={"text": _here_and_now(day), "iso": now.isoformat()},
        heading="" if day.profile else _heading(day, len(today), len(needs)), first_use=_first_use(day) if day.profile else None,
        needs=[_need(row, day, first=n == 0) for n, row in enumerate(needs[: len(needs) - more])],
        needs_count=len(needs), needs_more=_more(more), quiet=_quiet(day, bool(needs)), today=[_today(row, day) for row in today],
        today_note=_next_note(today, now), upcoming=[words.listed(row, day.zone, now) for row in later[:_LISTED]],
        upcoming_count=len(later), done=[words.listed(row, day.zone, now) for row in day.done], zone=shown.zone(now, day.zone),
        broken=_broken(day), month=f"{local:%B}", stats=_stats(day), chart=_chart(day), calendar=_calendar(day),
        undos=[one for row in day.done if (one := words.undo(row, now, "/"))],
    )  # fmt: skip


def _here_and_now(day: Day) -> str:
    local = day.local
    return _(
        "%(day)s, %(time)s in %(city)s (%(zone)s)",
        day=f"{local:%A} {local.day} {local:%B}", time=f"{local:%H:%M}", city=shown.city(day.zone),
        zone=shown.zone(day.now, day.zone),
    )  # fmt: skip


def _in_words(number: int) -> str:
    names = (
        _("no"), _("one"), _("two"), _("three"), _("four"), _("five"), _("six"), _("seven"), _("eight"), _("nine"),
    )  # fmt: skip
    return names[number] if number < len(names) else str(number)


def _heading(day: Day, today: int, needs: int) -> str:
    over = not today and _met_today(day)
    sessions = _("No more sessions today") if over else _sessions_today(today)
    if not needs:
        return sessions
    things = ngettext("%(word)s thing to finish", "%(word)s things to finish", needs, word=_in_words(needs))
    return _("%(sessions)s, %(things)s", sessions=sessions, things=things)


def _met_today(day: Day) -> bool:
    """Whether a session of today is over already."""
    return any(row.starts_at.astimezone(day.local.tzinfo).date() == day.local.date() for row in [*day.done, *day.ahead])


def _quiet(day: Day, needs: bool) -> str:
    """What stands where no session is left today."""
    if needs:
        return _("Nothing more today.") if _met_today(day) else _("No session today.")
    return _("Nothing more today, and nothing needs you.") if _met_today(day) else _("No session today, and nothing needs you.")


def _more(count: int) -> str:
    return ngettext("%(num)s more new session", "%(num)s more new sessions", count) if count else ""


def _sessions_today(today: int) -> str:
    return ngettext("%(word)s session today", "%(word)s sessions today", today, word=_in_words(today).capitalize())


def _next_note(today: Sequence[AgendaRow], now: datetime) -> str:
    live = [row for row in today if row.starts_at <= now]
    starts = [row.starts_at for row in today if row.starts_at > now]
    if live:
        return _("one is under way")
    return _("next in %(time)s", time=words.to_go(starts[0], now)) if starts else ""


# Lines -------------------------------------------------------------------------------------------------------------


def _line(row: AgendaRow, day: str, time: str, text: str, actions: list[dict[str, Any]], badge: Any = None) -> dict[str, Any]:
    return {
        "day": day, "time": time, "iso": row.starts_at.isoformat(), "url": f"/sessions/{row.consultation_id}", "text": text,
        "person": shown.person(row.client_name, row.client_id, words.company(row)), "badge": badge, "actions": actions,
    }  # fmt: skip


def _completing(row: AgendaRow, kind: str = "") -> dict[str, Any]:
    return {
        "label": _("Complete session"), "about": _("with %(client)s", client=row.client_name), "post": True, "kind": kind,
        "url": f"/sessions/{row.consultation_id}/complete", "fields": {"return_to": "/"}, "icon": "check",
    }  # fmt: skip


def _need(row: AgendaRow, day: Day, *, first: bool) -> dict[str, Any]:
    """What is to be done, and the one button that does it; the first is the page's main action."""
    kind = "primary" if first else ""
    when = words.day_of(row.starts_at, day.zone, day.now), shown.clock(row.starts_at, day.zone)
    if row.state == "requested" and row.answer_until:
        text = _("Asks for an hour. Answer by %(until)s.", until=shown.time(row.answer_until, day.zone)["text"])
        url = f"/sessions/{row.consultation_id}"
        return _line(row, *when, text, [{"label": _("Answer"), "about": row.client_name, "url": url, "kind": kind}])
    if row.to_complete(day.now):
        text = _("Session ended %(ago)s. Complete it to be paid %(earns)s.", ago=words.ago(row.ends_at, day.now), earns=row.earns)
        return _line(row, *when, text, [_completing(row, kind)])
    text = _("New, booked %(ago)s. You have not read the brief yet.", ago=words.ago(row.booked_at, day.now))
    label = _("Read the brief")
    if not row.brief:
        text = _("New, booked %(ago)s, without a brief.", ago=words.ago(row.booked_at, day.now))
        label = _("Look at it")
    url = f"/sessions/{row.consultation_id}"
    return _line(row, *when, text, [{"label": label, "about": row.client_name, "url": url, "kind": kind}])


def _today(row: AgendaRow, day: Day) -> dict[str, Any]:
    actions: list[dict[str, Any]] = []
    if row.join_url and day.now >= row.starts_at - EARLY:
        url = f"/sessions/{row.consultation_id}/join"
        actions.append({"label": _("Join"), "about": row.client_name, "url": url, "icon": "video"})
    if day.now >= row.starts_at:
        actions.append(_completing(row))
    elif not actions:
        label = _("Brief") if row.brief else _("Open")
        actions.append({"label": label, "about": row.client_name, "url": f"/sessions/{row.consultation_id}", "kind": "quiet"})
    until = _("to %(time)s", time=shown.clock(row.ends_at, day.zone))
    text = words.about(row) or _("Without a brief")
    return _line(row, shown.clock(row.starts_at, day.zone), until, text, actions, words.badge(row, day.now))


# The month ---------------------------------------------------------------------------------------------------------


def _stats(day: Day) -> list[dict[str, str]]:
    sessions = sum(each.sessions for each in day.earned)
    waiting = [row for row in day.ahead if row.to_complete(day.now)]
    average, ratings = day.standing
    used = min(100, round(100 * day.booked / day.offered)) if day.offered else 0
    return [
        {"label": _("Earned"), "value": shown.total(each.amount for each in day.earned) or "0",
         "note": ngettext("%(num)s session paid", "%(num)s sessions paid", sessions)},
        {"label": _("Waiting for you"), "value": shown.total(row.earns for row in waiting) or "0",
         "note": _("%(count)s to complete", count=len(waiting))},
        {"label": _("Used of offered time"), "value": f"{used}%" if day.offered else "–",
         "note": _("%(booked)s of %(offered)s hours", booked=words.hours(day.booked), offered=words.hours(day.offered))
         if day.offered else _("none so far this month")},
        {"label": _("Rating"), "value": f"{average:.1f}" if average else "–",
         "note": ngettext("%(num)s rating", "%(num)s ratings", ratings) if ratings else _("none yet")},
    ]  # fmt: skip


def _chart(day: Day) -> dict[str, Any] | None:
    if not any(count for _monday, count in day.weeks):
        return None
    this = day.weeks[-1][1]
    bars = [
        {"label": _("this week") if n == WEEKS - 1 else f"{monday.day} {monday:%b}", "value": count, "text": str(count),
         "now": n == WEEKS - 1}
        for n, (monday, count) in enumerate(day.weeks)
    ]  # fmt: skip
    earlier = [(count, monday) for monday, count in day.weeks[:-1]]
    at_least = [monday for count, monday in earlier if count >= this]
    word = _in_words(this).capitalize()
    if this and not at_least:
        sentence = _("%(word)s this week, your busiest of the last nine.", word=word)
    elif this:
        since = at_least[-1]
        sentence = _("%(word)s this week; the last with as many began on %(day)s.", word=word, day=f"{since.day} {since:%B}")
    else:
        sentence = _("None this week; your busiest of the last nine had %(most)s.", most=max(earlier)[0])
    return {"sentence": sentence, "bars": bars}


def _broken(day: Day) -> str:
    """What the calendar is called that has to be connected again; empty where none has."""
    spec = platform.current().plugins.specs.get(day.broken)
    return (spec.oauth.label if spec and spec.oauth else "") or day.broken


def _calendar(day: Day) -> dict[str, Any]:
    if day.week is None or not day.week.weekly:
        return {"badge": {"text": _("Closed"), "kind": "warning"}, "text": _("You offer no hours, so nobody can book you.")}
    if day.next_open is None:
        return {"badge": {"text": _("Full"), "kind": "warning"}, "text": _("Nothing is open within your horizon.")}
    when = shown.time(day.next_open, day.zone)["text"]
    return {"badge": {"text": _("Open"), "kind": "success"}, "text": _("Clients can book you from %(when)s on.", when=when)}


# The first day -----------------------------------------------------------------------------------------------------


def _first_use(day: Day) -> list[dict[str, Any]]:
    """What to do before the first booking, and what of it is done."""
    assert day.profile
    weekly = sum(window.end_minute - window.start_minute for window in day.week.weekly) if day.week else 0
    profile = day.profile
    told = bool(profile.headline and profile.bio and profile.cases and len(profile.skills) >= 3)
    zone_fits = day.week is not None and day.week.zone == day.zone
    return [
        {"title": _("Offer your hours"), "done": weekly > 0, "url": "/availability", "action": _("Paint your week"),
         "text": _("%(hours)s hours a week are open to clients.", hours=words.hours(weekly)) if weekly
         else _("Nobody can book you before you do.")},
        {"title": _("Complete your profile"), "done": told, "url": "/profile", "action": _("Edit your profile"),
         "text": _("Headline, story, skills and cases are there.") if told
         else _("Clients choose by your headline, three skills or more, and what you have done.")},
        {"title": _("Check your time zone"), "done": zone_fits, "url": "/profile", "action": _("Change the zone"),
         "text": _("It is %(time)s in %(city)s.", time=f"{day.local:%H:%M}", city=shown.city(day.zone)) if zone_fits
         else _("Your pages say %(zone)s; your hours are in %(other)s.", zone=shown.city(day.zone),
                other=shown.city(day.week.zone) if day.week else _("no zone yet"))},
    ]  # fmt: skip
