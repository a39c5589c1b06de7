"""The consultations table, filled from their own events in the same transaction."""

from __future__ import annotations

from dataclasses import asdict

from psycopg.types.json import Jsonb

from fxo.core.consultations import model
from fxo.core.events.model import Recorded
from fxo.core.events.store import Follower, Store, Transaction


def register(store: Store) -> None:
    """Follow the events of consultations."""
    store.follow(model.Held, _held)
    store.follow(model.Confirmed, _confirmed)
    for event_class, state in (
        (model.Released, "released"),
        (model.SlotLost, "lost"),
        (model.Cancelled, "cancelled"),
        (model.CompletionUndone, "started"),
    ):
        store.follow(event_class, _becomes(state))
    store.follow(model.Started, _becomes("started", "started_at"))
    store.follow(model.Completed, _becomes("completed", "completed_at"))


def _held(tx: Transaction, item: Recorded) -> None:
    terms: model.Held = item.value
    tx.driver.execute(
        "insert into consultations (tenant_id, id, client_id, partner_id, brief_id, state, starts_at, ends_at,"
        " held_until, price_minor, net_minor, currency, partner_share, policy, tax)"
        " values (%s, %s, %s, %s, %s, 'held', %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            item.tenant_id,
            item.stream_id,
            terms.client_id,
            terms.partner_id,
            terms.brief_id,
            terms.starts_at,
            terms.ends_at,
            terms.until,
            terms.price.minor,
            (terms.price - terms.price.tax_within(terms.tax.rate)).minor,
            terms.price.currency,
            terms.partner_share,
            Jsonb(asdict(terms.policy)),
            Jsonb(asdict(terms.tax)),
        ),
    )


def _confirmed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update consultations set state = 'confirmed', confirmed_at = %s, payment_id = %s where tenant_id = %s and id = %s",
        (item.recorded_at, item.value.payment_id, item.tenant_id, item.stream_id),
    )


def _becomes(state: str, stamp: str | None = None) -> Follower:
    also = f", {stamp} = %(at)s" if stamp else ""

    def follow(tx: Transaction, item: Recorded) -> None:
        tx.driver.execute(
            f"update consultations set state = %(state)s, reason = %(reason)s{also} where tenant_id = %(t)s and id = %(id)s",
            {
                "state": state,
                "reason": getattr(item.value, "reason", None),
                "at": item.recorded_at,
                "t": item.tenant_id,
                "id": item.stream_id,
            },
        )

    return follow
