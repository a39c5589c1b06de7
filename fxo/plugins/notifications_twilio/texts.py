"""What was handed to Twilio, in our own books: begun, taken, or never sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from fxo.core.db import execute, transaction
from fxo.core.scope import tenant_scope

_TABLE = "plugin_notifications_twilio.texts"


@dataclass(frozen=True, slots=True)
class Text:
    """One try to send a message. Without `sid` nobody knows whether Twilio has it."""

    sid: str | None
    begun_at: datetime
    new: bool


def begin(tenant_id: UUID, message_id: str, month: date, cost: Decimal, budget: Decimal, now: datetime) -> Text | None:
    """Write down that the message is being sent, once; what was begun before comes back as it is.

    None where the month's budget has no room for it. Tries of one tenant take turns, so that two do not take the last room.
    """
    with transaction(tenant_scope(tenant_id)) as connection:
        execute(connection, "select pg_advisory_xact_lock(hashtextextended(:key, 0))", key=f"texts/{tenant_id}")
        found = execute(
            connection, f"select sid, begun_at from {_TABLE} where tenant_id = :t and message_id = :m", t=tenant_id, m=message_id
        ).one_or_none()
        if found:
            return Text(found.sid, found.begun_at, new=False)
        spent = execute(
            connection, f"select coalesce(sum(cost), 0) from {_TABLE} where tenant_id = :t and month = :month",
            t=tenant_id, month=month,
        ).scalar_one()  # fmt: skip
        if spent + cost > budget:
            return None
        execute(
            connection,
            f"insert into {_TABLE} (tenant_id, message_id, month, cost, begun_at) values (:t, :m, :month, :cost, :now)",
            t=tenant_id, m=message_id, month=month, cost=cost, now=now,
        )  # fmt: skip
        return Text(None, now, new=True)


def taken(tenant_id: UUID, message_id: str, sid: str) -> None:
    """Twilio has the message under this id."""
    with transaction(tenant_scope(tenant_id)) as connection:
        statement = f"update {_TABLE} set sid = :sid where tenant_id = :t and message_id = :m"
        execute(connection, statement, sid=sid, t=tenant_id, m=message_id)


def never_sent(tenant_id: UUID, message_id: str) -> None:
    """Twilio has refused it: it costs nothing."""
    with transaction(tenant_scope(tenant_id)) as connection:
        statement = f"delete from {_TABLE} where tenant_id = :t and message_id = :m and sid is null"
        execute(connection, statement, t=tenant_id, m=message_id)


def message_of(tenant_id: UUID, sid: str) -> str:
    """Our id of what Twilio calls so; empty where it is nothing of this tenant's."""
    with transaction(tenant_scope(tenant_id)) as connection:
        statement = f"select message_id from {_TABLE} where tenant_id = :t and sid = :sid"
        return execute(connection, statement, t=tenant_id, sid=sid).scalar_one_or_none() or ""


def known(tenant_id: UUID, sids: list[str]) -> set[str]:
    """Those of Twilio's ids that are messages of this tenant's already."""
    with transaction(tenant_scope(tenant_id)) as connection:
        statement = f"select sid from {_TABLE} where tenant_id = :t and sid = any(:sids)"
        return {row.sid for row in execute(connection, statement, t=tenant_id, sids=sids)}
