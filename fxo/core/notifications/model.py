"""A message that was handed over, or dropped because it was of no use any more. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.events.model import event
from fxo.core.events.store import StreamType


@event("notification.delivered")
@dataclass(frozen=True, slots=True)
class Delivered:
    """A provider has taken the message; no address and no text stands here."""

    kind: str
    consultation_id: UUID | None
    recipient_id: UUID
    provider: str
    reference: str
    with_link: bool


@event("notification.dropped")
@dataclass(frozen=True, slots=True)
class Dropped:
    """It could not reach its reader for good, as the provider says."""

    kind: str
    consultation_id: UUID | None
    recipient_id: UUID
    reason: str


NOTIFICATION = StreamType[str]("notification", "", lambda state, happened: type(happened).__name__.lower())
