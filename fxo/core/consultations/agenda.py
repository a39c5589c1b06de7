"""The partner's agenda over all tenants, filled from the events of consultations and meetings in the same transaction."""

from __future__ import annotations

from collections.abc import Callable

from fxo.core.calendars import model as meetings
from fxo.core.consultations import model as consultation
from fxo.core.consultations.projections import CHANGES, columns_after
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.scope import TenantConfig

_COLUMNS = frozenset({"state", "reason", "ended_by", "answer_until", "starts_at", "ends_at", "completed_at"})
"""What the agenda has of the columns of a booking, under the same names."""


def register(store: Store, load_config: Callable[[Transaction], TenantConfig]) -> None:
    """Follow what changes a partner's day."""

    def entered(tx: Transaction, item: Recorded) -> None:
        tx.driver.execute(
            "insert into partner_agenda (tenant_id, consultation_id, partner_id, tenant_name, client_id, client_name,"
            " client_company, client_zone, brief, industry, urgency, topics, state, money, booked_at, starts_at, ends_at,"
            " price_minor, currency, partner_share)"
            " select c.tenant_id, c.id, c.partner_id, %s, c.client_id, p.name, p.company, p.zone, coalesce(b.text, ''),"
            " coalesce(b.industry, ''), coalesce(b.urgency, ''),"
            " array(select jsonb_array_elements_text(b.shortlist -> 'topics')), c.state, coalesce(m.state, ''), %s,"
            " c.starts_at, c.ends_at, c.net_minor, c.currency, c.partner_share"
            " from consultations c"
            " join clients p on p.tenant_id = c.tenant_id and p.id = c.client_id"
            " left join briefs b on b.tenant_id = c.tenant_id and b.id = c.brief_id"
            " left join payments m on m.tenant_id = c.tenant_id and m.id = c.payment_id"
            " where c.tenant_id = %s and c.id = %s on conflict (tenant_id, consultation_id) do nothing",
            (load_config(tx).name, item.recorded_at, item.tenant_id, item.stream_id),
        )

    for event_class in (consultation.Requested, consultation.Confirmed):
        store.follow(event_class, entered)
    for each in CHANGES:
        store.follow(each, _changed)
    store.follow(meetings.Created, _linked)


def _changed(tx: Transaction, item: Recorded) -> None:
    columns = {
        name: value for name, value in columns_after(item.value, item.recorded_at).items() if name in _COLUMNS
    }  # fmt: skip
    if columns:
        assignments = ", ".join(f"{name} = %({name})s" for name in columns)
        tx.driver.execute(
            f"update partner_agenda set {assignments} where tenant_id = %(t)s and consultation_id = %(id)s",
            {**columns, "t": item.tenant_id, "id": item.stream_id},
        )


def _linked(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update partner_agenda set join_url = %s where tenant_id = %s and consultation_id = %s",
        (item.value.join_url, item.tenant_id, item.value.consultation_id),
    )
