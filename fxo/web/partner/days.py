"""Days that differ from a partner's week: a holiday from one day to another, some hours away, extra hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import agenda_queries as agenda
from fxo.core.errors import Invalid, NotFound
from fxo.core.partners import exceptions
from fxo.core.partners.availability import Availability
from fxo.core.partners.exceptions import Hours
from fxo.core.scope import Permission
from fxo.web import forms, identity
from fxo.web.language import _, ngettext
from fxo.web.partner.availability import change, minute, page, stands
from fxo.web.partner.blueprint import blueprint

_LONGEST_AWAY = 366
_LONGEST_HOURS = 62
"""Days of one range: off all day, or with hours of their own."""


@blueprint.post("/availability/exceptions")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def add_exception() -> ResponseReturnValue:
    """One day or a range that differs: away, all of it or some hours, or free besides the week."""
    typed = {name: request.form.get(name, "")[:80] for name in ("date", "until", "start", "end", "kind")}
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        zone = ZoneInfo(stands(tx, user.zone).zone)
        today, ahead = tx.now.astimezone(zone).date(), agenda.ahead(tx)
    try:
        first, last, hours = _read(typed, today)
        if typed["kind"] == "extra":
            if hours is None:
                raise Invalid(_("Please say from when until when you are free."), field="start")
            change(lambda week: _each(week, first, last, hours, free=True))
        elif hours is None:
            change(lambda week: exceptions.away_between(week, first, last))
        else:
            change(lambda week: _each(week, first, last, hours, free=False))
    except Invalid as error:
        field = error.field if error.field in ("date", "until", "start") else "date"
        return page({}, typed, {field: error.message}, 422)
    flash(_said(first, last), "success")
    if typed["kind"] != "extra" and (count := _booked([row.starts_at for row in ahead], first, last, zone, hours)):
        flash(
            ngettext(
                "%(num)s session is booked within that time and stays as it is.",
                "%(num)s sessions are booked within that time and stay as they are.",
                count,
            ),
            "info",
        )
    return redirect("/availability", 303)


def _read(typed: dict[str, str], today: date) -> tuple[date, date, Hours | None]:
    first = _day(typed["date"], "date", today)
    last = _day(typed["until"], "until", today) if typed["until"] else first
    hours = (minute(typed["start"]), minute(typed["end"], last=True)) if typed["start"] or typed["end"] else None
    if hours and hours[0] >= hours[1]:
        raise Invalid(_("Please let the hours end after they start, on the same day."), field="start")
    if last < first:
        raise Invalid(_("Please let the last day come after the first."), field="until")
    most = _LONGEST_HOURS if hours else _LONGEST_AWAY
    if (last - first).days >= most:
        raise Invalid(_("Please choose at most %(days)s days at a time.", days=most), field="until")
    return first, last, hours


def _day(text: str, field: str, today: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(_("Please choose the day."), field=field) from error
    if not today <= found <= today.replace(year=today.year + 2, day=1):
        raise Invalid(_("Please choose a day from today on, within two years."), field=field)
    return found


def _each(week: Availability, first: date, last: date, hours: Hours, *, free: bool) -> Availability:
    for number in range((last - first).days + 1):
        week = (exceptions.also if free else exceptions.away)(week, first + timedelta(days=number), hours)
    return week


def _said(first: date, last: date) -> str:
    day = f"{first:%A} {first.day} {first:%B}"
    if first == last:
        return _("%(day)s is noted.", day=day)
    return _("%(first)s to %(last)s is noted.", first=day, last=f"{last:%A} {last.day} {last:%B}")


def _booked(starts: list[datetime], first: date, last: date, zone: ZoneInfo, hours: Hours | None) -> int:
    """How many sessions begin within that time; they were promised, and are not moved by it."""
    low, high = hours or (0, 24 * 60)
    local = [start.astimezone(zone) for start in starts]
    return sum(first <= each.date() <= last and low <= each.hour * 60 + each.minute < high for each in local)


@blueprint.post("/availability/exceptions/<day>/remove")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def remove_exception(day: str) -> ResponseReturnValue:
    """The day, or every day up to `last`, is as usual again."""
    try:
        first = date.fromisoformat(day)
        last = date.fromisoformat(request.form.get("last") or day)
    except ValueError as error:
        raise NotFound("There is no such day here.") from error
    change(lambda week: exceptions.as_usual_between(week, first, last))
    flash(_("As usual again: your weekly hours are open on these days."), "success")
    return redirect("/availability", 303)
