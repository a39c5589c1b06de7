"""A message that was handed over or dropped, what became of it, and addresses that are left alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


@event("notification.reported")
@dataclass(frozen=True, slots=True)
class Reported:
    """What became of it, as the provider says later (`port.Report.what`)."""

    kind: str
    recipient_id: UUID
    what: str


@event("suppression.began")
@dataclass(frozen=True, slots=True)
class Began:
    """Nothing, or nothing that can be left out, is sent to an address any more. The address itself stands nowhere."""

    channel: str
    key: str
    reason: str
    report_id: str = ""


@event("suppression.lifted")
@dataclass(frozen=True, slots=True)
class Lifted:
    """Its owner wants to hear from us again."""

    channel: str
    key: str
    report_id: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    kind: str = ""
    recipient_id: UUID | None = None
    reported: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Suppression:
    reason: str = ""
    """`bounced`, `gone`, `complained`, `unsubscribed`, `opted_out`; empty: none."""
    heard: frozenset[str] = frozenset()
    """The ids of reports that were heard already."""


STRENGTH = ("", "unsubscribed", "complained", "gone", "bounced", "opted_out")
"""Reasons, the one that leaves the most alone last: a weaker one changes nothing."""


def report(state: Notification, what: str) -> list[object]:
    """What became of the message; the same again, or of one that was never handed over: nothing."""
    if state.recipient_id is None or what in state.reported:
        return []
    return [Reported(state.kind, state.recipient_id, what)]


def suppress(state: Suppression, wanted: Began) -> list[object]:
    """Leave the address alone; for a weaker reason, or heard before: nothing."""
    if wanted.report_id in state.heard or STRENGTH.index(wanted.reason) <= STRENGTH.index(state.reason):
        return []
    return [wanted]


def lift(state: Suppression, wanted: Lifted) -> list[object]:
    """Write to it again; where it was never left alone, or heard before: nothing."""
    return [wanted] if state.reason and wanted.report_id not in state.heard else []


def _told(state: Notification, happened: object) -> Notification:
    match happened:
        case Delivered(kind=kind, recipient_id=recipient) | Dropped(kind=kind, recipient_id=recipient):
            return replace(state, kind=kind, recipient_id=recipient)
        case Reported(what=what):
            return replace(state, reported=state.reported | {what})
    return state


def _left_alone(state: Suppression, happened: object) -> Suppression:
    match happened:
        case Began(reason=reason, report_id=heard):
            return Suppression(reason, state.heard | ({heard} if heard else set()))
        case Lifted(report_id=heard):
            return Suppression("", state.heard | ({heard} if heard else set()))
    return state


NOTIFICATION = StreamType[Notification]("notification", Notification(), _told)
SUPPRESSION = StreamType[Suppression]("suppression", Suppression(), _left_alone)
