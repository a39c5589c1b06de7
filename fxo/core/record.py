"""The record of a booking: its events as they were written, which both sides can keep and anybody can verify.

The file holds the consultation's and the payment's streams with their hashes. Each event's hash covers the one before it, so a
changed, missing or added event shows. An expert's copy leaves out the card: such an event is given by its hash alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from fxo.core.calendars.model import MEETING, meeting_id_of
from fxo.core.consultations import queries as consultations
from fxo.core.errors import Invalid
from fxo.core.events import chain
from fxo.core.events.model import Recorded
from fxo.core.events.store import Transaction
from fxo.core.matching.model import BRIEF
from fxo.core.payments.model import PAYMENT
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import ActorKind
from fxo.core.work.outages import OUTAGE, outage_id_of

FORMAT = "fxo booking record 1"
_CARD = frozenset({"payment.requested", "payment.challenge_asked", "payment.card_saved", "payment.authorised"})
"""What is the client's alone: the card and its references at the provider."""


def streams(tx: Transaction, consultation_id: UUID) -> list[Recorded]:
    """The events of a booking and its payment in the order of time; for an operator, and for whoever has found the booking."""
    events = tx.history(consultation_id, payment_id_of(consultation_id))
    return sorted(events, key=lambda item: (item.recorded_at, item.stream_type != PAYMENT.name))  # the money settles the booking


def story(tx: Transaction, consultation_id: UUID, brief_id: UUID | None) -> list[Recorded]:
    """What timelines tell from, in the order of time: the booking and its money, its meeting, who outside did not answer
    meanwhile, and before that how the expert was found; for operators also what did not reach its reader. For whom `streams` is.
    """
    of_booking = (consultation_id, payment_id_of(consultation_id))
    beside = [meeting_id_of(consultation_id), outage_id_of(consultation_id), *([brief_id] if brief_id else [])]
    if tx.actor.kind is ActorKind.OPERATOR:
        beside += _undelivered(tx, consultation_id)
    events = tx.history(*of_booking, *beside)
    held_at = min(item.recorded_at for item in events if item.stream_id == consultation_id)
    told = [item for item in events if item.stream_id != brief_id or item.recorded_at <= held_at]
    return sorted(told, key=lambda item: (item.recorded_at, _AT_ONCE.get(item.stream_type, 1)))


def _undelivered(tx: Transaction, consultation_id: UUID) -> list[UUID]:
    found = tx.driver.execute(
        "select id from deliveries where tenant_id = %s and consultation_id = %s and state not in ('delivered', 'arrived')",
        (tx.scope.tenant_id, consultation_id),
    ).fetchall()
    return [message_id for (message_id,) in found]


_AT_ONCE = {BRIEF.name: -2, OUTAGE.name: -1, PAYMENT.name: 0, MEETING.name: 2}
"""What is told first of what happened in one moment: who answers again does so before what follows from it."""


