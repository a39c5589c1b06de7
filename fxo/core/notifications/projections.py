"""The deliveries and suppressions tables, filled from notification events in the same transaction."""

from __future__ import annotations

from fxo.core.events.model import Recorded
from fxo.core.events.store import Follower, Store, Transaction
from fxo.core.notifications import model


def register(store: Store) -> None:
    """Follow the events of notifications."""
    store.follow(model.Delivered, _kept("delivered"))
    store.follow(model.Dropped, _kept("dropped"))
    store.follow(model.Reported, _reported)
    store.follow(model.Began, _began)
    store.follow(model.Lifted, _lifted)


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


_LAST = ("failed", "complained", "bounced", "gone", "unsubscribed")
"""What is known for good: a later word that it has arrived changes nothing."""


def _reported(tx: Transaction, item: Recorded) -> None:
    what = "arrived" if item.value.what == "delivered" else item.value.what
    tx.driver.execute(
        "update deliveries set state = %s where tenant_id = %s and id = %s and not (%s = 'arrived' and state = any(%s))",
        (what, item.tenant_id, item.stream_id, what, list(_LAST)),
    )


def _began(tx: Transaction, item: Recorded) -> None:
    began: model.Began = item.value
    tx.driver.execute(
        "insert into suppressions (tenant_id, channel, key, reason, since) values (%s, %s, %s, %s, %s)"
        " on conflict (tenant_id, channel, key) do update set reason = excluded.reason, since = excluded.since",
        (item.tenant_id, began.channel, began.key, began.reason, item.recorded_at),
    )


def _lifted(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "delete from suppressions where tenant_id = %s and channel = %s and key = %s",
        (item.tenant_id, item.value.channel, item.value.key),
    )
