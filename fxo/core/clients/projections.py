"""The clients table, filled from client events in the same transaction, and emptied of an erased person."""

from __future__ import annotations

from fxo.core.clients import favourites, model
from fxo.core.events.model import ERASED, Recorded
from fxo.core.events.store import Store, Transaction


def register(store: Store) -> None:
    """Follow the events of clients."""
    store.follow(model.Joined, _joined)
    store.follow(model.ProfileChanged, _profile_changed)
    store.follow(model.MailChanged, _mail_changed)
    store.follow(model.NotificationsChosen, _notifications_chosen)
    store.follow(model.ContactAdded, _contact_added)
    store.follow(model.ContactRemoved, _contact_removed)
    store.follow(model.Adopted, _adopted)
    store.follow(model.Erased, _erased)
    favourites.register(store)


def _joined(tx: Transaction, item: Recorded) -> None:
    who: model.Joined = item.value
    tx.driver.execute(
        "insert into clients (tenant_id, id, name, email, company, zone) values (%s, %s, %s, %s, %s, %s)",
        (item.tenant_id, who.client_id, who.name, who.email, who.company, who.zone),
    )


def _profile_changed(tx: Transaction, item: Recorded) -> None:
    who: model.ProfileChanged = item.value
    tx.driver.execute(
        "update clients set name = %s, company = %s, title = %s, zone = %s where tenant_id = %s and id = %s",
        (who.name, who.company, who.title, who.zone, item.tenant_id, who.client_id),
    )
    # What lies ahead is shown to its partner under the new name; what is past stays as it was.
    tx.driver.execute(
        "update partner_agenda set client_name = %s, client_company = %s, client_zone = %s where tenant_id = %s"
        " and client_id = %s and state in ('requested', 'confirmed', 'started')",
        (who.name, who.company, who.zone, item.tenant_id, who.client_id),
    )


def _mail_changed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update clients set email = %s where tenant_id = %s and id = %s",
        (item.value.email, item.tenant_id, item.value.client_id),
    )


def _notifications_chosen(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update clients set mails_without = %s where tenant_id = %s and id = %s",
        (list(item.value.without), item.tenant_id, item.value.client_id),
    )


def _contact_added(tx: Transaction, item: Recorded) -> None:
    where: model.ContactAdded = item.value
    tx.driver.execute(
        "insert into contacts (tenant_id, id, client_id, channel, address, label, added_at) values (%s, %s, %s, %s, %s, %s, %s)",
        (item.tenant_id, where.contact_id, where.client_id, where.channel, where.address, where.label, item.recorded_at),
    )


def _contact_removed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute("delete from contacts where tenant_id = %s and id = %s", (item.tenant_id, item.value.contact_id))


def _adopted(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update briefs set author_id = %s where tenant_id = %s and author_id = %s",
        (item.value.client_id, item.tenant_id, item.value.visitor_id),
    )
    tx.driver.execute(
        "update person_keys set adopted_by = %s where tenant_id = %s and person_id = %s",
        (item.value.client_id, item.tenant_id, item.value.visitor_id),
    )


def _erased(tx: Transaction, item: Recorded) -> None:
    persons = [item.value.person_id, *item.value.also]
    tx.driver.execute(
        "update clients set name = %s, email = '', company = '', title = '' where tenant_id = %s and id = any(%s)",
        (ERASED, item.tenant_id, persons),
    )
    tx.driver.execute(
        "update briefs set text = %s where tenant_id = %s and author_id = any(%s)", (ERASED, item.tenant_id, persons)
    )
    tx.driver.execute(
        "update partner_agenda set client_name = %s, client_company = '', brief = %s, topics = '{}' where tenant_id = %s and"
        " client_id = any(%s)",
        (ERASED, ERASED, item.tenant_id, persons),
    )
    tx.driver.execute(
        "update ratings set comment = %s where tenant_id = %s and client_id = any(%s)", (ERASED, item.tenant_id, persons)
    )
    tx.driver.execute("delete from contacts where tenant_id = %s and client_id = any(%s)", (item.tenant_id, persons))
    tx.driver.execute("delete from saved_methods where tenant_id = %s and client_id = any(%s)", (item.tenant_id, persons))
    tx.driver.execute(
        "delete from api_answers a using api_keys k where a.tenant_id = %s and k.tenant_id = a.tenant_id and k.id = a.key_id"
        " and k.member_id = any(%s)",
        (item.tenant_id, persons),
    )
    tx.driver.execute(
        "update api_keys set revoked_at = %s where tenant_id = %s and member_id = any(%s) and revoked_at is null",
        (item.recorded_at, item.tenant_id, persons),
    )
    for table in ("tokens", "sign_ins"):
        tx.driver.execute(f"delete from {table} where tenant_id = %s and person_id = any(%s)", (item.tenant_id, persons))
    tx.driver.execute(
        "update members set email = id::text, password_hash = '' where tenant_id = %s and id = any(%s)", (item.tenant_id, persons)
    )
