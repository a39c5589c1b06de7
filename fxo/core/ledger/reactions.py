"""How the outside is made to agree with the ledger: transfers, taking back, and asking providers what they have."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from fxo.core.errors import Declined
from fxo.core.ledger.check import Compared, Comparison, Difference, compare
from fxo.core.ledger.payouts import PayoutPlanned
from fxo.core.money import Money
from fxo.core.payments.port import ProviderPayment, Transfer
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig
from fxo.core.work.model import Work


@dataclass(frozen=True, slots=True)
class PayingOut:
    config: TenantConfig
    payout: PayoutPlanned


@dataclass(frozen=True, slots=True)
class TakingBack:
    """Part of a transfer that is to be taken back; `tries` before it."""

    config: TenantConfig
    payout: PayoutPlanned
    reference: str
    amount: Money
    tries: int


@dataclass(frozen=True, slots=True)
class Comparing:
    """What the books of a tenant say, and the payments that the provider is asked about."""

    config: TenantConfig
    found: list[Difference]
    payments: list[Compared]


class LedgerReactions:
    """Asks providers."""

    def __init__(self, providers: Providers) -> None:
        self.providers = providers

    def transfer(self, wanted: PayingOut, work: Work) -> Transfer | Declined:
        """Pay a partner; once for the payout, however often it is asked."""
        provider = self.providers.named(wanted.config, "payments", wanted.payout.provider)
        try:
            return provider.transfer(wanted.payout.partner_id, wanted.payout.amount, work.key)
        except Declined as refusal:
            return refusal

    def take_back(self, wanted: TakingBack, work: Work) -> Transfer | Declined:
        """Take part of a transfer back; once for the work."""
        provider = self.providers.named(wanted.config, "payments", wanted.payout.provider)
        try:
            return provider.reverse_transfer(wanted.reference, wanted.amount, work.key)
        except Declined as refusal:
            return refusal

    def compare(self, wanted: Comparing, work: Work | None = None) -> Comparison:
        """What the provider has, beside what we have written down."""
        found, differ = list(wanted.found), {}
        for payment in wanted.payments:
            seen: ProviderPayment | None = None
            with suppress(Declined):
                seen = self.providers.named(wanted.config, "payments", payment.provider).fetch(payment.reference)
            differences = compare(payment, seen)
            if differences and seen:
                differ[payment.id] = seen
            found += differences
        return Comparison(found, differ)
