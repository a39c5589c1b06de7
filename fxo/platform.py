"""The platform's parts, wired in one place and the same for web, worker and CLI."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

import flask

from fxo.core import db, process
from fxo.core.calendars import projections as calendars
from fxo.core.calendars.connections import StoredConnections
from fxo.core.clients import projections as clients
from fxo.core.clock import Clock, system_now
from fxo.core.consultations import agenda
from fxo.core.consultations import projections as consultations
from fxo.core.events.envelopes import Keyring
from fxo.core.events.store import Store
from fxo.core.events.subscriptions import Subscription
from fxo.core.ledger import projections as ledger
from fxo.core.matching import projections as matching
from fxo.core.notifications import projections as notifications
from fxo.core.notifications.letter import Layout
from fxo.core.notifications.reactions import Places, PrintReceipt
from fxo.core.partners import projections as partners
from fxo.core.payments import agenda as money
from fxo.core.payments import projections as payments
from fxo.core.plugins import Plugins, Providers, build_plugin_manager
from fxo.core.plugins.faring import Faring
from fxo.core.ports import PORTS
from fxo.core.ratings import projections as ratings
from fxo.core.scope import system_scope
from fxo.core.work.carrier import Carrier
from fxo.core.work.model import Registry
from fxo.core.work.perform import Performer, Probe
from fxo.settings import Settings
from fxo.tenants import branding, choosing, membership, policy, taxes
from fxo.tenants.records import Records
from fxo.tenants.throttle import Throttle

JOB = "fxo.cli.worker.perform"


@dataclass(frozen=True, slots=True)
class Platform:
    """What a request, a job and a command work with; kept at `app.extensions["fxo"]`."""

    settings: Settings
    clock: Clock
    store: Store
    plugins: Plugins
    providers: Providers
    records: Records
    registry: Registry
    performer: Performer
    carrier: Carrier | None
    throttle: Throttle
    subscriptions: tuple[Subscription, ...]


def build(
    app: flask.Flask,
    settings: Settings,
    layout: Layout,
    print_receipt: PrintReceipt,
    *,
    extra: tuple[object, ...] = (),
    probe: Probe | None = None,
) -> Platform:
    """Wire the platform for this app; opens no connection and writes nothing."""
    clock = Clock(demo=settings.demo)
    keyring = Keyring(bytes.fromhex(settings.master_key.get_secret_value()))
    store = Store(clock, keyring)
    plugins = build_plugin_manager(PORTS, extra)
    records = Records(settings)

    def around() -> AbstractContextManager[Any]:
        return app.app_context()

    def business_now() -> datetime:
        if not settings.demo:
            return system_now()
        with db.transaction(system_scope("clock")) as connection:
            return clock.now(connection)

    providers = Providers(
        plugins, settings, clock=business_now, around=around, platform=platform_settings(settings), usual=usual(settings),
        connections=lambda providers, tenant_id, plugin: StoredConnections(store, providers, tenant_id, plugin),
        unseal=lambda tenant_id, name, field, stored: keyring.unlock(stored, choosing.place(tenant_id, name, field)),
        faring=Faring(around),
    )  # fmt: skip
    registry = Registry()
    # Projections first, in the order in which one may read another; then what follows.
    for each in (clients, partners, consultations, payments, calendars, matching, notifications, ratings):
        each.register(store)
    for ours in (branding, membership, policy, taxes):
        ours.register(store)
    ledger.register(store, records.of_scope)
    agenda.register(store, records.of_scope)
    money.register(store)
    partners_url, operator_url, hooks_url = (settings.url(settings.host(name), "") for name in ("partners", "ops", "hooks"))
    places = Places(partners_url, operator_url, settings.alarm_mail, hooks_url)
    process.register(store, registry, providers, records.of_scope, layout, places, print_receipt)
    performer = Performer(store, registry, lease=timedelta(seconds=settings.lease_seconds), **({"probe": probe} if probe else {}))
    carrier = Carrier(settings.redis_url, JOB) if settings.redis_url else None
    if carrier:
        store.offer = carrier.offer
    throttle = Throttle(store, carrier.connection if carrier else None)
    return Platform(
        settings, clock, store, plugins, providers, records, registry, performer, carrier, throttle, (ratings.STANDING,)
    )


def platform_settings(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """The settings of embedded providers for tenants that have given none of their own."""
    secret = hmac.digest(settings.secret_key.get_secret_value().encode(), b"payments_sandbox", "sha256").hex()
    push = hmac.digest(settings.secret_key.get_secret_value().encode(), b"notifications_webpush", "sha256")
    return {
        "payments_sandbox": {
            "webhook_secret": secret,
            "deliver_to": f"http://{settings.bind}:{settings.port}" if settings.demo else "",
            "fee_rate": settings.sandbox_fee_rate,
            "fee_fixed": settings.sandbox_fee_fixed,
        },
        "calendar_google": {
            "client_id": settings.google_client_id,
            "client_secret": settings.google_client_secret.get_secret_value(),
        },
        "calendar_microsoft": {
            "client_id": settings.microsoft_client_id,
            "client_secret": settings.microsoft_client_secret.get_secret_value(),
        },
        "payments_stripe": {
            "publishable_key": settings.stripe_publishable_key,
            "secret_key": settings.stripe_secret_key.get_secret_value(),
            "webhook_secret": settings.stripe_webhook_secret.get_secret_value(),
            "statement_suffix": settings.stripe_statement_suffix,
            "country": settings.stripe_country,
        },
        "notifications_webpush": {"private_key": urlsafe_b64encode(push).decode(), "contact": parseaddr(settings.mail_from)[1]},
        "notifications_email": {"smtp_url": settings.smtp_url.get_secret_value(), "sender": settings.mail_from},
    }


def usual(settings: Settings) -> Mapping[str, str]:
    """The provider of a port for tenants that have chosen none, where it is not the embedded one."""
    filled_in = settings.stripe_publishable_key and settings.stripe_secret_key.get_secret_value()
    return {"payments": "payments_stripe"} if filled_in and not settings.demo else {}


def current() -> Platform:
    """The platform of the app in context."""
    found: Platform = flask.current_app.extensions["fxo"]
    return found
