"""Reads of ratings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.events.store import Transaction


@dataclass(frozen=True, slots=True)
class RatingRow:
    stars: int
    comment: str
    public: bool
    answer: str
    """What the expert answered; empty where they have not."""


def of_session(tx: Transaction, consultation_id: UUID) -> RatingRow | None:
    """The rating that the client gave for this session."""
    row = tx.driver.execute(
        "select stars, comment, public, answer from ratings where tenant_id = %s and consultation_id = %s",
        (tx.scope.tenant_id, consultation_id),
    ).fetchone()
    return RatingRow(*row) if row else None
