"""The rows of durable work: schedule and wake them inside a command, claim, postpone and finish them around one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from fxo.core.clock import system_now
from fxo.core.errors import Conflict
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id, new_id
from fxo.core.work.model import Work


class LeaseLost(Conflict):
    """The lease ran out and somebody else has taken the work over; nothing of this attempt is recorded."""

    code = "lease_lost"


class Busy(Conflict):
    """One at a time for a stream and kind: another row of it is leased at the moment."""

    code = "busy"


def schedule(
    tx: Transaction,
    kind: str,
    stream_id: UUID,
    *,
    due_at: datetime | None = None,
    key: str | None = None,
    body: Mapping[str, Any] | None = None,
    offer: bool = True,
) -> UUID:
    """Write down work of this kind for the stream, in the command's own transaction; returns its id.

    With a `key` there is at most one such row for ever: (booking, version, kind) of a reminder. Work that is due now is handed
    to the queue after the commit, unless `offer` is false because the caller performs it.
    """
    work_id = derived_id(stream_id, kind, key) if key else new_id()
    due_now = due_at is None or due_at <= tx.now
    tx.driver.execute(
        _SCHEDULE,
        (
            tx.scope.tenant_id,
            work_id,
            kind,
            stream_id,
            Jsonb(dict(body or {})),
            due_at or tx.now,
            system_now() if due_now else None,
            tx.now,
        ),
    )
    if due_now and offer:
        _offer_later(tx, work_id)
    return work_id


def wake(tx: Transaction, work_id: UUID, *, offer: bool = True) -> bool:
    """Make waiting work due now; false where it is finished or unknown."""
    woken = tx.driver.execute(
        "update work set due_at = least(due_at, %s), offered_at = %s, woken = true where tenant_id = %s and id = %s"
        " and state in ('due', 'leased')",
        (tx.now, system_now(), tx.scope.tenant_id, work_id),
    ).rowcount
    if woken and offer:
        _offer_later(tx, work_id)
    return bool(woken)


def waits(tx: Transaction, kind: str, stream_id: UUID) -> bool:
    """Whether work of this kind for the stream still lies ahead."""
    found = tx.driver.execute(
        "select 1 from work where tenant_id = %s and stream_id = %s and kind = %s and state = 'due' limit 1",
        (tx.scope.tenant_id, stream_id, kind),
    ).fetchone()
    return found is not None


def unfinished(tx: Transaction, kind: str, stream_id: UUID) -> bool:
    """Whether work of this kind for the stream waits, is under way, or was given up."""
    found = tx.driver.execute(
        "select 1 from work where tenant_id = %s and stream_id = %s and kind = %s and state <> 'done' limit 1",
        (tx.scope.tenant_id, stream_id, kind),
    ).fetchone()
    return found is not None


def _offer_later(tx: Transaction, work_id: UUID) -> None:
    offer, tenant_id = tx.store.offer, tx.scope.tenant_id
    if offer is not None:
        tx.after_commit(lambda: offer(tenant_id, work_id))


def claim(tx: Transaction, work_id: UUID, lease: timedelta) -> Work | None:
    """Lease the work if it is due; None otherwise. Raises `Busy` while the same kind is performed for its stream."""
    now = system_now()
    try:
        row = tx.driver.execute(
            _CLAIM, {"t": tx.scope.tenant_id, "id": work_id, "sys": now, "until": now + lease, "now": tx.now}
        ).fetchone()
    except psycopg.errors.UniqueViolation as error:
        raise Busy("The same kind of work is being performed for this stream.") from error
    return Work(*row) if row else None


def hand_out_again(tx: Transaction, work_id: UUID) -> None:
    """Let the next sweep offer the work again, instead of waiting until it counts as idle."""
    tx.driver.execute(
        "update work set offered_at = null where tenant_id = %s and id = %s and state = 'due'", (tx.scope.tenant_id, work_id)
    )


def finish(tx: Transaction, work: Work, *, waiting_until: datetime | None = None) -> None:
    """End the lease with its outcome, in the outcome's transaction. Raises `LeaseLost` where somebody else holds it now."""
    if waiting_until is None:
        query = "update work set state = 'done', done_at = %s, leased_until = null, error = null"
    else:
        query = (
            "update work set state = 'due', due_at = case when woken then due_at else %s end, leased_until = null,"
            " offered_at = null,"
            " error = null"
        )
    done = tx.driver.execute(
        query + " where tenant_id = %s and id = %s and lease_no = %s and state = 'leased'",
        (waiting_until or tx.now, work.tenant_id, work.id, work.lease_no),
    ).rowcount
    if not done:
        raise LeaseLost("Somebody else has taken this over.")


def postpone(tx: Transaction, work: Work, *, until: datetime, error: str) -> None:
    """Give the lease back after a failure that may pass; counts the attempt. Who was woken meanwhile looks again at once."""
    postponed = tx.driver.execute(
        "update work set state = 'due', due_at = case when woken then due_at else %s end, attempts = attempts + 1,"
        " leased_until = null, offered_at = null, error = %s"
        " where tenant_id = %s and id = %s and lease_no = %s and state = 'leased'",
        (until, error, work.tenant_id, work.id, work.lease_no),
    ).rowcount
    if not postponed:
        raise LeaseLost("Somebody else has taken this over.")


def bury(tx: Transaction, work: Work, *, error: str) -> None:
    """Give up: the row stays as `dead`, for the operator."""
    buried = tx.driver.execute(
        "update work set state = 'dead', attempts = attempts + 1, leased_until = null, error = %s"
        " where tenant_id = %s and id = %s and lease_no = %s and state = 'leased'",
        (error, work.tenant_id, work.id, work.lease_no),
    ).rowcount
    if not buried:
        raise LeaseLost("Somebody else has taken this over.")


def take_up_again(tx: Transaction, kind: str, before: datetime) -> list[UUID]:
    """Let what was given up fall due anew, where that was for a try that fell due before then; returns the work.

    Its id stays, and with it the key at a provider; what has become needless meanwhile finds nothing to do.
    """
    found = [
        row[0]
        for row in tx.driver.execute(
            "update work set state = 'due', due_at = %s, offered_at = %s, attempts = 0, error = null"
            " where tenant_id = %s and kind = %s and state = 'dead' and due_at <= %s returning id",
            (tx.now, system_now(), tx.scope.tenant_id, kind, before),
        ).fetchall()
    ]
    for work_id in found:
        _offer_later(tx, work_id)
    return found


_SCHEDULE = """
insert into work (tenant_id, id, kind, stream_id, body, due_at, offered_at, created_at)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing"""

_CLAIM = """
update work set state = 'leased', woken = false, lease_no = lease_no + 1, leased_until = %(until)s, offered_at = %(sys)s
where tenant_id = %(t)s and id = %(id)s and due_at <= %(now)s
  and (state = 'due' or (state = 'leased' and leased_until <= %(sys)s))
returning tenant_id, id, kind, stream_id, body, due_at, attempts, lease_no"""
