"""Times as Google writes them (RFC 3339)."""

from __future__ import annotations

from datetime import UTC, datetime


def text(at: datetime) -> str:
    """The time in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def instant(said: str) -> datetime:
    """A time of Google's in UTC."""
    return datetime.fromisoformat(said).astimezone(UTC)
