"""When a partner may be booked: the week as a form, and single days that differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Invalid, NotFound
from fxo.core.partners import commands as partners
from fxo.core.partners import exceptions
from fxo.core.partners import queries as partner_rows
from fxo.core.partners.availability import DAY, WEEKDAYS, Availability, DayException, Window
from fxo.core.scope import Permission
from fxo.web import choices, forms, identity
from fxo.web.frame import frame
from fxo.web.partner.blueprint import blueprint

_KEYS = tuple(name[:3].lower() for name in WEEKDAYS)
_NUMBERS = {
    "buffer_before": "buffer_before_minutes", "buffer_after": "buffer_after_minutes", "notice_hours": "notice_hours",
    "horizon_days": "horizon_days",
}  # fmt: skip
_MOST_WINDOWS = 12
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

Typed = dict[str, str]


@blueprint.get("/availability")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def page() -> ResponseReturnValue:
    """The week as it stands."""
    return _page({}, {}, {})


def _page(week: Typed, exception: Typed, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The form with what stands, or (after an error) with what was typed."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        stands = partner_rows.availability(tx, [user.actor.id]).get(user.actor.id) or Availability(zone=user.zone)
        today = tx.now.astimezone(ZoneInfo(stands.zone)).date()
    typed = week or _spelt(stands)
    page = render_template(
        "partner/availability.html", **frame(), action="/availability", zone=typed.get("zone", ""), zones=choices.zones(),
        days=[{"key": key, "label": name, "windows": _windows(typed, key)} for key, name in zip(_KEYS, WEEKDAYS, strict=True)],
        form={name: typed.get(name, "") for name in _NUMBERS}, errors=errors, exception=exception or {"kind": "away"},
        exceptions=[_exception(stands, one) for one in stands.exceptions if one.date >= today],
        exception_action="/availability/exceptions",
    )  # fmt: skip
    return page, status


def _spelt(week: Availability) -> Typed:
    """The week as the form spells it; midnight at the end of a day is 00:00 there."""
    typed = {"zone": week.zone} | {name: str(getattr(week, field)) for name, field in _NUMBERS.items()}
    for weekday, key in enumerate(_KEYS):
        for n, window in enumerate(window for window in week.weekly if window.weekday == weekday):
            typed |= {f"{key}-{n}-start": _clock(window.start_minute), f"{key}-{n}-end": _clock(window.end_minute)}
    return typed


def _windows(typed: Typed, key: str) -> list[dict[str, str]]:
    found = [{"start": typed.get(f"{key}-{n}-start", ""), "end": typed.get(f"{key}-{n}-end", "")} for n in range(_MOST_WINDOWS)]
    while len(found) > 2 and not any(found[-1].values()):
        found.pop()
    return found


def _exception(week: Availability, one: DayException) -> dict[str, str]:
    hours = ", ".join(f"{_clock(start)}–{'24:00' if end == DAY else _clock(end)}" for start, end in one.windows)
    less = exceptions.minutes(one.windows) < exceptions.minutes(exceptions.weekly_hours(week, one.date))
    return {
        "text": f"{one.date:%a} {one.date.day} {one.date:%b %Y}, " + (f"open {hours}" if hours else "all day"),
        "kind": "away" if less or not hours else "extra", "remove_url": f"/availability/exceptions/{one.date}/remove",
    }  # fmt: skip


@blueprint.post("/availability")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def save() -> ResponseReturnValue:
    """The week from now on; what is booked stands."""
    typed = {name: text[:80] for name, text in request.form.items()}
    wanted, errors = _week(typed)
    if not errors:
        try:
            _change(lambda stands: replace(stands, **wanted))
        except Invalid as error:
            names = {field: name for name, field in _NUMBERS.items()}
            errors = {names.get(error.field or "", error.field or "zone"): error.message}
    if errors:
        return _page(typed, {}, errors, 422)
    flash("Your week is saved. Clients see it from now on.", "success")
    return redirect("/availability", 303)


def _week(typed: Typed) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form says, and what is wrong with it by field, each field on its own."""
    wanted: dict[str, Any] = {"zone": typed.get("zone", "")}
    errors: dict[str, str] = {}
    weekly: list[Window] = []

    def check(name: str, build: Callable[[], Any]) -> None:
        try:
            build()
        except Invalid as error:
            errors[name] = error.message

    check("zone", lambda: Availability(zone=wanted["zone"]))
    for weekday, key in enumerate(_KEYS):
        try:
            windows = tuple(
                Window(weekday, _minute(one["start"]), _minute(one["end"], last=True))
                for one in _windows(typed, key)
                if any(one.values())
            )
        except Invalid as error:
            errors[key] = error.message
            continue
        check(key, lambda windows=windows: Availability(zone="UTC", weekly=windows))
        weekly += windows
    for name, field in _NUMBERS.items():
        try:
            wanted[field] = int(typed.get(name, ""))
        except ValueError:
            errors[name] = "Please give a whole number."
            continue
        check(
            name, lambda field=field: Availability(**{"zone": "UTC", "notice_hours": 0, "horizon_days": 60, field: wanted[field]})
        )
    return wanted | {"weekly": tuple(weekly)}, errors


def _change(change: Callable[[Availability], Availability]) -> None:
    platform.current().store.run(identity.scope(), identity.required().actor, partners.change_availability, change)


@blueprint.post("/availability/exceptions")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def add_exception() -> ResponseReturnValue:
    """One day that differs: away, all of it or some hours, or free besides the week."""
    typed = {name: request.form.get(name, "")[:80] for name in ("date", "start", "end", "kind")}
    try:
        day = _day(typed["date"])
        hours = (_minute(typed["start"]), _minute(typed["end"], last=True)) if typed["start"] or typed["end"] else None
        if typed["kind"] == "extra":
            if hours is None:
                raise Invalid("Please say from when until when you are free on that day.", field="exception")
            _change(lambda week: exceptions.also(week, day, hours))
        else:
            _change(lambda week: exceptions.away(week, day, hours))
    except Invalid as error:
        return _page({}, typed, {"exception": error.message}, 422)
    flash(f"{day:%A} {day.day} {day:%B} is noted.", "success")
    return redirect("/availability", 303)


@blueprint.post("/availability/exceptions/<day>/remove")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def remove_exception(day: str) -> ResponseReturnValue:
    """The day is as usual again."""
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise NotFound("There is no such day here.") from error
    _change(lambda week: exceptions.as_usual(week, found))
    return redirect("/availability", 303)


def _day(text: str) -> date:
    user = identity.required()
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("Please choose the day.", field="exception") from error
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        today = tx.now.astimezone(ZoneInfo(user.zone)).date()
    if not today <= found <= today.replace(year=today.year + 2, day=1):
        raise Invalid("Please choose a day from today on, within two years.", field="exception")
    return found


def _minute(text: str, *, last: bool = False) -> int:
    """Minutes after midnight; 00:00 ends a day where it is the end of a window."""
    spelt = _TIME.fullmatch(text)
    if not spelt:
        raise Invalid("Please give both times, such as 09:00 and 17:00, or leave both empty.", field="exception")
    found = int(spelt[1]) * 60 + int(spelt[2])
    return DAY if last and found == 0 else found


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
