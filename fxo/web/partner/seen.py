"""What clients see of a partner's week: the next times as somebody elsewhere reads them, and what a change of clocks means."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from fxo.core.partners import exceptions
from fxo.core.partners.availability import Availability
from fxo.core.partners.daylight import Change, next_change
from fxo.web import shown
from fxo.web.language import _, ngettext

MANY = 5
"""How many times are shown."""

CITIES = ("America/New_York", "Europe/London", "Europe/Berlin", "America/Los_Angeles", "Asia/Singapore", "Australia/Sydney")

_CLOCKS_AHEAD = 120
"""Days within which a change of clocks is told of; more where the horizon is longer."""


def seen_from(own: str) -> str:
    """The place of the client whose eyes are borrowed: as chosen, or the first of the list that is not the partner's own."""
    chosen = request.values.get("seen_from", "")
    return chosen if chosen in CITIES else next(city for city in CITIES if city != own)


def cities() -> list[dict[str, str]]:
    return [{"value": zone, "label": shown.city(zone)} for zone in CITIES]


def times(starts: list[datetime], week: Availability, zone: str, now: datetime) -> dict[str, Any]:
    """The times as that client reads them, with the partner's own beside each."""
    found = [{"theirs": shown.time(start, zone), "yours": shown.time(start, week.zone)["text"]} for start in starts]
    title = ngettext(
        "The next time that a client in %(city)s sees", "The next %(num)s times that a client in %(city)s sees",
        len(found), city=shown.city(zone),
    )  # fmt: skip
    none = _("Nobody could book you within %(days)s days: no hour is open.", days=week.horizon_days)
    return {"title": title, "times": found, "none": none}


def clocks(week: Availability, now: datetime) -> list[str]:
    """What the next change of clocks means, in words; nothing where none is near."""
    change = next_change(week.zone, now, max(week.horizon_days, _CLOCKS_AHEAD))
    if change is None:
        return []
    local = change.at.astimezone(ZoneInfo(week.zone))
    values = {"day": f"{local:%A} {local.day} {local:%B}", "city": shown.city(week.zone), "much": _much(abs(change.forward))}
    if change.forward > 0:
        said = _(
            "On %(day)s the clocks in %(city)s go forward by %(much)s. Your hours stay as you painted them;"
            " clients elsewhere see them %(much)s earlier from then on.",
            **values,
        )
        gap = _("That night %(from)s to %(to)s does not exist, so nobody is offered it.", **_gap(local, change))
    else:
        said = _(
            "On %(day)s the clocks in %(city)s go back by %(much)s. Your hours stay as you painted them;"
            " clients elsewhere see them %(much)s later from then on.",
            **values,
        )
        gap = _("That night %(from)s to %(to)s comes twice; clients are offered the first.", **_gap(local, change))
    return [said, gap] if _touches(week, local, change) else [said]


def _much(minutes: int) -> str:
    return _("an hour") if minutes == 60 else ngettext("%(num)s minute", "%(num)s minutes", minutes)


def _gap(local: datetime, change: Change) -> dict[str, str]:
    """The wall time that is skipped or repeated; `local` shows the clock just after the change."""
    wall = local.replace(tzinfo=None)
    other = wall - timedelta(minutes=change.forward)
    first, last = min(wall, other), max(wall, other)
    return {"from": f"{first:%H:%M}", "to": f"{last:%H:%M}"}


def _touches(week: Availability, local: datetime, change: Change) -> bool:
    """Whether the partner offers hours within the time that is skipped or repeated."""
    end = local.hour * 60 + local.minute + (0 if change.forward > 0 else -change.forward)
    return any(low < end and high > end - abs(change.forward) for low, high in exceptions.hours_on(week, local.date()))
