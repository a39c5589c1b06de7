"""Members of a tenant: signing up with an address of its domains, signing in, and what their role allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from fxo.core.clients import commands as clients
from fxo.core.clients import queries as client_rows
from fxo.core.clients.model import Joined
from fxo.core.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.notifications import reactions as notifications
from fxo.core.scope import ROLES, Actor, ActorKind, TenantConfig
from fxo.core.zones import zone_names
from fxo.tenants import accounts, passwords, sign_ins, tokens
from fxo.tenants.accounts import fold

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
    member_id: UUID | None = None
    """The id of who was invited."""


def sign_up(tx: Transaction, config: TenantConfig, wanted: SignUp) -> UUID:
    """A new member of this tenant, with the visitor they were; returns the member's id.

    Raises `Invalid` with the field to mend; an address in use here gets "please sign in".
    """
    name = " ".join(wanted.name.replace("\x00", "").split())
    if not name or len(name) > 120:
        raise Invalid("Please tell us your name, in at most 120 characters.", field="name")
    mail = checked_mail(config, wanted.mail)
    if wanted.zone and wanted.zone not in zone_names():
        raise Invalid("Please choose your time zone from the list.", field="zone")
    if len(wanted.company) > 200:
        raise Invalid("Please shorten the company's name to 200 characters.", field="company")
    kept = passwords.hashed(wanted.password)
    member_id = wanted.member_id or new_id()
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


def checked_mail(config: TenantConfig, address: str) -> str:
    """The address as it is stored, if it is one and of the tenant's domains, where it has any; else `Invalid` says why."""
    mail = fold(address)
    if not _MAIL.fullmatch(mail):
        raise Invalid("This does not look like a mail address. It should read name@company.com.", field="mail")
    if config.mail_domains and mail.rpartition("@")[2] not in config.mail_domains:
        ours = ", ".join("@" + domain for domain in config.mail_domains)
        raise Invalid("Please use a work address: this portal is for people with %(domains)s.", field="mail", domains=ours)
    return mail


def ask_to_change_mail(tx: Transaction, config: TenantConfig, mail: str, password: str) -> None:
    """Send a link to the new address of the member who acts; nothing changes before it is followed.

    An address that is taken here gets no mail, and the page says the same: who asks learns nothing of other members.
    """
    mail, me = checked_mail(config, mail), client_rows.find(tx, tx.actor.id)
    if mail == me.email:
        raise Invalid("This is your address already.", field="mail")
    if not accounts.proves(tx, "member", me.id, password):
        raise Invalid("This is not your password. Capital letters matter.", field="password")
    taken = accounts.by_mail(tx, "member", mail) is not None
    token = tokens.issue(tx, tokens.CHANGE_MAIL, me.id, {"mail": mail})
    if not taken:
        notifications.tell(tx, "confirm_mail", me.id, {"token": token}, to=notifications.Reader(me.name, mail))


def change_mail(tx: Transaction, token: str) -> None:
    """The member who acts has followed the link: they sign in with the new address, and the old one is told.

    Raises `Gone` for a link that is used, old, or somebody else's; `Conflict` where the address was taken meanwhile.
    """
    found = tokens.read(tx, tokens.CHANGE_MAIL, token)
    if found.person_id != tx.actor.id:
        raise Gone("This link is for another account. Please sign in with that one, or ask for a new link.", code="token_gone")
    me, mail = client_rows.find(tx, tx.actor.id), found.data["mail"]
    if accounts.by_mail(tx, "member", mail) not in (None, me.id):
        raise Conflict("Another account has this address. Nothing was changed.", field="mail")
    clients.change_mail(tx, me.id, mail)
    tokens.use(tx, tokens.CHANGE_MAIL, token)
    tokens.revoke(tx, tokens.RESET, me.id)
    try:
        tx.driver.execute("update members set email = %s where tenant_id = %s and id = %s", (mail, tx.scope.tenant_id, me.id))
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("Another account has this address. Nothing was changed.", field="mail") from error
    notifications.tell(tx, "mail_changed", me.id, {"new_mail": mail}, to=notifications.Reader(me.name, me.email))


def check(tx: Transaction, mail: str, password: str) -> UUID | None:
    """The member with this address and password, in this tenant. Who was deactivated is told so, since they know the password."""
    row = tx.driver.execute(
        "select id, password_hash, deactivated_at from members where tenant_id = %s and email = %s",
        (tx.scope.tenant_id, fold(mail)),
    ).fetchone()
    if not passwords.matches(row[1] if row else None, password) or row is None:
        return None
    if row[2] is not None:
        raise NotAllowed(
            "This account was deactivated by an administrator. Nothing is lost; please ask them to let you in again."
        )
    return row[0]


def with_mail(tx: Transaction, mail: str) -> UUID:
    """The member of this tenant with this address, let in or not; `NotFound` where nobody has it."""
    row = tx.driver.execute(
        "select id from members where tenant_id = %s and email = %s", (tx.scope.tenant_id, fold(mail))
    ).fetchone()
    if row is None:
        raise NotFound("Nobody here has this mail address.")
    found: UUID = row[0]
    return found


def note_sign_in(tx: Transaction, member_id: UUID) -> None:
    """Note when the member signed in last, for their administrator."""
    tx.driver.execute(
        "update members set signed_in_at = %s where tenant_id = %s and id = %s", (tx.now, tx.scope.tenant_id, member_id)
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A member who is let in, with what they may do and the theme that they chose, if they chose one."""

    actor: Actor
    name: str
    mail: str
    zone: str
    theme: str | None


_MEMBER = (
    "select m.role, c.name, c.email, c.zone, p.theme{more} from members m"
    " join clients c on c.tenant_id = m.tenant_id and c.id = m.id"
    " left join preferences p on p.tenant_id = m.tenant_id and p.person_id = m.id{join}"
    " where m.tenant_id = %(t)s and m.id = %(m)s and m.deactivated_at is null"
)
_SIGNED_IN = _MEMBER.format(
    more=", s.seen_at", join=" join sign_ins s on s.tenant_id = m.tenant_id and s.person_id = m.id and s.id = %(s)s"
)


def find(tx: Transaction, member_id: UUID) -> Member | None:
    """The member; None for who was deactivated."""
    row = tx.driver.execute(_MEMBER.format(more="", join=""), {"t": tx.scope.tenant_id, "m": member_id}).fetchone()
    return _member(member_id, row) if row else None


def signed_in(tx: Transaction, member_id: UUID, sign_in_id: UUID, *, seen: bool = True) -> Member | None:
    """The member where that sign-in of theirs still lives, which is noted as `seen`; in one statement, since every page asks."""
    row = tx.driver.execute(_SIGNED_IN, {"t": tx.scope.tenant_id, "m": member_id, "s": sign_in_id}).fetchone()
    return _member(member_id, row) if row and sign_ins.still(tx, sign_in_id, row[5], seen=seen) else None


def _member(member_id: UUID, row: Any) -> Member:
    return Member(Actor(member_id, ActorKind.MEMBER, ROLES[row[0]]), *row[1:5])
