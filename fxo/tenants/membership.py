"""Who belongs to a tenant, in which role, and who was asked to: what its administrator decides about people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fxo.core.errors import Conflict, Invalid, NotAllowed, NotFound
from fxo.core.events.model import Personal, Recorded, event
from fxo.core.events.store import Store, Stream, StreamType, Transaction
from fxo.core.ids import derived_id
from fxo.core.scope import Permission
from fxo.tenants import sign_ins

MEMBER_ROLES = ("client", "administrator")


@event("member.invited")
@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody may become a member by the link that is mailed to this address; the id is the one they will have."""

    member_id: UUID
    email: Annotated[str, Personal("member_id")]
    role: str


@event("member.invited_again")
@dataclass(frozen=True, slots=True)
class InvitedAgain:
    """The link was mailed once more; earlier ones work no longer."""

    member_id: UUID


@event("member.invitation_revoked")
@dataclass(frozen=True, slots=True)
class InvitationRevoked:
    """The link works no longer."""

    member_id: UUID


@event("member.accepted")
@dataclass(frozen=True, slots=True)
class Accepted:
    """Who was invited has an account."""

    member_id: UUID


@event("member.role_changed")
@dataclass(frozen=True, slots=True)
class RoleChanged:
    member_id: UUID
    role: str


@event("member.deactivated")
@dataclass(frozen=True, slots=True)
class Deactivated:
    """May not sign in any more; what is booked stands."""

    member_id: UUID


@event("member.reactivated")
@dataclass(frozen=True, slots=True)
class Reactivated:
    member_id: UUID


@dataclass(frozen=True, slots=True)
class Invitation:
    """How an invitation stands: `none`, `open`, `accepted` or `revoked`."""

    state: str = "none"
    email: str = ""
    role: str = ""


def _evolve(state: Invitation, happened: object) -> Invitation:
    match happened:
        case Invited(email=email, role=role):
            return Invitation("open", email, role)
        case Accepted():
            return replace(state, state="accepted")
        case InvitationRevoked():
            return replace(state, state="revoked")
    return state


MEMBER = StreamType[Invitation]("member", Invitation(), _evolve)


def stream_of(member_id: UUID) -> UUID:
    """The id of the stream of what administrators decide about this member; their own facts are on the client's stream."""
    return derived_id(member_id, "member")


@dataclass(frozen=True, slots=True)
class Standing:
    """A member as they stand, and how many other administrators there are who may sign in."""

    role: str
    active: bool
    others: int


def change_role(standing: Standing, member_id: UUID, role: str) -> list[object]:
    """Another role; the last administrator stays one."""
    if role not in MEMBER_ROLES:
        raise Invalid("Please choose one of the roles.", field="role")
    if role == standing.role:
        return []
    _not_the_last(standing)
    return [RoleChanged(member_id, role)]


def deactivate(standing: Standing, member_id: UUID, by: UUID) -> list[object]:
    """No sign-in any more; never oneself, and never the last administrator."""
    if not standing.active:
        return []
    if by == member_id:
        raise Conflict("You cannot deactivate your own account. Ask another administrator to do it.", code="own_account")
    _not_the_last(standing)
    return [Deactivated(member_id)]


def reactivate(standing: Standing, member_id: UUID) -> list[object]:
    return [] if standing.active else [Reactivated(member_id)]


def _not_the_last(standing: Standing) -> None:
    if standing.role == "administrator" and standing.active and standing.others == 0:
        raise Conflict(
            "This is the only administrator, and a portal needs one. Make somebody else an administrator first.",
            code="last_administrator",
        )


def set_role(tx: Transaction, member_id: UUID, role: str) -> str:
    """Give a member another role; by the tenant's administrator. Returns the role they had."""
    stream, standing = _member(tx, member_id)
    tx.append((stream, change_role(standing, member_id, role)))
    return standing.role


def shut_out(tx: Transaction, member_id: UUID) -> None:
    """Deactivate a member: their next request is a stranger's. What they have booked stands."""
    stream, standing = _member(tx, member_id)
    tx.append((stream, deactivate(standing, member_id, tx.actor.id)))
    sign_ins.end_all(tx, member_id)


def let_in(tx: Transaction, member_id: UUID) -> None:
    """Let a deactivated member sign in again."""
    stream, standing = _member(tx, member_id)
    tx.append((stream, reactivate(standing, member_id)))


def administrator(tx: Transaction) -> None:
    """Refuse anybody who does not manage this tenant."""
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may see and change the members.")


def _member(tx: Transaction, member_id: UUID) -> tuple[Stream[Invitation], Standing]:
    """The member as they stand. The administrators' rows are locked, so that two who demote each other wait for one another."""
    administrator(tx)
    stream = tx.load(MEMBER, stream_of(member_id))
    rows = tx.driver.execute(
        "select id, role, deactivated_at is null from members where tenant_id = %(t)s"
        " and (id = %(m)s or (role = 'administrator' and deactivated_at is null)) order by id for update",
        {"t": tx.scope.tenant_id, "m": member_id},
    ).fetchall()
    mine = next((row for row in rows if row[0] == member_id), None)
    if mine is None:
        raise NotFound("There is no such member here.")
    others = sum(1 for row in rows if row[0] != member_id and row[1] == "administrator" and row[2])
    return stream, Standing(mine[1], mine[2], others)


