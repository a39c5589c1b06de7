"""Every provider that ships against the suite of its port, at the company itself (`make live`; docs/live.md names the variables).

What needs a person or an address that the company can reach (a bank's page, a mailbox, a webhook) is left out with its reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, NoReturn
from uuid import UUID

import flask
import httpx
import pytest
from pydantic import BaseModel, ValidationError

from fxo.core.calendars import consent
from fxo.core.calendars.consent import Tokens
from fxo.core.clock import system_now
from fxo.core.errors import NotConnected
from fxo.core.ids import new_id
from fxo.core.notifications.port import NotificationProvider
from fxo.core.plugins import ProviderContext
from fxo.core.scope import TenantConfig
from fxo.plugins import calendar_google, calendar_microsoft
from fxo.plugins.calendar_google.provider import GoogleCalendar
from fxo.plugins.calendar_microsoft.provider import MicrosoftCalendar
from fxo.plugins.matching_openai.provider import OpenAIMatching
from fxo.plugins.matching_openai.settings import Settings as OpenAISettings
from fxo.plugins.notifications_email.provider import Email
from fxo.plugins.notifications_email.provider import Settings as EmailSettings
from fxo.plugins.notifications_twilio.provider import Settings as TwilioSettings
from fxo.plugins.notifications_twilio.provider import Twilio
from fxo.plugins.notifications_webpush.provider import Settings as PushSettings
from fxo.plugins.notifications_webpush.provider import WebPush
from fxo.plugins.payments_stripe.provider import API, Stripe
from fxo.plugins.payments_stripe.settings import Settings as StripeSettings
from fxo.testing import (
    CalendarContract,
    MatchingContract,
    NotificationContract,
    PaymentContract,
    PaymentWorld,
    Received,
    context,
)

GOOD, DECLINED, ASKS_ONCE, ASKS_ALWAYS = (
    "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_authenticationRequiredOnSetup", "pm_card_authenticationRequired",
)  # fmt: skip
"""Stripe's own names of its test cards."""

Read = Callable[[], Sequence[Received]]


def given(name: str, otherwise: str = "") -> str:
    """What stands in the environment under `FXO_TRY_<name>`."""
    return os.environ.get(f"FXO_TRY_{name}") or otherwise


def left_out(why: str) -> Callable[..., NoReturn]:
    """Acts for somebody who is not there: the test ends, with the reason."""
    return lambda *_: pytest.skip(why)


def settings(kind: type[BaseModel], /, **values: str) -> Any:
    """The settings with what was given; the rest as it is usual. What does not fit is named without what it was."""
    try:
        return kind.model_validate({name: value for name, value in values.items() if value})
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0] if each['loc'] else 'settings'}: {each['msg']}" for each in error.errors())
    raise AssertionError(wrong)


Make = Callable[..., ProviderContext]


@pytest.fixture
def at() -> Iterator[Make]:
    """Makes what a provider is given, and closes its line afterwards."""
    made: list[ProviderContext] = []

    def make(plugin: str, **values: Any) -> ProviderContext:
        made.append(context(plugin, **values))
        return made[-1]

    yield make
    for each in made:
        each.http.close()


class TestStripe(PaymentContract):
    company = "Stripe"
    needs = ("FXO_TRY_STRIPE_SECRET_KEY", "FXO_TRY_STRIPE_PUBLISHABLE_KEY")

    @pytest.fixture
    def provider(self, app: flask.Flask, tenant: TenantConfig, at: Make) -> Stripe:
        keys = settings(StripeSettings, secret_key=given("STRIPE_SECRET_KEY"), publishable_key=given("STRIPE_PUBLISHABLE_KEY"))
        assert not keys.live
        return Stripe(at("payments_stripe", settings=keys, tenant_id=tenant.id), given("STRIPE_URL", API))

    @pytest.fixture
    def world(self) -> PaymentWorld:
        return PaymentWorld(
            good=GOOD, declined=DECLINED, challenged=ASKS_ONCE, challenged_off_session=ASKS_ALWAYS, now=system_now,
            confirm=left_out("a person has to answer at the bank's page"), pass_time=left_out("Stripe's clock cannot be moved"),
            webhooks=left_out("Stripe has to reach an address of ours"),
            onboard=left_out("a person has to fill in Stripe's onboarding"),
        )  # fmt: skip


