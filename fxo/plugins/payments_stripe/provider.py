"""Stripe as a payment provider: one intent for each attempt, begun unconfirmed, written down, then confirmed by its id.

So whatever is lost on the way, an attempt is found again by the id that we have kept, and its state at Stripe says what was
done (https://docs.stripe.com/payments/paymentintents/lifecycle). Keys only help within a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import stripe

from fxo.core.errors import ActionRequired, Declined, Misconfigured, Retryable
from fxo.core.money import Money
from fxo.core.payments.plan import AuthorisationWindows
from fxo.core.payments.port import (
    ClientSetup,
    Customer,
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
from fxo.plugins.payments_stripe import disputes, reading, webhooks
from fxo.plugins.payments_stripe.line import API, Line, our_words
from fxo.plugins.payments_stripe.payouts import Payouts
from fxo.plugins.payments_stripe.settings import Settings

PAGES = "/plugins/payments_stripe"
"""Where the platform mounts the plugin's pages on each portal."""
SCRIPT = "https://js.stripe.com/endive/stripe.js"
"""Stripe's script of the SDK's own API version; Stripe allows no copy of it (https://docs.stripe.com/js/including)."""
CSP_SOURCES: Mapping[str, Sequence[str]] = {
    "script-src": ("https://js.stripe.com", "https://*.js.stripe.com"),
    "frame-src": ("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
    "connect-src": ("https://api.stripe.com",),
}
"""https://docs.stripe.com/security/guide#content-security-policy"""

WITH = {"expand": ["latest_charge.balance_transaction", "payment_method"]}
WITH_CARD = {"expand": ["payment_method"]}

_NO_HOLD: Mapping[PaymentStatus, str] = {
    PaymentStatus.CAPTURED: "already_captured",
    PaymentStatus.VOIDED: "voided",
    PaymentStatus.EXPIRED: "authorisation_expired",
}


@contextmanager
def _changed_meanwhile() -> Iterator[None]:
    """Something else has happened to the intent since we looked: look again soon."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.code and (error.code.endswith("_unexpected_state") or error.code.startswith("charge_")):
            raise Retryable(f"it has changed meanwhile ({error.code})", after=1) from None
        raise


def _refunded(made: Any, reference: str) -> Refund:
    if made.status in ("failed", "canceled"):
        raise Declined("refund_failed", reference=reference)
    return Refund(made.id, reading.money(made.amount, made.currency))


class Stripe:
    """The port's verbs, in Stripe's words. Cards are typed into Stripe's own frames and never come here."""

    capabilities = PaymentCapabilities(onboarding=True)

    def __init__(self, context: ProviderContext, api: str = API) -> None:
        self._context, self._api = context, api
        self._settings: Settings = context.settings
        self._mode = "live" if self._settings.live else "test"

    @cached_property
    def _line(self) -> Line:
        return Line(self._context, self._api)

    @cached_property
    def _payouts(self) -> Payouts:
        return Payouts(self._context, self._line)

    # ---- the page

    def windows(self) -> AuthorisationWindows:
        """What card networks promise at least (https://docs.stripe.com/payments/place-a-hold-on-a-payment-method)."""
        return AuthorisationWindows(client_present=timedelta(days=7), off_session=timedelta(days=4, hours=18))

    def client_setup(self) -> ClientSetup:
        public = {"publishable_key": self._settings.publishable_key, "script": SCRIPT, "shifts": dict(reading.SHIFTS)}
        return ClientSetup(f"{PAGES}/card.js", public, CSP_SOURCES)

    # ---- holding money, keeping cards

    def authorise(self, order: Order) -> ProviderPayment:
        return self._attempt(order, "payment", {"setup_future_usage": "off_session"}, {"return_url": order.return_url})

    def authorise_saved(self, order: Order) -> ProviderPayment:
        return self._attempt(order, "payment", {}, {"off_session": True})

    def save_method(self, order: Order) -> ProviderPayment:
        return self._attempt(order, "setup", {"usage": "off_session"}, {"return_url": order.return_url})

    def _attempt(self, order: Order, kind: str, made_with: dict[str, Any], confirmed_with: dict[str, Any]) -> ProviderPayment:
        with our_words():
            known = self._context.state.get(self._kept(order.reference))
            intent = self._retrieve(known) if known else self._begin(order, kind, made_with)
            if self._kind(intent.id) != kind or reading.order_amount(intent) != order.amount:
                raise Misconfigured("the order's reference was used for another one", field="reference")
            if reading.status_of(intent) is PaymentStatus.BEGUN:
                intent = self._confirm(intent, order, confirmed_with)
            found = self._read(intent)
        match found.status:
            case PaymentStatus.ACTION_REQUIRED:
                raise ActionRequired(found.url or "", reference=found.reference)
            case PaymentStatus.DECLINED:
                raise Declined(found.reason or "card_declined", reference=found.reference)
            case PaymentStatus.EXPIRED | PaymentStatus.VOIDED as status:
                raise Declined(_NO_HOLD[status], reference=found.reference)
        return found

    def _begin(self, order: Order, kind: str, made_with: dict[str, Any]) -> Any:
        """A new intent, which asks nobody for anything yet; its id is written down before it is confirmed."""
        customer = self._customer(order.customer)
        try:
            intent = self._create(order, kind, made_with, customer)
        except stripe.InvalidRequestError as error:
            if error.param != "customer":
                raise
            customer = self._new_customer(order.customer, instead_of=customer)  # of another account or mode, or deleted there
            intent = self._create(order, kind, made_with, customer)
        self._context.state.put(self._kept(order.reference), intent.id)
        return intent

    def _create(self, order: Order, kind: str, made_with: dict[str, Any], customer: str) -> Any:
        metadata = {"order": order.reference, "tenant": str(self._context.tenant_id)}
        wanted: dict[str, Any] = {
            "customer": customer,
            # With wallets, which are cards; what else there is cannot be held now and taken later.
            "allowed_payment_method_types": ["card"],
            **made_with,
        }
        if order.description:
            wanted["description"] = order.description
        key = f"{order.reference}/{customer}"
        if kind == "setup":
            metadata |= {"amount": str(order.amount.minor), "currency": order.amount.currency}
            wanted |= {"metadata": metadata, **WITH_CARD}
            return self._line.once(key, lambda options: self._line.v1.setup_intents.create(wanted, options))
        wanted |= {"amount": reading.units(order.amount), "currency": order.amount.currency.lower(), "capture_method": "manual"}
        if self._settings.statement_suffix:
            wanted["statement_descriptor_suffix"] = self._settings.statement_suffix
        wanted |= {"metadata": metadata, **WITH}
        return self._line.once(key, lambda options: self._line.v1.payment_intents.create(wanted, options))

    def _confirm(self, intent: Any, order: Order, confirmed_with: dict[str, Any]) -> Any:
        source = "confirmation_token" if order.method.startswith("ctoken_") else "payment_method"
        wanted: dict[str, Any] = {source: order.method, **{name: value for name, value in confirmed_with.items() if value}}
        key = f"{order.reference}/confirm"
        try:
            if self._kind(intent.id) == "setup":
                confirm: Any = self._line.v1.setup_intents.confirm
                return self._line.once(key, lambda options: confirm(intent.id, wanted | WITH_CARD, options))
            confirm = self._line.v1.payment_intents.confirm
            return self._line.once(key, lambda options: confirm(intent.id, wanted | WITH, options))
        except stripe.CardError:
            return self._retrieve(intent.id)  # the refusal stands in the intent
        except stripe.InvalidRequestError as error:
            if str(error.param).startswith(("payment_method", "confirmation_token")):
                raise Declined("unknown_card", reference=intent.id) from None
            if error.code and error.code.endswith("_unexpected_state"):
                return self._retrieve(intent.id)
            raise

    def _customer(self, customer: Customer) -> str:
        """The payer at Stripe: by our id alone, no name and no address."""
        known = self._context.state.get(self._kept_customer(customer)) or customer.reference
        return str(known) if known else self._new_customer(customer)

    def _new_customer(self, customer: Customer, instead_of: str = "") -> str:
        wanted: Any = {"metadata": {"person": str(customer.person_id), "tenant": str(self._context.tenant_id)}}
        key = f"customer/{customer.person_id}/{instead_of}"
        made = self._line.once(key, lambda options: self._line.v1.customers.create(wanted, options))
        self._context.state.put(self._kept_customer(customer), made.id)
        return made.id

    def forget_method(self, method: SavedMethod) -> None:
        with our_words():
            try:
                kept = self._line.v1.payment_methods.retrieve(method.reference)
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    return
                raise
            if kept.customer == method.customer:
                self._line.once(
                    f"forget/{method.reference}",
                    lambda options: self._line.v1.payment_methods.detach(method.reference, {}, options),
                )

    def forget(self, person_id: UUID) -> None:
        """Nobody is this payer any more: Stripe keeps none of their cards, and of what was paid what it has to keep."""
        key = self._kept_customer(Customer(person_id))
        known = self._context.state.get(key)
        if known is None:
            return
        with our_words():
            try:
                self._line.v1.customers.delete(str(known))
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":  # deleted before, or in the dashboard
                    raise
        self._context.state.delete(key)

    # ---- taking, letting go, giving back: look first, so that what was done already is success at any time

    def capture(self, reference: str, amount: Money, key: str) -> ProviderPayment:
        with our_words():
            found = self._find(reference)
            match found.status:
                case PaymentStatus.CAPTURED if found.captured == amount:
                    return found
                case PaymentStatus.AUTHORISED if amount > found.amount:
                    raise Declined("over_capture", reference=reference)
                case PaymentStatus.AUTHORISED:
                    wanted: Any = {"amount_to_capture": reading.units(amount), **WITH}
                    capture = self._line.v1.payment_intents.capture
                    with _changed_meanwhile():
                        return self._read(
                            self._line.once(f"capture/{reference}/{key}", lambda options: capture(reference, wanted, options))
                        )
            raise Declined(_NO_HOLD.get(found.status, "not_authorised"), reference=reference)

    def void(self, reference: str, key: str) -> ProviderPayment:
        with our_words():
            found = self._find(reference)
            match found.status:
                case PaymentStatus.CAPTURED:
                    raise Declined("already_captured", reference=reference)
                case PaymentStatus.AUTHORISED | PaymentStatus.ACTION_REQUIRED | PaymentStatus.BEGUN:
                    saves = self._kind(reference) == "setup"
                    cancel: Any = self._line.v1.setup_intents.cancel if saves else self._line.v1.payment_intents.cancel
                    wanted = {"cancellation_reason": "abandoned", **(WITH_CARD if saves else WITH)}
                    with _changed_meanwhile():
                        return self._read(
                            self._line.once(f"void/{reference}/{key}", lambda options: cancel(reference, wanted, options))
                        )
            return found

    def refund(self, reference: str, amount: Money, key: str) -> Refund:
        with our_words():
            for made in self._refunds(reference):
                if getattr(made.metadata, "key", None) == key:
                    if reading.money(made.amount, made.currency) != amount:
                        raise Misconfigured("the key was used for another refund", field="key")
                    return _refunded(made, reference)
            found = self._find(reference)
            if disputes.stands(found):
                raise Declined("disputed", reference=reference)
            if amount > found.captured - found.refunded or disputes.is_lost(found):
                raise Declined("over_refund", reference=reference)
            wanted: Any = {
                "payment_intent": reference, "amount": reading.units(amount),
                "metadata": {"key": key, "tenant": str(self._context.tenant_id)},
            }  # fmt: skip
            with _changed_meanwhile():
                return _refunded(
                    self._line.once(f"refund/{reference}/{key}", lambda options: self._line.v1.refunds.create(wanted, options)),
                    reference,
                )

    def _refunds(self, reference: str) -> Sequence[Any]:
        return list(self._line.v1.refunds.list({"payment_intent": reference, "limit": 100}).auto_paging_iter())

    # ---- the truth

    def fetch(self, reference: str) -> ProviderPayment:
        with our_words():
            return self._find(reference)

    def find_by_reference(self, order_reference: str) -> ProviderPayment | None:
        """By the id that was written down; where that is gone (a restored database), by Stripe's own search.

        The search is minutes behind and knows no setup intents, which is enough for that case: those hold no money.
        """
        with our_words():
            known = self._context.state.get(self._kept(order_reference))
            if known:
                return self._find(known)
            if "'" in order_reference or "\\" in order_reference:
                return None
            query = f"metadata['order']:'{order_reference}' AND metadata['tenant']:'{self._context.tenant_id}'"
            found = self._line.v1.payment_intents.search({"query": query, "limit": 1}).data
            return self._find(found[0].id) if found else None

    def list_changed_since(self, moment: datetime) -> Sequence[str]:
        """From Stripe's events, which are kept for 30 days."""
        with our_words():
            wanted: Any = {"created": {"gte": int(moment.timestamp())}, "types": list(webhooks.KINDS), "limit": 100}
            told = [webhooks.subject(event) for event in self._line.v1.events.list(wanted).auto_paging_iter()]
            references = dict.fromkeys(one.reference for one in told if one and one.tenant in (self._tenant, None))
            sure = {one.reference for one in told if one and one.tenant == self._tenant}
            return tuple(reference for reference in references if reference in sure or self._is_ours(reference))

    def _is_ours(self, reference: str) -> bool:
        with suppress(Declined):
            self._retrieve(reference)
            return True
        return False

    def _find(self, reference: str) -> ProviderPayment:
        return self._read(self._retrieve(reference))

    def _retrieve(self, reference: str) -> Any:
        """The intent, with its charge and card. Another tenant's is as unknown as none."""
        try:
            if self._kind(reference) == "setup":
                found: Any = self._line.v1.setup_intents.retrieve(reference, WITH_CARD)
            else:
                found = self._line.v1.payment_intents.retrieve(reference, WITH)
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            raise Declined("unknown_payment", reference=reference) from None
        if getattr(found.metadata, "tenant", None) != self._tenant:
            raise Declined("unknown_payment", reference=reference)
        return found

    def _read(self, intent: Any) -> ProviderPayment:
        """The intent in our words, with what its charge does not tell by itself."""
        found = reading.payment(intent)
        if found.status is not PaymentStatus.CAPTURED:
            return found
        if reading.refunds_hidden(intent):
            found = replace(found, refunded=reading.given_back(self._refunds(intent.id), found.amount.currency))
        if intent.latest_charge.disputed:
            found = replace(found, dispute=disputes.newest(self._line, intent.id))
        return found

    # ---- messages, disputes, paying experts

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        return webhooks.read(self._context.secret("webhook_secret"), headers, body, live=self._settings.live)

    def submit_evidence(self, reference: str, evidence: Mapping[str, str], key: str) -> None:
        with our_words():
            disputes.answer(self._line, self._find(reference), evidence, key)

    def payout_onboarding(self, partner_id: UUID, return_url: str) -> str:
        with our_words():
            return self._payouts.onboarding(partner_id, return_url)

    def transfer(self, partner_id: UUID, amount: Money, key: str) -> Transfer:
        with our_words():
            return self._payouts.transfer(partner_id, amount, key)

    def reverse_transfer(self, reference: str, amount: Money, key: str) -> Transfer:
        with our_words():
            return self._payouts.reverse(reference, amount, key)

    # ---- names

    @property
    def _tenant(self) -> str:
        return str(self._context.tenant_id)

    def _kept(self, order_reference: str) -> str:
        return f"{self._mode}/order/{order_reference}"

    def _kept_customer(self, customer: Customer) -> str:
        return f"{self._mode}/customer/{customer.person_id}"

    @staticmethod
    def _kind(reference: str) -> str:
        return "setup" if reference.startswith("seti_") else "payment"
