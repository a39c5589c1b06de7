"""Asking calendars what their owners have changed by hand: how far we have read, and whose meeting a change is about."""

from __future__ import annotations

from uuid import UUID

from psycopg.types.json import Jsonb

from fxo.core.events.store import Transaction
from fxo.core.work import rows

KIND = "calendars.look"
"""The kind of work that asks a tenant's calendars what has changed."""

_KEY = "changes"


def cursor(tx: Transaction, provider: str) -> str | None:
    """How far this tenant has read at the provider; None before the first time."""
    row = tx.driver.execute(
        "select value from plugin_state where tenant_id = %s and plugin = %s and key = %s", (tx.scope.tenant_id, provider, _KEY)
    ).fetchone()
    return row[0] if row else None


def keep(tx: Transaction, provider: str, after: str) -> None:
    """It is read so far."""
    tx.driver.execute(
        "insert into plugin_state (tenant_id, plugin, key, value) values (%s, %s, %s, %s)"
        " on conflict (tenant_id, plugin, key) do update set value = excluded.value",
        (tx.scope.tenant_id, provider, _KEY, Jsonb(after)),
    )


def consultation_at(tx: Transaction, provider: str, reference: str) -> UUID | None:
    """Whose meeting stands there; None for one that is not this tenant's, or has ended."""
    row = tx.driver.execute(
        "select consultation_id from meetings where tenant_id = %s and provider = %s and reference = %s and state = 'created'",
        (tx.scope.tenant_id, provider, reference),
    ).fetchone()
    return row[0] if row else None


def ask_soon(tx: Transaction) -> None:
    """A provider says that something has changed."""
    if not rows.waits(tx, KIND, tx.scope.tenant_id):
        rows.schedule(tx, KIND, tx.scope.tenant_id)
