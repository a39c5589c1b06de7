"""Sessions: what was booked, of the key's member, or for a key that reads of the whole tenant."""

from __future__ import annotations

from uuid import UUID

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.events.store import Transaction
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import payment_id_of
from fxo.web import identity
from fxo.web.api import cursors, models
from fxo.web.api.blueprint import bearer
from fxo.web.api.bookings import told
from fxo.web.api.routes import operation


@operation("GET", "/sessions", {200: models.Sessions}, query=models.Page)
def list_sessions(asked: models.Page) -> models.Sessions:
    """Sessions, the latest start first."""
    began = cursors.after(asked.after, cursors.moment, UUID)
    with platform.current().store.transaction(identity.scope(), bearer().actor) as tx:
        found = consultation_rows.booked(tx, began or None, asked.limit + 1)
        shown, following = cursors.page(found, asked.limit, lambda row: cursors.cursor(row.starts_at, row.id))
        return models.Sessions(items=[_session(tx, row) for row in shown], next=following)


@operation("GET", "/sessions/{session_id}", {200: models.Session}, problems=(404,))
def get_session(session_id: UUID) -> models.Session:
    """How a session stands."""
    with platform.current().store.transaction(identity.scope(), bearer().actor) as tx:
        return _session(tx, consultation_rows.find(tx, session_id))


def _session(tx: Transaction, row: ConsultationRow) -> models.Session:
    return models.Session(
        **told(row, payment_rows.find(tx, payment_id_of(row.id)), tx),
        join_url=calendars.join_url(tx, row.id) if bearer().acts else None,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )
