"""The payment port over a company that is played by `company.py`: a working start. No money moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from fxo.core.errors import ActionRequired, Declined
from fxo.core.money import Money
from fxo.core.payments.port import (
    AuthorisationWindows,
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
from fxo.core.plugins import ProviderContext

from .company import FEE, HELD_FOR, Company, read_notice


class Settings(BaseModel):
    """What a tenant fills in."""

    webhook_secret: SecretStr = Field(title="Webhook secret", description="Signs what the company sends.")


class AcmePayments:
    """`PaymentProvider`: the port's verbs in the company's words, and its answers in ours."""

    capabilities = PaymentCapabilities(disputes=False)

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self.company = Company(context.state, context.clock, context.system_clock, context.secret("webhook_secret"))

    def windows(self) -> AuthorisationWindows:
        return AuthorisationWindows(client_present=HELD_FOR, off_session=HELD_FOR)

    def client_setup(self) -> ClientSetup:
        cards = [{"token": "card_works", "does": "Works"}, {"token": "card_declined", "does": "Is declined"}]
        return ClientSetup("/plugins/payments_acme/static/card.js", {"cards": cards})

    def authorise(self, order: Order) -> ProviderPayment:
        return self._ordered(order, "authorised", present=True)

    def save_method(self, order: Order) -> ProviderPayment:
        return self._ordered(order, "saved", present=True)

    def authorise_saved(self, order: Order) -> ProviderPayment:
        return self._ordered(order, "authorised", present=False)

    def forget_method(self, method: SavedMethod) -> None:
        self.company.forget(method.reference)

    def capture(self, reference: str, amount: Money, key: str) -> ProviderPayment:
        now = self.fetch(reference)
        if now.status is PaymentStatus.CAPTURED:
            return now
        if now.status is not PaymentStatus.AUTHORISED:
            raise Declined("not_authorised", reference=reference)
        if amount.minor > now.amount.minor:
            raise Declined("over_capture", reference=reference)
        return _payment(self.company.change(reference, status="captured", captured=amount.minor))

    def void(self, reference: str, key: str) -> ProviderPayment:
        now = self.fetch(reference)
        if now.status is PaymentStatus.CAPTURED:
            raise Declined("captured", reference=reference)
        if now.status in (PaymentStatus.VOIDED, PaymentStatus.EXPIRED, PaymentStatus.DECLINED):
            return now
        return _payment(self.company.change(reference, status="voided"))

    def refund(self, reference: str, amount: Money, key: str) -> Refund:
        return Refund(self.company.refund(reference, amount.minor, key), amount)

    def fetch(self, reference: str) -> ProviderPayment:
        return _payment(self.company.payment(reference))

    def find_by_reference(self, order_reference: str) -> ProviderPayment | None:
        found = self.company.by_order(order_reference)
        return _payment(found) if found else None

    def list_changed_since(self, moment: datetime) -> Sequence[str]:
        return self.company.changed_since(moment)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        sent = read_notice(self._context.secret("webhook_secret"), headers, body)
        if abs(datetime.fromisoformat(sent["sent"]) - self._context.system_clock()) > timedelta(minutes=5):
            raise Declined("bad_signature")
        return [Notice(sent["id"], sent["kind"], sent["reference"], sent["order"], datetime.fromisoformat(sent["at"]))]

    def payout_onboarding(self, partner_id: UUID, return_url: str) -> str:
        return return_url  # nothing to fill in: the company that is played pays everybody

    def transfer(self, partner_id: UUID, amount: Money, key: str) -> Transfer:
        return Transfer(self.company.transfer(amount.minor, key), amount)

    def reverse_transfer(self, reference: str, amount: Money, key: str) -> Transfer:
        return Transfer(self.company.reverse(reference, amount.minor, key), amount)

    def submit_evidence(self, reference: str, evidence: Mapping[str, str], key: str) -> None:
        raise Declined("no_dispute", reference=reference)

    def _ordered(self, order: Order, wanted: str, *, present: bool) -> ProviderPayment:
        found = self.company.order(
            order.reference, order.method, str(order.customer.person_id), order.amount.minor, order.amount.currency,
            wanted=wanted, present=present,
        )  # fmt: skip
        if found["status"] == "declined":
            raise Declined(found["reason"], reference=found["reference"])
        if found["status"] == "action_required":
            raise ActionRequired(found["url"], reference=found["reference"])
        return _payment(found)


def _payment(found: Mapping[str, object]) -> ProviderPayment:
    """The company's record in words of the port."""
    currency, card, until = str(found["currency"]), found["card"], found["until"]
    amount, captured, refunded = (Money(int(str(found[part])), currency) for part in ("amount", "captured", "refunded"))
    return ProviderPayment(
        str(found["reference"]), str(found["order"]), PaymentStatus(str(found["status"])), amount, captured, refunded,
        capture_before=datetime.fromisoformat(str(until)) if until else None,
        method=SavedMethod(str(found["customer"]), str(card), "Test card") if card else None,
        url=str(found["url"]) if found["url"] else None,
        reason=str(found["reason"]) if found["reason"] else None,
        fee=Money(captured.minor * FEE // 1_000, currency) if captured.minor else None,
    )  # fmt: skip
