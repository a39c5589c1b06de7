"""What providers send: kept once by the provider's event id, answered at once, handled as work that asks for the truth."""

from __future__ import annotations

from uuid import UUID

from fxo.core import db
from fxo.core.clock import system_now
from fxo.core.events.store import Store, Transaction
from fxo.core.ids import parse_id
from fxo.core.scope import CODE, system_scope, tenant_scope
from fxo.core.work import rows

ASKING = "payments.reconcile"
"""The kind of work that asks a tenant's payment provider what has changed."""


def receive(
    store: Store, provider: str, event_id: str, kind: str, reference: str, order_reference: str | None,
    only: UUID | None = None,
) -> bool:  # fmt: skip
    """Keep a verified notice and wake the work that it is about; false where it was here before or is about nothing of ours.
    One that a tenant's own account has sent is about `only` that tenant.

    The tenant is found by our reference, which is the id of the work row, or by the payment that has the provider's. The notice
    itself is never believed.
    """
    work_id = parse_id(order_reference or "")
    with db.transaction(system_scope("inbox")) as connection:
        tenant_id: UUID | None = None
        if work_id:
            tenant_id = db.execute(connection, "select tenant_id from work where id = :id", id=work_id).scalar_one_or_none()
        if tenant_id is None:
            tenant_id = db.execute(
                connection,
                "select tenant_id from payments where provider_reference = :r"
                " and (cast(:only as uuid) is null or tenant_id = :only) limit 1",
                r=reference,
                only=only,
            ).scalar_one_or_none()  # two have it where another expert stood in: the payment went with them
        new = db.execute(
            connection,
            "insert into inbox (provider, event_id, kind, reference, order_reference, tenant_id, received_at)"
            " values (:p, :e, :k, :r, :o, :t, :at) on conflict do nothing returning 1",
            p=provider, e=event_id, k=kind, r=reference, o=order_reference, t=tenant_id, at=system_now(),
        ).scalar_one_or_none()  # fmt: skip
    if not new or tenant_id is None or (only and only != tenant_id):
        return False
    return store.run(tenant_scope(tenant_id), CODE, _look, work_id)


def _look(tx: Transaction, work_id: UUID | None) -> bool:
    """Let the work look that waits for it; where none does, the provider is asked what has changed."""
    if work_id and rows.wake(tx, work_id):
        return True
    if not rows.waits(tx, ASKING, tx.scope.tenant_id):
        rows.schedule(tx, ASKING, tx.scope.tenant_id)
    return True
