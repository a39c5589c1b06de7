"""What Stripe's objects say, in values of the port. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from fxo.core.errors import Misconfigured, Retryable
from fxo.core.money import Money, exponent
from fxo.core.payments.port import Dispute, DisputeStatus, PaymentStatus, ProviderPayment, SavedMethod
from fxo.plugins.payments_stripe.line import reason_of

SHIFTS: Mapping[str, int] = {"ISK": 2, "UGX": 2, "MGA": -2}
"""Where Stripe counts otherwise than ISO 4217: decimals more or less (https://docs.stripe.com/currencies#special-cases)."""

_LAPSED = ("automatic", "expired")
"""Why Stripe itself cancels an intent: nobody captured it in time."""

_BRANDS: Mapping[str, str] = {
    "amex": "American Express", "cartes_bancaires": "Cartes Bancaires", "diners": "Diners Club", "discover": "Discover",
    "eftpos_au": "eftpos", "jcb": "JCB", "mastercard": "Mastercard", "unionpay": "UnionPay", "visa": "Visa",
}  # fmt: skip

_REASONS: Mapping[str, str] = {
    "fraudulent": "fraudulent", "unrecognized": "fraudulent", "product_not_received": "not_received",
    "product_unacceptable": "not_as_described", "duplicate": "duplicate",
}  # fmt: skip

_DISPUTES: Mapping[str, DisputeStatus] = {
    "needs_response": DisputeStatus.OPEN, "appeal_needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.UNDER_REVIEW, "appeal_under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON, "lost": DisputeStatus.LOST,
}  # fmt: skip
"""Inquiries (`warning_...`) and what Stripe has prevented draw no money, and are no disputes to us."""


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def units(amount: Money) -> int:
    """The amount as Stripe counts it. Raises `Misconfigured` for one that Stripe would round."""
    shift = SHIFTS.get(amount.currency, 0)
    found, rest = (amount.minor * 10**shift, 0) if shift >= 0 else divmod(amount.minor, 10**-shift)
    if rest or (exponent(amount.currency) == 3 and found % 10):
        raise Misconfigured(f"Stripe cannot take {amount.minor} minor units of {amount.currency}", field="amount")
    return found


def money(found: int, currency: str) -> Money:
    """The amount that Stripe counts as `found`."""
    code = currency.upper()
    shift = SHIFTS.get(code, 0)
    return Money(found // 10**shift if shift >= 0 else found * 10**-shift, code)


def status_of(intent: Any) -> PaymentStatus:
    """How an intent stands. Raises `Retryable` while Stripe itself does not know."""
    saves = intent.object == "setup_intent"
    match intent.status:
        case "requires_payment_method" if problem_of(intent):
            return PaymentStatus.DECLINED
        case "requires_payment_method" | "requires_confirmation":
            return PaymentStatus.BEGUN
        case "requires_action":
            return PaymentStatus.ACTION_REQUIRED
        case "requires_capture":
            return PaymentStatus.AUTHORISED
        case "succeeded":
            return PaymentStatus.SAVED if saves else PaymentStatus.CAPTURED
        case "canceled":
            return PaymentStatus.EXPIRED if intent.cancellation_reason in _LAPSED else PaymentStatus.VOIDED
    raise Retryable(f"{intent.id} is still {intent.status}", after=2)


def problem_of(intent: Any) -> Any:
    """The last refusal of the card, or None."""
    return intent.last_setup_error if intent.object == "setup_intent" else intent.last_payment_error


def payment(intent: Any, *, refunded: Money | None = None, dispute: Dispute | None = None) -> ProviderPayment:
    """An intent, read with its charge and card. `refunded` where the charge does not tell (`refunds_hidden`)."""
    status, saves = status_of(intent), intent.object == "setup_intent"
    charge = None if saves else intent.latest_charge
    amount = order_amount(intent)
    captured = Money(0, amount.currency) if saves else money(intent.amount_received, intent.currency)
    if refunded is None:
        given_back = charge.amount_refunded if charge and status is PaymentStatus.CAPTURED else 0
        refunded = money(given_back, amount.currency)
    action = intent.next_action if status is PaymentStatus.ACTION_REQUIRED else None
    problem = problem_of(intent) if status is PaymentStatus.DECLINED else None
    return ProviderPayment(
        reference=intent.id,
        order_reference=intent.metadata["order"],
        status=status,
        amount=amount,
        captured=captured,
        refunded=refunded,
        capture_before=_capture_before(charge) if status is PaymentStatus.AUTHORISED else None,
        method=_method(intent) if status in _KEEPS else None,
        url=action.redirect_to_url.url if action else None,
        reason=reason_of(problem) if problem else None,
        dispute=dispute,
        fee=_fee(charge, captured) if status is PaymentStatus.CAPTURED else None,
    )


_KEEPS = (PaymentStatus.SAVED, PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED, PaymentStatus.EXPIRED)


def order_amount(intent: Any) -> Money:
    """The order's amount; a setup intent has none of its own, so it stands in its metadata."""
    if intent.object == "setup_intent":
        return Money(int(intent.metadata["amount"]), intent.metadata["currency"])
    return money(intent.amount, intent.currency)


def refunds_hidden(intent: Any) -> bool:
    """Whether the charge counts what a partial capture has let go among what was refunded."""
    charge = intent.latest_charge
    return bool(charge and charge.amount_refunded and intent.amount_received < intent.amount)


def given_back(refunds: Iterable[Any], currency: str) -> Money:
    """What refunds have given back; what a partial capture has let go never moved money, and has no entry in the balance."""
    real = (made.amount for made in refunds if made.status not in ("failed", "canceled") and made.balance_transaction)
    return money(sum(real), currency)


def _fee(charge: Any, captured: Money) -> Money | None:
    """What Stripe keeps of the charge, also when it is refunded (https://docs.stripe.com/refunds); None until the charge is
    entered in the balance. Where that is kept in another currency, the fee is the same part of the amount.
    """
    entry = getattr(charge, "balance_transaction", None)
    if entry is None or isinstance(entry, str):
        return None
    if entry.currency.upper() == captured.currency:
        return money(entry.fee, entry.currency)
    return Money((captured.minor * entry.fee * 2 + entry.amount) // (entry.amount * 2), captured.currency)


def _capture_before(charge: Any) -> datetime:
    """Until when it can be captured, as the charge says; never assumed."""
    card = getattr(charge.payment_method_details, "card", None)
    moment = getattr(card, "capture_before", None)
    if not moment:
        raise Retryable(f"{charge.id} does not say until when it can be captured", after=5)
    return at(moment)


def _method(intent: Any) -> SavedMethod | None:
    kept = intent.payment_method
    if kept is None or isinstance(kept, str) or not intent.customer:
        return None
    card = kept.card
    return SavedMethod(intent.customer, kept.id, f"{_BRANDS.get(card.brand, 'Card')} ending {card.last4}")


def dispute(found: Any) -> Dispute | None:
    """A dispute that has drawn money, or None."""
    status = _DISPUTES.get(found.status)
    if status is None:
        return None
    drawn = [entry for entry in found.balance_transactions if entry.fee]
    fee = money(drawn[0].fee, drawn[0].currency) if drawn else money(0, found.currency)
    return Dispute(
        reference=found.id,
        status=status,
        amount=money(found.amount, found.currency),
        fee=fee,
        reason=_REASONS.get(found.reason, "general"),
        answer_by=at(found.evidence_details.due_by or found.created),
    )
