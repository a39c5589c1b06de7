"""A client: who books in one tenant, and the visitors they were before they signed up. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from fxo.core.errors import Invalid
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


@event("client.profile_changed")
@dataclass(frozen=True, slots=True)
class ProfileChanged:
    """The client is called otherwise, works elsewhere or as something else, or reads times in another zone."""

    client_id: UUID
    name: Annotated[str, Personal("client_id")]
    company: Annotated[str, Personal("client_id")]
    title: Annotated[str, Personal("client_id")]
    zone: str


@event("client.mail_changed")
@dataclass(frozen=True, slots=True)
class MailChanged:
    """The client has shown that this address is theirs; they sign in with it from now on."""

    client_id: UUID
    email: Annotated[str, Personal("client_id")]


@event("client.notifications_chosen")
@dataclass(frozen=True, slots=True)
class NotificationsChosen:
    """The mails that the client does without, by the keys of `notifications.choices`."""

    client_id: UUID
    without: tuple[str, ...]


@event("client.adopted")
@dataclass(frozen=True, slots=True)
class Adopted:
    """What the visitor did before signing in is the client's; erasing the client erases the visitor too."""

    client_id: UUID
    visitor_id: UUID


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
    profile: ProfileChanged | None = None
    """As it was changed last; None while it is as it was at joining."""
    without: frozenset[str] = frozenset()


def evolve(state: Client, happened: object) -> Client:
    """The state after the event."""
    match happened:
        case Joined():
            return replace(state, exists=True)
        case ProfileChanged():
            return replace(state, profile=happened)
        case NotificationsChosen(without=without):
            return replace(state, without=frozenset(without))
        case Adopted(visitor_id=visitor):
            return replace(state, adopted=state.adopted | {visitor})
        case Erased():
            return replace(state, erased=True)
    return state


def change_profile(state: Client, wanted: ProfileChanged) -> list[object]:
    """The client's own words about themselves. The same again: nothing."""
    if not wanted.name or len(wanted.name) > 120:
        raise Invalid("Please tell us your name, in at most 120 characters.", field="name")
    if len(wanted.company) > 200:
        raise Invalid("Please shorten the company's name to 200 characters.", field="company")
    if len(wanted.title) > 120:
        raise Invalid("Please shorten your role to 120 characters.", field="title")
    if wanted.zone not in available_timezones():
        raise Invalid("Please choose your time zone from the list.", field="zone")
    return [] if wanted == state.profile else [wanted]


def choose_notifications(state: Client, wanted: NotificationsChosen) -> list[object]:
    """Which mails the client does without. The same again: nothing."""
    return [] if frozenset(wanted.without) == state.without else [wanted]


CLIENT = StreamType[Client]("client", Client(), evolve)
