"""A payout: what one partner has earned in one tenant, paid on at once, and perhaps taken back in part. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from fxo.core.errors import Conflict
from fxo.core.events.model import event
from fxo.core.events.store import StreamType
from fxo.core.money import Money


class Way(StrEnum):
    """How a partner is paid."""

    TRANSFER = "transfer"
    """By the payment provider."""
    HAND = "hand"
    """By the operator's bank: where the tenant has a payment account of its own, from which nothing is transferred."""


# Events ------------------------------------------------------------------------------------------------------------


@event("payout.planned")
@dataclass(frozen=True, slots=True)
class PayoutPlanned:
    """This much is to be paid; `lines` are the entries of the partner's account that it settles, each once."""

    partner_id: UUID
    amount: Money
    way: Way
    provider: str
    lines: tuple[UUID, ...]


@event("payout.paid")
@dataclass(frozen=True, slots=True)
class PayoutPaid:
    """The partner has the money; `reference` is the provider's, or what the operator wrote down."""

    partner_id: UUID
    amount: Money
    way: Way
    reference: str


@event("payout.failed")
@dataclass(frozen=True, slots=True)
class PayoutFailed:
    """The provider did not pay; the entries wait for the next payout."""

    partner_id: UUID
    amount: Money
    reason: str


@event("payout.reversed")
@dataclass(frozen=True, slots=True)
class PayoutReversed:
    """Part of what was paid was taken back, since a client got it back."""

    partner_id: UUID
    amount: Money
    reference: str


@event("payout.reversal_refused")
@dataclass(frozen=True, slots=True)
class ReversalRefused:
    """Nothing could be taken back; what the partner owes is set off against the next payouts."""

    partner_id: UUID
    amount: Money
    reason: str


# States ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoPayout:
    """None yet."""


@dataclass(frozen=True, slots=True)
class Planned:
    payout: PayoutPlanned


@dataclass(frozen=True, slots=True)
class PaidOut:
    payout: PayoutPlanned
    reference: str
    reversed: int = 0
    """In minor units."""
    tries: int = 0
    """How often it was tried to take something back."""

    @property
    def left(self) -> Money:
        """What could still be taken back."""
        return Money(self.payout.amount.minor - self.reversed, self.payout.amount.currency)


@dataclass(frozen=True, slots=True)
class Failed:
    payout: PayoutPlanned


State = NoPayout | Planned | PaidOut | Failed


def evolve(state: State, happened: object) -> State:
    """The state after the event."""
    match state, happened:
        case NoPayout(), PayoutPlanned() as payout:
            return Planned(payout)
        case Planned(payout), PayoutPaid(reference=reference):
            return PaidOut(payout, reference)
        case Planned(payout), PayoutFailed():
            return Failed(payout)
        case PaidOut(), PayoutReversed(amount=amount):
            return replace(state, reversed=state.reversed + amount.minor, tries=state.tries + 1)
        case PaidOut(), ReversalRefused():
            return replace(state, tries=state.tries + 1)
    return state


PAYOUT = StreamType[State]("payout", NoPayout(), evolve)


# Decisions ---------------------------------------------------------------------------------------------------------


def plan(state: State, payout: PayoutPlanned) -> list[object]:
    """Pay what is owed. Planned already: nothing."""
    if payout.amount.minor <= 0:
        raise Conflict("Nothing is owed that could be paid.", code="nothing_owed")
    return [payout] if isinstance(state, NoPayout) else []


def pay(state: State, reference: str) -> list[object]:
    """The partner has it. Known already: nothing."""
    match state:
        case Planned(payout):
            return [PayoutPaid(payout.partner_id, payout.amount, payout.way, reference)]
    return []


def fail(state: State, reason: str) -> list[object]:
    """The provider did not pay. Known already: nothing."""
    match state:
        case Planned(payout):
            return [PayoutFailed(payout.partner_id, payout.amount, reason)]
    return []


def take_back(state: State, amount: Money, reference: str) -> list[object]:
    """So much was taken back; never more than was paid."""
    match state:
        case PaidOut(payout) if 0 < amount.minor <= state.left.minor:
            return [PayoutReversed(payout.partner_id, amount, reference)]
    return []


def refuse_back(state: State, amount: Money, reason: str) -> list[object]:
    """The provider took nothing back."""
    match state:
        case PaidOut(payout):
            return [ReversalRefused(payout.partner_id, amount, reason)]
    return []
