"""What Stripe sends and lists: events. They say what has changed; what it changed to is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import stripe

from fxo.core.errors import Declined
from fxo.core.payments.port import Notice
from fxo.plugins.payments_stripe import reading

KINDS = (
    "payment_intent.requires_action", "payment_intent.amount_capturable_updated", "payment_intent.payment_failed",
    "payment_intent.succeeded", "payment_intent.canceled",
    "setup_intent.requires_action", "setup_intent.succeeded", "setup_intent.setup_failed", "setup_intent.canceled",
    "charge.captured", "charge.expired", "charge.refunded",
    "refund.created", "refund.updated", "refund.failed",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
    "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated",
)  # fmt: skip
"""The events that the endpoint should get; Stripe lists at most 20 kinds at once."""
HEADER = "stripe-signature"
LIFETIME = 300
"""Seconds; an older message is refused, so that it cannot be sent again (https://docs.stripe.com/webhooks/signature)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: an intent, and our names for it where the event knows them."""

    reference: str
    order: str | None
    tenant: str | None


def read(secret: str, headers: Mapping[str, str], body: bytes, *, live: bool) -> Sequence[Notice]:
    """The notices in a message. One about nothing of ours, of an unknown kind or of the other mode gives none."""
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    try:
        stripe.WebhookSignature.verify_header(body, given, secret, LIFETIME)
    except (stripe.SignatureVerificationError, ValueError):
        raise Declined("bad_signature") from None
    try:
        event = stripe.Webhook.construct_event_without_verification(body)
        found = subject(event) if event.type in KINDS and event.livemode == live else None
        if found is None:
            return ()
        return (Notice(event.id, event.type, found.reference, found.order, reading.at(event.created)),)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Declined("bad_notice") from None


def subject(event: Any) -> Subject | None:
    """Which intent the event is about."""
    about = event.data.object
    intent = about.id if about.object in ("payment_intent", "setup_intent") else getattr(about, "payment_intent", None)
    if not isinstance(intent, str):
        return None
    metadata = getattr(about, "metadata", None)
    return Subject(intent, getattr(metadata, "order", None), getattr(metadata, "tenant", None))
