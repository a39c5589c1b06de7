"""Members of a tenant: signing up with an address of its domains, signing in, and what their role allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import available_timezones

import psycopg

from fxo.core.clients import commands as clients
from fxo.core.clients.model import Joined
from fxo.core.errors import Conflict, Invalid, NotAllowed
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.scope import ROLES, Actor, ActorKind, Permission, TenantConfig
from fxo.tenants import passwords

_MAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}\.[^@\s,;<>\".]{2,}")


@dataclass(frozen=True, slots=True)
class SignUp:
    """What the sign-up form sends."""

    name: str
    mail: str
    password: str
    company: str = ""
    zone: str = ""
    role: str = "client"
    visitor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person's account in this tenant, as its administrator sees it."""

    id: UUID
    name: str
    mail: str
    role: str
    joined_at: datetime


def fold(mail: str) -> str:
    """The address as it is stored and compared."""
    return mail.strip().casefold()


def sign_up(tx: Transaction, config: TenantConfig, wanted: SignUp) -> UUID:
    """A new member of this tenant, with the visitor they were; returns the member's id.

    Raises `Invalid` with the field to mend; an address in use here gets "please sign in".
    """
    mail, name = fold(wanted.mail), " ".join(wanted.name.replace("\x00", "").split())
    if not name or len(name) > 120:
        raise Invalid("Please tell us your name, in at most 120 characters.", field="name")
    if not _MAIL.fullmatch(mail):
        raise Invalid("This does not look like a mail address. It should read name@company.com.", field="mail")
    if config.mail_domains and mail.rpartition("@")[2] not in config.mail_domains:
        raise Invalid(f"Please use your work address: {', '.join('@' + domain for domain in config.mail_domains)}.", field="mail")
    if wanted.zone and wanted.zone not in available_timezones():
        raise Invalid("Please choose your time zone from the list.", field="zone")
    if len(wanted.company) > 200:
        raise Invalid("Please shorten the company's name to 200 characters.", field="company")
    kept = passwords.hashed(wanted.password)
    member_id = new_id()
    clients.join(
        tx,
        Joined(member_id, name, mail, wanted.company.replace("\x00", "").strip(), wanted.zone or "UTC", wanted.role),
        wanted.visitor_id,
    )
    try:
        tx.driver.execute(
            "insert into members (tenant_id, id, email, password_hash, role, joined_at) values (%s, %s, %s, %s, %s, %s)",
            (config.id, member_id, mail, kept, wanted.role, tx.now),
        )
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("There is an account with this address already. Please sign in.", field="mail") from error
    return member_id


def check(tx: Transaction, mail: str, password: str) -> UUID | None:
    """The member with this address and password, in this tenant."""
    row = tx.driver.execute(
        "select id, password_hash from members where tenant_id = %s and email = %s", (tx.scope.tenant_id, fold(mail))
    ).fetchone()
    return row[0] if passwords.matches(row[1] if row else None, password) and row else None


def signed_in(tx: Transaction, member_id: UUID) -> tuple[Actor, str | None] | None:
    """The member with their permissions and the theme that they chose, if they chose one."""
    row = tx.driver.execute(
        "select m.role, p.theme from members m left join preferences p on p.tenant_id = m.tenant_id and p.person_id = m.id"
        " where m.tenant_id = %s and m.id = %s",
        (tx.scope.tenant_id, member_id),
    ).fetchone()
    return (Actor(member_id, ActorKind.MEMBER, ROLES[row[0]]), row[1]) if row else None


def all_of(tx: Transaction) -> list[Member]:
    """Every member of this tenant, the newest first; for its administrator."""
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may see the members.")
    rows = tx.driver.execute(
        "select m.id, c.name, m.email, m.role, m.joined_at from members m"
        " join clients c on c.tenant_id = m.tenant_id and c.id = m.id where m.tenant_id = %s order by m.joined_at desc, m.id",
        (tx.scope.tenant_id,),
    ).fetchall()
    return [Member(*row) for row in rows]
