"""Reads of meetings and of partners' busy times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core.calendars.port import BusyTimes
from fxo.core.clock import system_now
from fxo.core.errors import Retryable
from fxo.core.events.store import Transaction
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig

FRESH = timedelta(minutes=15)
"""How old an answer about busy times may be (hard case 10)."""


def join_url(tx: Transaction, consultation_id: UUID) -> str | None:
    """The link to join, once the calendar provider has made the meeting."""
    row = tx.driver.execute(
        "select join_url from meetings where tenant_id = %s and consultation_id = %s and state = 'created'",
        (tx.scope.tenant_id, consultation_id),
    ).fetchone()
    return row[0] if row else None


def sequence(tx: Transaction, consultation_id: UUID) -> int:
    """How often the meeting was changed, which its invitations say as SEQUENCE; 0 for one that does not exist yet."""
    row = tx.driver.execute(
        "select max(sequence) from meetings where tenant_id = %s and consultation_id = %s", (tx.scope.tenant_id, consultation_id)
    ).fetchone()
    return (row and row[0]) or 0


def consultation_of(tx: Transaction, meeting_id: UUID) -> UUID | None:
    """Whose meeting it is; None for a meeting that this tenant does not have (yet)."""
    row = tx.driver.execute(
        "select consultation_id from meetings where tenant_id = %s and id = %s", (tx.scope.tenant_id, meeting_id)
    ).fetchone()
    return row[0] if row else None


def external_busy(
    providers: Providers, config: TenantConfig, partner_ids: Sequence[UUID], window: tuple[datetime, datetime]
) -> dict[UUID, tuple[tuple[datetime, datetime], ...]]:
    """Busy times from the partners' own calendars, by partner; called outside a transaction.

    A partner who is left out is unknown, and unknown is not free: the caller shows no instant slots for them.
    """
    found: dict[UUID, tuple[tuple[datetime, datetime], ...]] = {}
    for _, provider in providers.chain(config, "calendars"):
        missing = [partner_id for partner_id in partner_ids if partner_id not in found]
        if not missing:
            break
        try:
            if provider.capabilities.reads_busy:
                answer: BusyTimes = provider.busy_times(missing, window)
                if system_now() - answer.as_of <= FRESH or answer.as_of > system_now():
                    found.update(answer.busy)
        except Retryable:
            continue
    return found