def export(tx: Transaction, consultation_id: UUID) -> bytes:
    """The booking record as a file (JSON), for the client, the expert, or an operator."""
    if tx.actor.kind is not ActorKind.OPERATOR:
        consultations.find(tx, consultation_id)
    hidden = _CARD if tx.actor.kind is ActorKind.PARTNER else frozenset()
    ordered: dict[UUID, list[Recorded]] = {}
    for item in sorted(streams(tx, consultation_id), key=lambda each: (each.stream_type, each.version)):
        ordered.setdefault(item.stream_id, []).append(item)
    body = {
        "format": FORMAT,
        "tenant": str(tx.scope.tenant_id),
        "booking": str(consultation_id),
        "written_at": tx.now.isoformat(),
        "streams": [
            {"id": str(stream_id), "type": events[0].stream_type, "events": [_event(item, hidden) for item in events]}
            for stream_id, events in ordered.items()
        ],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def _event(item: Recorded, hidden: frozenset[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"version": item.version, "hash": item.hash.hex()}
    if item.type in hidden:
        return told | {"withheld": "the card"}
    return told | {
        "id": str(item.event_id), "type": item.type, "schema_version": item.schema_version,
        "recorded_at": item.recorded_at.isoformat(), "meta": item.meta, "data": item.data,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verified:
    """What a record is worth: how many events fit, how many are withheld, and where the first does not fit."""

    booking: UUID
    tenant: UUID
    events: int
    withheld: int
    broken: str
    """Empty where every event fits; otherwise the stream and version of the first that does not."""
    heads: Mapping[UUID, str]
    """The last hash of each stream, to be compared with the platform's own."""


def verify(body: bytes) -> Verified:
    """Verify a record by itself. `Invalid` where it is none. Pure."""
    try:
        told = orjson.loads(body)
        if told["format"] != FORMAT:
            raise Invalid("This is not a booking record that we know.", field="file")
        tenant, booking = UUID(told["tenant"]), UUID(told["booking"])
        events, withheld, broken = 0, 0, ""
        heads: dict[UUID, str] = {}
        for stream in told["streams"]:
            stream_id, previous = UUID(stream["id"]), chain.START
            for number, item in enumerate(stream["events"], 1):
                events += 1
                given = bytes.fromhex(item["hash"])
                if "withheld" in item:
                    withheld += 1
                    fits = item["version"] == number
                else:
                    fits = item["version"] == number and given == _hash(previous, tenant, stream_id, stream["type"], item)
                if not fits and not broken:
                    broken = f"{stream['type']} {number}"
                previous = given
            heads[stream_id] = previous.hex()
        return Verified(booking, tenant, events, withheld, broken, heads)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Invalid("This is not a booking record.", field="file") from error


def _hash(previous: bytes, tenant: UUID, stream_id: UUID, stream_type: str, item: Mapping[str, Any]) -> bytes:
    return chain.link(
        previous, tenant_id=tenant, stream_id=stream_id, version=item["version"], event_id=UUID(item["id"]),
        stream_type=stream_type, type_=item["type"], schema_version=item["schema_version"],
        recorded_at=datetime.fromisoformat(item["recorded_at"]), meta=item["meta"], data=item["data"],
    )  # fmt: skip


def known(tx: Transaction, heads: Mapping[UUID, str]) -> bool:
    """Whether the platform's own streams have these hashes at these places; in the tenant's scope, for code."""
    for stream_id, head in heads.items():
        row = tx.driver.execute(
            "select 1 from events where tenant_id = %s and stream_id = %s and hash = decode(%s, 'hex')",
            (tx.scope.tenant_id, stream_id, head),
        ).fetchone()
        if row is None:
            return False
    return True


# What speaks for us in a dispute -------------------------------------------------------------------------------------

_JOINED = ("consultation.started", "consultation.checked_in", "consultation.joined", "consultation.completed")


def evidence(tx: Transaction, consultation_id: UUID) -> dict[str, str]:
    """The evidence bundle of a disputed booking: what was agreed, what happened, who was there, what was sent. For code."""
    row = consultations.find(tx, consultation_id)
    found = streams(tx, consultation_id)
    policy = row.policy
    bundle = {
        "service": f"A 60-minute session by video, {row.starts_at.isoformat()} to {row.ends_at.isoformat()}",
        "policy": (
            f"Version {policy.version}, accepted when the slot was held: free until {policy.free_until_hours} h before,"
            f" {policy.late_percent}% until {policy.half_until_hours} h before, then all of it."
        ),
        "timeline": "\n".join(_line(item) for item in found),
        "joined": "\n".join(_line(item) for item in found if item.type in _JOINED),
        "mails": "\n".join(_mails(tx, consultation_id)),
        "record": "\n".join(f"{item.stream_type} {item.version} {item.hash.hex()}" for item in found),
    }
    consent = next((item.value.consent for item in reversed(found) if item.type == "payment.requested"), "")
    return {name: text for name, text in (bundle | {"consent": consent}).items() if text}


def _line(item: Recorded) -> str:
    return f"{item.recorded_at.isoformat(timespec='seconds')} {item.type} by {item.meta['actor']['kind']}"


def _mails(tx: Transaction, consultation_id: UUID) -> Sequence[str]:
    rows = tx.driver.execute(
        "select at, kind, state from deliveries where tenant_id = %s and consultation_id = %s order by at",
        (tx.scope.tenant_id, consultation_id),
    ).fetchall()
    return [f"{at.isoformat(timespec='seconds')} {kind} {state}" for at, kind, state in rows]
