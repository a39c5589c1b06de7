"""The browsers in which somebody is signed in: each cookie names a row, and ends with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core.clock import system_now
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id

IDLE = timedelta(hours=12)
"""After so long without a request one has to sign in again (PRD SR-1.2)."""

OFTEN = timedelta(minutes=5)
"""How exactly it is known when a browser was last seen; a write for every page would be too dear."""


@dataclass(frozen=True, slots=True)
class SignIn:
    id: UUID
    browser: str
    began_at: datetime
    seen_at: datetime


def begin(tx: Transaction, person_id: UUID, browser: str) -> UUID:
    """Somebody signed in with this browser (`Firefox on Linux`); in their tenant's scope, or in the system scope `sign_in`."""
    sign_in_id, now = new_id(), system_now()
    tx.driver.execute(
        "delete from sign_ins where tenant_id = %s and person_id = %s and seen_at < %s",
        (tx.scope.tenant_id, person_id, now - IDLE),
    )
    tx.driver.execute(
        "insert into sign_ins (tenant_id, id, person_id, browser, began_at, seen_at) values (%s, %s, %s, %s, %s, %s)",
        (tx.scope.tenant_id, sign_in_id, person_id, browser[:80], now, now),
    )
    return sign_in_id


def lives(tx: Transaction, sign_in_id: UUID, person_id: UUID, *, seen: bool = True) -> bool:
    """Whether this person is still signed in with that browser; notes that it was `seen`."""
    row = tx.driver.execute(
        "select seen_at from sign_ins where tenant_id = %s and id = %s and person_id = %s",
        (tx.scope.tenant_id, sign_in_id, person_id),
    ).fetchone()
    return row is not None and still(tx, sign_in_id, row[0], seen=seen)


def still(tx: Transaction, sign_in_id: UUID, seen_at: datetime, *, seen: bool = True) -> bool:
    """The same for one that was seen at that time."""
    now = system_now()
    if seen_at < now - IDLE:
        return False
    if seen and seen_at < now - OFTEN:
        tx.driver.execute(
            "update sign_ins set seen_at = %s where tenant_id = %s and id = %s", (now, tx.scope.tenant_id, sign_in_id)
        )
    return True


def of_person(tx: Transaction, person_id: UUID) -> list[SignIn]:
    """Where this person is signed in, the browser that was seen last first."""
    rows = tx.driver.execute(
        "select id, browser, began_at, seen_at from sign_ins where tenant_id = %s and person_id = %s and seen_at >= %s"
        " order by seen_at desc, id desc",
        (tx.scope.tenant_id, person_id, system_now() - IDLE),
    ).fetchall()
    return [SignIn(*row) for row in rows]


def end(tx: Transaction, sign_in_id: UUID) -> None:
    """Signed out; the cookie is worth nothing from now on, wherever it was copied to."""
    tx.driver.execute("delete from sign_ins where tenant_id = %s and id = %s", (tx.scope.tenant_id, sign_in_id))


def end_all(tx: Transaction, person_id: UUID, *, but: UUID | None = None) -> int:
    """Sign this person out everywhere, or everywhere else; how many browsers that were."""
    return tx.driver.execute(
        "delete from sign_ins where tenant_id = %s and person_id = %s and id is distinct from %s",
        (tx.scope.tenant_id, person_id, but),
    ).rowcount
