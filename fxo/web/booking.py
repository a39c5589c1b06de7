"""Holding a time and paying for it, as pages and the API do it alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import commands as consultations
from fxo.core.consultations.slots import Busy
from fxo.core.errors import NotAllowed
from fxo.core.hookspecs import Booking
from fxo.core.matching import queries as briefs
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.payments import commands as payments
from fxo.core.plugins import booking_requested
from fxo.core.scope import Actor
from fxo.web import identity
from fxo.web.places import here

AROUND = timedelta(days=7)
"""How far around a wanted time the expert's own calendar is read."""


def busy_around(partner_id: UUID, starts_at: datetime) -> Busy | None:
    """Busy times from the partner's calendar; None where they are unknown, and unknown is not free."""
    window = (starts_at - AROUND, starts_at + AROUND)
    return calendars.external_busy(platform.current().providers, here().tenant, [partner_id], window).get(partner_id)


def check_brief(actor: Actor, brief_id: UUID | None) -> None:
    """`NotFound` where the brief is not this actor's."""
    if brief_id:
        with platform.current().store.transaction(identity.scope(), actor) as tx:
            briefs.find(tx, brief_id)


def hold(actor: Actor, wanted: consultations.Hold, external: Busy | None) -> None:
    """Hold the time for this client, unless a plugin refuses. Raises `SlotTaken`, `NotFound`, `NotAllowed`."""
    parts, config, scope = platform.current(), here().tenant, identity.scope()
    with parts.store.transaction(scope, actor) as tx:
        entry = partners.roster_entry(tx, wanted.partner_id)
    if refusal := _asked_plugins(wanted, actor.id, config.tax.gross(entry.price(config) if entry else config.price)):
        raise NotAllowed(refusal)
    parts.store.run(scope, actor, consultations.hold, config, wanted, minutes=parts.settings.claim_minutes, external=external)


def _asked_plugins(wanted: consultations.Hold, client_id: UUID, price: Money) -> str | None:
    """Whether a plugin refuses the booking; asked before the transaction."""
    config = here().tenant
    booking = Booking(
        wanted.consultation_id,
        config.id,
        wanted.partner_id,
        client_id,
        wanted.starts_at,
        wanted.starts_at + consultations.SESSION,
        price,
        "requested",
    )
    return booking_requested(platform.current().providers, config, booking)


def pay(actor: Actor, wanted: payments.Pay) -> None:
    """Authorise and book: the request itself asks the provider, holding the lease; a worker finishes it if this process dies.

    Raises what `payments.request` raises; what the provider says stands in the payment afterwards.
    """
    parts, config = platform.current(), here().tenant
    name, provider = parts.providers.chain(config, "payments")[0]
    windows = provider.windows()
    work_id = parts.store.run(identity.scope(), actor, payments.request, wanted, name, windows, payments.through_of(config))
    parts.performer.perform(config.id, work_id)
