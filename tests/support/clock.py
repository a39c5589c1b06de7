"""Business time in tests: moved by hand, and all due work done in this process."""

from __future__ import annotations

from datetime import datetime, timedelta

from fxo import platform
from fxo.core import db
from fxo.core.clock import system_now
from fxo.core.scope import system_scope
from fxo.core.work import sweeper
from fxo.core.work.perform import Outcome

_ROUNDS = 60


def now(parts: platform.Platform) -> datetime:
    """The business time."""
    with db.transaction(system_scope("clock")) as connection:
        return parts.clock.now(connection)


def move_to(parts: platform.Platform, moment: datetime) -> None:
    """Move business time to that moment, past everything that falls due on the way: nobody worked meanwhile."""
    assert _arrive(moment), "time does not run backwards"


def _arrive(moment: datetime) -> bool:
    """Move business time there; false where it has passed already."""
    ahead = moment - system_now()
    with db.transaction(system_scope("clock")) as connection:
        statement = "update clock set ahead = :ahead where ahead <= :ahead returning ahead"
        return bool(db.execute(connection, statement, ahead=ahead).all())


def move_by(parts: platform.Platform, by: timedelta) -> None:
    """Move business time on by so much."""
    move_to(parts, now(parts) + by)


def work_until_quiet(parts: platform.Platform) -> list[Outcome]:
    """Do everything that is due, and what follows from it; what became of each piece, in order."""
    outcomes: list[Outcome] = []
    for _ in range(_ROUNDS):
        due = sweeper.due(parts.store)
        if not due:
            return outcomes
        outcomes += [parts.performer.perform(tenant_id, work_id) for tenant_id, work_id in due]
    raise AssertionError(f"still due after {_ROUNDS} rounds: {sweeper.due(parts.store)}")


def live_until(parts: platform.Platform, moment: datetime) -> None:
    """Move business time there as it would pass: stopping wherever something falls due, and doing it."""
    work_until_quiet(parts)
    while (stop := _next_due(parts)) is not None and stop <= moment:
        _arrive(stop)
        work_until_quiet(parts)
    if _arrive(moment):
        work_until_quiet(parts)


def _next_due(parts: platform.Platform) -> datetime | None:
    with db.transaction(system_scope("sweeper")) as connection:
        found: datetime | None = db.execute(
            connection, "select min(due_at) from work where state in ('due', 'leased')"
        ).scalar_one_or_none()
    return found
