"""Who may be anybody: the people of a place, for the demo alone, where everybody signs in as whom they like."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core import db
from fxo.core.scope import Scope, system_scope


@dataclass(frozen=True, slots=True)
class Figure:
    """Somebody to be: `note` is their company or title."""

    id: UUID
    name: str
    note: str
    role: str


def members(scope: Scope, limit: int) -> list[Figure]:
    """The newest accounts of a tenant, its administrators first."""
    with db.transaction(scope) as connection:
        rows = db.execute(
            connection,
            "select m.id, c.name, c.company, m.role from members m join clients c on c.tenant_id = m.tenant_id and c.id = m.id"
            " where m.tenant_id = :tenant order by m.role = 'administrator' desc, m.joined_at desc, m.id limit :limit",
            tenant=scope.tenant_id,
            limit=limit,
        ).all()
    return [Figure(*row) for row in rows]


def partners() -> list[Figure]:
    """Every partner of the network who can sign in, by name."""
    with db.transaction(system_scope("demo")) as connection:
        rows = db.execute(
            connection,
            "select p.id, p.name, p.title from partners p join partner_logins l on l.partner_id = p.id order by p.name",
        ).all()
    return [Figure(*row, "partner") for row in rows]


def operators() -> list[Figure]:
    """Every operator, by name."""
    with db.transaction(system_scope("demo")) as connection:
        rows = db.execute(connection, "select id, name from operators order by name").all()
    return [Figure(*row, "", "operator") for row in rows]
