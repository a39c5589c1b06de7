"""Paying experts over Stripe Connect: one Express account for each in the network, separate charges and transfers.

https://docs.stripe.com/connect/separate-charges-and-transfers
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

import stripe

from fxo.core.db import execute, transaction
from fxo.core.errors import Declined, Misconfigured, Retryable
from fxo.core.money import Money
from fxo.core.payments.port import Transfer
from fxo.core.plugins.context import ProviderContext
from fxo.core.scope import system_scope
from fxo.plugins.payments_stripe import reading
from fxo.plugins.payments_stripe.line import Line

PATIENCE = 3_600.0
"""Seconds until a transfer is tried again for which the money has not come in yet."""


class Payouts:
    """Accounts of experts, and transfers to them."""

    def __init__(self, context: ProviderContext, line: Line) -> None:
        self._context, self._line = context, line

    @cached_property
    def _platform(self) -> str:
        """The account that the keys belong to, which tells live and test, ours and a tenant's own, apart."""
        account = self._line.v1.accounts.retrieve_current()
        return f"{account.id}/{'live' if self._context.settings.live else 'test'}"

    def onboarding(self, partner_id: UUID, return_url: str) -> str:
        """The page at Stripe where the expert says who they are and where money goes; it can be used once, soon."""
        account = self._account(partner_id) or self._new_account(partner_id)
        wanted: Any = {"account": account, "type": "account_onboarding", "return_url": return_url, "refresh_url": return_url}
        return self._line.v1.account_links.create(wanted).url

    def transfer(self, partner_id: UUID, amount: Money, key: str) -> Transfer:
        """Pay the expert, once for the key."""
        account = self._account(partner_id)
        if account is None:
            raise Declined("not_onboarded")
        group = self._context.prefix + key
        for made in self._line.v1.transfers.list({"transfer_group": group, "limit": 10}).data:
            if (made.destination, reading.money(made.amount, made.currency)) != (account, amount):
                raise Misconfigured("the key was used for another transfer", field="key")
            return Transfer(made.id, amount)
        wanted: Any = {
            "amount": reading.units(amount), "currency": amount.currency.lower(), "destination": account, "transfer_group": group,
            "metadata": {"tenant": str(self._context.tenant_id), "partner": str(partner_id), "key": key},
        }  # fmt: skip
        try:
            made = self._line.once(f"transfer/{key}", lambda options: self._line.v1.transfers.create(wanted, options))
        except stripe.InvalidRequestError as error:
            if error.code == "balance_insufficient":
                raise Retryable("the money is not available at Stripe yet", after=PATIENCE) from None
            if error.code == "insufficient_capabilities_for_transfer":
                raise Declined("not_onboarded") from None
            raise
        return Transfer(made.id, amount)

    def reverse(self, reference: str, amount: Money, key: str) -> Transfer:
        """Take back this much, once for the key."""
        try:
            paid = self._line.v1.transfers.retrieve(reference)
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            raise Declined("unknown_transfer", reference=reference) from None
        if getattr(paid.metadata, "tenant", None) != str(self._context.tenant_id):
            raise Declined("unknown_transfer", reference=reference)
        for made in self._line.v1.transfers.reversals.list(reference, {"limit": 100}).auto_paging_iter():
            if getattr(made.metadata, "key", None) == key:
                if reading.money(made.amount, made.currency) != amount:
                    raise Misconfigured("the key was used for another reversal", field="key")
                return Transfer(made.id, amount)
        if amount > reading.money(paid.amount - paid.amount_reversed, paid.currency):
            raise Declined("over_reversal", reference=reference)
        wanted: Any = {"amount": reading.units(amount), "metadata": {"key": key}}
        try:
            made = self._line.once(
                f"reverse/{reference}/{key}", lambda options: self._line.v1.transfers.reversals.create(reference, wanted, options)
            )
        except stripe.InvalidRequestError as error:
            if error.code == "balance_insufficient":
                raise Declined("balance_insufficient", reference=reference) from None
            raise
        return Transfer(made.id, amount)

    def _new_account(self, partner_id: UUID) -> str:
        wanted: Any = {
            "type": "express",
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"partner": str(partner_id)},
        }
        if self._context.settings.country:
            wanted["country"] = self._context.settings.country
        made = self._line.once(
            f"account/{partner_id}", lambda options: self._line.v1.accounts.create(wanted, options), prefix="fxo/"
        )
        with transaction(system_scope("payout_accounts")) as connection:
            execute(
                connection,
                "insert into plugin_payments_stripe.accounts (partner_id, platform, account)"
                " values (:partner, :platform, :account) on conflict do nothing",
                partner=partner_id, platform=self._platform, account=made.id,
            )  # fmt: skip
        return self._account(partner_id) or made.id

    def _account(self, partner_id: UUID) -> str | None:
        platform = self._platform  # asked for outside of the transaction
        with transaction(system_scope("payout_accounts")) as connection:
            statement = "select account from plugin_payments_stripe.accounts where partner_id = :partner and platform = :platform"
            found = execute(connection, statement, partner=partner_id, platform=platform).scalar_one_or_none()
            return str(found) if found else None
