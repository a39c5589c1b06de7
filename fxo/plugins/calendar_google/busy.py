"""When people are taken, asked for many of them in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fxo.core.calendars.kept import Taken, Window
from fxo.plugins.calendar_google.service import Service
from fxo.plugins.calendar_google.times import instant, text

MOST = 50
"""How many requests go into one call (Google's limit is 1,000; it counts each of them)."""


def look(service: Service, people: Sequence[UUID], window: Window) -> dict[UUID, Taken]:
    """Their busy times in UTC; who cannot be read is left out."""
    query = {"timeMin": text(window[0]), "timeMax": text(window[1]), "timeZone": "UTC", "items": [{"id": "primary"}]}
    found: dict[UUID, Taken] = {}
    for n in range(0, len(people), MOST):
        requests = {each: service.api.freebusy().query(body=query) for each in people[n : n + MOST]}
        for person_id, answer in service.ask_all(requests, quick=True).items():
            if (taken := _read(answer)) is not None:
                found[person_id] = taken
    return found


def _read(answer: Any) -> Taken | None:
    """The times; None where Google could not look into the calendar."""
    if not isinstance(answer, Mapping):
        return None
    calendar = answer["calendars"].get("primary", {"errors": ["missing"]})
    if calendar.get("errors"):
        return None
    times = [(instant(one["start"]), instant(one["end"])) for one in calendar.get("busy", ())]
    return tuple((start, end) for start, end in times if start < end)
