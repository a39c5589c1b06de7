"""Impressions: which experts a brief's author was shown at which place, and which of them they opened and chose; for learning.

They say of a ranking how good it was and of a person nothing: no text, no author, only the brief's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fxo.core.consultations.model import Held
from fxo.core.events.model import Recorded, event
from fxo.core.events.store import Store, StreamType, Transaction
from fxo.core.ids import derived_id


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expert stood on the page, counted from 1, as it was filtered and sorted then."""

    partner_id: UUID
    place: int


@event("impression.shown")
@dataclass(frozen=True, slots=True)
class Shown:
    """Experts came into view who had not been seen for this ranking before."""

    brief_id: UUID
    ranking: int
    """The version of the brief's stream at which the ranking was recorded: one brief is ranked again with each correction."""
    ranker: str
    places: tuple[Place, ...]


@event("impression.opened")
@dataclass(frozen=True, slots=True)
class Opened:
    """The author went from the shortlist to this expert's page, for the first time."""

    brief_id: UUID
    ranking: int
    partner_id: UUID


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one brief: (ranking, expert) of those shown, and of those opened."""

    shown: frozenset[tuple[int, UUID]] = frozenset()
    opened: frozenset[tuple[int, UUID]] = frozenset()


def evolve(state: Seen, happened: object) -> Seen:
    match happened:
        case Shown():
            return Seen(state.shown | {(happened.ranking, one.partner_id) for one in happened.places}, state.opened)
        case Opened():
            return Seen(state.shown, state.opened | {(happened.ranking, happened.partner_id)})
    return state


def shown(state: Seen, brief_id: UUID, ranking: int, ranker: str, partners: Sequence[UUID]) -> list[object]:
    """These experts are on the page in this order; who has been seen for this ranking is not counted again."""
    new = tuple(
        Place(partner_id, place) for place, partner_id in enumerate(partners, 1) if (ranking, partner_id) not in state.shown
    )
    return [Shown(brief_id, ranking, ranker, new)] if new else []


def opened(state: Seen, brief_id: UUID, ranking: int, partner_id: UUID) -> list[object]:
    """The page of an expert who was shown; once for each ranking."""
    key = ranking, partner_id
    return [Opened(brief_id, ranking, partner_id)] if key in state.shown and key not in state.opened else []


IMPRESSIONS = StreamType[Seen]("impressions", Seen(), evolve)


def record_shown(tx: Transaction, brief_id: UUID, ranking: int, ranker: str, partners: Sequence[UUID]) -> None:
    """Record who is on the page; the caller has read the brief as its author."""
    stream = tx.load(IMPRESSIONS, _stream(brief_id))
    tx.append((stream, shown(stream.state, brief_id, ranking, ranker, partners)))


def record_opened(tx: Transaction, brief_id: UUID, ranking: int, partner_id: UUID) -> None:
    """Record whose page is looked at; the caller has read the brief as its author."""
    stream = tx.load(IMPRESSIONS, _stream(brief_id))
    tx.append((stream, opened(stream.state, brief_id, ranking, partner_id)))


def _stream(brief_id: UUID) -> UUID:
    return derived_id(brief_id, "impressions")


def seen(tx: Transaction, brief_id: UUID, ranking: int) -> Seen:
    """What has been recorded for this ranking, so that a page which is loaded again writes nothing."""
    rows = tx.driver.execute(
        "select partner_id, opened_at is not null from impressions where tenant_id = %s and brief_id = %s and ranking = %s",
        (tx.scope.tenant_id, brief_id, ranking),
    ).fetchall()
    return Seen(frozenset((ranking, row[0]) for row in rows), frozenset((ranking, row[0]) for row in rows if row[1]))


def register(store: Store) -> None:
    """Follow what was shown and opened, and holds, which say who was chosen."""
    store.follow(Shown, _shown)
    store.follow(Opened, _opened)
    store.follow(Held, _held)


def _shown(tx: Transaction, item: Recorded) -> None:
    for one in item.value.places:
        tx.driver.execute(
            "insert into impressions (tenant_id, brief_id, ranking, partner_id, ranker, place, shown_at) values"
            " (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            (
                item.tenant_id,
                item.value.brief_id,
                item.value.ranking,
                one.partner_id,
                item.value.ranker,
                one.place,
                item.recorded_at,
            ),
        )


def _opened(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update impressions set opened_at = %s where tenant_id = %s and brief_id = %s and ranking = %s and partner_id = %s",
        (item.recorded_at, item.tenant_id, item.value.brief_id, item.value.ranking, item.value.partner_id),
    )


def _held(tx: Transaction, item: Recorded) -> None:
    held: Held = item.value
    if held.brief_id:
        tx.driver.execute(
            "update impressions set chosen_at = %(at)s where tenant_id = %(t)s and brief_id = %(b)s and partner_id = %(p)s"
            " and chosen_at is null and ranking = (select max(ranking) from impressions where tenant_id = %(t)s"
            " and brief_id = %(b)s and partner_id = %(p)s)",
            {"at": item.recorded_at, "t": item.tenant_id, "b": held.brief_id, "p": held.partner_id},
        )
