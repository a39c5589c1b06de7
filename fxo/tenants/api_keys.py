"""Keys of programs that use a portal's API: shown once, kept as a hash, each for one member or to read for the tenant."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from fxo.core.clock import system_now
from fxo.core.errors import Invalid, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.scope import Actor, ActorKind, Permission
from fxo.tenants import accounts, members

PREFIX = "fxo_"
"""Begins every key, so that scanners of repositories know one."""

OFTEN = timedelta(minutes=5)
"""How exactly it is known when a key was last used; a write for every request would be too dear."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as lists show it; `mail` is empty where it reads for the tenant."""

    id: UUID
    name: str
    mail: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks with a key: the member it acts for, with what they may do as a client; or a reader of the tenant's rows."""

    key_id: UUID
    actor: Actor

    @property
    def acts(self) -> bool:
        """Whether it acts for a member, and so has briefs and bookings of its own."""
        return self.actor.kind is ActorKind.MEMBER


def create(tx: Transaction, name: str, mail: str | None = None) -> str:
    """A new key of this tenant, returned once: for the member with this address, or without one to read for the tenant.

    Raises `Invalid` for a name that is none, `NotFound` where no member who is let in has the address.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= 80 or not name.isprintable():
        raise Invalid("Please name the key, in at most 80 characters, after the program that uses it.", field="name")
    member_id = accounts.by_mail(tx, "member", mail) if mail else None
    if mail and (member_id is None or members.find(tx, member_id) is None):
        raise NotFound("No member of this portal has that mail address. They sign up first, or are let in again.")
    key = PREFIX + secrets.token_urlsafe(32)
    tx.driver.execute(
        "insert into api_keys (tenant_id, id, hash, name, member_id, created_at) values (%s, %s, %s, %s, %s, %s)",
        (tx.scope.tenant_id, new_id(), _hash(key), name, member_id, system_now()),
    )
    return key


def list_(tx: Transaction) -> list[Key]:
    """Every key of this tenant, the oldest first, revoked ones too."""
    rows = tx.driver.execute(
        "select k.id, k.name, coalesce(m.email, ''), k.created_at, k.used_at, k.revoked_at from api_keys k"
        " left join members m on m.tenant_id = k.tenant_id and m.id = k.member_id where k.tenant_id = %s order by k.id",
        (tx.scope.tenant_id,),
    ).fetchall()
    return [Key(*row) for row in rows]


def revoke(tx: Transaction, key_id: UUID) -> None:
    """The key is worth nothing from the next request on. Revoked already: nothing. `NotFound` where this tenant has none such."""
    row = tx.driver.execute(
        "update api_keys set revoked_at = coalesce(revoked_at, %s) where tenant_id = %s and id = %s returning id",
        (system_now(), tx.scope.tenant_id, key_id),
    ).fetchone()
    if row is None:
        raise NotFound("This portal has no key with that id. `fxo api-keys list` shows them.")


def bearer(tx: Transaction, key: str) -> Bearer | None:
    """Who asks with this key of this tenant; None for one that is revoked, unknown, another tenant's, or whose member is not
    let in any more.
    """
    row = tx.driver.execute(
        "select id, member_id, used_at from api_keys where tenant_id = %s and hash = %s and revoked_at is null",
        (tx.scope.tenant_id, _hash(key)),
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
    now = system_now()
    if used_at is None or used_at < now - OFTEN:
        tx.driver.execute("update api_keys set used_at = %s where tenant_id = %s and id = %s", (now, tx.scope.tenant_id, key_id))
    return Bearer(key_id, found)


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()
