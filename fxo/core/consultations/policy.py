"""What the accepted policy says: what cancelling costs and until when, whether a session may be moved. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fxo.core.money import Money
from fxo.core.scope import CancellationPolicy


@dataclass(frozen=True, slots=True)
class Term:
    """What cancelling costs up to and including `until`; None is for good."""

    until: datetime | None
    amount: Money


def cancellation_terms(policy: CancellationPolicy, price: Money, start: datetime) -> tuple[Term, ...]:
    """What a client's cancellation costs, in order of time: each row up to its `until`, the last one for good."""
    free = Term(start - timedelta(hours=policy.free_until_hours), Money(0, price.currency))
    partly = Term(start - timedelta(hours=policy.half_until_hours), price.share(policy.late_percent * 100))
    full = Term(None, price)
    return (free, partly, full) if policy.half_until_hours < policy.free_until_hours else (free, full)


def cancellation_charge(policy: CancellationPolicy, price: Money, start: datetime, at: datetime) -> Money:
    """What the client pays who cancels at `at`; a partner's cancellation is always free and is not asked here.

    The limit itself still belongs to the cheaper side: exactly 24 hours before the start is free (architecture, section 8).
    """
    return next(term.amount for term in cancellation_terms(policy, price, start) if term.until is None or at <= term.until)


def move_allowed(policy: CancellationPolicy, moves_made: int, start: datetime, at: datetime) -> bool:
    """Whether the client may move the session once more at `at`; exactly at the limit is still in time."""
    return moves_made < policy.moves and at <= start - timedelta(hours=policy.move_until_hours)
