"""Regular work: one row for each tenant and kind, which falls due again some time after it was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fxo.core.clock import system_now
from fxo.core.events.store import Offer, Store
from fxo.core.ids import derived_id
from fxo.core.scope import CODE, system_scope


@dataclass(frozen=True, slots=True)
class Routine:
    """Work of this kind is to be done for every tenant again and again; its stream is the tenant."""

    kind: str
    every: timedelta


def hand_out(store: Store, routines: Sequence[Routine], offer: Offer) -> int:
    """Let fall due what was last done, or given up, so long ago, in business time; returns how many rows. One that is still
    under way or waits is left alone.
    """
    found = []
    with store.transaction(system_scope("routine"), CODE) as tx:
        tenants = [row[0] for row in tx.driver.execute("select id from tenants").fetchall()]
        for each in routines:
            ids = [derived_id(tenant_id, "routine", each.kind) for tenant_id in tenants]
            found += tx.driver.execute(
                _HAND_OUT,
                {"kind": each.kind, "now": tx.now, "sys": system_now(), "before": tx.now - each.every, "t": tenants, "ids": ids},
            ).fetchall()
    for tenant_id, work_id in found:
        offer(tenant_id, work_id)
    return len(found)


_HAND_OUT = """
insert into work (tenant_id, id, kind, stream_id, body, due_at, offered_at, created_at)
select w.tenant_id, w.id, %(kind)s, w.tenant_id, '{}'::jsonb, %(now)s, %(sys)s, %(now)s
from unnest(%(t)s::uuid[], %(ids)s::uuid[]) as w(tenant_id, id)
on conflict (tenant_id, id) do update
set state = 'due', due_at = excluded.due_at, offered_at = excluded.offered_at, attempts = 0, error = null
where work.state in ('done', 'dead') and work.due_at <= %(before)s
returning tenant_id, id"""
