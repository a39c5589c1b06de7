"""A partner's time, through its four doors in the database: a claim for ten minutes, or for good."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg.types.range import TimestamptzRange

from fxo.core.events.store import Transaction


def take(
    tx: Transaction, partner_id: UUID, during: tuple[datetime, datetime], consultation_id: UUID, until: datetime | None
) -> bool:
    """Claim the time (buffers included) until then, or for good; false where somebody else has it (hard case 4)."""
    return _ask(tx, "select take_time(%s, %s, %s, %s, %s)", partner_id, TimestamptzRange(*during), consultation_id, until, tx.now)


def lock(tx: Transaction, partner_id: UUID) -> None:
    """Let nobody else take or move this partner's time until the transaction ends; what `take` does first."""
    tx.driver.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"partner_time/{partner_id}",))


def keep(tx: Transaction, consultation_id: UUID) -> bool:
    """Keep the claim for good; false where it has run out or was never there."""
    return _ask(tx, "select keep_time(%s, %s)", consultation_id, tx.now)


def move(tx: Transaction, consultation_id: UUID, during: tuple[datetime, datetime]) -> bool:
    """Move the claim in one step; false where the new time is somebody else's, and then the old one stands."""
    return _ask(tx, "select move_time(%s, %s, %s)", consultation_id, TimestamptzRange(*during), tx.now)


def free(tx: Transaction, consultation_id: UUID) -> bool:
    """Give the time back; false where there was no claim."""
    return _ask(tx, "select free_time(%s)", consultation_id)


def _ask(tx: Transaction, statement: str, *values: object) -> bool:
    row = tx.driver.execute(statement, values).fetchone()
    return bool(row and row[0])
