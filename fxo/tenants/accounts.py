"""Passwords of all who sign in: members in their tenant's scope, partners and operators in the system scope `sign_in`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import NETWORK, derived_id
from fxo.core.notifications import reactions as notifications
from fxo.tenants import passwords, sign_ins, tokens

Kind = Literal["member", "partner", "operator"]

_NOBODY = derived_id(NETWORK, "nobody")
"""Whom a link is made for where no account has the address, so that asking takes as long."""


@dataclass(frozen=True, slots=True)
class _Login:
    id: UUID
    name: str
    mail: str
    kept: str


_BY = {
    "member": "select m.id, c.name, m.email, m.password_hash from members m"
    " join clients c on c.tenant_id = m.tenant_id and c.id = m.id where m.tenant_id = %(t)s and",
    "partner": "select l.partner_id, p.name, l.email, l.password_hash from partner_logins l"
    " join partners p on p.id = l.partner_id where",
    "operator": "select o.id, o.name, o.email, o.password_hash from operators o where",
}
_COLUMNS = {"member": ("m.email", "m.id"), "partner": ("l.email", "l.partner_id"), "operator": ("o.email", "o.id")}
_SET = {
    "member": "update members set password_hash = %(h)s where tenant_id = %(t)s and id = %(id)s",
    "partner": "update partner_logins set password_hash = %(h)s where partner_id = %(id)s",
    "operator": "update operators set password_hash = %(h)s where id = %(id)s",
}
_SUFFIX = {"member": "", "partner": "_expert", "operator": "_operator"}


def fold(mail: str) -> str:
    """The address as it is stored and compared."""
    return mail.strip().casefold()


def by_mail(tx: Transaction, kind: Kind, mail: str) -> UUID | None:
    """Whose account has this address, in this tenant or in the network."""
    found = _login(tx, kind, 0, fold(mail))
    return found.id if found else None


def proves(tx: Transaction, kind: Kind, person_id: UUID, password: str) -> bool:
    """Whether this is the password of that account; takes as long where there is none."""
    found = _login(tx, kind, 1, person_id)
    return passwords.matches(found.kept if found else None, password)


def ask_reset(tx: Transaction, kind: Kind, mail: str) -> None:
    """Mail a link to choose a new password, if an account has this address; otherwise do as much, and nobody is found to mail."""
    found = _login(tx, kind, 0, fold(mail))
    token = tokens.issue(tx, tokens.RESET, found.id if found else _NOBODY)
    reader = notifications.Reader(found.name, found.mail) if found else None
    notifications.tell(tx, f"reset_password{_SUFFIX[kind]}", found.id if found else _NOBODY, {"token": token}, to=reader)


def reset(tx: Transaction, kind: Kind, token: str, password: str) -> UUID:
    """Set the password of whom the link was mailed to, and sign them out everywhere. Raises `Gone`, or `Invalid` before the link
    is used up.
    """
    kept = passwords.hashed(password)
    found = tokens.use(tx, tokens.RESET, token)
    _set(tx, kind, found.person_id, kept, keep=None)
    return found.person_id


def change_password(tx: Transaction, kind: Kind, person_id: UUID, current: str, new: str, *, keep: UUID | None) -> None:
    """Set a new password for who knows the current one; every browser but this one (`keep`) is signed out."""
    if not proves(tx, kind, person_id, current):
        raise Invalid("This is not your password. Please try again.", field="current")
    _set(tx, kind, person_id, passwords.hashed(new), keep=keep)


def _set(tx: Transaction, kind: Kind, person_id: UUID, kept: str, *, keep: UUID | None) -> None:
    tx.driver.execute(_SET[kind], {"h": kept, "id": person_id, "t": tx.scope.tenant_id})
    tokens.revoke(tx, tokens.RESET, person_id)
    tokens.revoke(tx, tokens.CHANGE_MAIL, person_id)
    sign_ins.end_all(tx, person_id, but=keep)
    if found := _login(tx, kind, 1, person_id):
        reader = notifications.Reader(found.name, found.mail)
        notifications.tell(tx, f"password_changed{_SUFFIX[kind]}", person_id, to=reader)


def _login(tx: Transaction, kind: Kind, by: Literal[0, 1], value: str | UUID) -> _Login | None:
    row = tx.driver.execute(f"{_BY[kind]} {_COLUMNS[kind][by]} = %(v)s", {"t": tx.scope.tenant_id, "v": value}).fetchone()
    return _Login(*row) if row else None
