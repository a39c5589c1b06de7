"""Reads of meetings and of partners' busy times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core.calendars import connections
from fxo.core.calendars.connection import Connection
from fxo.core.calendars.port import BusyTimes
from fxo.core.clock import system_now
from fxo.core.errors import ProviderError
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


def met_at(tx: Transaction, consultation_id: UUID) -> str:
    """The provider that has the meeting; empty where none has."""
    row = tx.driver.execute(
        "select provider from meetings where tenant_id = %s and consultation_id = %s and state = 'created'",
        (tx.scope.tenant_id, consultation_id),
    ).fetchone()
    return (row and row[0]) or ""


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

    A partner who is left out is unknown, and unknown is not free: the caller shows no instant slots for them. Who has connected a
    calendar at a provider is that provider's to answer for, and nobody else's: while it cannot be read, they are unknown.
    """
    found: dict[UUID, tuple[tuple[datetime, datetime], ...]] = {}
    missing = list(partner_ids)
    for name, provider in providers.chain(config, "calendars"):
        if not missing:
            break
        asked = missing
        spec = providers.plugins.specs.get(name)
        if spec and spec.oauth:
            connected = connections.of_roster(config.id, name, missing)
            asked = [each for each in missing if each in connected and connected[each].state is Connection.WORKS]
            missing = [each for each in missing if each not in connected or not connected[each].alone]
        try:
            if asked and provider.capabilities.reads_busy:
                answer: BusyTimes = provider.busy_times(asked, window)
                if system_now() - answer.as_of <= FRESH or answer.as_of > system_now():
                    found.update(answer.busy)
        except ProviderError:
            continue
        missing = [partner_id for partner_id in missing if partner_id not in found]
    return found
