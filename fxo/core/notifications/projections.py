"""The deliveries table, filled from notification events in the same transaction."""

from __future__ import annotations

from fxo.core.events.model import Recorded
from fxo.core.events.store import Follower, Store, Transaction
from fxo.core.notifications import model


def register(store: Store) -> None:
    """Follow the events of notifications."""
    store.follow(model.Delivered, _kept("delivered"))
    store.follow(model.Dropped, _kept("dropped"))


def _kept(state: str) -> Follower:
    def follow(tx: Transaction, item: Recorded) -> None:
        message: model.Delivered | model.Dropped = item.value
        tx.driver.execute(
            "insert into deliveries (tenant_id, id, kind, consultation_id, recipient_id, state, with_link, at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (item.tenant_id, item.stream_id, message.kind, message.consultation_id, message.recipient_id, state,
             getattr(message, "with_link", False), item.recorded_at),
        )  # fmt: skip

    return follow
