"""Postings as a pure function of events: every event's lines add up to zero."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from fxo.core.ledger.payouts import PayoutFailed, PayoutPaid, PayoutPlanned, PayoutReversed, Way
from fxo.core.money import Money
from fxo.core.payments.outcomes import Captured, Disputed, DisputeLost, DisputeWon, ProviderFeeKnown, Refunded, Through
from fxo.core.payments.split import Parts, fee_parts, parts, parts_of


class Account(StrEnum):
    """Whose money: positive lines are owed to us, negative ones we owe."""

    PROVIDER = "provider"
    """What the payment provider holds for us."""
    BANK = "bank"
    """What the operator received or paid by hand."""
    TENANT = "tenant"
    """What a tenant with a payment account of its own owes: it has the money, and no transfer is made from it."""
    DISPUTED = "disputed"
    """What the provider has drawn back until a dispute is decided."""
    PARTNER = "partner"
    """What we owe partners; a partner who was paid what was given back since, owes us."""
    FROZEN = "frozen"
    """Partners' shares of disputed payments."""
    PAYOUT = "payout"
    """What is on its way to partners."""
    PLATFORM = "platform"
    """What is ours."""
    TAX = "tax"
    """What is owed to the tax office."""
    FEES = "fees"
    """What the payment provider keeps, as far as the platform bears it."""


@dataclass(frozen=True, slots=True)
class Posting:
    account: Account
    amount: Money
    partner_id: UUID | None = None


_HOLDERS = {Through.PLATFORM: Account.PROVIDER, Through.TENANT: Account.TENANT, Through.HAND: Account.BANK}
_FROM = {Way.TRANSFER: Account.PROVIDER, Way.HAND: Account.BANK}


def postings(happened: object) -> tuple[Posting, ...]:
    """The lines that an event books; none for most events.

    A capture is split once (PRD FR-2.3). What is given back is split as the difference of two splits, so that several refunds
    come to the same as one of their sum (hard case 20), and so is a provider's fee that becomes known late or changes. A dispute
    freezes the partner's share until it is decided (hard case 21).
    """
    match happened:
        case Captured() as taken:
            return _booked(taken, _split(taken, taken.amount), 1) + _fee(taken, taken)
        case ProviderFeeKnown(taken=taken):
            return _fee(taken, happened)
        case Refunded(taken=taken, amount=amount, before=before):
            return _booked(taken, _gone(taken, before, amount), -1)
        case Disputed(taken=taken, amount=amount, before=before):
            gone = _gone(taken, before, amount)
            return _lines(
                _holder(taken, -_held(taken, gone)),
                Posting(Account.DISPUTED, _held(taken, gone)),
                *_frozen(taken, gone.partner),
                *_fee(taken, happened),
            )
        case DisputeWon(taken=taken, amount=amount, before=before):
            gone = _gone(taken, before, amount)
            return _lines(
                Posting(Account.DISPUTED, -_held(taken, gone)), _holder(taken, _held(taken, gone)), *_frozen(taken, -gone.partner)
            )
        case DisputeLost(taken=taken, amount=amount, before=before):
            gone = _gone(taken, before, amount)
            return _lines(
                Posting(Account.DISPUTED, -_held(taken, gone)),
                Posting(Account.FROZEN, gone.partner, taken.partner_id),
                Posting(Account.PLATFORM, gone.platform),
                *_tax(taken, gone),
            )
        case PayoutPlanned(partner_id=partner_id, amount=amount):
            return (Posting(Account.PARTNER, amount, partner_id), Posting(Account.PAYOUT, -amount, partner_id))
        case PayoutPaid(partner_id=partner_id, amount=amount, way=way):
            return (Posting(Account.PAYOUT, amount, partner_id), Posting(_FROM[way], -amount))
        case PayoutFailed(partner_id=partner_id, amount=amount):
            return (Posting(Account.PAYOUT, amount, partner_id), Posting(Account.PARTNER, -amount, partner_id))
        case PayoutReversed(partner_id=partner_id, amount=amount):
            return (Posting(Account.PROVIDER, amount), Posting(Account.PARTNER, -amount, partner_id))
    return ()


def _split(taken: Captured, amount: Money) -> Parts:
    return parts(amount, taken.partner_share, taken.tax_rate)


def _gone(taken: Captured, before: Money, amount: Money) -> Parts:
    return parts_of(taken.amount, before, amount, taken.partner_share, taken.tax_rate)


def _held(taken: Captured, part: Parts) -> Money:
    """What whoever has the money has of it for us: a tenant with its own account keeps the tax, which it owes itself."""
    ours = part.partner + part.platform
    return ours if taken.through is Through.TENANT else ours + part.tax


def _holder(taken: Captured, amount: Money) -> Posting:
    return Posting(_HOLDERS[taken.through], amount)


def _booked(taken: Captured, part: Parts, sign: int) -> tuple[Posting, ...]:
    """What came in (1) or went back (-1), and whose it is."""

    def signed(amount: Money) -> Money:
        return amount if sign > 0 else -amount

    return _lines(
        _holder(taken, signed(_held(taken, part))),
        Posting(Account.PARTNER, signed(-part.partner), taken.partner_id),
        Posting(Account.PLATFORM, signed(-part.platform)),
        *(Posting(Account.TAX, signed(-line.amount)) for line in _tax(taken, part)),
    )


def _tax(taken: Captured, part: Parts) -> tuple[Posting, ...]:
    return () if taken.through is Through.TENANT or not part.tax.minor else (Posting(Account.TAX, part.tax),)


def _frozen(taken: Captured, share: Money) -> tuple[Posting, ...]:
    return (Posting(Account.PARTNER, share, taken.partner_id), Posting(Account.FROZEN, -share, taken.partner_id))


def borne(happened: object) -> tuple[Money, Money] | None:
    """What expert and platform bear of the provider's fee in this event; None where there is none in it."""
    match happened:
        case Captured(provider_fee=Money() as fee) as taken:
            before = Money(0, fee.currency)
        case ProviderFeeKnown(taken=taken, fee=fee, before=before):
            pass
        case Disputed(taken=taken, fee=fee):
            before = Money(0, fee.currency)
        case _:
            return None
    if taken.through is Through.HAND:
        return None
    return fee_parts(fee, before, taken.partner_share, taken.fee_bearer)


def _fee(taken: Captured, happened: object) -> tuple[Posting, ...]:
    """What the provider has kept, and who bears it. A tenant with an account of its own pays the provider itself: it owes so
    much less as the expert bears.
    """
    partner, platform = borne(happened) or (Money(0, taken.amount.currency),) * 2
    if taken.through is Through.TENANT:
        platform = Money(0, platform.currency)
    lines = _lines(
        _holder(taken, -(partner + platform)),
        Posting(Account.PARTNER, partner, taken.partner_id),
        Posting(Account.FEES, platform),
    )
    return tuple(line for line in lines if line.amount.minor)


def _lines(*lines: Posting) -> tuple[Posting, ...]:
    return lines
