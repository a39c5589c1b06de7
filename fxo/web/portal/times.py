"""The free times of several experts at once: read from their calendars outside a transaction, then computed inside one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.clock import in_zone
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.slots import Slot
from fxo.core.partners.availability import Availability
from fxo.web import identity, shown
from fxo.web.language import _, ngettext
from fxo.web.places import here

LOOK_AHEAD = timedelta(days=21)
"""How far ahead the next free times are looked for."""

CHOICE = 60
"""From how many of the next free times those that are shown are chosen."""
APART = timedelta(hours=3)
DAY = (7, 21)
"""Hours of the reader's clock at which most people would meet."""

Times = dict[UUID, list[Slot]]
Weeks = Mapping[UUID, Availability]


def next_times(partner_ids: Collection[UUID], now: datetime, weeks: Weeks | None = None) -> Times:
    """The next free times of each. Who is left out cannot be read at the moment, and unknown is not free (hard case 10)."""
    parts, asked = platform.current(), list(partner_ids)
    if not asked:
        return {}
    external = calendars.external_busy(parts.providers, here().tenant, asked, (now, now + LOOK_AHEAD))
    known = [partner_id for partner_id in asked if partner_id in external]
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        tx.now = now  # a page speaks of one moment
        found = consultation_rows.next_open(tx, known, days=LOOK_AHEAD.days, count=CHOICE, external=external, weeks=weeks)
    return {partner_id: found.get(partner_id, []) for partner_id in known}


def offered(slots: Sequence[Slot], zone: str, count: int = 3) -> list[Slot]:
    """A few of the next free times that differ enough to be a choice: hours apart, and in the reader's day where there are such.

    Three half-hours in a row are one offer and not three; a time at four in the morning is offered where there is no other.
    """

    def apart(candidates: Sequence[Slot]) -> list[Slot]:
        chosen: list[Slot] = []
        for slot in candidates:
            if len(chosen) < count and (not chosen or slot.start - chosen[-1].start >= APART):
                chosen.append(slot)
        return chosen

    by_day = [slot for slot in slots if DAY[0] <= slot.start.astimezone(ZoneInfo(zone)).hour < DAY[1]]
    found = apart(by_day)
    for fill in (apart(slots), by_day, slots) if len(found) < count else ():
        found += [slot for slot in fill if slot not in found][: count - len(found)]
    return sorted(found, key=lambda slot: slot.start)


def times_within(
    partner_ids: Collection[UUID], window: tuple[datetime, datetime], weeks: Weeks | None = None
) -> dict[UUID, list[datetime]]:
    """The free starts of each within the window; who cannot be read is left out. `weeks`: those that have been read already."""
    parts, asked = platform.current(), list(partner_ids)
    if not asked:
        return {}
    external = calendars.external_busy(parts.providers, here().tenant, asked, window)
    known = [partner_id for partner_id in asked if partner_id in external]
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        found = consultation_rows.open_slots(tx, known, window, external, weeks)
    return {partner_id: found.get(partner_id, []) for partner_id in known}


OPEN_DAYS = 2
"""Days whose times are seen at once; the others are folded away."""


def by_day(starts: Sequence[datetime], zone: str, there: str, name: str, now: datetime) -> list[dict[str, Any]]:
    """Open starts as `open_days` shows them: a day of the reader's at a time, the expert's own clock (`there`) beside it."""
    days: list[dict[str, Any]] = []
    for day, found in groupby(starts, key=lambda start: start.astimezone(ZoneInfo(zone)).date()):
        slots = [_slot(start, zone, there, name) for start in found]
        title = shown.slot(datetime.fromisoformat(slots[0]["value"]), zone, now=now)["day"]
        days.append(
            {
                "day": title,
                "date": day.isoformat(),
                "count": ngettext("One time", "%(num)s times", len(slots)),
                "open": len(days) < OPEN_DAYS,
                "slots": slots,
            }
        )
    return days


def _slot(start: datetime, zone: str, there: str, name: str) -> dict[str, str]:
    here_text = in_zone(start, zone)
    theirs = ""
    if there and in_zone(start, there) != here_text:
        local, other = start.astimezone(ZoneInfo(zone)), start.astimezone(ZoneInfo(there))
        theirs = f"{other:%H:%M}" if other.date() == local.date() else f"{other:%a %H:%M}"
    label = here_text
    if theirs:
        label = _("%(mine)s, %(theirs)s for %(name)s", mine=here_text, theirs=in_zone(start, there), name=name.split()[0])
    return {"value": start.isoformat(), "time": f"{start.astimezone(ZoneInfo(zone)):%H:%M}", "theirs": theirs, "label": label}
