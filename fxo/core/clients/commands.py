"""What changes a client: joining, adopting the visitor they were, being erased."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from fxo.core.clients import model, queries
from fxo.core.clients.model import (
    CLIENT,
    Adopted,
    ContactAdded,
    ContactRemoved,
    Erased,
    Joined,
    MailChanged,
    NotificationsChosen,
    ProfileChanged,
)
from fxo.core.errors import Conflict, NotAllowed, NotFound
from fxo.core.events.store import Stream, Transaction
from fxo.core.ids import derived_id
from fxo.core.scope import ActorKind, Permission


def join(tx: Transaction, who: Joined, visitor_id: UUID | None = None) -> None:
    """A new client of this tenant, and the visitor they were until now."""
    client = tx.load(CLIENT, who.client_id)
    if client:
        raise Conflict("This account exists already.")
    adopted = [Adopted(who.client_id, visitor_id)] if visitor_id else []
    tx.append((client, [who, *adopted]))


def change_profile(tx: Transaction, *, name: str, company: str, title: str, zone: str) -> None:
    """The signed-in client's name, company, role and time zone."""
    client = _own(tx)
    name, company, title = (" ".join(text.split()) for text in (name, company, title))
    wanted = ProfileChanged(tx.actor.id, name, company, title, zone)
    tx.append((client, model.change_profile(client.state, wanted)))


def choose_notifications(tx: Transaction, without: Collection[str]) -> None:
    """The mails that the signed-in client does without, by the keys of `notifications.choices`."""
    client = _own(tx)
    tx.append((client, model.choose_notifications(client.state, NotificationsChosen(tx.actor.id, tuple(sorted(without))))))


def leave_out(tx: Transaction, client_id: UUID, without: Collection[str]) -> None:
    """The mails that the client does without, as they said from within their mail program."""
    client = tx.load(CLIENT, client_id)
    if not client or client.state.erased:
        raise NotFound("There is no such client.")
    tx.append((client, model.choose_notifications(client.state, NotificationsChosen(client_id, tuple(sorted(without))))))


def add_contact(tx: Transaction, client_id: UUID, channel: str, address: str, label: str = "", *, only: bool = False) -> UUID:
    """The client can be reached there too; they have shown that it is theirs. With `only` it replaces others of the channel."""
    client = tx.load(CLIENT, client_id)
    if not client or client.state.erased:
        raise NotFound("There is no such client.")
    contact_id = derived_id(client_id, "contact", channel, address)
    wanted = ContactAdded(client_id, contact_id, channel, address, label)
    tx.append((client, model.add_contact(client.state, wanted, only=only)))
    return contact_id


def remove_contact(tx: Transaction, contact_id: UUID) -> None:
    """The signed-in client does without it. Raises `NotFound` for one that is not theirs."""
    client = _own(tx)
    if contact_id not in client.state.contacts:
        raise NotFound("There is no such number or browser.")
    tx.append((client, model.remove_contact(client.state, ContactRemoved(tx.actor.id, contact_id, "removed"))))


def drop_contact(tx: Transaction, client_id: UUID, contact_id: UUID, reason: str) -> None:
    """Nobody is there any more. Gone already: nothing."""
    client = tx.load(CLIENT, client_id)
    tx.append((client, model.remove_contact(client.state, ContactRemoved(client_id, contact_id, reason))))


def change_mail(tx: Transaction, client_id: UUID, mail: str) -> None:
    """The client has shown that this address is theirs (`tenants.members.change_mail`)."""
    client = tx.load(CLIENT, client_id)
    if not client or client.state.erased:
        raise NotFound("There is no such client.")
    tx.append((client, [MailChanged(client_id, mail)]))


def _own(tx: Transaction) -> Stream[model.Client]:
    """The stream of the client who acts."""
    client = tx.load(CLIENT, tx.actor.id)
    if tx.actor.kind is not ActorKind.MEMBER or not client:
        raise NotFound("There is no such client.")
    return client


def adopt(tx: Transaction, visitor_id: UUID) -> None:
    """What the visitor did in this browser is the signed-in client's. Repeated: nothing."""
    client = tx.load(CLIENT, tx.actor.id)
    if client and visitor_id not in client.state.adopted:
        tx.append((client, [Adopted(tx.actor.id, visitor_id)]))


def move(tx: Transaction, zone: str) -> None:
    """The signed-in client reads times in this zone (an IANA name) from now on; the rest of their profile stays."""
    me = queries.find(tx, tx.actor.id)
    if me.zone != zone:
        change_profile(tx, name=me.name, company=me.company, title=me.title, zone=zone)


def erase(tx: Transaction, client_id: UUID) -> None:
    """Destroy the keys of the client and of every visitor they were (hard case 24). By the client or the tenant's administrator.

    Refused while a booking or a payment is open: what is owed could not be charged any more, nor a dispute answered.
    """
    if tx.actor.id != client_id and not tx.actor.may(Permission.MANAGE_TENANT) and tx.actor.kind is not ActorKind.CODE:
        raise NotAllowed("Only the person or an administrator may ask for this.")
    client = tx.load(CLIENT, client_id)
    if not client:
        raise NotFound("There is no such client.")
    if client.state.erased:
        return
    persons = [client_id, *sorted(client.state.adopted)]
    still_open = tx.execute(
        "select (select count(*) from consultations where tenant_id = :t and client_id = :c and state in ('held', 'requested',"
        " 'confirmed', 'started', 'contested')) + (select count(*) from payments where tenant_id = :t and client_id = :c and"
        " (state not in ('declined', 'voided', 'abandoned', 'captured', 'handed_over') or dispute in ('open', 'answered')))",
        t=tx.scope.tenant_id,
        c=client_id,
    ).scalar_one()
    if still_open:
        raise Conflict(
            "A booking or its payment is still open. Please ask again once it has taken place or is cancelled, and paid."
        )
    # The keys go first: who is recording something about this person is waited for, and then emptied with the rest.
    tx.driver.execute(
        "insert into person_keys (tenant_id, person_id, erased_at) select %s, unnest(%s::uuid[]), %s"
        " on conflict (tenant_id, person_id) do update set wrapped = null, erased_at = excluded.erased_at",
        (tx.scope.tenant_id, persons, tx.now),
    )
    tx.append((client, [Erased(client_id, tuple(persons[1:]))]))
