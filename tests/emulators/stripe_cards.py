"""Stripe's test cards, by the names that its test mode has for them (https://docs.stripe.com/testing)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """What the bank of a test card does."""

    last4: str
    brand: str = "visa"
    declined: str | None = None
    """The decline code of every charge."""
    saves: bool = True
    """Whether it can be kept although it is declined."""
    asks: str = "never"
    """`once`: until it was confirmed; `always`: at every charge."""
    disputed: str | None = None
    """The reason with which each captured charge is disputed; `warning` makes an inquiry of it."""


CARDS: Mapping[str, Card] = {
    "pm_card_visa": Card("4242"),
    "pm_card_mastercard": Card("4444", "mastercard"),
    "pm_card_visa_chargeDeclined": Card("0002", declined="generic_decline", saves=False),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card("9995", declined="insufficient_funds", saves=False),
    "pm_card_chargeDeclinedExpiredCard": Card("0069", declined="expired_card", saves=False),
    "pm_card_chargeCustomerFail": Card("0341", declined="generic_decline"),
    "pm_card_authenticationRequiredOnSetup": Card("3155", asks="once"),
    "pm_card_authenticationRequired": Card("3184", asks="always"),
    "pm_card_createDispute": Card("0259", disputed="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Card("2685", disputed="product_not_received"),
    "pm_card_createDisputeInquiry": Card("1976", disputed="warning"),
}
