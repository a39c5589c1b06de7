"""Whose part an amount is, and who bears a fee. Each part is rounded once, so that parts of parts never drift. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from fxo.core.money import WHOLE, Money
from fxo.core.scope import FeeBearer


@dataclass(frozen=True, slots=True)
class Parts:
    """What an amount consists of; together they are always the whole."""

    partner: Money
    platform: Money
    tax: Money

    def __sub__(self, other: Parts) -> Parts:
        return Parts(self.partner - other.partner, self.platform - other.platform, self.tax - other.tax)


def parts(amount: Money, share: int, tax_rate: int = 0) -> Parts:
    """Tax, the expert's share of what remains without it, and the rest for the platform (PRD FR-2.3)."""
    tax = amount.tax_within(tax_rate)
    partner, platform = (amount - tax).split(share)
    return Parts(partner, platform, tax)


def parts_of(whole: Money, before: Money, amount: Money, share: int, tax_rate: int = 0) -> Parts:
    """Whose parts `amount` takes away of `whole`, of which `before` was gone already (hard case 20).

    It is the difference of two whole splits, so that the parts of several refunds are those of their sum.
    """
    standing = whole - before
    return parts(standing, share, tax_rate) - parts(standing - amount, share, tax_rate)


def fee_parts(fee: Money, before: Money, share: int, bearer: FeeBearer) -> tuple[Money, Money]:
    """What expert and platform bear of a provider's fee that was `before` until now, `share` being the expert's of the price.

    It is the difference of two whole splits too: what a fee comes to does not depend on how it became known.
    """
    part = {FeeBearer.PLATFORM: 0, FeeBearer.PARTNER: WHOLE, FeeBearer.SHARED: share}[bearer]
    partner = fee.share(part) - before.share(part)
    return partner, fee - before - partner
