"""The time zones that there are."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> frozenset[str]:
    """Every time zone that this machine knows; looked up once, since that reads several hundred files."""
    return frozenset(available_timezones())
