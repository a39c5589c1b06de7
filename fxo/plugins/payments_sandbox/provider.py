"""The sandbox as a payment provider: the port's verbs, put to the card network in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, field_validator

from fxo.core.errors import ActionRequired, Declined
from fxo.core.money import Money
from fxo.core.payments.plan import AuthorisationWindows
from fxo.core.payments.port import (
    ClientSetup,
    Notice,
    Order,
    PaymentCapabilities,
    PaymentStatus,
    ProviderPayment,
    Refund,
    SavedMethod,
    Transfer,
)
from fxo.core.plugins.context import ProviderContext
from fxo.plugins.payments_sandbox import webhooks
from fxo.plugins.payments_sandbox.attempt import Account, Attempt, Tariff, Verb
from fxo.plugins.payments_sandbox.cards import AWAY_WINDOW, CARDS, PRESENT_WINDOW
from fxo.plugins.payments_sandbox.network import Network

PAGES = "/plugins/payments_sandbox"
"""Where the platform mounts the network's pages on each portal."""


class Settings(BaseModel):
    """What a tenant fills in for the sandbox."""

    webhook_secret: Annotated[
        SecretStr,
        Field(title="Webhook secret", description="Signs the network's notices; left out, none is sent and none is believed"),
    ] = SecretStr("")
    deliver_to: Annotated[
        str,
        Field(
            title="Deliver notices to", description="The web server's address, such as http://127.0.0.1:8000; empty: none is sent"
        ),
    ] = ""
    fee_rate: Annotated[int, Field(ge=0, le=10_000, title="Fee in basis points", description="290 are 2.9 percent")] = 0
    fee_fixed: Annotated[int, Field(ge=0, le=1_000_000, title="Fixed part of the fee", description="In cents, or whole yen")] = 0
    fee_after: Annotated[
        int, Field(ge=0, le=10_000, title="Fee known after", description="Minutes from the capture on until the fee is told")
    ] = 0
    fee_returned: Annotated[bool, Field(title="Fee returned", description="A refund brings back its part of the fee")] = False

    @field_validator("deliver_to")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme in ("http", "https") and parts.netloc):
            raise ValueError("give an address that begins with http:// or https://")
        return value


class Sandbox:
    """A payment provider whose company is the card network in our own database. No money moves; everything else does."""

    capabilities = PaymentCapabilities()

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        settings: Settings = context.settings
        account = Account(context.urls.hooks, settings.deliver_to, settings.webhook_secret.get_secret_value())
        self.courier = webhooks.Courier(account, system_clock=context.system_clock, log=context.log)
        tariff = Tariff(
            settings.fee_rate, settings.fee_fixed, timedelta(minutes=settings.fee_after), returns=settings.fee_returned
        )  # fmt: skip
        self._network = Network(context.tenant_id, context.clock, self.courier, tariff)

    def windows(self) -> AuthorisationWindows:
        return AuthorisationWindows(client_present=PRESENT_WINDOW, off_session=AWAY_WINDOW)

    def client_setup(self) -> ClientSetup:
        cards = [{"number": card.number, "does": card.does} for card in CARDS]
        return ClientSetup(f"{PAGES}/card.js", {"tokens_url": f"{PAGES}/tokens", "test_cards": cards})

    def authorise(self, order: Order) -> ProviderPayment:
        return self._order(Verb.AUTHORISE, order)

    def save_method(self, order: Order) -> ProviderPayment:
        return self._order(Verb.SAVE_METHOD, order)

    def authorise_saved(self, order: Order) -> ProviderPayment:
        return self._order(Verb.AUTHORISE_SAVED, order)

    def _order(self, verb: Verb, order: Order) -> ProviderPayment:
        attempt = self._network.order(verb, order)
        match attempt.status:
            case PaymentStatus.ACTION_REQUIRED:
                raise ActionRequired(self._page(attempt), reference=attempt.reference)
            case PaymentStatus.DECLINED:
                raise Declined(attempt.reason or "card_declined", reference=attempt.reference)
            case PaymentStatus.EXPIRED:
                raise Declined("authorisation_expired", reference=attempt.reference)
            case PaymentStatus.VOIDED:
                raise Declined("voided", reference=attempt.reference)
        return self._payment(attempt)

    def forget_method(self, method: SavedMethod) -> None:
        self._network.forget_method(method.reference, method.customer)

    def capture(self, reference: str, amount: Money, key: str) -> ProviderPayment:
        return self._payment(self._network.capture(reference, amount, key))

    def void(self, reference: str, key: str) -> ProviderPayment:
        return self._payment(self._network.void(reference, key))

    def refund(self, reference: str, amount: Money, key: str) -> Refund:
        return Refund(self._network.refund(reference, amount, key).id, amount)

    def fetch(self, reference: str) -> ProviderPayment:
        return self._payment(self._network.fetch(reference))

    def find_by_reference(self, order_reference: str) -> ProviderPayment | None:
        attempt = self._network.find(order_reference)
        return self._payment(attempt) if attempt else None

    def list_changed_since(self, moment: datetime) -> Sequence[str]:
        return self._network.changed_since(moment)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        webhooks.verify(self._context.secret("webhook_secret"), headers, body, self._context.system_clock())
        return (webhooks.read(body),)

    def payout_onboarding(self, partner_id: UUID, return_url: str) -> str:
        """Straight back: the sandbox pays partners without knowing anything of them."""
        return return_url

    def transfer(self, partner_id: UUID, amount: Money, key: str) -> Transfer:
        return Transfer(self._network.transfer(partner_id, amount, key).reference, amount)

    def reverse_transfer(self, reference: str, amount: Money, key: str) -> Transfer:
        return Transfer(self._network.reverse_transfer(reference, amount, key).id, amount)

    def submit_evidence(self, reference: str, evidence: Mapping[str, str], key: str) -> None:
        self._network.submit_evidence(reference, evidence, key)

    def dispute(self, reference: str) -> None:
        """What no real provider has: the cardholder disputes this payment. For the demo and for tests."""
        self._network.dispute(reference)

    def decide_dispute(self, reference: str, *, won: bool) -> None:
        """The card's bank decides now. For the demo and for tests."""
        self._network.decide(reference, won=won)

    def _page(self, attempt: Attempt) -> str:
        return f"{self._context.urls.portal}{PAGES}/challenge/{attempt.challenge}"

    def _payment(self, attempt: Attempt) -> ProviderPayment:
        currency = attempt.amount.currency
        fee_is_known = attempt.fee_known_at and attempt.fee_known_at <= self._context.clock()
        return ProviderPayment(
            reference=attempt.reference,
            order_reference=attempt.order_reference,
            status=attempt.status,
            amount=attempt.amount,
            captured=Money(attempt.captured, currency),
            refunded=Money(attempt.refunded, currency),
            capture_before=attempt.capture_before,
            method=SavedMethod(attempt.customer, attempt.method, attempt.card.label) if attempt.method else None,
            url=self._page(attempt) if attempt.status is PaymentStatus.ACTION_REQUIRED else None,
            reason=attempt.reason,
            dispute=attempt.dispute,
            fee=Money(attempt.fee - attempt.fee_back, currency) if fee_is_known else None,
        )