# Reads --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """A member, or somebody who was invited, as the administrator sees them."""

    id: UUID
    name: str
    mail: str
    role: str
    state: str
    """`active`, `deactivated` or `invited`."""
    since: datetime
    """When they joined, or when the invitation was last mailed."""
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which members a page shows."""

    words: str = ""
    role: str = ""
    state: str = ""
    limit: int = 50
    offset: int = 0


_PEOPLE = """
select * from (
    select m.id, c.name, m.email, m.role, case when m.deactivated_at is null then 'active' else 'deactivated' end as state,
           m.joined_at as since, m.signed_in_at
    from members m join clients c on c.tenant_id = m.tenant_id and c.id = m.id where m.tenant_id = %(t)s
    union all
    select i.id, '', i.email, i.role, 'invited', i.sent_at, null::timestamptz
    from invitations i where i.tenant_id = %(t)s and i.state = 'open'
      and not exists (select from members m where m.tenant_id = i.tenant_id and m.email = i.email)
) p"""


def people(tx: Transaction, wanted: Wanted) -> tuple[list[Person], int]:
    """Members and invited people, the newest first, and how many there are in all; for the tenant's administrator."""
    administrator(tx)
    words = "%" + wanted.words.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    found = tx.driver.execute(
        f"select p.*, count(*) over () from ({_PEOPLE}) p where (p.name ilike %(words)s or p.email ilike %(words)s)"
        " and (%(role)s = '' or p.role = %(role)s) and (%(state)s = '' or p.state = %(state)s)"
        " order by p.since desc, p.id limit %(limit)s offset %(offset)s",
        {"t": tx.scope.tenant_id, "words": words, "role": wanted.role, "state": wanted.state,
         "limit": wanted.limit, "offset": wanted.offset},
    ).fetchall()  # fmt: skip
    return [Person(*row[:7]) for row in found], found[0][7] if found else 0


def person(tx: Transaction, person_id: UUID) -> Person:
    """One member or invited person; for the tenant's administrator."""
    administrator(tx)
    row = tx.driver.execute(
        f"select p.* from ({_PEOPLE}) p where p.id = %(id)s", {"t": tx.scope.tenant_id, "id": person_id}
    ).fetchone()
    if row is None:
        raise NotFound("There is no such member here.")
    return Person(*row)


def names(tx: Transaction, member_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What these members are called; who has left is left out. For the tenant's administrator."""
    administrator(tx)
    found = tx.driver.execute(
        "select id, name from clients where tenant_id = %s and id = any(%s)", (tx.scope.tenant_id, list(member_ids))
    ).fetchall()
    return dict(found)


def counts(tx: Transaction) -> dict[str, int]:
    """How many people there are in each state; for the tenant's administrator."""
    administrator(tx)
    found = tx.driver.execute(
        f"select p.state, count(*) from ({_PEOPLE}) p group by p.state", {"t": tx.scope.tenant_id}
    ).fetchall()
    return {"active": 0, "deactivated": 0, "invited": 0} | dict(found)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A session that a member has before them: when and with whom, and nothing of what it is about."""

    id: UUID
    partner: str
    starts_at: datetime


def sessions_ahead(tx: Transaction, member_id: UUID) -> Sequence[Ahead]:
    """What the member has booked and not had yet; for the tenant's administrator."""
    administrator(tx)
    found: list[Any] = tx.driver.execute(
        "select c.id, p.name, c.starts_at from consultations c join partners p on p.id = c.partner_id"
        " where c.tenant_id = %s and c.client_id = %s and c.state in ('confirmed', 'started') and c.ends_at > %s"
        " order by c.starts_at",
        (tx.scope.tenant_id, member_id, tx.now),
    ).fetchall()
    return [Ahead(*row) for row in found]


# Projections --------------------------------------------------------------------------------------------------------


def register(store: Store) -> None:
    """Follow what is decided about members."""
    store.follow(Invited, _invited)
    store.follow(InvitedAgain, _invited_again)
    store.follow(InvitationRevoked, _closed("revoked"))
    store.follow(Accepted, _closed("accepted"))
    store.follow(RoleChanged, _role_changed)
    store.follow(Deactivated, _deactivated)
    store.follow(Reactivated, _reactivated)


def _invited(tx: Transaction, item: Recorded) -> None:
    who: Invited = item.value
    tx.driver.execute(
        "insert into invitations (tenant_id, id, email, role, state, invited_by, sent_at, sent)"
        " values (%s, %s, %s, %s, 'open', %s, %s, 1)",
        (item.tenant_id, who.member_id, who.email, who.role, tx.actor.id, item.recorded_at),
    )


def _invited_again(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update invitations set sent_at = %s, sent = sent + 1 where tenant_id = %s and id = %s",
        (item.recorded_at, item.tenant_id, item.value.member_id),
    )


def _closed(state: str) -> Any:
    def follow(tx: Transaction, item: Recorded) -> None:
        tx.driver.execute(
            "update invitations set state = %s, email = '' where tenant_id = %s and id = %s",
            (state, item.tenant_id, item.value.member_id),
        )

    return follow


def _role_changed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update members set role = %s where tenant_id = %s and id = %s", (item.value.role, item.tenant_id, item.value.member_id)
    )


def _deactivated(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update members set deactivated_at = %s where tenant_id = %s and id = %s",
        (item.recorded_at, item.tenant_id, item.value.member_id),
    )


def _reactivated(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update members set deactivated_at = null where tenant_id = %s and id = %s", (item.tenant_id, item.value.member_id)
    )
