"""When a partner may be booked: the week as a form that can be painted, and what clients see of it before it is saved."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import agenda_queries as agenda
from fxo.core.errors import Conflict, Invalid
from fxo.core.events.store import Transaction
from fxo.core.partners import commands as partners
from fxo.core.partners import exceptions
from fxo.core.partners import queries as partner_rows
from fxo.core.partners.availability import DAY, WEEKDAYS, Availability, Window
from fxo.core.scope import Permission
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.partner import seen
from fxo.web.partner.blueprint import blueprint

KEYS = tuple(name[:3].lower() for name in WEEKDAYS)
NUMBERS = {
    "buffer_before": "buffer_before_minutes", "buffer_after": "buffer_after_minutes", "notice_hours": "notice_hours",
    "horizon_days": "horizon_days",
}  # fmt: skip
_MOST_WINDOWS = 24
_UNDO = timedelta(minutes=10)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

Typed = dict[str, str]


@blueprint.get("/availability")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def availability_page() -> ResponseReturnValue:
    """The week as it stands."""
    return page({}, {}, {})


def stands(tx: Transaction, zone: str) -> Availability:
    """The week of now; for who has none yet an empty one."""
    return partner_rows.availability(tx, [tx.scope.id]).get(tx.scope.id) or Availability(zone=zone)


def page(week: Typed, exception: Typed, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The form with what stands, or (after an error) with what was typed."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        now = tx.now
        history = partner_rows.weeks_since(tx, now - _UNDO)
        now_set = history[-1].week if history else Availability(zone=user.zone)
        starts = agenda.next_open(tx, now_set, seen.MANY)
    typed = week or _spelt(now_set)
    seen_from = seen.seen_from(now_set.zone)
    return render_template(
        "partner/availability.html", **frame(), zone=typed.get("zone", ""), zones=choices.zones(), errors=errors,
        days=[{"key": key, "label": day_names()[n], "windows": _windows(typed, key)} for n, key in enumerate(KEYS)],
        form={name: typed.get(name, "") for name in NUMBERS}, exception=exception or {"kind": "away"},
        exceptions=[_span(one) for one in exceptions.spans(now_set, now.astimezone(ZoneInfo(now_set.zone)).date())],
        seen=seen.times(starts, now_set, seen_from, now), seen_from=seen_from, cities=seen.cities(),
        clocks=seen.clocks(now_set, now), undo=_undo(history, user.zone), own_zone=user.zone,
    ), status  # fmt: skip


def day_names() -> tuple[str, ...]:
    return (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


def _spelt(week: Availability) -> Typed:
    """The week as the form spells it; midnight at the end of a day is 00:00 there."""
    typed = {"zone": week.zone} | {name: str(getattr(week, field)) for name, field in NUMBERS.items()}
    for weekday, key in enumerate(KEYS):
        for n, window in enumerate(window for window in week.weekly if window.weekday == weekday):
            typed |= {f"{key}-{n}-start": clock(window.start_minute), f"{key}-{n}-end": clock(window.end_minute)}
    return typed


def _windows(typed: Typed, key: str) -> list[dict[str, str]]:
    found = [{"start": typed.get(f"{key}-{n}-start", ""), "end": typed.get(f"{key}-{n}-end", "")} for n in range(_MOST_WINDOWS)]
    while len(found) > 2 and not any(found[-1].values()):
        found.pop()
    return found


def _span(one: exceptions.Span) -> dict[str, Any]:
    day = f"{one.first:%a} {one.first.day} {one.first:%b %Y}"
    until = f"{one.last:%a} {one.last.day} {one.last:%b %Y}"
    hours = ", ".join(f"{clock(start)}–{'24:00' if end == DAY else clock(end)}" for start, end in one.hours)
    if one.last > one.first:
        text = _("%(first)s to %(last)s", first=day, last=until)
    else:
        text = _("%(day)s, open %(hours)s", day=day, hours=hours) if hours else _("%(day)s, all day", day=day)
    badge = {"text": _("Other hours"), "kind": "accent"} if hours else {"text": _("Away"), "kind": ""}
    return {"text": text, "badge": badge, "remove_url": f"/availability/exceptions/{one.first}/remove", "last": str(one.last)}


def _undo(history: list[partner_rows.WeekSet], zone: str) -> dict[str, Any] | None:
    """What was changed within the last ten minutes can be taken back."""
    if len(history) < 2:
        return None
    at = shown.clock(history[-1].at, zone)
    return {"action": "/availability/undo", "version": history[-1].version, "text": _("Changed at %(time)s.", time=at)}


@blueprint.post("/availability")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def save() -> ResponseReturnValue:
    """The week from now on; what is booked stands."""
    typed = {name: text[:80] for name, text in request.form.items()}
    wanted, errors = read(typed)
    if not errors:
        try:
            change(lambda week: replace(week, **wanted))
        except Invalid as error:
            errors = _by_name(error)
    if errors:
        return page(typed, {}, errors, 422)
    flash(_("Your week is saved. Clients see it from now on; what is booked stands."), "success")
    return redirect("/availability", 303)


def _by_name(error: Invalid) -> dict[str, str]:
    names = {field: name for name, field in NUMBERS.items()}
    return {names.get(error.field or "", error.field or "zone"): error.message}


def read(typed: Typed) -> tuple[dict[str, Any], dict[str, str]]:
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
    for weekday, key in enumerate(KEYS):
        try:
            windows = tuple(
                Window(weekday, minute(one["start"]), minute(one["end"], last=True))
                for one in _windows(typed, key)
                if any(one.values())
            )
        except Invalid as error:
            errors[key] = error.message
            continue
        check(key, lambda windows=windows: Availability(zone="UTC", weekly=windows))
        weekly += windows
    for name, field in NUMBERS.items():
        try:
            wanted[field] = int(typed.get(name, ""))
        except ValueError:
            errors[name] = _("Please give a whole number.")
            continue
        check(
            name, lambda field=field: Availability(**{"zone": "UTC", "notice_hours": 0, "horizon_days": 60, field: wanted[field]})
        )
    return wanted | {"weekly": tuple(weekly)}, errors


def change(how: Callable[[Availability], Availability]) -> None:
    """The own week as `how` makes it of the one that stands."""
    platform.current().store.run(identity.scope(), identity.required().actor, partners.change_availability, how)


@blueprint.post("/availability/undo")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def undo_change() -> ResponseReturnValue:
    """The week is as it was before the last change."""
    version = request.form.get("version", 0, type=int)
    try:
        platform.current().store.run(identity.scope(), identity.required().actor, partners.restore_availability, version)
    except Conflict as error:
        flash(error.message, "info")
    else:
        flash(_("Taken back. Your week is as it was before."), "success")
    return redirect("/availability", 303)


@blueprint.post("/availability/preview")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def preview_week() -> ResponseReturnValue:
    """The next times that a client would be offered with what is painted and typed; nothing is kept."""
    user = identity.required()
    typed = {name: text[:80] for name, text in request.form.items()}
    wanted, errors = read(typed)
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        now, week = tx.now, stands(tx, user.zone)
        times: dict[str, Any] | None = None
        if not errors:
            try:
                week = replace(week, **wanted)
                times = seen.times(agenda.next_open(tx, week, seen.MANY), week, seen.seen_from(week.zone), now)
            except Invalid:
                times = None
    return render_template("partner/seen.html", seen=times, clocks=seen.clocks(week, now))


# Times of day ------------------------------------------------------------------------------------------------------


def minute(text: str, *, last: bool = False) -> int:
    """Minutes after midnight; 00:00 ends a day where it is the end of a window."""
    spelt = _TIME.fullmatch(text)
    if not spelt:
        raise Invalid(_("Please give both times, such as 09:00 and 17:00, or leave both empty."), field="start")
    found = int(spelt[1]) * 60 + int(spelt[2])
    return DAY if last and found == 0 else found


def clock(at: int) -> str:
    """Minutes after midnight as a time input spells them."""
    return f"{at // 60 % 24:02}:{at % 60:02}"
