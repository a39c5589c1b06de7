"""How each tenant's provider fares: counted in memory by the guard, kept by the hour, told by pages and by `fxo doctor`.

A call adds a few microseconds. Every ten seconds each process adds what it has counted to one row for each hour; what a process
has counted and not yet kept when it dies is lost, and nothing depends on it.
"""

from __future__ import annotations

import logging
import os
import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from fxo.core.clock import system_now
from fxo.core.db import driver_of, transaction
from fxo.core.errors import Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.plugins.answers import BrokenPromise
from fxo.core.plugins.resilience import Around, Slow
from fxo.core.scope import tenant_scope

log = logging.getLogger(__name__)
EVERY = 10.0
"""Seconds after which what was counted is kept."""
KEPT = timedelta(days=40)
"""How long an hour's row stays: a month's cost can be added up."""
BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1_000, 1_500, 2_500, 4_000, 6_000, 8_000)
"""Milliseconds up to which a call is counted in each place of `times`; the last place has all that took longer."""
NEWEST = 5
"""So many failures of an hour are kept, the newest first."""


class Kind(StrEnum):
    """How a call has failed."""

    AWAY = "away"
    SLOW = "slow"
    LIED = "lied"
    BROKE = "broke"
    PATIENCE = "patience"
    MISCONFIGURED = "misconfigured"


def kind_of(error: Exception) -> Kind:
    """How this call has failed; anything but the port's own errors is a plugin that broke, or an answer that lied."""
    match error:
        case Slow():
            return Kind.SLOW
        case Misconfigured():
            return Kind.MISCONFIGURED
        case Unavailable():
            return Kind.AWAY
        case Retryable():
            return Kind.PATIENCE
        case BrokenPromise() | ValueError():
            return Kind.LIED
    return Kind.BROKE


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call. No text of anybody's: what the provider said is in no row."""

    at: datetime
    kind: Kind
    member: str
    field: str = ""
    """The setting to mend, where it is one."""


@dataclass(slots=True)
class Hour:
    """What one process has counted in one hour and not kept yet."""

    calls: int = 0
    failed: int = 0
    refused: int = 0
    times: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    cost: int = 0
    answered_at: datetime | None = None
    rested_at: datetime | None = None
    failures: list[Failure] = field(default_factory=list)


Key = tuple[UUID, str, str, datetime]
"""Tenant, port, provider, hour."""


class Faring:
    """What this process has counted. `around` brings the application's context to the thread that keeps it."""

    def __init__(self, around: Callable[[], Any] | Around) -> None:
        self._around = around
        self._hours: dict[Key, Hour] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._waits = False
        self._process = 0

    def of(self, tenant_id: UUID, port: str, provider: str) -> Fares:
        """What the guard of this provider tells."""
        return Fares(self, tenant_id, port, provider)

    def count(self, tenant_id: UUID, port: str, provider: str, now: datetime, tell: Callable[[Hour], None]) -> None:
        """Let this be counted in the hour that it belongs to."""
        key = (tenant_id, port, provider, now.replace(minute=0, second=0, microsecond=0))
        with self._lock:
            hour = self._hours.get(key)
            if hour is None:
                hour = self._hours[key] = Hour()
            tell(hour)
            if not self._waits or self._process != os.getpid():
                self._wake()

    def _wake(self) -> None:
        self._waits, self._process = True, os.getpid()  # after a fork the other process's timer does not run here
        self._timer = threading.Timer(EVERY, self._keep_later)
        self._timer.name, self._timer.daemon = "faring", True
        self._timer.start()

    def _keep_later(self) -> None:
        with self._lock:
            self._waits = False
        try:
            with self._around():
                self.keep()
        except Exception as error:
            # The edge of a thread: the database may be away, and figures are not worth more than a line.
            log.warning("how providers fare could not be kept: %s", type(error).__name__)

    def keep(self) -> None:
        """Add what was counted to the rows that all processes share; within an application context, outside a transaction."""
        with self._lock:
            counted, self._hours = self._hours, {}
        for tenant_id in sorted({key[0] for key in counted}):
            with transaction(tenant_scope(tenant_id)) as connection:
                driver = driver_of(connection)
                for key in sorted(each for each in counted if each[0] == tenant_id):
                    _add(driver, key, counted[key])

    def close(self) -> None:
        """Forget what was counted and not kept; what is being kept just now is waited for."""
        with self._lock:
            timer, self._timer, self._waits, self._hours = self._timer, None, False, {}
        if timer is not None:
            timer.cancel()
            timer.join(EVERY)


