"""Postings as a pure function of events: every event's lines add up to zero."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from fxo.core.money import Money
from fxo.core.payments.model import Captured


class Account(StrEnum):
    """Whose money: positive lines are owed to us, negative ones we owe."""

    PROVIDER = "provider"
    """What the payment provider holds for us."""
    PARTNER = "partner"
    """What we owe partners."""
    PLATFORM = "platform"
    """What is ours."""


@dataclass(frozen=True, slots=True)
class Posting:
    account: Account
    amount: Money
    partner_id: UUID | None = None


def postings(happened: object) -> tuple[Posting, ...]:
    """The lines that an event books; none for most events. A capture is split once, and its parts are the whole (PRD FR-2.3)."""
    match happened:
        case Captured(partner_id=partner_id, amount=amount, partner_share=share):
            partner, platform = amount.split(share)
            return (
                Posting(Account.PROVIDER, amount),
                Posting(Account.PARTNER, -partner, partner_id),
                Posting(Account.PLATFORM, -platform),
            )
    return ()
