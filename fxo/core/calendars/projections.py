"""The meetings table, filled from meeting events in the same transaction."""

from __future__ import annotations

from fxo.core.calendars import connections, model
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction


def register(store: Store) -> None:
    """Follow the events of meetings and of calendar connections."""
    connections.register(store)
    store.follow(model.Created, _created)
    store.follow(model.Replaced, _created)
    store.follow(model.Moved, _moved)
    store.follow(model.Failed, _failed)
    store.follow(model.Cancelled, _cancelled)


def _created(tx: Transaction, item: Recorded) -> None:
    made: model.Created | model.Replaced = item.value
    tx.driver.execute(
        "insert into meetings (tenant_id, id, consultation_id, state, provider, reference, join_url, sequence)"
        " values (%s, %s, %s, 'created', %s, %s, %s, %s) on conflict (tenant_id, id) do update set state = 'created',"
        " provider = excluded.provider, reference = excluded.reference, join_url = excluded.join_url, sequence ="
        " excluded.sequence",
        (item.tenant_id, item.stream_id, made.consultation_id, made.provider, made.reference, made.join_url, made.sequence),
    )


def _moved(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update meetings set sequence = %s where tenant_id = %s and id = %s",
        (item.value.sequence, item.tenant_id, item.stream_id),
    )


def _failed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "insert into meetings (tenant_id, id, consultation_id, state, sequence) values (%s, %s, %s, 'failed', 0)"
        " on conflict (tenant_id, id) do nothing",
        (item.tenant_id, item.stream_id, item.value.consultation_id),
    )


def _cancelled(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update meetings set state = 'cancelled', join_url = null where tenant_id = %s and id = %s",
        (item.tenant_id, item.stream_id),
    )
