"""Reads of a partner's agenda over all tenants; in the partner's own scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from fxo.core.consultations import slots
from fxo.core.consultations.model import UNDO
from fxo.core.consultations.queries import taken
from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.partners.availability import Availability


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """A booking or session as its partner sees it, whichever tenant it belongs to."""

    tenant_id: UUID
    consultation_id: UUID
    tenant_name: str
    client_id: UUID
    client_name: str
    client_company: str
    client_zone: str
    brief: str
    industry: str
    urgency: str
    topics: tuple[str, ...]
    state: str
    """`requested`, `confirmed`, `started`, `completed`, or how else it went: `cancelled`, `declined`, `missed`, `contested`,
    `settled`, `decided`.
    """
    money: str
    """How the payment stands: `authorised`, `card_saved`, `refused`, `captured`, `failed`, `voided` or `abandoned`."""
    reason: str | None
    ended_by: str | None
    answer_until: datetime | None
    """When a request lapses."""
    booked_at: datetime
    starts_at: datetime
    ends_at: datetime
    completed_at: datetime | None
    join_url: str | None
    price: Money
    partner_share: int
    opened: bool
    """Whether the partner has opened its page, and so seen the brief."""

    @property
    def earns(self) -> Money:
        """The partner's part of the price, as it was fixed when the slot was held."""
        return self.price.share(self.partner_share)

    def to_complete(self, now: datetime) -> bool:
        """Over, and waiting for its partner's one click."""
        return self.state in ("confirmed", "started") and self.ends_at <= now

    def undoable(self, now: datetime) -> bool:
        """Completed a moment ago, so that the completion can still be taken back."""
        return self.state == "completed" and self.completed_at is not None and now < self.completed_at + UNDO


_SELECT = (
    "select a.tenant_id, a.consultation_id, a.tenant_name, a.client_id, a.client_name, a.client_company, a.client_zone, a.brief,"
    " a.industry, a.urgency, a.topics, a.state, a.money, a.reason, a.ended_by, a.answer_until,"
    " a.booked_at, a.starts_at, a.ends_at, a.completed_at,"
    " a.join_url, a.price_minor, a.currency, a.partner_share, o.opened_at is not null from partner_agenda a"
    " left join partner_opened o on o.partner_id = a.partner_id and o.consultation_id = a.consultation_id"
    " where a.partner_id = %(me)s"
)

TABS: Mapping[str, str] = {
    "upcoming": "a.state in ('requested', 'confirmed', 'started')",
    "done": "a.state in ('completed', 'missed', 'contested', 'settled', 'decided')",
    "cancelled": "a.state in ('cancelled', 'declined')",
}
"""Which sessions stand on which list: what is booked, under way or to be completed; what is done; what is cancelled."""


def row_of(row: Sequence[Any]) -> AgendaRow:
    """The row that the columns of an agenda query hold."""
    values: tuple[Any, ...] = (*row[:10], tuple(row[10]), *row[11:21], Money(row[21], row[22]), *row[23:25])
    return AgendaRow(*values)


def _rows(tx: Transaction, rest: str, **values: Any) -> list[AgendaRow]:
    found = tx.driver.execute(f"{_SELECT} and {rest}", {"me": tx.scope.id, **values}).fetchall()
    return [row_of(row) for row in found]


def ahead(tx: Transaction) -> list[AgendaRow]:
    """What is booked, under way, or over and not completed yet; the earliest first."""
    return _rows(tx, f"{TABS['upcoming']} order by a.starts_at")


def done(tx: Transaction, limit: int = 50) -> list[AgendaRow]:
    """What was completed, the newest completion first."""
    return _rows(tx, "a.state = 'completed' order by a.completed_at desc limit %(limit)s", limit=limit)


def find(tx: Transaction, consultation_id: UUID) -> AgendaRow:
    """One session of this partner; another partner's is `NotFound`, like one that does not exist."""
    found = _rows(tx, "a.consultation_id = %(id)s", id=consultation_id)
    if not found:
        raise NotFound("There is no such session here.")
    return found[0]


