"""The free times of several experts at once: read from their calendars outside a transaction, then computed inside one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.slots import Slot
from fxo.web import identity
from fxo.web.places import here

LOOK_AHEAD = timedelta(days=21)
"""How far ahead the next free times are looked for."""

Times = dict[UUID, list[Slot]]


def next_times(partner_ids: Collection[UUID], now: datetime, count: int = 3) -> Times:
    """The next free times of each. Who is left out cannot be read at the moment, and unknown is not free (hard case 10)."""
    parts, asked = platform.current(), list(partner_ids)
    if not asked:
        return {}
    external = calendars.external_busy(parts.providers, here().tenant, asked, (now, now + LOOK_AHEAD))
    known = [partner_id for partner_id in asked if partner_id in external]
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        found = consultation_rows.next_open(tx, known, days=LOOK_AHEAD.days, count=count, external=external)
    return {partner_id: found.get(partner_id, []) for partner_id in known}


def times_within(partner_ids: Collection[UUID], window: tuple[datetime, datetime]) -> dict[UUID, list[datetime]]:
    """The free starts of each within the window; who cannot be read is left out."""
    parts, asked = platform.current(), list(partner_ids)
    if not asked:
        return {}
    external = calendars.external_busy(parts.providers, here().tenant, asked, window)
    known = [partner_id for partner_id in asked if partner_id in external]
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        found = consultation_rows.open_slots(tx, known, window, external)
    return {partner_id: found.get(partner_id, []) for partner_id in known}
