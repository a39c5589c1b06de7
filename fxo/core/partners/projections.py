"""Partners, their weeks and the rosters, filled from their events in the same transaction."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.partners import model


def register(store: Store) -> None:
    """Follow the events of partners and rosters."""
    store.follow(model.ProfileSet, _profile_set)
    store.follow(model.AvailabilitySet, _availability_set)
    store.follow(model.Added, _added)
    store.follow(model.RosterEnded, _ended)
    store.follow(model.PriceChanged, _price_changed)
    store.follow(model.Suspended, _suspended)
    store.follow(model.Approved, _approved)
    store.follow(model.VisibilitySet, _visibility_set)


def _profile_set(tx: Transaction, item: Recorded) -> None:
    is_: model.ProfileSet = item.value
    slug = "-".join("".join(c if c.isalnum() else " " for c in is_.name.lower()).split())
    tx.driver.execute(
        "insert into partners (id, slug, name, title, headline, bio, roles, skills, industries, certifications, cases,"
        " languages, years,"
        " country, zone, visible_to, updated_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (id) do update set name = excluded.name, title = excluded.title, headline = excluded.headline,"
        " bio = excluded.bio,"
        " roles = excluded.roles, skills = excluded.skills, industries = excluded.industries, certifications ="
        " excluded.certifications,"
        " cases = excluded.cases, languages = excluded.languages, years = excluded.years, country = excluded.country,"
        " zone = excluded.zone,"
        " visible_to = excluded.visible_to, updated_at = excluded.updated_at",
        (
            is_.partner_id,
            f"{slug}-{is_.partner_id.hex[-6:]}",
            is_.name,
            is_.title,
            is_.headline,
            is_.bio,
            list(is_.roles),
            list(is_.skills),
            list(is_.industries),
            list(is_.certifications),
            list(is_.cases),
            list(is_.languages),
            is_.years,
            is_.country,
            is_.zone,
            is_.visible_to,
            item.recorded_at,
        ),
    )
    tx.driver.execute(
        "insert into partner_contacts (partner_id, email) values (%s, %s) on conflict (partner_id) do update set email"
        " = excluded.email",
        (is_.partner_id, is_.email),
    )


def _availability_set(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "insert into availability (partner_id, data) values (%s, %s) on conflict (partner_id) do update set data = excluded.data",
        (item.value.partner_id, Jsonb(item.value.data)),
    )


def _added(tx: Transaction, item: Recorded) -> None:
    entry: model.Added = item.value
    tx.driver.execute(
        "insert into roster (tenant_id, partner_id, price_minor, partner_share, added_at) values (%s, %s, %s, %s, %s)"
        " on conflict (tenant_id, partner_id) do update set price_minor = excluded.price_minor, partner_share ="
        " excluded.partner_share,"
        " ended_at = null",
        (item.tenant_id, entry.partner_id, entry.price_minor, entry.partner_share, item.recorded_at),
    )


def _ended(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update roster set ended_at = %s where tenant_id = %s and partner_id = %s",
        (item.recorded_at, item.tenant_id, item.value.partner_id),
    )


def _price_changed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update roster set price_minor = %s where tenant_id = %s and partner_id = %s",
        (item.value.price_minor, item.tenant_id, item.value.partner_id),
    )


def _suspended(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute("update partners set suspended_at = %s where id = %s", (item.recorded_at, item.value.partner_id))


def _approved(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute("update partners set suspended_at = null where id = %s", (item.value.partner_id,))


def _visibility_set(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute("update partners set visible_to = %s where id = %s", (item.value.visible_to, item.value.partner_id))
