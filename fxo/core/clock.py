"""Two clocks. Business time decides (holds, timers, recorded_at) and can be moved in the demo; system time is always real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from fxo.core.db import value


def system_now() -> datetime:
    """The real time, in UTC: leases, breakers, sign-in sessions, the age of webhooks."""
    return datetime.now(UTC)


class Clock:
    """Business time. In the demo it is real time plus an offset kept in PostgreSQL; elsewhere it is real time and no query."""

    def __init__(self, *, demo: bool) -> None:
        self.demo = demo

    def now(self, connection: Connection) -> datetime:
        """The business time in UTC as the transaction sees it."""
        return system_now() + self.offset(connection) if self.demo else system_now()

    def offset(self, connection: Connection) -> timedelta:
        """How far business time runs ahead; never negative. Asked first in a transaction it costs no message of its own."""
        found = value(connection, b"select extract(epoch from ahead) from clock") if self.demo else None
        return timedelta(seconds=float(found)) if found else timedelta()


def in_zone(moment: datetime, zone: str) -> str:
    """The moment for a reader there, with its zone: `Wed 25 Nov, 14:30 CET`; zones without letters read `14:30 GMT+5:45`."""
    local = moment.astimezone(ZoneInfo(zone))
    name = local.tzname() or "UTC"
    if not name.isalpha():
        minutes = int((local.utcoffset() or timedelta()).total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        name = f"GMT{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M} {name}"
