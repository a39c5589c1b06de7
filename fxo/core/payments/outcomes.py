"""The events that end a payment: what is owed, taken, given back, disputed, decided by a person, and the receipts of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fxo.core.events.model import Personal, event
from fxo.core.money import Money
from fxo.core.scope import FeeBearer


class Through(StrEnum):
    """Whose account the money goes through: it decides what the ledger books (architecture, section 8)."""

    PLATFORM = "platform"
    """The operator's account at the provider: the operator is the merchant of record and pays the experts."""
    TENANT = "tenant"
    """The tenant's own account: the tenant has the money, and owes it."""
    HAND = "hand"
    """Not through a provider: the operator has received it, and has entered it by hand."""


def _through_platform(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "through": "platform", "tax_rate": 0}


@event("payment.due")
@dataclass(frozen=True, slots=True)
class Due:
    """What the client owes for the booking is decided: its price, a fee, or nothing. How it is taken follows (`settling`)."""

    amount: Money
    reason: str


def _fee_unknown(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "fee_bearer": "platform", "provider_fee": None}


def _taken_fee_unknown(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "taken": _fee_unknown(data["taken"])}


@event("payment.captured", 3, {1: _through_platform, 2: _fee_unknown})
@dataclass(frozen=True, slots=True)
class Captured:
    """The money is ours; it says all that the ledger needs. `amount` has the tax in it; `tax_rate` and the share are in basis
    points, and the share is of what remains without the tax.
    """

    consultation_id: UUID
    client_id: UUID
    partner_id: UUID
    amount: Money
    partner_share: int
    reference: str
    through: Through = Through.PLATFORM
    tax_rate: int = 0
    fee_bearer: FeeBearer = FeeBearer.PLATFORM
    provider_fee: Money | None = None
    """What the provider keeps of it; None where that was not known yet (`ProviderFeeKnown`)."""


@event("payment.provider_fee_known")
@dataclass(frozen=True, slots=True)
class ProviderFeeKnown:
    """The provider says only now what it keeps of what was taken, or keeps another fee than `before`."""

    taken: Captured
    fee: Money
    before: Money


@event("payment.capture_failed")
@dataclass(frozen=True, slots=True)
class CaptureFailed:
    """What was held cannot be taken; what is owed is charged to the saved card again."""

    reason: str


@event("payment.charge_refused")
@dataclass(frozen=True, slots=True)
class ChargeRefused:
    """The saved card was refused for what the client owes; the client is asked for another one."""

    attempt: UUID
    reason: str


@event("payment.needs_person")
@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """Neither the saved card nor the client has paid: the operator decides. `reason`: `client_silent`, or an error's code."""

    reason: str


@event("payment.decided")
@dataclass(frozen=True, slots=True)
class Decided:
    """An operator has decided something about the money, and why; what follows stands in events of its own.

    `what`: `retry`, `ask_client`, `waive`, `refund`, `by_hand`, `evidence`.
    """

    what: str
    client_id: UUID
    note: Annotated[str, Personal("client_id")]


@event("payment.refund_asked")
@dataclass(frozen=True, slots=True)
class RefundAsked:
    """So much of what was taken is to be given back; `id` is the key at the provider."""

    id: UUID
    amount: Money
    reason: str


@event("payment.refunded", 2, {1: _taken_fee_unknown})
@dataclass(frozen=True, slots=True)
class Refunded:
    """It was given back, and `before` it so much was gone already of what was `taken`: what the ledger needs to split without
    drift (hard case 20).
    """

    id: UUID
    taken: Captured
    amount: Money
    before: Money
    reference: str


@event("payment.refund_failed")
@dataclass(frozen=True, slots=True)
class RefundFailed:
    """The provider will not give it back; a person has to look."""

    id: UUID
    reason: str


@event("payment.disputed", 2, {1: _taken_fee_unknown})
@dataclass(frozen=True, slots=True)
class Disputed:
    """The cardholder disputes the payment: the provider has drawn back the amount and a fee, and the expert's share is frozen.

    `answer_by`: until when evidence is heard. `before`: what was gone already of what was taken.
    """

    reference: str
    taken: Captured
    amount: Money
    before: Money
    fee: Money
    reason: str
    answer_by: datetime


@event("payment.evidence_sent")
@dataclass(frozen=True, slots=True)
class EvidenceSent:
    """The dispute was answered; `items` are the names of what was sent."""

    reference: str
    items: tuple[str, ...]


@event("payment.dispute_won", 2, {1: _taken_fee_unknown})
@dataclass(frozen=True, slots=True)
class DisputeWon:
    """The bank has decided for us: the amount is back, and the share is free again."""

    reference: str
    taken: Captured
    amount: Money
    before: Money


@event("payment.dispute_lost", 2, {1: _taken_fee_unknown})
@dataclass(frozen=True, slots=True)
class DisputeLost:
    """The bank has decided for the cardholder: the amount is gone, for the expert and the platform by their shares."""

    reference: str
    taken: Captured
    amount: Money
    before: Money


@event("payment.hold_lapsed")
@dataclass(frozen=True, slots=True)
class HoldLapsed:
    """What was held is held no longer, although nothing was decided; the saved card is authorised again."""

    attempt: UUID
    reason: str


class Paper(StrEnum):
    """A kind of document that a client gets about money."""

    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"


@event("payment.receipt_issued")
@dataclass(frozen=True, slots=True)
class ReceiptIssued:
    """A receipt, or a credit note for what was given back, with the next number of its kind in the tenant, without gaps.

    Everything that stands on it is fixed here. `amount` has the tax in it.
    """

    kind: Paper
    number: int
    client_id: UUID
    consultation_id: UUID
    amount: Money
    tax: Money
    tax_rate: int
    tax_name: str
    tax_id: str
    seller: str
    billed_to: Annotated[str, Personal("client_id")]
    company: Annotated[str, Personal("client_id")]
    expert: str
    starts_at: datetime
    what: str
    """`session`; `cancelled` or `missed` for one that did not take place (`fee` in older ones)."""
    for_receipt: int | None = None
    """Of a credit note: the number of the receipt that it corrects."""
