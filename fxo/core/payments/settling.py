"""How a payment comes to its end: what is kept, what is given back, and what the provider is asked for next. Pure.

Once it is decided what the client owes (`model.Due`), the next step follows from the state alone, and a payment is asked
about one step at a time: exactly one of capture and void ever wins, whatever the order in which answers come.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.errors import Conflict
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.payments.model import (
    Abandoned,
    Asking,
    Authorisation,
    Authorised,
    Closed,
    Owing,
    Paid,
    Refused,
    Requested,
    Saved,
    Stage,
    State,
    Unpaid,
    Voided,
)
from fxo.core.payments.outcomes import (
    Captured,
    CaptureFailed,
    ChargeRefused,
    Decided,
    Due,
    NeedsPerson,
    RefundAsked,
    Refunded,
    RefundFailed,
    Through,
)

# Decisions ---------------------------------------------------------------------------------------------------------


def keep_fee(state: State, fee: Money, reason: str) -> list[object]:
    """The client owes `fee` for the booking, and nothing beyond it is kept; decided already: nothing.

    A hold is captured in part, or let go where the fee is nothing; a saved card is charged; of what was taken already the rest
    is given back. `reason`: `completed`, `cancelled`, `no_show`, `slot_lost`, `resolved`, `waived`.
    """
    match state:
        case Authorisation(due=due) | Owing(due=due) if due == fee:
            return []
        case Saved(held=None) | Owing() if not fee.minor:
            return [Due(fee, reason), Abandoned(reason)]
        case Saved() | Owing() | Authorisation():
            return [Due(fee, reason)]
        case Paid() if state.kept == fee:
            return []
        case Paid() if state.kept.minor > fee.minor:
            return refund(state, state.kept - fee, reason)
        case Unpaid() | Asking() | Refused() | Closed() if not fee.minor:
            return []
    raise Conflict("Nothing is held or kept of which this could be taken.", code="nothing_to_capture")


def capture(state: State, amount: Money, fee: Money | None = None) -> list[object]:
    """The provider has taken the amount, and keeps `fee` of it; None where it does not say yet.
    Known already: nothing; there is one outcome (hard case 8).

    Where less is owed by now than was on its way, the rest is given back.
    """
    match state:
        case Authorisation(asked, held, due):
            taken = _taken(asked, amount, held.reference, asked.through, fee)
            if due is not None and due.minor < amount.minor:
                return [taken, _refund(Paid(asked, taken, held.attempt), amount - due, "owed_less")]
            return [taken]
    return []


def fail_capture(state: State, reason: str) -> list[object]:
    """What is held cannot be taken. Known already: nothing."""
    return [CaptureFailed(reason)] if isinstance(state, Authorisation) else []


def void(state: State, reason: str) -> list[object]:
    """The provider has ended the hold. Known already, or captured before: nothing."""
    return [Voided(reason)] if isinstance(state, Authorisation) else []


def refuse_charge(state: State, attempt: UUID, reason: str) -> list[object]:
    """The saved card was refused for what is owed. An answer about another try changes nothing."""
    match next_step(state):
        case Charge(attempt=mine) if mine == attempt:
            return [ChargeRefused(attempt, reason)]
    return []


def refund(state: State, amount: Money, reason: str) -> list[object]:
    """Give back so much of what was taken. Refunds together never exceed it."""
    match state:
        case Paid(dispute=dispute) if dispute is not None:
            raise Conflict("The payment is disputed: until that is decided, nothing can be given back.", code="disputed")
        case Paid(captured=taken) if 0 < amount.minor <= state.kept.minor:
            asked = _refund(state, amount, reason)
            if taken.through is Through.HAND:
                return [asked, Refunded(asked.id, taken, amount, state.gone, "by hand")]
            return [asked]
        case Paid():
            raise Conflict("No more than what was taken can be given back.", code="over_refund")
    raise Conflict("Nothing was taken that could be given back.", code="nothing_taken")


def decided_refund(state: State, amount: Money, note: str) -> list[object]:
    """An operator gives back so much, and says why."""
    happened = refund(state, amount, "decided")
    assert isinstance(state, Paid)
    return [Decided("refund", state.request.client_id, note), *happened]


def reauthorise(state: State, held: Authorised) -> list[object]:
    """The amount is held anew on the saved card, before the standing hold runs out. Decided by now what is owed: nothing."""
    match state:
        case Authorisation(held=standing, due=None) if standing.attempt != held.attempt:
            return [held]
    return []


def refunded(state: State, asked: RefundAsked, reference: str) -> list[object]:
    """The provider has given it back. Known already: nothing."""
    match state:
        case Paid(captured=taken, returning=returning) if asked in returning:
            return [Refunded(asked.id, taken, asked.amount, state.gone, reference)]
    return []


def fail_refund(state: State, asked: RefundAsked, reason: str) -> list[object]:
    """The provider will not give it back. Known already: nothing."""
    return [RefundFailed(asked.id, reason)] if isinstance(state, Paid) and asked in state.returning else []


def needs_person(state: State, reason: str) -> list[object]:
    """Nobody has paid, and a person has to decide. Known already, or paid meanwhile: nothing."""
    return [NeedsPerson(reason)] if isinstance(state, Owing) and state.stage is not Stage.PERSON else []


def retry(state: State, note: str) -> list[object]:
    """An operator has the saved card charged once more."""
    return [Decided("retry", _owing(state).request.client_id, note)]


def ask_client(state: State, note: str) -> list[object]:
    """An operator asks the client for another card once more."""
    return [Decided("ask_client", _owing(state).request.client_id, note)]


def waive(state: State, note: str) -> list[object]:
    """An operator lets the client off: nothing is owed any more."""
    owing = _owing(state)
    return [Decided("waive", owing.request.client_id, note), Due(Money(0, owing.due.currency), "waived"), Abandoned("waived")]


def by_hand(state: State, note: str) -> list[object]:
    """An operator has received what is owed by another way, and enters it."""
    owing = _owing(state)
    taken = _taken(owing.request, owing.due, "by hand", Through.HAND)
    return [Decided("by_hand", owing.request.client_id, note), taken]


def _owing(state: State) -> Owing:
    if not isinstance(state, Owing):
        raise Conflict("Nothing is owed here any more. Please look at the payment again.", code="nothing_owed")
    if state.changing is not None or state.stage is Stage.CHARGE:
        raise Conflict("The bank is being asked at this moment. Please look again in a minute.", code="payment_running")
    return state


def _taken(asked: Requested, amount: Money, reference: str, through: Through, fee: Money | None = None) -> Captured:
    return Captured(
        asked.consultation_id, asked.client_id, asked.partner_id, amount, asked.partner_share, reference, through, asked.tax_rate,
        asked.fee_bearer, fee,
    )  # fmt: skip


def _refund(state: Paid, amount: Money, reason: str) -> RefundAsked:
    return RefundAsked(derived_id(state.request.attempt, "refund", state.refunds), amount, reason)


# The next step -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Capture:
    """Take this much of what is held; the rest is let go."""

    held: Authorised
    amount: Money
    key: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """End the hold without taking anything."""

    held: Authorised
    key: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Hold what is owed on the saved card while the client is away; it is captured next."""

    attempt: UUID
    amount: Money
    customer: str
    method: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Refund what was asked for; `before` is what was given back until then."""

    asked: RefundAsked
    reference: str
    before: Money


Step = Capture | LetGo | Charge | GiveBack


def next_step(state: State) -> Step | None:
    """What the provider is to be asked for next; None where nothing is to be done.

    Keys follow from the state, so that whoever takes the step, and however often, it is the same one at the provider.
    """
    match state:
        case Authorisation(held=held, due=due) if due is not None:
            if due.minor:
                return Capture(held, min(due, held.amount), str(derived_id(held.attempt, "capture")))
            return LetGo(held, str(derived_id(held.attempt, "void")))
        case Owing(due=due, customer=customer, method=method, stage=Stage.CHARGE):
            return Charge(state.attempt, due, customer, method)
        case Paid(captured=taken, returning=(first, *_), dispute=None):
            return GiveBack(first, taken.reference, state.refunded)
    return None
