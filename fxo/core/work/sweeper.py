"""The one sweeper: hands out what is due and idle, whatever happened to the queue."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from fxo.core.clock import system_now
from fxo.core.events.store import Offer, Store
from fxo.core.scope import CODE, system_scope

log = logging.getLogger("fxo.work")
_LOCK = "fxo/sweeper"


def sweep(store: Store, offer: Offer, *, idle: timedelta, limit: int = 500) -> int:
    """Offer the work of all tenants that is due and was not handed out within `idle`; returns how many rows.

    Timers are handed out as soon as they are due. One sweeper at a time: a second one finds the lock taken and does nothing.
    """
    with store.transaction(system_scope("sweeper"), CODE) as tx:
        if not tx.driver.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (_LOCK,)).fetchone()[0]:  # type: ignore[index]
            return 0
        now = system_now()
        found = tx.driver.execute(_SWEEP, {"now": tx.now, "sys": now, "idle": now - idle, "n": limit}).fetchall()
    for tenant_id, work_id in found:
        offer(tenant_id, work_id)
    return len(found)


def due(store: Store, *, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """(tenant id, work id) of everything due now, earliest first; for the demo's clock, which waits for each stop's work."""
    with store.transaction(system_scope("sweeper"), CODE) as tx:
        rows = tx.driver.execute(
            "select tenant_id, id from work where state in ('due', 'leased') and due_at <= %s order by due_at, id limit %s",
            (tx.now, limit),
        ).fetchall()
        return [(row[0], row[1]) for row in rows]


_SWEEP = """
update work set offered_at = %(sys)s
where (tenant_id, id) in (
    select tenant_id, id from work
    where state in ('due', 'leased') and due_at <= %(now)s and (state = 'due' or leased_until <= %(sys)s)
      and (offered_at is null or offered_at <= %(idle)s)
    order by due_at limit %(n)s for update skip locked)
returning tenant_id, id"""
