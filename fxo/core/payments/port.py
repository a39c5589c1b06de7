"""The payment port: what a payment provider can be asked, in words of ours. No vendor type crosses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from fxo.core.money import Money
from fxo.core.payments.plan import AuthorisationWindows

__all__ = ["AuthorisationWindows"]


@dataclass(frozen=True, slots=True)
class Customer:
    """The payer at the provider: our id for them, and the provider's where it has met them before."""

    person_id: UUID
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A card kept for later: the provider's references, and a label for people (`Visa ending 4242`, never the number)."""

    customer: str
    reference: str
    label: str


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt at money. `reference` is ours, unique per attempt, and serves as the idempotency key in every retry of it."""

    reference: str
    amount: Money
    customer: Customer
    method: str
    """A token from the card field, or a `SavedMethod.reference`."""
    description: str = ""
    """For the card statement and the provider's pages; no personal data."""
    return_url: str = ""
    """Where the bank sends the client back to after a confirmation."""


class PaymentStatus(StrEnum):
    """How an attempt stands at the provider. `begun`: it is known there, and the bank was not asked yet; the same order again
    goes on with it.
    """

    BEGUN = "begun"
    ACTION_REQUIRED = "action_required"
    SAVED = "saved"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    DECLINED = "declined"


class DisputeStatus(StrEnum):
    """How a dispute stands at the provider: it waits for evidence, or for the bank, or is decided."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Dispute:
    """The cardholder wants a captured payment back. `fee` is what the provider takes for it; the amount is drawn at once."""

    reference: str
    status: DisputeStatus
    amount: Money
    fee: Money
    reason: str
    """One of our codes: `fraudulent`, `not_received`, `not_as_described`, `duplicate`, `general`."""
    answer_by: datetime
    """Until when evidence is heard."""


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """An attempt as the provider sees it now: the truth that webhooks and redirects only announce.

    `reference` is the provider's id of it, `order_reference` ours; `captured` and `refunded` are cumulative.
    """

    reference: str
    order_reference: str
    status: PaymentStatus
    amount: Money
    captured: Money
    refunded: Money
    capture_before: datetime | None = None
    method: SavedMethod | None = None
    url: str | None = None
    """Where a person has to act, while `action_required`."""
    reason: str | None = None
    """Why it was declined, as one of our codes."""
    dispute: Dispute | None = None
    """The newest dispute about it."""
    fee: Money | None = None
    """What the provider keeps for having taken it, in the payment's currency and without a dispute's fee; less where it gives
    something of it back at a refund. None as long as it does not say.
    """


@dataclass(frozen=True, slots=True)
class Refund:
    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Transfer:
    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Notice:
    """One verified message from the provider: something about this attempt has changed; ask `fetch` what."""

    event_id: str
    kind: str
    reference: str
    order_reference: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """How a page takes card details: one ES module with `mount(element, config)` and `confirm() -> Promise<{token}>`.

    `config` is `public_config` with what the page knows: `amount` {`minor`, `currency`}, `holds` (whether that is held now, or
    the card is only kept) and `language`.
    Card details go from the browser to the provider and never through us (PCI DSS, PRD SR-2.1).
    """

    module_url: str
    public_config: Mapping[str, Any] = field(default_factory=dict)
    csp_sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """CSP directive (`script-src`, `frame-src`, `connect-src`) to the sources that checkout adds."""


@dataclass(frozen=True, slots=True)
class PaymentCapabilities:
    """What this provider can do; asked, never guessed."""

    partial_capture: bool = True
    partial_refund: bool = True
    transfers: bool = True
    onboarding: bool = False
    """Whether a partner has to say at the provider who they are before they can be paid (`payout_onboarding`)."""
    disputes: bool = True
    fees: bool = True
    """Whether it says what it keeps of each payment (`ProviderPayment.fee`), be it later than the payment is captured."""


class PaymentProvider(Protocol):
    """A company that holds, takes and returns money on cards.

    Every method is called outside a database transaction, from durable work or a page, with a time limit.
    It may be called again with the same order after a crash: the same `order.reference` must never move money twice.
    Failing: `Declined`, `ActionRequired`, `Retryable`, `Unavailable`, `Misconfigured` from `fxo.core.errors`; anything else
    counts as `Unavailable` and as a strike for the breaker.
    """

    @property
    def capabilities(self) -> PaymentCapabilities: ...

    def windows(self) -> AuthorisationWindows:
        """The shortest times for which an authorisation surely holds. A declaration: asked once, also while the provider is
        left alone because it fails; no network call.
        """
        ...

    def client_setup(self) -> ClientSetup:
        """What the checkout page loads to take a card. A declaration as `windows` is; public values only."""
        ...

    def authorise(self, order: Order) -> ProviderPayment:
        """Hold the amount with the client present and keep the card for off-session use.

        Called once the slot is claimed. Returns an authorised payment with its real `capture_before` and `method`.
        Must not capture. Raises `Declined`, or `ActionRequired` where the bank wants the client's word.
        """
        ...

    def save_method(self, order: Order) -> ProviderPayment:
        """Keep the card for off-session use without holding money, doing any authentication now. Returns status `saved`."""
        ...

    def authorise_saved(self, order: Order) -> ProviderPayment:
        """Hold the amount on a saved card while the client is away. `Declined('authentication_required')` where the
        bank insists.
        """
        ...

    def forget_method(self, method: SavedMethod) -> None:
        """Keep this card no longer; unknown or forgotten already is success. What is held on it stays held.

        Called from durable work after the client has removed the card. Afterwards the method is `Declined('unknown_card')`.
        """
        ...

    def capture(self, reference: str, amount: Money, key: str) -> ProviderPayment:
        """Take the amount (at most what is held); already captured is success. `key` is the idempotency key."""
        ...

    def void(self, reference: str, key: str) -> ProviderPayment:
        """End an authorisation that was not captured; already voided or expired is success. Never touches captured money."""
        ...

    def refund(self, reference: str, amount: Money, key: str) -> Refund:
        """Give back part or all of what was captured; more than that is `Declined('over_refund')`."""
        ...

    def fetch(self, reference: str) -> ProviderPayment:
        """The attempt as it is now, by the provider's id."""
        ...

    def find_by_reference(self, order_reference: str) -> ProviderPayment | None:
        """The attempt as it is now, by our reference; None where the provider never saw it. Asked before a late retry.

        An attempt that is only `begun` is found, so that it can be ended: asked for again it would go on.
        """
        ...

    def list_changed_since(self, moment: datetime) -> Sequence[str]:
        """Provider ids of the attempts of this tenant that changed since then; for the reconciler."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        """Verify the signature and its age, and parse. Raises `Misconfigured` without a secret,
        `Declined('bad_signature')` on a forgery.
        """
        ...

    def payout_onboarding(self, partner_id: UUID, return_url: str) -> str:
        """The page at the provider where a partner sets up being paid."""
        ...

    def transfer(self, partner_id: UUID, amount: Money, key: str) -> Transfer:
        """Pay a partner; at most once for the key."""
        ...

    def reverse_transfer(self, reference: str, amount: Money, key: str) -> Transfer:
        """Take back part or all of a transfer; at most once for the key."""
        ...

    def submit_evidence(self, reference: str, evidence: Mapping[str, str], key: str) -> None:
        """Answer a dispute on a captured payment; `Declined('no_dispute')` where there is none."""
        ...
