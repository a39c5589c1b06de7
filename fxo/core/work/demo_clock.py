"""Moving the demo's clock: forward only, from due row to due row, with the work done at each stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fxo.core import db
from fxo.core.clock import system_now
from fxo.core.errors import Conflict
from fxo.core.events.store import Store
from fxo.core.scope import CODE, system_scope, tenant_scope
from fxo.core.work import sweeper
from fxo.core.work.perform import Outcome, Performer

log = logging.getLogger("fxo.work")

PATIENCE = 10.0
"""Seconds to wait at a stop for work that is in somebody else's hands; then it is left to them."""

_STOPS = 5_000
_PAUSE = 0.1


def now(store: Store) -> datetime:
    """The business time."""
    with store.transaction(system_scope("clock"), CODE) as tx:
        return tx.now


@dataclass(frozen=True, slots=True)
class Coming:
    """A piece of work that will fall due."""

    tenant_id: UUID
    kind: str
    stream_id: UUID
    body: Mapping[str, Any]
    due_at: datetime


def coming(limit: int = 1) -> tuple[datetime, list[Coming]]:
    """The business time, and what falls due next, the earliest first; in one statement, since every page of the demo asks."""
    real = system_now()
    found = db.read(
        system_scope("sweeper"),
        "select c.ahead, w.tenant_id, w.kind, w.stream_id, w.body, w.due_at"
        " from (select coalesce((select ahead from clock), '0') as ahead) c"
        " left join lateral (select * from work where state in ('due', 'leased') and due_at > %(real)s + c.ahead"
        " order by due_at, id limit %(limit)s) w on true order by w.due_at, w.id",
        {"real": real, "limit": limit},
    )
    return real + found[0].ahead, [Coming(*row[1:]) for row in found if row.kind]


@dataclass(frozen=True, slots=True)
class Pair:
    """Who has the session that some work is about."""

    client_id: UUID
    client: str
    partner_id: UUID
    partner: str


def between(store: Store, what: Coming) -> Pair | None:
    """Who has the session that the work is about; None where it is about something else."""
    with store.transaction(tenant_scope(what.tenant_id), CODE) as tx:
        row = tx.driver.execute(
            "select c.client_id, k.name, c.partner_id, p.name from consultations c"
            " join clients k on k.tenant_id = c.tenant_id and k.id = c.client_id join partners p on p.id = c.partner_id"
            " where c.tenant_id = %(t)s and c.id = coalesce((select m.consultation_id from payments m"
            " where m.tenant_id = %(t)s and m.id = %(about)s), %(about)s)",
            {"t": what.tenant_id, "about": what.stream_id},
        ).fetchone()
    return Pair(*row) if row else None


def move(
    store: Store, performer: Performer, to: datetime | None, *, patience: float = PATIENCE, seconds: float = 3_600
) -> datetime:
    """Move business time to that moment, or (None) to the next one at which something is due; returns where it stands then.

    It stops at every due row on the way and does its work, and what follows from it, before it goes on. A moment that has passed
    moves nothing. Two that move at the same time are safe: the clock only ever goes forward. `patience`: seconds to wait at a
    stop for what somebody else is doing. `seconds`: after so long it stands still where it has come to.
    """
    if not store.clock.demo:
        raise Conflict("Only the demo's clock can be moved.", code="real_time")
    left: set[UUID] = set()
    ends = time.monotonic() + seconds
    for _ in range(_STOPS):
        _work_off(store, performer, left, patience)
        stop = _next_due(store, left)
        if to is None:
            to = stop
        if to is None or stop is None or stop > to:
            break
        if time.monotonic() > ends:
            return now(store)
        _forward(store, stop)
    else:
        log.warning("the demo's clock was stopped on its way", extra={"stops": _STOPS})
        return now(store)
    if to is not None:
        _forward(store, to)
    return now(store)


def _work_off(store: Store, performer: Performer, left: set[UUID], patience: float) -> None:
    """Do what is due until nothing is; what stays due in other hands beyond our patience is added to `left`."""
    pause, waited = threading.Event(), 0.0
    while True:
        due = [(tenant_id, work_id) for tenant_id, work_id in sweeper.due(store) if work_id not in left]
        if not due:
            return
        outcomes = {performer.perform(tenant_id, work_id) for tenant_id, work_id in due}
        if outcomes != {Outcome.NOT_NOW}:
            continue
        if waited >= patience:
            log.warning("work stays in other hands; the demo's clock goes on", extra={"rows": len(due)})
            left.update(work_id for _, work_id in due)
            return
        pause.wait(_PAUSE)
        waited += _PAUSE


def _next_due(store: Store, left: set[UUID]) -> datetime | None:
    """When the earliest work of all tenants is due, other than what is left to others."""
    with store.transaction(system_scope("sweeper"), CODE) as tx:
        row = tx.driver.execute(
            "select due_at from work where state in ('due', 'leased') and not id = any(%s) order by due_at limit 1", (list(left),)
        ).fetchone()
    return row[0] if row else None


def _forward(store: Store, to: datetime) -> None:
    with store.transaction(system_scope("clock"), CODE) as tx:
        tx.driver.execute(
            "insert into clock (ahead) values (%s)"
            " on conflict (only_row) do update set ahead = greatest(clock.ahead, excluded.ahead)",
            (max(to - system_now(), timedelta()),),
        )
