"""Alarms: a row in the operator's queue, and a mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fxo.core.errors import NotAllowed, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.core.scope import Permission
from fxo.core.work import rows


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that needs a person; `tenant` is empty for what belongs to the network."""

    tenant_id: UUID
    id: UUID
    tenant: str
    kind: str
    sentence: str
    raised_at: datetime
    settled_at: datetime | None


def raise_alarm(tx: Transaction, kind: str, subject_id: UUID, sentence: str, *, mail: bool = True) -> None:
    """Put it into the operator's queue, once for the subject and kind; the sentence says what to do and names no person.

    Without `mail` only the queue shows it: for a mail that could not be sent, which must not ask for another one.
    """
    alarm_id = derived_id(subject_id, "alarm", kind)
    added = tx.driver.execute(
        "insert into alarms (tenant_id, id, kind, subject_id, sentence, raised_at) values (%s, %s, %s, %s, %s, %s) on"
        " conflict do nothing",
        (tx.scope.tenant_id, alarm_id, kind, subject_id, sentence, tx.now),
    ).rowcount
    if added and mail:
        rows.schedule(
            tx, "mail", alarm_id, key="alarm", body={"message": "alarm", "to": "operators", "kind": kind, "sentence": sentence}
        )


_SELECT = (
    "select a.tenant_id, a.id, coalesce(t.name, ''), a.kind, a.sentence, a.raised_at, a.settled_at"
    " from alarms a left join tenants t on t.id = a.tenant_id"
)


def waiting(tx: Transaction, limit: int = 200) -> list[Alarm]:
    """The alarms of all tenants that nobody has settled, the oldest first; in the operator's scope."""
    found = tx.driver.execute(f"{_SELECT} where a.settled_at is null order by a.raised_at, a.id limit %s", (limit,)).fetchall()
    return [Alarm(*row) for row in found]


def settled(tx: Transaction, limit: int = 20) -> list[Alarm]:
    """The alarms that were settled last; in the operator's scope."""
    found = tx.driver.execute(
        f"{_SELECT} where a.settled_at is not null order by a.settled_at desc, a.id limit %s", (limit,)
    ).fetchall()
    return [Alarm(*row) for row in found]


def settle(tx: Transaction, tenant_id: UUID, alarm_id: UUID) -> None:
    """A person has looked after it; in the operator's scope. Settled already: nothing."""
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may settle an alarm.")
    if tx.driver.execute("select 1 from alarms where tenant_id = %s and id = %s", (tenant_id, alarm_id)).fetchone() is None:
        raise NotFound("There is no such alarm.")
    tx.driver.execute(
        "update alarms set settled_at = %s where tenant_id = %s and id = %s and settled_at is null", (tx.now, tenant_id, alarm_id)
    )
