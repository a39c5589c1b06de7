"""Reading the whole log in order, without gaps and without locks; the position is saved with what was computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

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
    handle: Callable[[Session, Sequence[Recorded]], None]
    types: frozenset[str] = frozenset()
    """Only events of these types; empty for all."""


def read_after(
    session: Session, keyring: envelopes.Keyring, cursor: Cursor, *, types: frozenset[str] = frozenset(), limit: int = 500
) -> tuple[list[Recorded], Cursor]:
    """The next events after the cursor and the cursor behind them; only what no open transaction can still come before.

    Ordered by (epoch, transaction, position): in each stream versions rise by one, and nothing is missed or seen twice.
    """
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    rows = driver.execute(
        _READ, {"e": cursor.epoch, "t": cursor.txid, "p": cursor.position, "types": sorted(types) or None, "n": limit}
    ).fetchall()
    persons: dict[UUID, set[UUID]] = {}
    for row in rows:
        persons.setdefault(row[3], set()).update(envelopes.sealed_for(row[10]))
    keys = {tenant: keyring.find(driver, tenant, found) for tenant, found in persons.items() if found}
    events = [decode(row[3], row[4], keys.get(row[3], {}), row[5:]) for row in rows]
    return events, Cursor(*rows[-1][:3]) if rows else cursor


def advance(subscription: Subscription, keyring: envelopes.Keyring, *, limit: int = 500) -> int:
    """Handle the next batch in one transaction with its cursor; returns how many events. Two readers of one name take turns."""
    with db.transaction(system_scope("subscriptions")) as session:
        db.execute(session, "insert into subscription_cursors(name) values (:n) on conflict do nothing", n=subscription.name)
        place = db.execute(
            session,
            "select epoch, txid::text, position from subscription_cursors where name = :n for update",
            n=subscription.name,
        ).one()
        events, after = read_after(session, keyring, Cursor(*place), types=subscription.types, limit=limit)
        if events:
            subscription.handle(session, events)
            db.execute(
                session,
                "update subscription_cursors set epoch = :e, txid = cast(:t as xid8), position = :p where name = :n",
                e=after.epoch, t=after.txid, p=after.position, n=subscription.name,
            )  # fmt: skip
        return len(events)


def lag(session: Session, name: str) -> int:
    """How many readable events the subscription has not handled yet; a health figure."""
    found: Any = db.execute(
        session,
        "select count(*) from events e left join subscription_cursors c on c.name = :n"
        " where (e.epoch, e.txid, e.position) > (coalesce(c.epoch, 0), coalesce(c.txid, '0'::xid8), coalesce(c.position, 0))",
        n=name,
    ).scalar_one()
    return int(found)


_READ = """
select e.epoch, e.txid::text, e.position, e.tenant_id, e.stream_id,
       e.version, e.event_id, e.stream_type, e.type, e.schema_version, e.data, e.meta, e.recorded_at, e.hash
from events e
where (e.epoch, e.txid, e.position) > (%(e)s, %(t)s::xid8, %(p)s)
  and (e.epoch < (select current from epoch) or e.txid < pg_snapshot_xmin(pg_current_snapshot()))
  and (%(types)s::text[] is null or e.type = any(%(types)s::text[]))
order by e.epoch, e.txid, e.position
limit %(n)s"""
