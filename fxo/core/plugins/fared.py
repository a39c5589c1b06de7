"""How a tenant's provider has fared within a day, as all processes have counted it; who is ill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg import Connection

from fxo.core.plugins.faring import BOUNDS, Failure, Kind

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TOLD = 10
"""So many failures are told."""
TROUBLED = 0.1
"""From this share of failed calls within the last hour or two a provider is in trouble, though it answers."""


class State(StrEnum):
    """How a provider stands, as far as calls have shown."""

    UNUSED = "unused"
    WELL = "well"
    TROUBLED = "troubled"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Seen:
    """What all processes have counted of one tenant's provider within a day. Costs in millionths of its account's currency."""

    tenant_id: UUID
    port: str
    provider: str
    calls: int = 0
    failed: int = 0
    refused: int = 0
    times: tuple[int, ...] = ()
    cost: int = 0
    month: int = 0
    """The cost since the first of the month (UTC)."""
    answered_at: datetime | None = None
    rested_at: datetime | None = None
    failures: tuple[Failure, ...] = ()
    """The newest first."""
    lately: tuple[int, int] = (0, 0)
    """Calls, and failed ones, of this hour and the one before."""

    def within(self, share: float) -> int | None:
        """Milliseconds within which this share of the calls was over: the upper bound of its place; None without calls.

        More than the last of `BOUNDS` is told as that.
        """
        total, sum_ = sum(self.times), 0
        for place, number in enumerate(self.times):
            sum_ += number
            if total and sum_ >= share * total:
                return BOUNDS[min(place, len(BOUNDS) - 1)]
        return None

    @property
    def state(self) -> State:
        """Down: it is left alone, or its settings do not work, since it answered last. Troubled: it failed last, or often."""
        if not self.calls:
            return State.UNUSED
        newest = self.failures[0] if self.failures else None
        if newest and (self.answered_at is None or newest.at > self.answered_at):
            rests = self.rested_at is not None and (self.answered_at is None or self.rested_at > self.answered_at)
            return State.DOWN if rests or newest.kind is Kind.MISCONFIGURED else State.TROUBLED
        calls, failed = self.lately
        return State.TROUBLED if calls and failed / calls >= TROUBLED else State.WELL


_READ = """
select tenant_id, port, provider, hour, calls, failed, refused, times, cost, answered_at, rested_at, failures
from provider_hours where hour >= %s order by tenant_id, provider, hour desc"""


def read(driver: Connection[Any], now: datetime, *, month: bool = True) -> list[Seen]:
    """What is known of each provider that the scope may see, by tenant and provider. `now` is real time.

    Without `month` only a day is read, and no cost of the month is told.
    """
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = min(first, now - DAY) if month else now - DAY
    found: dict[tuple[UUID, str], list[Any]] = {}
    for row in driver.execute(_READ, (since,)).fetchall():
        found.setdefault((row[0], row[2]), []).append(row)
    return [_sum(rows, now, first) for rows in found.values()]


def _sum(rows: Sequence[Any], now: datetime, first: datetime) -> Seen:
    today = [row for row in rows if row[3] > now - DAY - HOUR]
    lately = [row for row in today if row[3] > now - 2 * HOUR]
    tenant_id, port, provider = rows[0][:3]
    return Seen(
        tenant_id,
        port,
        provider,
        calls=sum(row[4] for row in today),
        failed=sum(row[5] for row in today),
        refused=sum(row[6] for row in today),
        times=tuple(map(sum, zip(*(row[7] for row in today), strict=True))),
        cost=sum(row[8] for row in today),
        month=sum(row[8] for row in rows if row[3] >= first),
        answered_at=_newest(row[9] for row in today),
        rested_at=_newest(row[10] for row in today),
        failures=tuple(sorted(_failures(today), key=lambda each: each.at, reverse=True)[:TOLD]),
        lately=(sum(row[4] for row in lately), sum(row[5] for row in lately)),
    )


def _failures(rows: Sequence[Any]) -> Iterable[Failure]:
    for row in rows:
        for at, kind, member, about in row[11]:
            yield Failure(datetime.fromisoformat(at), Kind(kind), member, about)


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((each for each in moments if each), default=None)


def ill(driver: Connection[Any], now: datetime) -> list[Seen]:
    """Whose providers are down or in trouble, of all that the scope may see."""
    return [each for each in read(driver, now, month=False) if each.state in (State.DOWN, State.TROUBLED)]
