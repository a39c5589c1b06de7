"""Disputes at Stripe: which one counts, and answering it with what speaks for us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fxo.core.errors import Declined
from fxo.core.payments.port import Dispute, DisputeStatus, ProviderPayment
from fxo.plugins.payments_stripe import reading
from fxo.plugins.payments_stripe.line import Line

_FIELDS: Mapping[str, str] = {
    "service": "product_description",
    "policy": "cancellation_policy_disclosure",
    "joined": "access_activity_log",
}
"""Where Stripe has a place of its own for what we have; the rest stands in `uncategorized_text`."""
LONGEST = 20_000
"""Characters in one field (https://docs.stripe.com/api/disputes/evidence_object)."""


def newest(line: Line, intent: str) -> Dispute | None:
    """The newest dispute about the payment that has drawn money."""
    found = _newest(line, intent)
    return reading.dispute(found) if found else None


def stands(found: ProviderPayment) -> bool:
    """Whether it is still undecided."""
    return found.dispute is not None and found.dispute.status in (DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW)


def is_lost(found: ProviderPayment) -> bool:
    return found.dispute is not None and found.dispute.status is DisputeStatus.LOST


def answer(line: Line, found: ProviderPayment, evidence: Mapping[str, str], key: str) -> None:
    """Send the evidence, once for the key."""
    asked = _newest(line, found.reference)
    dispute = reading.dispute(asked) if asked else None
    if dispute is None:
        raise Declined("no_dispute", reference=found.reference)
    if getattr(asked.metadata, "key", None) == key:
        return
    if dispute.status is not DisputeStatus.OPEN or asked.evidence_details.past_due:
        raise Declined("dispute_closed", reference=found.reference)
    wanted: Any = {"evidence": fields(evidence), "submit": True, "metadata": {"key": key}}
    line.once(f"evidence/{dispute.reference}/{key}", lambda options: line.v1.disputes.update(dispute.reference, wanted, options))


def fields(evidence: Mapping[str, str]) -> dict[str, str]:
    """The evidence in Stripe's fields, each as long as is allowed."""
    placed = {_FIELDS[name]: text for name, text in evidence.items() if name in _FIELDS}
    rest = "\n\n".join(f"{name.upper()}\n{text}" for name, text in evidence.items() if name not in _FIELDS)
    return {name: text[:LONGEST] for name, text in (placed | {"uncategorized_text": rest}).items() if text}


def _newest(line: Line, intent: str) -> Any:
    found = line.v1.disputes.list({"payment_intent": intent, "limit": 100}).data
    drawn = [each for each in found if reading.dispute(each)]
    return max(drawn, key=lambda each: each.created, default=None)
