"""Alarms: a row in the operator's queue, and a mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import Invalid, NotAllowed, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.core.scope import Permission
from fxo.core.work import rows

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that needs a person; `tenant` is empty for what belongs to the network."""

    tenant_id: UUID
    id: UUID
    tenant: str
    kind: str
    subject_id: UUID | None
    sentence: str
    raised_at: datetime
    times: int
    """How often it was raised for its subject."""
    last_at: datetime
    settled_at: datetime | None
    settled_by: str
    """The operator's name; empty while it is open."""
    note: str
    """What the operator wrote down when it was settled; kept when it opens again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alarms a page shows."""

    settled: bool = False
    kind: str = ""
    """The beginning of the kind: `payment.`, `work.`."""
    tenant_id: UUID | None = None


def raise_alarm(tx: Transaction, kind: str, subject_id: UUID, sentence: str, *, mail: bool = True) -> None:
    """Put it into the operator's queue, once for the subject and kind; the sentence says what to do and names no person.

    Raised again it is counted; one that was settled opens again, and is mailed again. Without `mail` only the queue shows it: for
    a mail that could not be sent, which must not ask for another one.
    """
    alarm_id = derived_id(subject_id, "alarm", kind)
    row = tx.driver.execute(_RAISE, {
        "t": tx.scope.tenant_id, "id": alarm_id, "kind": kind, "subject": subject_id, "sentence": sentence, "now": tx.now,
    }).fetchone()  # fmt: skip
    assert row is not None
    times, was_open = row
    if mail and not was_open:
        key = "alarm" if times == 1 else f"alarm/{times}"
        body = {"message": "alarm", "to": "operators", "kind": kind, "sentence": sentence}
        rows.schedule(tx, "mail", alarm_id, key=key, body=body)


_RAISE = """
insert into alarms (tenant_id, id, kind, subject_id, sentence, raised_at, last_at)
values (%(t)s, %(id)s, %(kind)s, %(subject)s, %(sentence)s, %(now)s, %(now)s)
on conflict (tenant_id, id) do update
set times = alarms.times + 1, last_at = excluded.last_at, sentence = excluded.sentence, settled_at = null, settled_by = null
returning times, exists (select from alarms a where a.tenant_id = %(t)s and a.id = %(id)s and a.settled_at is null)"""


def find(tx: Transaction, wanted: Wanted, limit: int = 200) -> list[Alarm]:
    """Alarms of all tenants: open ones the oldest first, settled ones the last settled first; in the operator's scope."""
    order = "a.settled_at desc, a.id" if wanted.settled else "a.raised_at, a.id"
    values: dict[str, Any] = {"kind": wanted.kind, "tenant": wanted.tenant_id, "limit": limit}
    found = tx.driver.execute(
        "select a.tenant_id, a.id, coalesce(t.name, ''), a.kind, a.subject_id, a.sentence, a.raised_at, a.times, a.last_at,"
        " a.settled_at, coalesce(o.name, ''), a.note"
        " from alarms a left join tenants t on t.id = a.tenant_id left join operators o on o.id = a.settled_by"
        f" where a.settled_at is {'not ' if wanted.settled else ''}null and starts_with(a.kind, %(kind)s)"
        f" and (%(tenant)s::uuid is null or a.tenant_id = %(tenant)s) order by {order} limit %(limit)s",
        values,
    ).fetchall()
    return [Alarm(*row) for row in found]


def counts(tx: Transaction) -> tuple[int, int]:
    """(open, settled) alarms of all tenants; in the operator's scope."""
    row = tx.driver.execute(
        "select count(*) filter (where settled_at is null), count(*) filter (where settled_at is not null) from alarms"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def settle(tx: Transaction, tenant_id: UUID, alarm_id: UUID, note: str = "") -> None:
    """A person has looked after it and says how; in the operator's scope. Settled already: nothing."""
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"Please shorten the note to {LONGEST_NOTE} characters.", field="note")
    _may_decide(tx, tenant_id, alarm_id)
    tx.driver.execute(
        "update alarms set settled_at = %s, settled_by = %s, note = %s where tenant_id = %s and id = %s and settled_at is null",
        (tx.now, tx.actor.id, note, tenant_id, alarm_id),
    )


def reopen(tx: Transaction, tenant_id: UUID, alarm_id: UUID) -> None:
    """It was not settled after all; its note stays. In the operator's scope. Open already: nothing."""
    _may_decide(tx, tenant_id, alarm_id)
    tx.driver.execute(
        "update alarms set settled_at = null, settled_by = null where tenant_id = %s and id = %s and settled_at is not null",
        (tenant_id, alarm_id),
    )


def _may_decide(tx: Transaction, tenant_id: UUID, alarm_id: UUID) -> None:
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may settle an alarm.")
    if tx.driver.execute("select 1 from alarms where tenant_id = %s and id = %s", (tenant_id, alarm_id)).fetchone() is None:
        raise NotFound("There is no such alarm.")
