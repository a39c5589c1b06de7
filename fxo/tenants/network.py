"""Sign-ins of the network: partners on their own host, operators on theirs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core import db
from fxo.core.errors import Conflict, Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import NETWORK, new_id
from fxo.core.scope import ROLES, Actor, ActorKind, system_scope
from fxo.tenants import passwords
from fxo.tenants.accounts import fold

_THEME = "(select p.theme from preferences p where p.tenant_id = %(network)s and p.person_id = o.id) as theme"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the network who is signed in."""

    actor: Actor
    name: str
    zone: str = "UTC"
    theme: str | None = None
    """What they chose, if they chose one."""


def check_partner(mail: str, password: str) -> UUID | None:
    """The partner with this address and password."""
    with db.transaction(system_scope("sign_in")) as connection:
        row = db.execute(
            connection, "select partner_id, password_hash from partner_logins where email = :mail", mail=fold(mail)
        ).first()
    return row.partner_id if passwords.matches(row.password_hash if row else None, password) and row else None


def partner(partner_id: UUID) -> Person | None:
    """The partner, with what partners may do."""
    statement = f"select o.name, o.zone, {_THEME} from partners o where o.id = %(id)s"
    for row in db.read(system_scope("sign_in"), statement, {"id": partner_id, "network": NETWORK}):
        return Person(Actor(partner_id, ActorKind.PARTNER, ROLES["partner"]), row.name, row.zone, row.theme)
    return None


def check_operator(mail: str, password: str) -> UUID | None:
    """The operator with this address and password."""
    with db.transaction(system_scope("sign_in")) as connection:
        row = db.execute(connection, "select id, password_hash from operators where email = :mail", mail=fold(mail)).first()
    return row.id if passwords.matches(row.password_hash if row else None, password) and row else None


def operator(operator_id: UUID) -> Person | None:
    """The operator, with what operators may do."""
    statement = f"select o.name, {_THEME} from operators o where o.id = %(id)s"
    for row in db.read(system_scope("sign_in"), statement, {"id": operator_id, "network": NETWORK}):
        return Person(Actor(operator_id, ActorKind.OPERATOR, ROLES["operator"]), row.name, theme=row.theme)
    return None


def add_operator(tx: Transaction, mail: str, name: str, password: str) -> UUID:
    """A new operator; in the system scope (`fxo operators add`)."""
    if "@" not in mail:
        raise Invalid("This does not look like a mail address.", field="mail")
    operator_id = new_id()
    added = tx.driver.execute(
        "insert into operators (id, email, name, password_hash, created_at) values (%s, %s, %s, %s, %s) on conflict do nothing",
        (operator_id, fold(mail), name, passwords.hashed(password), tx.now),
    ).rowcount
    if not added:
        raise Conflict("An operator with this address exists already.", field="mail")
    return operator_id


def partner_address(tx: Transaction, partner_id: UUID) -> str:
    """The mail address that this partner signs in with; in the system scope `sign_in`."""
    row = tx.driver.execute("select email from partner_logins where partner_id = %s", (partner_id,)).fetchone()
    return str(row[0]) if row else ""


def set_partner_password(tx: Transaction, partner_id: UUID, password: str) -> None:
    """Let a partner sign in with their address and this password; in the system scope."""
    tx.driver.execute(
        "insert into partner_logins (partner_id, email, password_hash) select partner_id, email, %s from"
        " partner_contacts where partner_id = %s"
        " on conflict (partner_id) do update set password_hash = excluded.password_hash",
        (passwords.hashed(password), partner_id),
    )
