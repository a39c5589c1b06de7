"""Keys of programs that use a portal's API: shown once, kept as a hash, each for one member or to read for the tenant."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from fxo.core.clock import system_now
from fxo.core.errors import Invalid, NotAllowed, NotFound
from fxo.core.events.model import event
from fxo.core.events.store import StreamType, Transaction
from fxo.core.ids import new_id
from fxo.core.scope import Actor, ActorKind, Permission
from fxo.tenants import accounts, members

PREFIX = "fxo_"
"""Begins every key, so that scanners of repositories know one."""

OFTEN = timedelta(minutes=5)
"""How exactly it is known when a key was last used; a write for every request would be too dear."""


LONGEST_NAME = 80
"""Characters that a key's name may have."""

LIVES: tuple[int, ...] = (30, 90, 365)
"""After how many days a key may end by itself; 0 beside them means that it does not."""


@event("api_key.created")
@dataclass(frozen=True, slots=True)
class Created:
    """A program may use the API: for this member, or without one to read for the tenant. The key itself is in no event."""

    key_id: UUID
    program: str
    member_id: UUID | None
    days: int


@event("api_key.revoked")
@dataclass(frozen=True, slots=True)
class Revoked:
    """The key is worth nothing any more."""

    key_id: UUID


def _evolve(state: str, happened: object) -> str:
    match happened:
        case Created():
            return "open"
        case Revoked():
            return "revoked"
    return state


API_KEY = StreamType[str]("api_key", "none", _evolve)
"""Whether a key is there: `none`, `open` or `revoked`; the stream's id is the key's."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as lists show it; `mail` is empty where it reads for the tenant, `maker` where the operator made it."""

    id: UUID
    name: str
    mail: str
    created_at: datetime
    maker: str
    used_at: datetime | None
    ends_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """How it stands at that moment of the system's clock: `active`, `ended` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        return "ended" if self.ends_at and self.ends_at <= now else "active"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks with a key: the member it acts for, with what they may do as a client; or a reader of the tenant's rows."""

    key_id: UUID
    actor: Actor

    @property
    def acts(self) -> bool:
        """Whether it acts for a member, and so has briefs and bookings of its own."""
        return self.actor.kind is ActorKind.MEMBER


def create(tx: Transaction, name: str, mail: str | None = None, days: int = 0) -> str:
    """A new key of this tenant, returned once: for the member with this address, or without one to read for the tenant.

    An administrator's own key acts for themselves alone: nobody takes another member's place by it. It ends after so many days
    (`LIVES`), or with 0 by being revoked. Raises `Invalid` for a name that is none, `NotFound` where no member who is let in has
    the address.
    """
    _administrator(tx)
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid("Please name the key, in at most 80 characters, after the program that uses it.", field="name")
    if days not in (0, *LIVES):
        raise Invalid("Please choose one of the times after which the key ends.", field="days")
    member_id = _member(tx, mail) if mail else None
    key, key_id, now = PREFIX + secrets.token_urlsafe(32), new_id(), system_now()
    tx.append((tx.load(API_KEY, key_id), [Created(key_id, name, member_id, days)]))
    tx.driver.execute(
        "insert into api_keys (tenant_id, id, hash, name, member_id, created_at, created_by, ends_at)"
        " values (%(t)s, %(id)s, %(hash)s, %(name)s, %(member)s, %(now)s, %(by)s, %(ends)s)",
        {
            "t": tx.scope.tenant_id, "id": key_id, "hash": _hash(key), "name": name, "member": member_id, "now": now,
            "by": tx.actor.id if tx.actor.kind is ActorKind.MEMBER else None,
            "ends": now + timedelta(days=days) if days else None,
        },
    )  # fmt: skip
    return key


def _administrator(tx: Transaction) -> None:
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may see and change the keys of the API.")


def _member(tx: Transaction, mail: str) -> UUID:
    """The member whom a key is to act for."""
    found = accounts.by_mail(tx, "member", mail)
    if found is None or members.find(tx, found) is None:
        raise NotFound("No member of this portal has that mail address. They sign up first, or are let in again.")
    if tx.actor.kind is ActorKind.MEMBER and tx.actor.id != found:
        raise NotAllowed("A key of yours acts for yourself. For somebody else the platform's operator makes one.")
    return found


def list_(tx: Transaction) -> list[Key]:
    """Every key of this tenant, the oldest first, revoked ones too."""
    rows = tx.driver.execute(
        "select k.id, k.name, coalesce(m.email, ''), k.created_at, coalesce(c.name, ''), k.used_at, k.ends_at, k.revoked_at"
        " from api_keys k left join members m on m.tenant_id = k.tenant_id and m.id = k.member_id"
        " left join clients c on c.tenant_id = k.tenant_id and c.id = k.created_by where k.tenant_id = %s order by k.id",
        (tx.scope.tenant_id,),
    ).fetchall()
    return [Key(*row) for row in rows]


def revoke(tx: Transaction, key_id: UUID) -> None:
    """The key is worth nothing from the next request on. Revoked already: nothing. `NotFound` where this tenant has none such."""
    _administrator(tx)
    stream = tx.load(API_KEY, key_id)
    if stream.state == "none":
        raise NotFound("This portal has no key with that id. `fxo api-keys list` shows them.")
    if stream.state == "revoked":
        return
    tx.append((stream, [Revoked(key_id)]))
    tx.driver.execute(
        "update api_keys set revoked_at = %s where tenant_id = %s and id = %s", (system_now(), tx.scope.tenant_id, key_id)
    )


def bearer(tx: Transaction, key: str) -> Bearer | None:
    """Who asks with this key of this tenant; None for one that is revoked, has ended, is unknown, another tenant's, or whose
    member is not let in any more.
    """
    now = system_now()
    row = tx.driver.execute(
        "select id, member_id, used_at from api_keys where tenant_id = %s and hash = %s and revoked_at is null"
        " and (ends_at is null or ends_at > %s)",
        (tx.scope.tenant_id, _hash(key), now),
    ).fetchone()
    if row is None:
        return None
    key_id, member_id, used_at = row
    found = Actor(key_id, ActorKind.CODE)
    if member_id is not None:
        member = members.find(tx, member_id)
        if member is None:
            return None
        found = Actor(member_id, ActorKind.MEMBER, member.actor.permissions & {Permission.BOOK})
    if used_at is None or used_at < now - OFTEN:
        tx.driver.execute("update api_keys set used_at = %s where tenant_id = %s and id = %s", (now, tx.scope.tenant_id, key_id))
    return Bearer(key_id, found)


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()
