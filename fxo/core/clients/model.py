"""A client: who books in one tenant, and the visitors they were before they signed up. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType


@event("client.joined")
@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody has an account in this tenant."""

    client_id: UUID
    name: Annotated[str, Personal("client_id")]
    email: Annotated[str, Personal("client_id")]
    company: Annotated[str, Personal("client_id")]
    zone: str
    role: str


@event("client.adopted")
@dataclass(frozen=True, slots=True)
class Adopted:
    """What the visitor did before signing in is the client's; erasing the client erases the visitor too."""

    client_id: UUID
    visitor_id: UUID


@event("client.moved")
@dataclass(frozen=True, slots=True)
class Moved:
    """The client reads times in another zone from now on."""

    client_id: UUID
    zone: str


@event("person.erased")
@dataclass(frozen=True, slots=True)
class Erased:
    """The person's keys are destroyed; what was sealed under them can be read by nobody."""

    person_id: UUID
    also: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Client:
    exists: bool = False
    adopted: frozenset[UUID] = frozenset()
    erased: bool = False


def evolve(state: Client, happened: object) -> Client:
    """The state after the event."""
    match happened:
        case Joined():
            return replace(state, exists=True)
        case Adopted(visitor_id=visitor):
            return replace(state, adopted=state.adopted | {visitor})
        case Erased():
            return replace(state, erased=True)
    return state


CLIENT = StreamType[Client]("client", Client(), evolve)
