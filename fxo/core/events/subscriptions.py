"""Reading the whole log in order, without gaps and without locks; the position is saved with what was computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from fxo.core import db
from fxo.core.events import envelopes
from fxo.core.events.model import Recorded
from fxo.core.events.store import decode
from fxo.core.scope import system_scope


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log: restores so far, the appending transaction, the row in it."""

    epoch: int = 0
    txid: str = "0"
    position: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """A named reader of all tenants' events: `handle` gets them in order and writes what it computes in the same transaction."""

    name: str
    handle: Callable[[Connection, Sequence[Recorded]], None]
    types: frozenset[str] = frozenset()
    """Only events of these types; empty for all."""


def read_after(
    connection: Connection, keyring: envelopes.Keyring, cursor: Cursor, *, types: frozenset[str] = frozenset(), limit: int = 500
) -> tuple[list[Recorded], Cursor]:
    """The next events after the cursor and the cursor behind them; only what no open transaction can still come before.

    Ordered by (epoch, transaction, position): in each stream versions rise by one, and nothing is missed or seen twice.
    """
    driver = db.driver_of(connection)
    horizon = driver.execute(_HORIZON, _place(cursor)).fetchone()
    if horizon is None:
        return [], cursor
    rows = driver.execute(_READ, {**_place(cursor), **_until(horizon), "types": sorted(types) or None, "n": limit}).fetchall()
    persons: dict[UUID, set[UUID]] = {}
    for row in rows:
        persons.setdefault(row[3], set()).update(envelopes.sealed_for(row[10]))
    keys = {tenant: keyring.find(driver, tenant, found) for tenant, found in persons.items() if found}
    events = [decode(row[3], row[4], keys.get(row[3], {}), row[5:]) for row in rows]
    return events, Cursor(*(rows[-1][:3] if len(rows) == limit else horizon))


def advance(subscription: Subscription, keyring: envelopes.Keyring, *, limit: int = 500) -> int:
    """Handle the next batch in one transaction with its cursor; returns how many events. Two readers of one name take turns."""
    with db.transaction(system_scope("subscriptions")) as connection:
        db.execute(connection, "insert into subscription_cursors(name) values (:n) on conflict do nothing", n=subscription.name)
        place = db.execute(
            connection,
            "select epoch, txid::text, position from subscription_cursors where name = :n for update",
            n=subscription.name,
        ).one()
        events, after = read_after(connection, keyring, Cursor(*place), types=subscription.types, limit=limit)
        if events:
            subscription.handle(connection, events)
        db.execute(
            connection,
            "update subscription_cursors set epoch = :e, txid = cast(:t as xid8), position = :p where name = :n",
            e=after.epoch, t=after.txid, p=after.position, n=subscription.name,
        )  # fmt: skip
        return len(events)


def lag(connection: Connection, subscription: Subscription) -> int:
    """How many readable events of its types the subscription has not handled yet; a health figure."""
    found = db.execute(
        connection, "select epoch, txid::text, position from subscription_cursors where name = :n", n=subscription.name
    ).first()
    cursor, driver = Cursor(*found) if found else Cursor(), db.driver_of(connection)
    horizon = driver.execute(_HORIZON, _place(cursor)).fetchone()
    if horizon is None:
        return 0
    counted = driver.execute(_LAG, {**_place(cursor), **_until(horizon), "types": sorted(subscription.types) or None}).fetchone()
    return int(counted[0]) if counted else 0


def _place(cursor: Cursor) -> dict[str, Any]:
    return {"e": cursor.epoch, "t": cursor.txid, "p": cursor.position}


def _until(horizon: tuple[Any, ...]) -> dict[str, Any]:
    return {"he": horizon[0], "ht": horizon[1], "hp": horizon[2]}


# Up to here everything is decided: whatever older transaction still writes has an id at or behind the horizon.
_HORIZON = """
select current, pg_snapshot_xmin(pg_current_snapshot())::text, -1 from epoch
where (current, pg_snapshot_xmin(pg_current_snapshot()), -1) > (%(e)s, %(t)s::xid8, %(p)s)"""

_RANGE = """
from events e
where (e.epoch, e.txid, e.position) > (%(e)s, %(t)s::xid8, %(p)s)
  and (e.epoch, e.txid, e.position) < (%(he)s, %(ht)s::xid8, %(hp)s)
  and (%(types)s::text[] is null or e.type = any(%(types)s::text[]))"""

_READ = f"""
select e.epoch, e.txid::text, e.position, e.tenant_id, e.stream_id,
       e.version, e.event_id, e.stream_type, e.type, e.schema_version, e.data, e.meta, e.recorded_at, e.hash
{_RANGE}
order by e.epoch, e.txid, e.position
limit %(n)s"""

_LAG = f"select count(*) {_RANGE}"