class TestOpenAI(MatchingContract):
    company = "OpenAI"
    needs = ("FXO_TRY_OPENAI_KEY",)

    @pytest.fixture
    def provider(self, at: Make) -> OpenAIMatching:
        made = settings(OpenAISettings, api_key=given("OPENAI_KEY"), base_url=given("OPENAI_URL"), model=given("OPENAI_MODEL"))
        return OpenAIMatching(at("matching_openai", settings=made.model_copy(update={"seconds": 30.0})))


@dataclass
class Connected:
    """`Connections` of people who have allowed it before, by what renews their tokens."""

    shipped: ModuleType
    application: Any
    tokens: dict[UUID, Tokens]

    def token(self, person_id: UUID, *, refused: str = "") -> str:
        if person_id not in self.tokens:
            raise NotConnected("nobody has allowed this")
        if self.tokens[person_id].stale or self.tokens[person_id].access == refused:
            spec = self.shipped.fxo_register_calendar_provider().oauth
            self.tokens[person_id] = consent.renew(spec, self.application, self.tokens[person_id])
        return self.tokens[person_id].access

    def broken(self, person_id: UUID, reason: str) -> None:
        raise AssertionError(f"the connection does not work: {reason}")

    def people(self) -> Sequence[UUID]:
        return tuple(self.tokens)


_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class _Calendar(CalendarContract):
    """With the calendars of one or more people, whose renewal tokens are given with spaces between them."""

    shipped: ModuleType
    maker: type[Any]
    company = ""

    @pytest.fixture(scope="class")
    @classmethod
    def connected(cls) -> Connected:
        name = cls.company.split()[0].upper()
        application = settings(
            cls.shipped.fxo_register_calendar_provider().settings,
            client_id=given(f"{name}_CLIENT_ID"), client_secret=given(f"{name}_CLIENT_SECRET"),
        )  # fmt: skip
        people = {new_id(): Tokens("", token, _LONG_AGO) for token in given(f"{name}_TOKENS").split()}
        return Connected(cls.shipped, application, people)

    @pytest.fixture
    def provider(self, connected: Connected, at: Make) -> Any:
        plugin = f"calendar_{self.company.split()[0].lower()}"
        return self.maker(at(plugin, settings=connected.application, connections=connected))

    @pytest.fixture
    def partners(self, connected: Connected) -> list[UUID]:
        return list(connected.tokens)

    @pytest.fixture
    def stranger(self) -> UUID:
        return new_id()


class TestGoogle(_Calendar):
    company = "Google Calendar"
    needs = ("FXO_TRY_GOOGLE_CLIENT_ID", "FXO_TRY_GOOGLE_CLIENT_SECRET", "FXO_TRY_GOOGLE_TOKENS")
    shipped, maker = calendar_google, GoogleCalendar


class TestMicrosoft(_Calendar):
    company = "Microsoft 365"
    needs = ("FXO_TRY_MICROSOFT_CLIENT_ID", "FXO_TRY_MICROSOFT_CLIENT_SECRET", "FXO_TRY_MICROSOFT_TOKENS")
    shipped, maker = calendar_microsoft, MicrosoftCalendar


class _Mail(NotificationContract):
    address = given("MAIL_TO")

    @pytest.fixture
    def received(self) -> Read:
        return left_out("a person has to look into the mailbox")


class TestSMTP(_Mail):
    company = "Mail by SMTP"
    needs = ("FXO_TRY_SMTP_URL", "FXO_TRY_MAIL_FROM", "FXO_TRY_MAIL_TO")

    @pytest.fixture
    def provider(self, at: Make) -> NotificationProvider:
        made = settings(EmailSettings, service="smtp", smtp_url=given("SMTP_URL"), sender=given("MAIL_FROM"))
        return Email(at("notifications_email", settings=made))


