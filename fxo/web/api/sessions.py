"""Sessions: what was booked, of the key's member, or for a key that reads of the whole tenant."""

from __future__ import annotations

from uuid import UUID

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.events.store import Transaction
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import PaymentRow, payment_id_of
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
        money = payment_rows.of_sessions(tx, [row.id for row in shown])
        return models.Sessions(items=[_session(tx, row, money.get(row.id)) for row in shown], next=following)


@operation("GET", "/sessions/{session_id}", {200: models.Session}, problems=(404,))
def get_session(session_id: UUID) -> models.Session:
    """How a session stands."""
    with platform.current().store.transaction(identity.scope(), bearer().actor) as tx:
        row = consultation_rows.find(tx, session_id)
        return _session(tx, row, payment_rows.find(tx, payment_id_of(row.id)))


def _session(tx: Transaction, row: ConsultationRow, paying: PaymentRow | None) -> models.Session:
    joins = bearer().acts and row.state in ("confirmed", "started")
    return models.Session(
        **told(row, paying, tx),
        join_url=calendars.join_url(tx, row.id) if joins else None,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )
