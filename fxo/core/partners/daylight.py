"""When the clocks of a zone are next changed, for sentences about daylight saving. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(hours=6)
"""No zone changes its offset twice within this time."""


@dataclass(frozen=True, slots=True)
class Change:
    """The moment at which the clocks are changed, and by how many minutes they go forward (negative: back)."""

    at: datetime
    forward: int


def next_change(zone: str, now: datetime, days: int) -> Change | None:
    """The next change within so many days, to the minute; none in zones without daylight saving."""
    tz, before = ZoneInfo(zone), now
    while before < now + timedelta(days=days):
        after = before + _STEP
        if _offset(tz, before) != _offset(tz, after):
            return _exactly(tz, before, after)
        before = after
    return None


def _exactly(tz: ZoneInfo, before: datetime, after: datetime) -> Change:
    old, new = _offset(tz, before), _offset(tz, after)
    low, high = 0, _STEP // timedelta(minutes=1)
    base = before.replace(second=0, microsecond=0)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(tz, base + timedelta(minutes=middle)) == old else (low, middle)
    return Change(base + timedelta(minutes=high), (new - old) // timedelta(minutes=1))


def _offset(tz: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(tz).utcoffset() or timedelta()
