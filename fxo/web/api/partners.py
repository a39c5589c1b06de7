"""Experts of the portal, and when they are free."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.commands import SESSION
from fxo.core.errors import Unready
from fxo.core.partners import queries as partners
from fxo.core.partners.directory import folded
from fxo.core.partners.queries import Profile, RosterEntry
from fxo.web import choices, identity
from fxo.web.api import cursors, models
from fxo.web.api.blueprint import bearer
from fxo.web.api.routes import operation
from fxo.web.places import here
from fxo.web.problems import Unfit

FORTNIGHT, LONGEST = timedelta(days=14), timedelta(days=31)


@operation("GET", "/partners", {200: models.Partners}, query=models.Page)
def list_partners(asked: models.Page) -> models.Partners:
    """Every expert who can be booked here, by name."""
    began = cursors.after(asked.after, str, UUID)
    with platform.current().store.transaction(identity.scope(), bearer().actor) as tx:
        found = sorted(partners.roster(tx), key=lambda pair: _place(pair[0]))
    rest = [pair for pair in found if _place(pair[0]) > began]
    shown, following = cursors.page(rest[: asked.limit + 1], asked.limit, lambda pair: cursors.cursor(*_place(pair[0])))
    return models.Partners(items=[models.Partner(**told(*pair)) for pair in shown], next=following)


@operation("GET", "/partners/{partner_id}", {200: models.PartnerRecord}, problems=(404,))
def get_partner(partner_id: UUID) -> models.PartnerRecord:
    """One expert with the whole record."""
    with platform.current().store.transaction(identity.scope(), bearer().actor) as tx:
        profile, entry = partners.profile_and_entry(tx, partner_id)
    return models.PartnerRecord(
        **told(profile, entry),
        bio=profile.bio,
        certifications=list(profile.certifications),
        cases=list(profile.cases),
        bookable=entry is not None,
    )


@operation("GET", "/partners/{partner_id}/slots", {200: models.Slots}, query=models.Window, problems=(404, 503))
def list_slots(asked: models.Window, partner_id: UUID) -> models.Slots:
    """When an expert can be booked, the earliest first. 503 where the expert's calendar cannot be read at the moment."""
    parts, config, actor = platform.current(), here().tenant, bearer().actor
    began = cursors.after(asked.after, cursors.moment)
    with parts.store.transaction(identity.scope(), actor) as tx:
        partners.profile(tx, partner_id)
        bookable, now = partners.roster_entry(tx, partner_id) is not None, tx.now
    since = _moment(asked.since, "since") if asked.since else now
    until = _moment(asked.until, "until") if asked.until else since + FORTNIGHT
    if not since < until <= since + LONGEST:
        raise Unfit([("until", "ask for a time after `since`, and at most 31 days after it")])
    external = calendars.external_busy(parts.providers, config, [partner_id], (since, until))
    if partner_id not in external:
        raise Unready("The expert's calendar cannot be read at the moment.", code="calendar_unknown")
    with parts.store.transaction(identity.scope(), actor) as tx:
        found = consultation_rows.open_slots(tx, [partner_id], (since, until), external) if bookable else {}
    rest = [start for start in found.get(partner_id, []) if (start,) > began]
    shown, following = cursors.page(rest, asked.limit, cursors.cursor)
    return models.Slots(items=[models.Slot(starts_at=start, ends_at=start + SESSION) for start in shown], next=following)


def _moment(value: datetime, field: str) -> datetime:
    return choices.instant_from(value.isoformat(), field)


def told(profile: Profile, entry: RosterEntry | None) -> dict[str, object]:
    """What is said of an expert everywhere."""
    config = here().tenant
    lists = {name: list(getattr(profile, name)) for name in ("roles", "skills", "industries", "languages")}
    texts = {name: getattr(profile, name) for name in ("id", "name", "title", "headline", "years", "country", "zone")}
    price = config.tax.gross(entry.price(config) if entry else config.price)
    return {**texts, **lists, "rating": profile.rating, "ratings": profile.ratings, "price": models.Money.of(price)}


def _place(profile: Profile) -> tuple[str, UUID]:
    return folded(profile.name), profile.id
