"""A partner's own calendar at one provider: connected, not working any more, or taken back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from fxo.core.events.model import event
from fxo.core.events.store import StreamType
from fxo.core.ids import derived_id


@event("calendar.connected")
@dataclass(frozen=True, slots=True)
class Connected:
    """The partner has allowed the provider to see when they are busy and to make meetings for them."""

    partner_id: UUID
    provider: str


@event("calendar.broke")
@dataclass(frozen=True, slots=True)
class Broke:
    """What was allowed does not work any more; `reason` is one of ours: `revoked`, `scopes`."""

    partner_id: UUID
    provider: str
    reason: str


@event("calendar.disconnected")
@dataclass(frozen=True, slots=True)
class Disconnected:
    """The partner has taken it back here."""

    partner_id: UUID
    provider: str


class Connection(StrEnum):
    """How it stands."""

    NONE = "none"
    WORKS = "works"
    BROKEN = "broken"


def _evolve(state: Connection, happened: object) -> Connection:
    match happened:
        case Connected():
            return Connection.WORKS
        case Broke():
            return Connection.BROKEN
        case Disconnected():
            return Connection.NONE
    return state


CONNECTION = StreamType[Connection]("calendar_connection", Connection.NONE, _evolve)


def connection_id_of(partner_id: UUID, provider: str) -> UUID:
    """The id of the stream."""
    return derived_id(partner_id, "calendar", provider)


def connect(state: Connection, partner_id: UUID, provider: str) -> list[object]:
    """It works from now on; who connects what works already has given new tokens and nothing else."""
    return [] if state is Connection.WORKS else [Connected(partner_id, provider)]


def break_off(state: Connection, partner_id: UUID, provider: str, reason: str) -> list[object]:
    """It does not work any more; said once, and of nothing that was taken back."""
    return [Broke(partner_id, provider, reason)] if state is Connection.WORKS else []


def disconnect(state: Connection, partner_id: UUID, provider: str) -> list[object]:
    """The partner takes it back, also where it has not worked for a while."""
    return [] if state is Connection.NONE else [Disconnected(partner_id, provider)]
