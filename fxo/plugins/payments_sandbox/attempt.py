"""One attempt at money: its values, and the rules of what may still be done with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from fxo.core.errors import Declined, Misconfigured
from fxo.core.money import Money
from fxo.core.payments.port import Dispute, DisputeStatus, PaymentStatus
from fxo.plugins.payments_sandbox.cards import Card


class Verb(StrEnum):
    """What an attempt was made for."""

    AUTHORISE = "authorise"
    SAVE_METHOD = "save_method"
    AUTHORISE_SAVED = "authorise_saved"

    @property
    def present(self) -> bool:
        """Whether the client sits in front of the page."""
        return self is not Verb.AUTHORISE_SAVED


@dataclass(frozen=True, slots=True)
class Tariff:
    """What the network keeps of a payment: `rate` of it in basis points and `fixed` minor units, known `after` the capture.

    Where it `returns` the fee, a refund brings back its part of it.
    """

    rate: int = 0
    fixed: int = 0
    after: timedelta = timedelta()
    returns: bool = False

    def fee(self, amount: Money) -> int:
        """In minor units, and never more than the amount."""
        return min(amount.share(self.rate).minor + self.fixed, amount.minor)


FREE = Tariff()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at money, as it stands at the moment of reading."""

    reference: str
    order_reference: str
    verb: Verb
    source: str
    """The token or saved method that was given."""
    customer: str
    card: Card
    amount: Money
    description: str = ""
    return_url: str = ""
    status: PaymentStatus = PaymentStatus.ACTION_REQUIRED
    reason: str | None = None
    challenge: str | None = None
    """The unguessable part of the confirmation page's address."""
    method: str | None = None
    """The saved method, once there is one."""
    capture_before: datetime | None = None
    captured: int = 0
    refunded: int = 0
    stumbles: int = 0
    fee: int = 0
    fee_back: int = 0
    """What the network keeps of what was taken, and what of that it has given back."""
    fee_known_at: datetime | None = None
    dispute: Dispute | None = None
    """The newest one."""

    def same_order(self, other: Attempt) -> bool:
        """Whether the other one asks for the same thing."""
        asked = [(each.verb, each.source, each.customer, each.amount) for each in (self, other)]
        return asked[0] == asked[1]

    def declined(self, reason: str) -> Attempt:
        return replace(self, status=PaymentStatus.DECLINED, reason=reason)

    def capture(self, amount: Money) -> Attempt:
        """The attempt with this much taken, and the rest of the hold let go. Raises `Declined` where that cannot be."""
        _check_amount(amount, self.amount)
        match self.status:
            case PaymentStatus.AUTHORISED if amount.minor <= self.amount.minor:
                return replace(self, status=PaymentStatus.CAPTURED, captured=amount.minor)
            case PaymentStatus.AUTHORISED:
                reason = "over_capture"
            case PaymentStatus.EXPIRED:
                reason = "authorisation_expired"
            case PaymentStatus.CAPTURED:
                reason = "already_captured"
            case _:
                reason = "not_authorised"
        raise Declined(reason, reference=self.reference)

    def refund(self, amount: Money) -> Attempt:
        """The attempt with this much more given back; all refunds together never exceed what was captured."""
        _check_amount(amount, self.amount)
        lost = 0
        if self.dispute:
            if self.dispute.status in (DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW):
                raise Declined("disputed", reference=self.reference)
            lost = self.dispute.amount.minor if self.dispute.status is DisputeStatus.LOST else 0
        if self.refunded + lost + amount.minor > self.captured:
            raise Declined("over_refund", reference=self.reference)
        return replace(self, refunded=self.refunded + amount.minor)

    def charged(self, tariff: Tariff, now: datetime) -> Attempt:
        """The captured attempt with what the network keeps of it, and with what of that it gives back."""
        fee = self.fee if self.fee_known_at else tariff.fee(Money(self.captured, self.amount.currency))
        back = fee * self.refunded // self.captured if tariff.returns else self.fee_back
        return replace(self, fee=fee, fee_back=back, fee_known_at=self.fee_known_at or now + tariff.after)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money paid on to a partner, and how much of it was taken back."""

    reference: str
    partner_id: UUID
    amount: Money
    reversed: int = 0

    def reverse(self, amount: Money) -> Transfer:
        """The transfer with this much more taken back; never more than was paid."""
        _check_amount(amount, self.amount)
        if self.reversed + amount.minor > self.amount.minor:
            raise Declined("over_reversal", reference=self.reference)
        return replace(self, reversed=self.reversed + amount.minor)


@dataclass(frozen=True, slots=True)
class Account:
    """Where a tenant wants its notices, and what they are signed with.

    `endpoint` is the public address. The connection goes to `deliver_to`, such as `http://127.0.0.1:8000`, with the endpoint's
    host in the Host header, since names under `localhost` do not resolve everywhere. Empty: nothing is delivered.
    """

    endpoint: str
    deliver_to: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the network's log: something about this attempt has changed."""

    id: str
    kind: str
    reference: str
    order_reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that really happened, once for its key. `subject` is the attempt, or else the transfer."""

    id: str
    subject: str
    amount: Money


def _check_amount(amount: Money, whole: Money) -> None:
    if amount.currency != whole.currency:
        raise Misconfigured(f"the amount is in {amount.currency} and the payment in {whole.currency}", field="amount")
    if amount.minor <= 0:
        raise Misconfigured("the amount must be more than nothing", field="amount")
