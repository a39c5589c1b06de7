"""What the provider knows and we do not yet: holds that ended there, refunds made there, disputes, its fee. Pure.

The reconciler and every notice end here: what was seen at the provider becomes the events that are missing.
"""

from __future__ import annotations

from fxo.core.errors import Conflict
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.payments.model import Authorisation, Paid, State, Voided
from fxo.core.payments.outcomes import (
    CaptureFailed,
    Decided,
    Disputed,
    DisputeLost,
    DisputeWon,
    EvidenceSent,
    HoldLapsed,
    ProviderFeeKnown,
    Refunded,
)
from fxo.core.payments.port import DisputeStatus, PaymentStatus, ProviderPayment
from fxo.core.payments.settling import capture


def found(state: State, seen: ProviderPayment) -> list[object]:
    """What has happened at the provider without our knowing, the payment being seen there like this. Nothing new: nothing."""
    match state:
        case Authorisation(held=held) if held.reference == seen.reference:
            return _hold(state, seen)
        case Paid(captured=taken) if taken.reference == seen.reference:
            return _taken(state, seen)
    return []


def _hold(state: Authorisation, seen: ProviderPayment) -> list[object]:
    match seen.status:
        case PaymentStatus.CAPTURED:
            return capture(state, seen.captured, seen.fee)
        case PaymentStatus.VOIDED | PaymentStatus.EXPIRED if state.due is None:
            return [HoldLapsed(state.held.attempt, f"authorisation_{seen.status}")]
        case PaymentStatus.VOIDED | PaymentStatus.EXPIRED if state.due and state.due.minor:
            return [CaptureFailed(f"authorisation_{seen.status}")]
        case PaymentStatus.VOIDED | PaymentStatus.EXPIRED:
            return [Voided("booking_ended")]
    return []


def _taken(state: Paid, seen: ProviderPayment) -> list[object]:
    happened = _fee(state, seen)
    taken, gone, more = state.captured, state.gone, seen.refunded - state.refunded
    if more.minor > 0 and not state.returning:
        happened.append(Refunded(derived_id(state.attempt, "found", seen.refunded.minor), taken, more, gone, seen.reference))
        gone += more
    if (dispute := seen.dispute) and dispute.reference not in state.closed:
        if state.dispute is None:
            happened.append(
                Disputed(
                    dispute.reference, taken, dispute.amount, gone, dispute.fee, dispute.reason, dispute.answer_by
                )
            )  # fmt: skip
        if dispute.status is DisputeStatus.WON:
            happened.append(DisputeWon(dispute.reference, taken, dispute.amount, gone))
        elif dispute.status is DisputeStatus.LOST:
            happened.append(DisputeLost(dispute.reference, taken, dispute.amount, gone))
    return happened


def _fee(state: Paid, seen: ProviderPayment) -> list[object]:
    """What the provider keeps of it, where we did not know that, or it is another fee by now."""
    if seen.fee is None or seen.fee == state.fee:
        return []
    return [ProviderFeeKnown(state.captured, seen.fee, state.fee or Money(0, seen.fee.currency))]


def evidence_sent(state: State, reference: str, items: tuple[str, ...]) -> list[object]:
    """The open dispute was answered. Known already: nothing."""
    match state:
        case Paid(dispute=Disputed(reference=mine), answered=False) if mine == reference:
            return [EvidenceSent(reference, items)]
    return []


def answer(state: State, note: str) -> list[object]:
    """An operator sends the evidence that there is; it is asked once."""
    match state:
        case Paid(dispute=Disputed(), answered=False):
            return [Decided("evidence", state.request.client_id, note)]
        case Paid(dispute=Disputed()):
            raise Conflict("The evidence was sent already. The bank decides now.", code="answered")
    raise Conflict("There is no dispute to answer.", code="no_dispute")
