"""Favourites: the experts whom a client keeps to find them again; a stream and a table of their own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.clients.model import Erased
from fxo.core.errors import Conflict, NotAllowed
from fxo.core.events.model import Recorded, event
from fxo.core.events.store import Store, StreamType, Transaction
from fxo.core.ids import derived_id
from fxo.core.scope import ActorKind

MOST = 200


@event("favourite.kept")
@dataclass(frozen=True, slots=True)
class Kept:
    """The client keeps this expert."""

    client_id: UUID
    partner_id: UUID


@event("favourite.dropped")
@dataclass(frozen=True, slots=True)
class Dropped:
    """The client keeps this expert no longer."""

    client_id: UUID
    partner_id: UUID


def _evolve(state: frozenset[UUID], happened: object) -> frozenset[UUID]:
    match happened:
        case Kept(partner_id=partner_id):
            return state | {partner_id}
        case Dropped(partner_id=partner_id):
            return state - {partner_id}
    return state


FAVOURITES = StreamType[frozenset[UUID]]("favourites", frozenset(), _evolve)


def choose(state: frozenset[UUID], client_id: UUID, partner_id: UUID, *, keep: bool) -> list[object]:
    """Keep the expert, or keep them no longer. The same again: nothing."""
    if keep == (partner_id in state):
        return []
    if keep and len(state) >= MOST:
        raise Conflict(f"You keep {MOST} experts already. Take one off before you add another.")
    return [Kept(client_id, partner_id) if keep else Dropped(client_id, partner_id)]


def mark(tx: Transaction, partner_id: UUID, *, keep: bool) -> None:
    """The signed-in client keeps this expert of the roster, or no longer; the caller has looked that the expert is on it."""
    if tx.actor.kind is not ActorKind.MEMBER:
        raise NotAllowed("Please sign in to keep experts.")
    kept = tx.load(FAVOURITES, derived_id(tx.actor.id, "favourites"))
    tx.append((kept, choose(kept.state, tx.actor.id, partner_id, keep=keep)))


def of_reader(tx: Transaction) -> frozenset[UUID]:
    """The experts whom the reader keeps; a visitor keeps none."""
    if tx.actor.kind is not ActorKind.MEMBER:
        return frozenset()
    rows = tx.driver.execute(
        "select partner_id from favourites where tenant_id = %s and client_id = %s", (tx.scope.tenant_id, tx.actor.id)
    ).fetchall()
    return frozenset(row[0] for row in rows)


def register(store: Store) -> None:
    """Follow the events of favourites; an erased person keeps nobody."""
    store.follow(Kept, _kept)
    store.follow(Dropped, _dropped)
    store.follow(Erased, _erased)


def _kept(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "insert into favourites (tenant_id, client_id, partner_id, kept_at) values (%s, %s, %s, %s) on conflict do nothing",
        (item.tenant_id, item.value.client_id, item.value.partner_id, item.recorded_at),
    )


def _dropped(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "delete from favourites where tenant_id = %s and client_id = %s and partner_id = %s",
        (item.tenant_id, item.value.client_id, item.value.partner_id),
    )


def _erased(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute("delete from favourites where tenant_id = %s and client_id = %s", (item.tenant_id, item.value.person_id))