@dataclass(frozen=True, slots=True)
class Fares:
    """What one guard tells of its calls."""

    faring: Faring
    tenant_id: UUID
    port: str
    provider: str

    def answered(self, seconds: float, cost: int) -> None:
        """It answered; `cost` in millionths of the account's currency."""
        now = system_now()

        def tell(hour: Hour) -> None:
            _time(hour, seconds)
            hour.cost += cost
            hour.answered_at = now

        self.faring.count(self.tenant_id, self.port, self.provider, now, tell)

    def failed(self, member: str, seconds: float, error: Exception, *, rests: bool) -> None:
        """It failed, and is left alone for a while where it `rests`."""
        now = system_now()
        failure = Failure(now, kind_of(error), member, getattr(error, "field", "") if isinstance(error, ProviderError) else "")

        def tell(hour: Hour) -> None:
            _time(hour, seconds)
            hour.failed += 1
            hour.failures = [failure, *hour.failures[: NEWEST - 1]]
            if rests:
                hour.rested_at = now

        self.faring.count(self.tenant_id, self.port, self.provider, now, tell)

    def refused(self) -> None:
        """It was not asked: it is left alone for a while, or all its places are taken."""

        def tell(hour: Hour) -> None:
            hour.refused += 1

        self.faring.count(self.tenant_id, self.port, self.provider, system_now(), tell)


def _time(hour: Hour, seconds: float) -> None:
    hour.calls += 1
    hour.times[bisect_left(BOUNDS, seconds * 1000)] += 1


_ADD = f"""
insert into provider_hours as h
    (tenant_id, port, provider, hour, calls, failed, refused, times, cost, answered_at, rested_at, failures)
values (%(t)s, %(port)s, %(provider)s, %(hour)s, %(calls)s, %(failed)s, %(refused)s, %(times)s, %(cost)s, %(answered)s,
    %(rested)s, %(failures)s)
on conflict (tenant_id, provider, hour) do update set
    calls = h.calls + excluded.calls, failed = h.failed + excluded.failed, refused = h.refused + excluded.refused,
    cost = h.cost + excluded.cost,
    times = (select array_agg(a + b order by place) from unnest(h.times, excluded.times) with ordinality as both_(a, b, place)),
    answered_at = greatest(h.answered_at, excluded.answered_at), rested_at = greatest(h.rested_at, excluded.rested_at),
    failures = jsonb_path_query_array(excluded.failures || h.failures, '$[0 to {NEWEST - 1}]')
returning xmax = 0"""


def _add(driver: Connection[Any], key: Key, counted: Hour) -> None:
    tenant_id, port, provider, hour = key
    row = driver.execute(_ADD, {
        "t": tenant_id, "port": port, "provider": provider, "hour": hour, "calls": counted.calls, "failed": counted.failed,
        "refused": counted.refused, "times": counted.times, "cost": counted.cost, "answered": counted.answered_at,
        "rested": counted.rested_at,
        "failures": Jsonb([[each.at.isoformat(), each.kind, each.member, each.field] for each in counted.failures]),
    }).fetchone()  # fmt: skip
    if row and row[0]:  # the first of its hour: what is too old goes
        driver.execute("delete from provider_hours where tenant_id = %s and hour < %s", (tenant_id, hour - KEPT))
