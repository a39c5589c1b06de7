"""The local calendar: one row per meeting, and a link that nobody can guess."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fxo.core.calendars.port import BusyTimes, CalendarCapabilities, Change, Meeting, MeetingWanted
from fxo.core.db import execute, transaction
from fxo.core.errors import Declined
from fxo.core.plugins import ProviderContext
from fxo.core.scope import system_scope


@dataclass(frozen=True, slots=True)
class LocalMeeting:
    """A meeting as its page shows it."""

    reference: str
    tenant_id: UUID
    title: str
    starts_at: datetime
    ends_at: datetime
    cancelled: bool


class LocalCalendar:
    """`CalendarProvider` over our own table. Nobody else can change it, so there is nothing to watch and nobody to hear."""

    capabilities = CalendarCapabilities()

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def busy_times(self, partners: Sequence[UUID], window: tuple[datetime, datetime]) -> BusyTimes:
        """Nothing but what the platform has booked itself, and that it knows (`partner_time`)."""
        return BusyTimes(dict.fromkeys(partners, ()), self._context.system_clock())

    def create_meeting(self, wanted: MeetingWanted) -> Meeting:
        return self._agree(wanted)

    def move_meeting(self, reference: str, wanted: MeetingWanted) -> Meeting:
        return self._agree(wanted)

    def cancel_meeting(self, reference: str) -> None:
        with transaction(system_scope("meeting_page")) as connection:
            execute(
                connection,
                "update plugin_calendar_local.meetings set cancelled = true where reference = :reference and tenant_id = :tenant",
                reference=reference, tenant=self._context.tenant_id,
            )  # fmt: skip

    def changes_since(self, cursor: str | None) -> tuple[Sequence[Change], str]:
        return (), cursor or "0"

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[UUID]:
        raise Declined("bad_signature")

    def _agree(self, wanted: MeetingWanted) -> Meeting:
        """Make the row agree with what is wanted; the token stays, and an older sequence changes nothing."""
        with transaction(system_scope("meeting_page")) as connection:
            execute(
                connection,
                "insert into plugin_calendar_local.meetings as kept"
                " (reference, tenant_id, token, uid, sequence, title, starts_at, ends_at)"
                " values (:reference, :tenant, :token, :uid, :sequence, :title, :starts_at, :ends_at)"
                " on conflict (reference) do update set sequence = excluded.sequence,"
                " title = excluded.title, starts_at = excluded.starts_at, ends_at = excluded.ends_at"
                " where kept.tenant_id = excluded.tenant_id and kept.sequence < excluded.sequence",
                reference=wanted.reference, tenant=self._context.tenant_id, token=secrets.token_urlsafe(18), uid=wanted.uid,
                sequence=wanted.sequence, title=wanted.title, starts_at=wanted.starts_at, ends_at=wanted.ends_at,
            )  # fmt: skip
            kept = execute(
                connection,
                "select token, sequence from plugin_calendar_local.meetings where reference = :reference and tenant_id = :tenant",
                reference=wanted.reference, tenant=self._context.tenant_id,
            ).one()  # fmt: skip
        return Meeting(wanted.reference, self._context.urls.meet(kept.token), kept.sequence)


def meeting_by_token(token: str) -> LocalMeeting | None:
    """The meeting that the link leads to; None for a link that leads nowhere."""
    with transaction(system_scope("meeting_page")) as connection:
        row = execute(
            connection,
            "select reference, tenant_id, title, starts_at, ends_at, cancelled"
            " from plugin_calendar_local.meetings where token = :token",
            token=token,
        ).one_or_none()
    if row is None:
        return None
    return LocalMeeting(row.reference, row.tenant_id, row.title, row.starts_at, row.ends_at, row.cancelled)
