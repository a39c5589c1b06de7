"""What must never be, counted over all tenants: every figure here is zero, or somebody has to look."""

from __future__ import annotations

from collections.abc import Mapping

from fxo.core.events.store import Store, Transaction
from fxo.core.scope import CODE, system_scope

_COUNTS: Mapping[str, str] = {
    "overlaps": (
        "select count(*) from partner_time a join partner_time b on b.partner_id = a.partner_id and b.id > a.id"
        " and b.starts_at < a.ends_at and a.starts_at < b.ends_at"
    ),
    "paid_without_slot": (
        "select count(*) from payments y join consultations c on c.tenant_id = y.tenant_id and c.id = y.consultation_id"
        " where y.state in ('authorised', 'captured') and y.due_minor is null"
        " and (c.state in ('released', 'lost', 'declined', 'cancelled')"
        " or (c.state in ('confirmed', 'started') and c.starts_at > %(now)s and not exists (select from partner_time t"
        " where t.tenant_id = c.tenant_id and t.consultation_id = c.id and t.expires_at is null)))"
    ),
    "slot_without_payment": (
        "select count(*) from consultations c left join payments y on y.tenant_id = c.tenant_id and y.id = c.payment_id"
        " where c.state in ('requested', 'confirmed') and c.starts_at > %(now)s"
        " and (y.id is null or y.state in ('declined', 'voided', 'abandoned'))"
    ),
    "unbalanced": (
        "select (select count(*) from (select 1 from postings group by tenant_id, event_id, currency"
        " having sum(amount_minor) <> 0) entries) + (select count(*) from (select distinct on (tenant_id) differences"
        " from ledger_checks order by tenant_id, at desc) newest where jsonb_array_length(differences) > 0)"
    ),
    "captured_twice": (
        "select count(*) from (select 1 from partner_earnings where kind = 'earned' group by tenant_id, payment_id"
        " having count(*) > 1) twice"
    ),
    "without_link": (
        "select count(*) from consultations c left join meetings m on m.tenant_id = c.tenant_id and m.consultation_id = c.id"
        " where c.state in ('confirmed', 'started') and c.starts_at > %(now)s and c.starts_at <= %(now)s + interval '2 hours'"
        " and m.join_url is null and c.confirmed_at < %(now)s - interval '5 minutes'"
    ),
    "work_overdue": (
        "select count(*) from work where state in ('due', 'leased') and due_at < %(now)s - interval '5 minutes' and attempts = 0"
    ),
    "about_to_lapse": (
        "select count(*) from payments y join consultations c on c.tenant_id = y.tenant_id and c.id = y.consultation_id"
        " where y.state = 'authorised' and y.capture_before <= %(now)s + interval '24 hours'"
        " and ((c.ends_at <= %(now)s and c.missing is distinct from 'partner') or y.due_minor is not null)"
    ),
}

COUNTERS = tuple(_COUNTS)
"""The names, in the order in which they are shown."""


def counters(store: Store) -> dict[str, int]:
    """How often each of these is the case now; all zero where everything is right."""
    with store.transaction(system_scope("integrity"), CODE) as tx:
        return {name: _count(tx, query) for name, query in _COUNTS.items()}


def _count(tx: Transaction, query: str) -> int:
    row = tx.driver.execute(query, {"now": tx.now}).fetchone()
    assert row is not None
    return int(row[0])
