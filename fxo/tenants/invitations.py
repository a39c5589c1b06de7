"""Inviting people by mail: a link that works once and not for ever, and that never takes over an account (hard case 23)."""

from __future__ import annotations

from uuid import UUID

from fxo.core.errors import Conflict, Gone, Invalid, NotFound
from fxo.core.events.store import Stream, Transaction
from fxo.core.ids import new_id
from fxo.core.notifications import reactions as mails
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants import members, tokens
from fxo.tenants.membership import (
    MEMBER,
    MEMBER_ROLES,
    Accepted,
    Invitation,
    InvitationRevoked,
    Invited,
    InvitedAgain,
    administrator,
    stream_of,
)

MOST = 5
"""How often one invitation is mailed; who has not come by then is asked in another way."""


def invite(tx: Transaction, config: TenantConfig, address: str, role: str) -> UUID:
    """Ask somebody to become a member in this role; by the tenant's administrator. Returns the id that they will have.

    The address has to be one of the tenant's domains, where it has any: its owner could not sign up otherwise either. An operator
    may do it too: a new tenant has nobody yet who could.
    """
    if not tx.actor.may(Permission.RUN_PLATFORM):
        administrator(tx)
    mail = members.checked_mail(config, address)
    if role not in MEMBER_ROLES:
        raise Invalid("Please choose one of the roles.", field="role")
    member_id = new_id()
    stream = tx.load(MEMBER, stream_of(member_id))
    known = tx.driver.execute(
        "select deactivated_at is null from members where tenant_id = %s and email = %s", (tx.scope.tenant_id, mail)
    ).fetchone()
    if known:
        todo = "Change their role in the list below." if known[0] else "They were deactivated: let them in again instead."
        raise Conflict(f"{mail} has an account here already. {todo}", field="mail")
    if tx.driver.execute(
        "select 1 from invitations where tenant_id = %s and email = %s and state = 'open'", (tx.scope.tenant_id, mail)
    ).fetchone():
        raise Conflict(f"{mail} was invited already. Send the invitation again from the list below.", field="mail")
    tx.append((stream, [Invited(member_id, mail, role)]))
    _mail_link(tx, member_id, mail)
    return member_id


def invite_again(tx: Transaction, member_id: UUID) -> None:
    """Mail a new link; earlier ones work no longer."""
    stream = _open(tx, member_id)
    sent = tx.driver.execute(
        "select sent from invitations where tenant_id = %s and id = %s", (tx.scope.tenant_id, member_id)
    ).fetchone()
    if sent and sent[0] >= MOST:
        raise Conflict(f"This was mailed {MOST} times. Please ask the person whether the mails arrive, or take it back.")
    tx.append((stream, [InvitedAgain(member_id)]))
    tokens.revoke(tx, tokens.INVITATION, member_id)
    _mail_link(tx, member_id, stream.state.email)


def revoke(tx: Transaction, member_id: UUID) -> None:
    """Take the invitation back: its link works no longer."""
    stream = _open(tx, member_id)
    tx.append((stream, [InvitationRevoked(member_id)]))
    tokens.revoke(tx, tokens.INVITATION, member_id)


def _open(tx: Transaction, member_id: UUID) -> Stream[Invitation]:
    administrator(tx)
    stream = tx.load(MEMBER, stream_of(member_id))
    if stream.state.state != "open":
        raise NotFound("There is no such invitation any more.")
    return stream


def _mail_link(tx: Transaction, member_id: UUID, mail: str) -> None:
    token = tokens.issue(tx, tokens.INVITATION, member_id)
    mails.tell(tx, "invitation", member_id, {"token": token}, to=mails.Reader(mail, mail))


def look(tx: Transaction, token: str) -> Invitation:
    """The invitation that a link stands for. Raises `Gone` for one that was used, taken back, or is too old."""
    found = tokens.read(tx, tokens.INVITATION, token)
    invitation = tx.load(MEMBER, stream_of(found.person_id)).state
    if invitation.state != "open":
        raise Gone("This invitation has been used or taken back. Please ask for a new one.", code="token_gone")
    return invitation


def accept(tx: Transaction, config: TenantConfig, token: str, wanted: members.SignUp) -> UUID:
    """The account of who was invited; address and role are those of the invitation, whatever was sent.

    Somebody who has an account with this address by now keeps it as it is, and is asked to sign in (`Conflict`).
    """
    found = tokens.read(tx, tokens.INVITATION, token)
    stream = tx.load(MEMBER, stream_of(found.person_id))
    if stream.state.state != "open":
        raise Gone("This invitation has been used or taken back. Please ask for a new one.", code="token_gone")
    asked = members.SignUp(
        wanted.name, stream.state.email, wanted.password, wanted.company, wanted.zone, stream.state.role, wanted.visitor_id,
        found.person_id,
    )  # fmt: skip
    member_id = members.sign_up(tx, config, asked)
    tx.append((stream, [Accepted(member_id)]))
    tokens.use(tx, tokens.INVITATION, token)
    return member_id
