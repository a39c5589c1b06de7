"""A tenant that runs on real providers alone: each company at its emulator, asked with its own SDK over HTTP."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Any

import psycopg
from flask import Flask
from psycopg.types.json import Jsonb
from pydantic import SecretStr, create_model
from sqlalchemy import make_url

from fxo.app import create_app
from fxo.cli import sweeper, worker
from fxo.core.clock import system_now
from fxo.core.hookspecs import ProviderSpec
from fxo.plugins import matching_openai, notifications_twilio, notifications_webpush
from fxo.plugins.notifications_webpush.provider import Settings as Pushing
from fxo.plugins.notifications_webpush.provider import WebPush, wrapped
from fxo.plugins.payments_stripe.provider import Stripe as StripeProvider
from fxo.plugins.payments_stripe.settings import Settings as Paying
from fxo.settings import Settings
from fxo.testing import context
from tests.emulators import openai, stripe
from tests.emulators import sendgrid as mailing
from tests.emulators.google import Google
from tests.emulators.illness import Health
from tests.emulators.microsoft import Microsoft
from tests.emulators.openai import Model
from tests.emulators.push import Browser, Push
from tests.emulators.sendgrid import SendGrid
from tests.emulators.stripe import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET, Stripe
from tests.emulators.twilio import ACCOUNT, NUMBER, TOKEN, Twilio
from tests.support.calendars import GOOGLE, MICROSOFT, at_google, at_microsoft, connect
from tests.support.plugins import plugin
from tests.support.story import DANA_MAIL, Story

PAYMENTS, MATCHING, TEXTS, PUSH = "payments_atstripe", "matching_atopenai", "notifications_attwilio", "notifications_atpush"
MAILS = "notifications_email"
ADDRESSES = "FXO_TEST_OUTSIDE"
"""The variable that tells processes of a test where companies answer."""
INES_MAIL = "ines@partners.example"
SENDER = "hello@fortium.example"
PUSH_KEY = wrapped(bytes(range(1, 33)))


@dataclass
class Outside:
    """The companies: Dana's calendar is at Google, Ines's at Microsoft."""

    stripe: Stripe
    google: Google
    microsoft: Microsoft
    openai: Model
    sendgrid: SendGrid
    twilio: Twilio
    push: Push

    @property
    def addresses(self) -> dict[str, str]:
        """Where those answer whose address is no setting of a tenant."""
        return {"stripe": self.stripe.address, "google": self.google.url, "microsoft": self.microsoft.url}

    def health(self, name: str) -> Health:
        """That of the company of this name."""
        found: Health = getattr(self, name).health
        return found

    def browser(self) -> Browser:
        """A browser that has allowed the platform to show notifications."""
        settings = Pushing.model_validate({"private_key": PUSH_KEY})
        return self.push.subscribe(WebPush(context("p", settings=settings)).capabilities.push_key)

    def chosen(self) -> dict[str, list[dict[str, Any]]]:
        """The providers in the record of a tenant that has chosen all of these."""
        texts = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER, "url": self.twilio.url}
        pushes = {"private_key": PUSH_KEY, "contact": "ops@fxo.example", "services": self.push.host}
        mails = {
            "sender": f"Fortium <{SENDER}>", "service": "sendgrid", "sendgrid_key": mailing.KEY,
            "sendgrid_url": self.sendgrid.url, "sendgrid_verification_key": self.sendgrid.verification_key,
        }  # fmt: skip
        reads = {"api_key": openai.KEY, "base_url": self.openai.url, "monthly_budget": "50"}
        return {
            "payments": [{"name": PAYMENTS, "settings": {}}],
            "calendars": [{"name": GOOGLE, "settings": {}}, {"name": MICROSOFT, "settings": {}}],
            "matching": [{"name": MATCHING, "settings": reads}],
            "notifications": [
                {"name": TEXTS, "settings": texts}, {"name": PUSH, "settings": pushes}, {"name": MAILS, "settings": mails},
            ],
        }  # fmt: skip

    def used_by(self, told: Story) -> Story:
        """The world once its tenant has chosen them, and both experts have connected their calendars."""
        told.rows("update tenants set providers = %(p)s where id = %(t)s returning id", p=Jsonb(self.chosen()), t=told.config.id)
        connect(GOOGLE, self.google.consent, told.partners["dana"], DANA_MAIL)
        connect(MICROSOFT, self.microsoft.consent, told.partners["ines"], INES_MAIL)
        return told.of(told.parts.records.by_slug(told.config.slug), told.client)


@dataclass
class BusinessTime:
    """The clock of the company that counts days as the platform does: real time, until there is a platform to follow."""

    settings: Settings | None = None

    def now(self) -> datetime:
        if self.settings is None:
            return system_now()
        database = make_url(self.settings.database_url).database
        with psycopg.connect(self.settings.database_admin_url, dbname=database) as connection:
            row = connection.execute("select ahead from clock").fetchone()
        return system_now() + row[0] if row else system_now()


@contextmanager
def outside(clock: BusinessTime) -> Iterator[Outside]:
    """All companies, answering on this machine."""
    with ExitStack() as stack:
        google, microsoft = Google(), Microsoft()
        yield Outside(
            stripe=stack.enter_context(stripe.running(clock.now)),
            google=stack.enter_context(_up(google)),
            microsoft=stack.enter_context(_up(microsoft)),
            openai=stack.enter_context(openai.running()),
            sendgrid=stack.enter_context(SendGrid(SENDER).running()),
            twilio=stack.enter_context(Twilio().running()),
            push=stack.enter_context(Push().running()),
        )


@contextmanager
def _up(company: Any) -> Iterator[Any]:
    with company.running():
        yield company


def plugins(addresses: Mapping[str, str]) -> tuple[ModuleType, ...]:
    """The providers as shipped, under names that the demo's clock allows, and with these addresses in place of the real ones."""
    google, microsoft = Google(), Microsoft()
    google.url, microsoft.url = addresses["google"], addresses["microsoft"]
    keys = {"publishable_key": (str, PUBLISHABLE_KEY)} | {
        name: (SecretStr, SecretStr(value)) for name, value in (("secret_key", SECRET_KEY), ("webhook_secret", WEBHOOK_SECRET))
    }
    filled_in = create_model("FilledIn", __base__=Paying, **keys)  # type: ignore[call-overload]

    def paying() -> ProviderSpec:
        api = addresses["stripe"]
        return ProviderSpec(PAYMENTS, "payments", lambda given: StripeProvider(given, api=api), settings=filled_in)

    shipped = (
        (MATCHING, "matching", matching_openai.fxo_register_matching_provider()),
        (TEXTS, "notification", notifications_twilio.fxo_register_notification_provider()),
        (PUSH, "notification", notifications_webpush.fxo_register_notification_provider()),
    )
    return (
        plugin(PAYMENTS, fxo_register_payment_provider=paying), at_google(google), at_microsoft(microsoft),
        *(plugin(name, **{f"fxo_register_{port}_provider": _as(name, spec)}) for name, port, spec in shipped),
    )  # fmt: skip


def _as(name: str, spec: ProviderSpec) -> Any:
    def register() -> ProviderSpec:
        return replace(spec, name=name, live=False)

    return register


# The platform with these as processes of its own ------------------------------------------------------------------------


def web() -> Flask:
    """The application for gunicorn, worker and sweeper."""
    return create_app(extra_plugins=plugins(json.loads(os.environ[ADDRESSES])))


if __name__ == "__main__":
    {"worker": worker.run, "sweeper": sweeper.run}[sys.argv[1]](web())
