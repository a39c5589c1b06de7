"""What a partner does to the own agenda alone; no event, since it is about nobody else."""

from __future__ import annotations

from uuid import UUID

from fxo.core.events.store import Transaction


def opened(tx: Transaction, consultation_id: UUID) -> None:
    """The partner has the session's page, and so the brief, before their eyes. Repeated: nothing."""
    tx.driver.execute(
        "insert into partner_opened (partner_id, consultation_id, opened_at) values (%s, %s, %s) on conflict do nothing",
        (tx.scope.id, consultation_id, tx.now),
    )
