"""The briefs table, filled from brief events in the same transaction."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.matching import model


def register(store: Store) -> None:
    """Follow the events of briefs."""
    store.follow(model.Submitted, _submitted)
    store.follow(model.Matched, _matched)


def _submitted(tx: Transaction, item: Recorded) -> None:
    brief: model.Submitted = item.value
    tx.driver.execute(
        "insert into briefs (tenant_id, id, author_id, text, industry, urgency, zone, submitted_at) values (%s, %s,"
        " %s, %s, %s, %s, %s, %s)",
        (
            item.tenant_id,
            item.stream_id,
            brief.author_id,
            brief.text,
            brief.industry,
            brief.urgency,
            brief.zone,
            item.recorded_at,
        ),
    )


def _matched(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update briefs set shortlist = %s where tenant_id = %s and id = %s", (Jsonb(item.data), item.tenant_id, item.stream_id)
    )
