"""The hash chain of a stream: each event's hash covers the one before it, so that a changed or missing event shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from fxo.core.events.model import Recorded

START = bytes(32)
"""What stands before the first event."""


def canonical(value: object) -> bytes:
    """The one JSON form of a value: keys sorted, no spaces, UTF-8 (jsonb keeps neither order nor spacing)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def link(
    previous: bytes, *, tenant_id: UUID, stream_id: UUID, version: int, event_id: UUID, stream_type: str, type_: str,
    schema_version: int, recorded_at: datetime, meta: dict[str, Any], data: dict[str, Any],
) -> bytes:  # fmt: skip
    """sha256 over the previous hash and the event as stored; not over transaction id or position, which a restore changes."""
    body = canonical(
        [str(tenant_id), str(stream_id), version, str(event_id), stream_type, type_, schema_version,
         recorded_at.astimezone(UTC).isoformat(timespec="microseconds"), meta, data]
    )  # fmt: skip
    return sha256(previous + body).digest()


def first_break(events: Iterable[Recorded]) -> int | None:
    """The version of the first event that does not fit the chain, or None where the whole stream is sound."""
    previous, expected = START, 1
    for item in events:
        wanted = link(
            previous, tenant_id=item.tenant_id, stream_id=item.stream_id, version=item.version, event_id=item.event_id,
            stream_type=item.stream_type, type_=item.type, schema_version=item.schema_version, recorded_at=item.recorded_at,
            meta=item.meta, data=item.data,
        )  # fmt: skip
        if item.version != expected or wanted != item.hash:
            return item.version
        previous, expected = item.hash, expected + 1
    return None
