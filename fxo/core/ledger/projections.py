"""The ledger, posted inline with payment events, and the partner's earnings that follow from it."""

from __future__ import annotations

from fxo.core.errors import FxoError
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.ledger.postings import Account, postings
from fxo.core.payments.model import Captured
from fxo.core.payments.reactions import LoadConfig


class Unbalanced(FxoError):
    """Lines that do not add up to zero are never booked."""

    code = "unbalanced"
    status = 500


def register(store: Store, load_config: LoadConfig) -> None:
    """Follow the payment events that move money."""

    def post(tx: Transaction, item: Recorded) -> None:
        captured: Captured = item.value
        lines = postings(captured)
        if sum(line.amount.minor for line in lines):
            raise Unbalanced("The ledger's lines do not add up.")
        for number, line in enumerate(lines, 1):
            tx.driver.execute(
                "insert into postings (tenant_id, event_id, line, account, partner_id, payment_id, consultation_id,"
                " amount_minor, currency, at)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    item.tenant_id,
                    item.event_id,
                    number,
                    str(line.account),
                    line.partner_id,
                    item.stream_id,
                    captured.consultation_id,
                    line.amount.minor,
                    line.amount.currency,
                    item.recorded_at,
                ),
            )
            if line.account is Account.PARTNER:
                tx.driver.execute(
                    "insert into partner_earnings (tenant_id, payment_id, partner_id, consultation_id, tenant_name,"
                    " amount_minor, currency,"
                    " earned_at) values (%s, %s, %s, %s, %s, %s, %s, %s)",
                    (
                        item.tenant_id,
                        item.stream_id,
                        captured.partner_id,
                        captured.consultation_id,
                        load_config(tx).name,
                        -line.amount.minor,
                        line.amount.currency,
                        item.recorded_at,
                    ),
                )

    store.follow(Captured, post)
