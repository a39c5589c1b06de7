"""A client: who books in one tenant, and the visitors they were before they signed up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

from fxo.core.errors import Conflict, Invalid
from fxo.core.events.model import Personal, event
from fxo.core.events.store import StreamType
from fxo.core.zones import zone_names


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


@event("client.contact_added")
@dataclass(frozen=True, slots=True)
class ContactAdded:
    """The client can be reached there too: a number whose code they typed, or a browser that they allowed to notify them."""

    client_id: UUID
    contact_id: UUID
    channel: str
    address: Annotated[str, Personal("client_id")]
    label: str
    """What tells it from others, without saying whose it is: the name of a browser."""


@event("client.contact_removed")
@dataclass(frozen=True, slots=True)
class ContactRemoved:
    """The client does without it, or nobody is there any more."""

    client_id: UUID
    contact_id: UUID
    reason: str


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
    contacts: Mapping[UUID, str] = field(default_factory=dict)
    """The channel of each."""


def evolve(state: Client, happened: object) -> Client:
    """The state after the event."""
    match happened:
        case Joined():
            return replace(state, exists=True)
        case ProfileChanged():
            return replace(state, profile=happened)
        case NotificationsChosen(without=without):
            return replace(state, without=frozenset(without))
        case ContactAdded(contact_id=contact, channel=channel):
            return replace(state, contacts={**state.contacts, contact: channel})
        case ContactRemoved(contact_id=contact):
            return replace(state, contacts={each: channel for each, channel in state.contacts.items() if each != contact})
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
    if wanted.zone not in zone_names():
        raise Invalid("Please choose your time zone from the list.", field="zone")
    return [] if wanted == state.profile else [wanted]


def choose_notifications(state: Client, wanted: NotificationsChosen) -> list[object]:
    """Which mails the client does without. The same again: nothing."""
    return [] if frozenset(wanted.without) == state.without else [wanted]


MOST_CONTACTS = 10
"""Of one channel; a browser that is set up anew counts again, and the dead ones go by themselves."""


def add_contact(state: Client, wanted: ContactAdded, *, only: bool = False) -> list[object]:
    """Reach the client there too. The same again: nothing. With `only` it takes the place of others of its channel."""
    if wanted.contact_id in state.contacts:
        return []
    others = [each for each, channel in state.contacts.items() if channel == wanted.channel]
    if len(others) >= MOST_CONTACTS and not only:
        raise Conflict("That are many browsers already. Please remove one that you do not use any more.")
    replaced = [ContactRemoved(wanted.client_id, each, "replaced") for each in others] if only else []
    return [*replaced, wanted]


def remove_contact(state: Client, wanted: ContactRemoved) -> list[object]:
    """Reach the client there no more. Already so: nothing."""
    return [wanted] if wanted.contact_id in state.contacts else []


CLIENT = StreamType[Client]("client", Client(), evolve)