def undoable(tx: Transaction) -> list[AgendaRow]:
    """What was completed a moment ago and can still be taken back, the newest first."""
    return _rows(tx, "a.state = 'completed' and a.completed_at > %(since)s order by a.completed_at desc", since=tx.now - UNDO)


def with_client(tx: Transaction, row: AgendaRow) -> int:
    """How many sessions with the same client came before this one."""
    found = tx.driver.execute(
        "select count(*) from partner_agenda where partner_id = %s and tenant_id = %s and client_id = %s"
        " and state in ('confirmed', 'started', 'completed') and starts_at < %s",
        (tx.scope.id, row.tenant_id, row.client_id, row.starts_at),
    ).fetchone()
    return int(found[0]) if found else 0


def next_open(tx: Transaction, week: Availability, count: int) -> list[datetime]:
    """The next starts that clients could choose if this were the partner's week, less what is taken."""
    window = (tx.now, tx.now + timedelta(days=week.horizon_days))
    busy = taken(tx, [tx.scope.id], window)[tx.scope.id]
    found = slots.next_free({tx.scope.id: (week, busy)}, now=tx.now, window=window, count=count)
    return [slot.start for slot in found[tx.scope.id]]


# Lists -------------------------------------------------------------------------------------------------------------

_MATCHES = (
    "(%(q)s = '' or concat_ws(' ', a.client_name, a.client_company, a.tenant_name, a.brief) ilike %(like)s"
    " or right(a.consultation_id::text, 12) ilike %(like)s)"
)


def _search(words: str) -> dict[str, str]:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"q": words, "like": f"%{escaped}%"}


def counts(tx: Transaction, words: str = "") -> dict[str, int]:
    """How many sessions each list has among those that hold these words in names, portal, number or brief."""
    sums = ", ".join(f"count(*) filter (where {test})" for test in TABS.values())
    found = tx.driver.execute(
        f"select {sums} from partner_agenda a where a.partner_id = %(me)s and {_MATCHES}", {"me": tx.scope.id, **_search(words)}
    ).fetchone()
    return dict(zip(TABS, found or (0, 0, 0), strict=True))


def page(tx: Transaction, tab: str, words: str, *, limit: int, offset: int) -> list[AgendaRow]:
    """One page of a list (a key of `TABS`): what is ahead from the earliest on, what is over from the newest on."""
    order = "a.starts_at" if tab == "upcoming" else "a.starts_at desc"
    rest = f"{TABS[tab]} and {_MATCHES} order by {order}, a.consultation_id limit %(limit)s offset %(offset)s"
    return _rows(tx, rest, limit=limit, offset=offset, **_search(words))


# Figures -----------------------------------------------------------------------------------------------------------


def weeks(tx: Transaction, zone: str, first: date, count: int) -> list[tuple[date, int]]:
    """How many sessions begin in each of so many weeks from that Monday on, in the zone's wall time; cancelled ones left out."""
    found = dict(
        tx.driver.execute(
            "select date_trunc('week', starts_at at time zone %(zone)s)::date, count(*) from partner_agenda"
            " where partner_id = %(me)s and state in ('confirmed', 'started', 'completed')"
            " and starts_at at time zone %(zone)s >= %(first)s"
            " and starts_at at time zone %(zone)s < %(end)s group by 1",
            {"me": tx.scope.id, "zone": zone, "first": first, "end": first + timedelta(weeks=count)},
        ).fetchall()
    )
    mondays = (first + timedelta(weeks=number) for number in range(count))
    return [(monday, found.get(monday, 0)) for monday in mondays]


def booked_minutes(tx: Transaction, since: datetime, until: datetime) -> int:
    """Minutes of this time that were booked for sessions that began in it; cancelled ones left out."""
    found = tx.driver.execute(
        "select coalesce(sum(extract(epoch from least(ends_at, %s) - starts_at)), 0)::bigint / 60 from partner_agenda"
        " where partner_id = %s and state in ('confirmed', 'started', 'completed') and starts_at >= %s and starts_at < %s",
        (until, tx.scope.id, since, until),
    ).fetchone()
    return int(found[0]) if found else 0
