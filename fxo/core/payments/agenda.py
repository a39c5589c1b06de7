"""How the money of each session in a partner's agenda stands, filled from payment events in the same transaction."""

from __future__ import annotations

from fxo.core.events.model import Recorded
from fxo.core.events.store import Follower, Store, Transaction
from fxo.core.payments import model, outcomes


def register(store: Store) -> None:
    """Follow what an expert should know: whether the money is held, will be held, was refused, or is taken."""
    for event_class, state in (
        (model.CardSaved, "card_saved"),
        (model.Replanned, "card_saved"),
        (model.Authorised, "authorised"),
        (model.AuthorisationRefused, "refused"),
        (outcomes.Captured, "captured"),
        (outcomes.CaptureFailed, "failed"),
        (outcomes.ChargeRefused, "failed"),
        (outcomes.Disputed, "disputed"),
        (outcomes.DisputeWon, "captured"),
        (outcomes.DisputeLost, "lost"),
        (outcomes.Refunded, "refunded"),
        (model.Voided, "voided"),
        (model.Abandoned, "abandoned"),
    ):
        store.follow(event_class, _becomes(state))


def _becomes(state: str) -> Follower:
    """A booking that is confirmed by the same transaction may not be in the agenda yet; it is entered with this state then."""

    def follow(tx: Transaction, item: Recorded) -> None:
        tx.driver.execute(
            "update partner_agenda a set money = %s from payments p where p.tenant_id = %s and p.id = %s"
            " and a.tenant_id = p.tenant_id and a.consultation_id = p.consultation_id",
            (state, item.tenant_id, item.stream_id),
        )

    return follow
