"""The figures of a tenant for its administrator: how many, and nobody's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fxo.core.events.store import Transaction
from fxo.tenants.membership import administrator


@dataclass(frozen=True, slots=True)
class Figures:
    month: int
    """Sessions whose start lies in this month, booked or done."""
    ahead: int
    """Booked and not over."""
    week: int
    """Of these, within seven days."""
    members: int
    administrators: int
    """Of these."""
    invited: int
    bookable: int
    """Experts whom members can book now."""


def figures(tx: Transaction, month: tuple[datetime, datetime]) -> Figures:
    """How the portal stands; `month` are its ends in the reader's zone. For the tenant's administrator."""
    administrator(tx)
    row = tx.driver.execute(
        _FIGURES,
        {"t": tx.scope.tenant_id, "now": tx.now, "week": tx.now + timedelta(days=7), "from": month[0], "to": month[1]},
    ).fetchone()
    assert row is not None
    return Figures(*row)


_FIGURES = """
select s.month, s.ahead, s.week, m.members, m.administrators, i.invited, r.bookable
from (select count(*) filter (where starts_at >= %(from)s and starts_at < %(to)s) as month,
             count(*) filter (where ends_at > %(now)s and state in ('confirmed', 'started')) as ahead,
             count(*) filter (where ends_at > %(now)s and starts_at < %(week)s and state in ('confirmed', 'started')) as week
      from consultations where tenant_id = %(t)s and state in ('confirmed', 'started', 'completed')) s,
     (select count(*) as members, count(*) filter (where role = 'administrator') as administrators
      from members where tenant_id = %(t)s and deactivated_at is null) m,
     (select count(*) as invited from invitations where tenant_id = %(t)s and state = 'open') i,
     (select count(*) as bookable from roster r join partners p on p.id = r.partner_id
      where r.tenant_id = %(t)s and r.ended_at is null and p.suspended_at is null
        and (p.visible_to is null or p.visible_to = r.tenant_id)) r"""
