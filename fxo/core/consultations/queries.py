"""Reads of consultations: open slots, a client's sessions, one session for somebody who belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fxo.core.consultations import slots
from fxo.core.consultations.model import ANSWER
from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.partners.availability import Availability
from fxo.core.scope import ActorKind, CancellationPolicy, FeeBearer, Tax, TenantConfig

NEARBY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ConsultationRow:
    """A consultation as its pages show it."""

    id: UUID
    client_id: UUID
    partner_id: UUID
    brief_id: UUID | None
    payment_id: UUID | None
    state: str
    starts_at: datetime
    ends_at: datetime
    held_until: datetime
    price: Money
    reason: str | None
    confirmed_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    partner_share: int
    """In basis points, fixed when the slot was held, and so is the policy."""
    policy: CancellationPolicy
    tax: Tax
    """What the price has in it."""
    asks: bool
    """The partner is asked first."""
    answer_until: datetime | None
    """When a request lapses."""
    ended_by: str | None
    """Who ended the booking, in the words of `Party`."""
    words: str
    """What they wrote about it, or the partner about the times they propose; for both to read."""
    fee: Money | None
    """What the client owes for a booking that ended early."""
    moves: int
    """How often the client has moved it."""
    sequence: int
    """How often anybody has."""
    moved_from: datetime | None
    moved_by: str | None
    proposed: tuple[datetime, ...]
    """The times that the partner proposes instead."""
    client_here_at: datetime | None
    """Since when there is evidence that this side is there."""
    partner_here_at: datetime | None
    missing: str | None
    """Who did not come."""
    rescue_until: datetime | None
    """Until when another expert may stand in with the same payment."""
    rescued_by: UUID | None
    rescues: UUID | None
    """The booking that stands in for this one, and the one that this one stands in for."""
    fee_bearer: FeeBearer
    """Who bears what the payment provider takes."""

    @property
    def has_case(self) -> bool:
        """Whether its two people do not agree about it: a person decides, or has decided."""
        return self.state in ("contested", "decided")

    def here(self, party: str) -> bool:
        """Whether there is evidence that this side came."""
        return (self.client_here_at if party == "client" else self.partner_here_at) is not None

    @property
    def stands_at(self) -> datetime:
        """When an absence stands for good, nobody having objected (as `model.Absent.stands_at`)."""
        day = self.ends_at + ANSWER
        if self.rescue_until is None:
            return day
        return self.rescue_until if self.ended_by == self.missing else max(self.rescue_until, day)

    @property
    def grace_over(self) -> datetime:
        """From when on who is not there counts as absent."""
        return self.starts_at + timedelta(minutes=self.policy.no_show_grace_minutes)


_COLUMNS = (
    "id, client_id, partner_id, brief_id, payment_id, state, starts_at, ends_at, held_until, price_minor, currency, reason,"
    " confirmed_at, started_at, completed_at, partner_share, policy, tax,"
    " asks, answer_until, ended_by, words, fee_minor, moves, sequence, moved_from, moved_by, proposed, client_here_at,"
    " partner_here_at, missing, rescue_until, rescued_by, rescues, fee_bearer"
)


def _row(row: Any) -> ConsultationRow:
    price, fee = Money(row[9], row[10]), None if row[22] is None else Money(row[22], row[10])
    values: tuple[Any, ...] = (
        *row[:9], price, *row[11:16], CancellationPolicy(**row[16]), Tax(**row[17]),
        *row[18:22], fee, *row[23:27], tuple(row[27]), *row[28:34],
        FeeBearer(row[34]),
    )  # fmt: skip
    return ConsultationRow(*values)


def find(tx: Transaction, consultation_id: UUID) -> ConsultationRow:
    """The consultation, for its client, its partner, an operator or code. Anybody else: `NotFound`."""
    row = tx.driver.execute(
        f"select {_COLUMNS} from consultations where tenant_id = %s and id = %s", (tx.scope.tenant_id, consultation_id)
    ).fetchone()
    found = _row(row) if row else None
    if found:
        match tx.actor.kind:
            case ActorKind.MEMBER if found.client_id == tx.actor.id:
                return found
            case ActorKind.PARTNER if found.partner_id == tx.actor.id:
                return found
            case ActorKind.CODE | ActorKind.OPERATOR:
                return found
    raise NotFound("There is no such session here.")


def next_ahead(tx: Transaction) -> ConsultationRow | None:
    """The client's next booked session, or the one under way."""
    row = tx.driver.execute(
        f"select {_COLUMNS} from consultations where tenant_id = %s and client_id = %s and state in ('confirmed', 'started')"
        " and ends_at > %s order by starts_at limit 1",
        (tx.scope.tenant_id, tx.actor.id, tx.now),
    ).fetchone()
    return _row(row) if row else None


