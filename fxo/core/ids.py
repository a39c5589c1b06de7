"""Identifiers: UUIDv7, so that new rows lie next to each other in every index, and derived ids for things that exist once."""

from __future__ import annotations

import os
import threading
import time
import uuid
from uuid import UUID

NETWORK = UUID("00000000-0000-7000-8000-000000000000")
"""The reserved tenant whose rows belong to the platform: partners, hosts, the platform's own streams."""

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then a counter and random bits; rising within a process."""
    global _last
    with _lock:
        ticks = time.time_ns() * 4096 // 1_000_000  # milliseconds with 12 bits of fraction (RFC 9562, method 3)
        _last = max(ticks, _last + 1)
        ticks = _last
    millis, fraction = ticks >> 12, ticks & 0xFFF
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail)


def derived_id(namespace: UUID, *parts: object) -> UUID:
    """The one id of a thing that exists once for its parts (a reminder of a booking, a reference at a provider)."""
    return uuid.uuid5(namespace, "/".join(str(part) for part in parts))


def parse_id(text: str) -> UUID | None:
    """The id that the text spells, or None where it spells none."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
