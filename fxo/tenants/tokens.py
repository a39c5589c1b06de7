"""Single-use tokens for links in mails: a purpose, a person, an end, a little data; only a hash of the token is kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from psycopg.types.json import Jsonb

from fxo.core.clock import system_now
from fxo.core.errors import Gone
from fxo.core.events.store import Transaction

RESET = "reset_password"
CHANGE_MAIL = "change_mail"
INVITATION = "invitation"
NUMBER = "number"

LIVES: Mapping[str, timedelta] = {
    RESET: timedelta(hours=1),
    CHANGE_MAIL: timedelta(hours=24),
    INVITATION: timedelta(days=14),
    NUMBER: timedelta(minutes=10),
}
"""How long a token of each purpose can be used; in real time, whatever the business clock says."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a valid token stands for. `data` is what was given at issue: the new address, the role of an invitation."""

    purpose: str
    person_id: UUID
    data: Mapping[str, str]
    expires_at: datetime


def issue(
    tx: Transaction, purpose: str, person_id: UUID, data: Mapping[str, str] | None = None, *, token: str | None = None
) -> str:
    """A new token for this person in this scope (a tenant's, or the network's in the system scope `sign_in` or `network`).

    The token itself is returned once and kept nowhere. Earlier ones stay valid: a mail that is sent twice may arrive once.
    `token` is one that is made elsewhere, because a person has to type it.
    """
    token, now = token or secrets.token_urlsafe(32), system_now()
    tx.driver.execute(
        "delete from tokens where tenant_id = %s and person_id = %s and expires_at <= %s", (tx.scope.tenant_id, person_id, now)
    )
    tx.driver.execute(
        "insert into tokens (tenant_id, hash, purpose, person_id, data, expires_at) values (%s, %s, %s, %s, %s, %s)",
        (tx.scope.tenant_id, _hash(token), purpose, person_id, Jsonb(dict(data or {})), now + LIVES[purpose]),
    )
    return token


def read(tx: Transaction, purpose: str, token: str) -> Token:
    """What the token stands for, without using it: for the page that its link opens. Raises `Gone` as `use` does."""
    row = tx.driver.execute(
        "select purpose, person_id, data, expires_at from tokens where tenant_id = %s and hash = %s and purpose = %s and"
        " expires_at > %s",
        (tx.scope.tenant_id, _hash(token), purpose, system_now()),
    ).fetchone()
    if row is None:
        raise Gone("This link has been used, or it is too old. Nothing was changed. Please ask for a new one.", code="token_gone")
    return Token(*row)


def data_of(tx: Transaction, purpose: str, person_id: UUID) -> Mapping[str, str]:
    """What this person's newest token of the purpose stands for; empty where none can be used."""
    row = tx.driver.execute(
        "select data from tokens where tenant_id = %s and person_id = %s and purpose = %s and expires_at > %s"
        " order by expires_at desc limit 1",
        (tx.scope.tenant_id, person_id, purpose, system_now()),
    ).fetchone()
    return dict(row[0]) if row else {}


def use(tx: Transaction, purpose: str, token: str) -> Token:
    """What the token stands for, and the end of it and of every other of this person for this purpose.

    Two who use it at once: one of them gets `Gone`. Used, expired, of another purpose, tenant or nobody's: all the same.
    """
    found = read(tx, purpose, token)
    row = tx.driver.execute(
        "delete from tokens where tenant_id = %s and hash = %s returning hash", (tx.scope.tenant_id, _hash(token))
    ).fetchone()
    if row is None:
        raise Gone("This link has been used a moment ago.", code="token_gone")
    revoke(tx, purpose, found.person_id)
    return found


def revoke(tx: Transaction, purpose: str, person_id: UUID) -> None:
    """No link of this purpose works for this person any more: the password was changed, the invitation taken back."""
    tx.driver.execute(
        "delete from tokens where tenant_id = %s and person_id = %s and purpose = %s", (tx.scope.tenant_id, person_id, purpose)
    )


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
