"""The calendar port: busy times and meetings, in words of ours. No vendor type crosses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Attendee:
    name: str
    email: str
    zone: str


@dataclass(frozen=True, slots=True)
class MeetingWanted:
    """The meeting as the booking stands now. `reference` is ours and the same in every retry; `uid` is the iCalendar
    UID for life. It belongs into the calendar of the partner, who is the `organiser`.
    """

    reference: str
    partner_id: UUID
    uid: str
    sequence: int
    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    organiser: Attendee
    guests: tuple[Attendee, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting that exists: the provider's id, the link to join, and the sequence it stands at."""

    reference: str
    join_url: str
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class BusyTimes:
    """When each partner is taken, in UTC, and the real time at which that was so.

    A partner left out is unknown, and unknown is not free.
    """

    busy: Mapping[UUID, tuple[tuple[datetime, datetime], ...]]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A meeting that was changed in the calendar and not by us; times are None where it was deleted."""

    reference: str
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class CalendarCapabilities:
    """What this provider can do; asked, never guessed."""

    join_links: bool = True
    reads_busy: bool = True
    sends_invitations: bool = False
    watches: bool = False


class CalendarProvider(Protocol):
    """A calendar that knows when partners are busy and makes meetings with a link.

    Called outside a database transaction, with a time limit, again after a crash: the same `reference` never makes two meetings.
    Failing: `Retryable`, `Unavailable`, `Misconfigured` from `fxo.core.errors`; anything else counts as `Unavailable`.
    `NotConnected` where this partner has connected no calendar, or access to it has ended: then nothing was made, and the next
    provider makes it.
    """

    @property
    def capabilities(self) -> CalendarCapabilities: ...

    def busy_times(self, partners: Sequence[UUID], window: tuple[datetime, datetime]) -> BusyTimes:
        """When these partners are taken within the window (UTC, half open). Asked for slots and again before a hold.

        Of a provider with `oauth` only those are asked for who have connected a calendar.
        """
        ...

    def create_meeting(self, wanted: MeetingWanted) -> Meeting:
        """The meeting with its link; the one that exists already where `reference` was seen before. A link is never invented."""
        ...

    def move_meeting(self, reference: str, wanted: MeetingWanted) -> Meeting:
        """The same meeting at the new time, with the higher sequence; the link stays.

        Where somebody has deleted it, it is made anew, with another reference and link where the company outside names events.
        """
        ...

    def cancel_meeting(self, reference: str) -> None:
        """End the meeting; already gone is success."""
        ...

    def changes_since(self, cursor: str | None) -> tuple[Sequence[Change], str]:
        """What others changed since the cursor, and the next cursor. None starts now."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[UUID]:
        """Verify, and name the tenants whose calendars are to be asked for changes; `Declined('bad_signature')` on a forgery.

        Asked in the name of the platform, since the tenant is not known before.
        """
        ...