def these(tx: Transaction, consultation_ids: Collection[UUID]) -> list[ConsultationRow]:
    """Those of these that are the client's own, the next one first."""
    rows = tx.execute(
        f"select {_COLUMNS} from consultations where tenant_id = :t and client_id = :c and id = any(:ids) order by starts_at",
        t=tx.scope.tenant_id, c=tx.actor.id, ids=list(consultation_ids),
    ).all()  # fmt: skip
    return [_row(row) for row in rows]


def open_holds(tx: Transaction) -> list[ConsultationRow]:
    """The client's slots on hold whose time is not over."""
    rows = tx.execute(
        f"select {_COLUMNS} from consultations where tenant_id = :t and client_id = :c and state = 'held' and held_until > :now"
        " order by starts_at",
        t=tx.scope.tenant_id, c=tx.actor.id, now=tx.now,
    ).all()  # fmt: skip
    return [_row(row) for row in rows]


def my_sessions(tx: Transaction, *, past: bool, expert: str = "", count: int, skip: int = 0) -> tuple[list[ConsultationRow], int]:
    """A page of the client's sessions and how many there are: those ahead or under way, the next one first; or the past ones,
    the newest first. `expert` narrows them to people whose name or title has these words.
    """
    ahead = "c.state in ('requested', 'confirmed', 'started') and c.ends_at > :now"
    over = f"c.state not in ('held', 'released') and not ({ahead})"
    where = (
        f" from consultations c join partners p on p.id = c.partner_id where c.tenant_id = :t and c.client_id = :c"
        f" and {over if past else ahead} and (p.name || ' ' || p.title) ilike all (:words)"
    )
    columns = ", ".join(f"c.{name.strip()}" for name in _COLUMNS.split(","))
    values: dict[str, Any] = {"t": tx.scope.tenant_id, "c": tx.actor.id, "now": tx.now, "words": _patterns(expert)}
    total = tx.execute(f"select count(*){where}", **values).scalar_one()
    order = "desc" if past else "asc"
    rows = tx.execute(
        f"select {columns}{where} order by c.starts_at {order}, c.id limit :count offset :skip", **values, count=count, skip=skip
    ).all()
    return [_row(row) for row in rows], total


def booked(tx: Transaction, before: tuple[datetime, UUID] | None, count: int) -> list[ConsultationRow]:
    """Sessions of the client who asks, or for code of the whole tenant, the latest start first; those after that (start, id) in
    this order.
    """
    values: dict[str, Any] = {"t": tx.scope.tenant_id, "c": tx.actor.id, "count": count}
    own = "" if tx.actor.kind is ActorKind.CODE else " and client_id = :c"
    later = ""
    if before:
        later, values = " and (starts_at, id) < (:at, :id)", {**values, "at": before[0], "id": before[1]}
    rows = tx.execute(
        f"select {_COLUMNS} from consultations where tenant_id = :t and state not in ('held', 'released'){own}{later}"
        " order by starts_at desc, id desc limit :count",
        **values,
    ).all()
    return [_row(row) for row in rows]


def _patterns(words: str) -> list[str]:
    """A pattern for each word; what has a meaning in patterns stands for itself."""
    escaped = (word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for word in words.split()[:8])
    return [f"%{word}%" for word in escaped] or ["%"]


def held_by(tx: Transaction, client_id: UUID) -> list[UUID]:
    """The client's slots that are on hold."""
    rows = tx.driver.execute(
        "select id from consultations where tenant_id = %s and client_id = %s and state = 'held'", (tx.scope.tenant_id, client_id)
    ).fetchall()
    return [row[0] for row in rows]


def taken(
    tx: Transaction, partner_ids: Sequence[UUID], window: tuple[datetime, datetime]
) -> dict[UUID, list[tuple[datetime, datetime]]]:
    """When these partners are taken by any tenant: busy, and nothing else (hard case 22)."""
    rows = tx.driver.execute(
        "select partner_id, starts_at, ends_at from partner_time where partner_id = any(%s) and ends_at > %s and starts_at < %s",
        (list(partner_ids), window[0] - timedelta(days=1), window[1] + timedelta(days=1)),
    ).fetchall()
    found: dict[UUID, list[tuple[datetime, datetime]]] = {partner_id: [] for partner_id in partner_ids}
    for partner_id, starts_at, ends_at in rows:
        found[partner_id].append((starts_at, ends_at))
    return found