class TestSendGrid(_Mail):
    company = "SendGrid"
    needs = ("FXO_TRY_SENDGRID_KEY", "FXO_TRY_MAIL_FROM", "FXO_TRY_MAIL_TO")

    @pytest.fixture
    def provider(self, at: Make) -> NotificationProvider:
        made = settings(
            EmailSettings, service="sendgrid", sender=given("MAIL_FROM"), sendgrid_key=given("SENDGRID_KEY"),
            sendgrid_verification_key=given("SENDGRID_VERIFICATION_KEY"), sendgrid_url=given("SENDGRID_URL"),
        )  # fmt: skip
        return Email(at("notifications_email", settings=made))


class TestSES(_Mail):
    company = "Amazon SES"
    needs = ("FXO_TRY_SES_REGION", "FXO_TRY_SES_KEY_ID", "FXO_TRY_SES_SECRET", "FXO_TRY_MAIL_FROM", "FXO_TRY_MAIL_TO")

    @pytest.fixture
    def provider(self, at: Make) -> NotificationProvider:
        made = settings(
            EmailSettings, service="ses", sender=given("MAIL_FROM"), ses_region=given("SES_REGION"),
            ses_key_id=given("SES_KEY_ID"),
            ses_secret=given("SES_SECRET"), ses_configuration_set=given("SES_CONFIGURATION_SET"), ses_topic=given("SES_TOPIC"),
            ses_endpoint=given("SES_ENDPOINT"),
        )  # fmt: skip
        return Email(at("notifications_email", settings=made))


class TestTwilio(NotificationContract):
    company = "Twilio"
    needs = ("FXO_TRY_TWILIO_ACCOUNT_SID", "FXO_TRY_TWILIO_AUTH_TOKEN", "FXO_TRY_TWILIO_FROM", "FXO_TRY_TWILIO_TO")
    address = given("TWILIO_TO")

    @pytest.fixture
    def own(self) -> TwilioSettings:
        made: TwilioSettings = settings(
            TwilioSettings, account_sid=given("TWILIO_ACCOUNT_SID"), auth_token=given("TWILIO_AUTH_TOKEN"),
            sender=given("TWILIO_FROM"), url=given("TWILIO_URL"),
        )  # fmt: skip
        return made

    @pytest.fixture
    def provider(self, app: flask.Flask, tenant: TenantConfig, own: TwilioSettings, at: Make) -> NotificationProvider:
        return Twilio(at("notifications_twilio", settings=own, tenant_id=tenant.id))

    @pytest.fixture
    def received(self, own: TwilioSettings) -> Read:
        """What Twilio says that it has sent there since the test began."""

        def texts() -> dict[str, Received]:
            place = f"{own.url}/2010-04-01/Accounts/{own.account_sid}/Messages.json"
            who = (own.account_sid, given("TWILIO_AUTH_TOKEN"))
            answer = httpx.get(place, params={"To": self.address, "PageSize": 50}, auth=who, timeout=30)
            return {one["sid"]: Received(one["to"], one["body"]) for one in answer.raise_for_status().json()["messages"]}

        before = texts()
        return lambda: [text for sid, text in texts().items() if sid not in before]


class TestPush(NotificationContract):
    company = "Notifications of browsers"
    needs = ("FXO_TRY_PUSH_SUBSCRIPTION", "FXO_TRY_PUSH_PRIVATE_KEY", "FXO_TRY_PUSH_CONTACT")
    address = given("PUSH_SUBSCRIPTION")

    @pytest.fixture
    def provider(self, at: Make) -> NotificationProvider:
        made = settings(PushSettings, private_key=given("PUSH_PRIVATE_KEY"), contact=given("PUSH_CONTACT"))
        return WebPush(at("notifications_webpush", settings=made))

    @pytest.fixture
    def received(self) -> Read:
        return left_out("a person has to look at the browser")