Weeks = dict[UUID, tuple[Availability, slots.Busy]]


def _weeks(
    tx: Transaction,
    partner_ids: Sequence[UUID],
    window: tuple[datetime, datetime],
    external: Mapping[UUID, slots.Busy] | None,
    weeks: Mapping[UUID, Availability] | None = None,
) -> Weeks:
    busy = taken(tx, partner_ids, window)
    known = partners.availability(tx, partner_ids) if weeks is None else weeks
    return {
        partner_id: (known[partner_id], [*busy[partner_id], *(external or {}).get(partner_id, ())])
        for partner_id in partner_ids
        if partner_id in known
    }


def open_slots(
    tx: Transaction,
    partner_ids: Sequence[UUID],
    window: tuple[datetime, datetime],
    external: Mapping[UUID, slots.Busy] | None = None,
    weeks: Mapping[UUID, Availability] | None = None,
) -> dict[UUID, list[datetime]]:
    """The open starts (UTC) of these partners within the window. `external` are busy times from their calendars; `weeks` saves
    reading what the caller has read.
    """
    return slots.open_slots_of(_weeks(tx, partner_ids, window, external, weeks), now=tx.now, window=window)


def next_open(
    tx: Transaction,
    partner_ids: Sequence[UUID],
    *,
    days: int = 21,
    count: int = 3,
    external: Mapping[UUID, slots.Busy] | None = None,
    weeks: Mapping[UUID, Availability] | None = None,
) -> dict[UUID, list[slots.Slot]]:
    """The next open slots of each partner, at most `count`, within so many days. `weeks` as for `open_slots`."""
    window = (tx.now, tx.now + timedelta(days=days))
    return slots.next_free(_weeks(tx, partner_ids, window, external, weeks), now=tx.now, window=window, count=count)


def open_for_move(tx: Transaction, partner_id: UUID, starts_at: datetime, external: slots.Busy = ()) -> list[datetime]:
    """The open starts to which a session of the partner could move, the half-hours around its own time among them."""
    week = partners.availability_of(tx, partner_id)
    window = (tx.now, tx.now + timedelta(days=week.horizon_days))
    own = slots.during(week, starts_at)
    busy = [each for each in taken(tx, [partner_id], window)[partner_id] if each != own]
    found = slots.open_slots(week, [*busy, *external], now=tx.now, window=window)
    return [start for start in found if start != starts_at]


def nearest_open(tx: Transaction, partner_id: UUID, wanted: datetime, external: slots.Busy = ()) -> list[datetime]:
    """The three open starts of the partner nearest to the wanted one, within a week of it."""
    window = (max(tx.now, wanted - NEARBY), wanted + NEARBY)
    found = open_slots(tx, [partner_id], window, {partner_id: external}).get(partner_id, [])
    return slots.nearest([start for start in found if start != wanted], wanted)


def equals(tx: Transaction, config: TenantConfig, partner_id: UUID, most: Money) -> list[UUID]:
    """Who else of the roster has a role of this partner's and costs no more: they could stand in (hard case 15)."""
    left = partners.profiles(tx, {partner_id}).get(partner_id)
    roles = set(left.roles) if left else set()
    return [
        one.id
        for one, entry in partners.roster(tx)
        if one.id != partner_id and roles & set(one.roles) and config.tax.gross(entry.price(config)) <= most
    ]


@dataclass(frozen=True, slots=True)
class Case:
    """Two who do not agree about a session, as the operator sees them."""

    tenant_id: UUID
    consultation_id: UUID
    opened_at: datetime
    opened_by: str
    says: str
    client_words: str
    partner_words: str
    decided_at: datetime | None
    fee: Money | None
    words: str
    """What the operator has said about it."""


def case_of(tx: Transaction, tenant_id: UUID, consultation_id: UUID) -> Case | None:
    """The case about this session; in the operator's or the tenant's scope."""
    row = tx.driver.execute(
        "select k.tenant_id, k.consultation_id, k.opened_at, k.opened_by, k.says, k.client_words, k.partner_words, k.decided_at,"
        " c.fee_minor, c.currency, k.words from cases k join consultations c on c.tenant_id = k.tenant_id"
        " and c.id = k.consultation_id where k.tenant_id = %s and k.consultation_id = %s",
        (tenant_id, consultation_id),
    ).fetchone()
    if row is None:
        return None
    fee = Money(row[8], row[9]) if row[7] is not None and row[8] is not None else None
    values: tuple[Any, ...] = (*row[:8], fee, row[10])
    return Case(*values)
