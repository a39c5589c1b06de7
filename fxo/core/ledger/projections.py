"""The ledger, posted inline with the events that move money, and the partners' accounts that follow from it."""

from __future__ import annotations

from collections.abc import Sequence

from fxo.core.errors import FxoError, StaleStream
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.ledger.payouts import PayoutFailed, PayoutPaid, PayoutPlanned, PayoutReversed, ReversalRefused
from fxo.core.ledger.postings import Account, Posting, borne, postings
from fxo.core.money import Money
from fxo.core.payments.outcomes import Captured, Disputed, DisputeLost, DisputeWon, ProviderFeeKnown, Refunded
from fxo.core.payments.reactions import LoadConfig

ENTRIES: dict[type[object], str] = {
    Captured: "earned", Refunded: "refunded", Disputed: "frozen", DisputeWon: "released", PayoutReversed: "returned",
    ProviderFeeKnown: "fee",
}  # fmt: skip
"""The kind of entry that an event makes in the partner's account; payouts settle entries and make none."""

BOOKED: tuple[type[object], ...] = (
    Captured, ProviderFeeKnown, Refunded, Disputed, DisputeWon, DisputeLost, PayoutPlanned, PayoutPaid, PayoutFailed,
    PayoutReversed,
)  # fmt: skip
"""Every event that the ledger books."""


class Unbalanced(FxoError):
    """Lines that do not add up to zero are never booked."""

    code = "unbalanced"
    status = 500


def register(store: Store, load_config: LoadConfig) -> None:
    """Follow the events that move money."""

    def post(tx: Transaction, item: Recorded) -> None:
        lines = postings(item.value)
        if sum(line.amount.minor for line in lines):
            raise Unbalanced("The ledger's lines do not add up.")
        for number, line in enumerate(lines, 1):
            _insert(tx, item, number, line)
        mine = [line for line in lines if line.account is Account.PARTNER]
        if mine and type(item.value) in ENTRIES:
            _enter(tx, item, mine, load_config(tx).name)

    for booked in BOOKED:
        store.follow(booked, post)
    store.follow(PayoutPlanned, lambda tx, item: _planned(tx, item, load_config(tx).name))
    store.follow(PayoutPaid, _paid)
    store.follow(PayoutFailed, _failed)
    store.follow(PayoutReversed, _reversed)
    store.follow(ReversalRefused, _refused)


def _insert(tx: Transaction, item: Recorded, number: int, line: Posting) -> None:
    taken = item.value if isinstance(item.value, Captured) else getattr(item.value, "taken", None)
    payment = item.stream_type == "payment"
    tx.driver.execute(
        "insert into postings (tenant_id, event_id, line, account, partner_id, payment_id, consultation_id, payout_id,"
        " amount_minor, currency, at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            item.tenant_id, item.event_id, number, str(line.account), line.partner_id, item.stream_id if payment else None,
            taken.consultation_id if taken else None, None if payment else item.stream_id, line.amount.minor,
            line.amount.currency, item.recorded_at,
        ),
    )  # fmt: skip


def _enter(tx: Transaction, item: Recorded, lines: Sequence[Posting], tenant_name: str) -> None:
    """One entry for the event, with what its partner bears of a provider's fee."""
    minor, (fee, _) = -sum(line.amount.minor for line in lines), borne(item.value) or (Money(0, lines[0].amount.currency),) * 2
    taken = item.value if isinstance(item.value, Captured) else getattr(item.value, "taken", None)
    tx.driver.execute(
        "insert into partner_earnings (tenant_id, event_id, kind, payment_id, partner_id, consultation_id, tenant_name,"
        " amount_minor, fee_minor, currency, earned_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            item.tenant_id, item.event_id, ENTRIES[type(item.value)], item.stream_id if taken else None, lines[0].partner_id,
            taken.consultation_id if taken else None, tenant_name, minor, fee.minor, fee.currency, item.recorded_at,
        ),
    )  # fmt: skip


def _planned(tx: Transaction, item: Recorded, tenant_name: str) -> None:
    payout: PayoutPlanned = item.value
    tx.driver.execute(
        "insert into partner_payouts (tenant_id, id, partner_id, tenant_name, state, way, amount_minor, currency, provider,"
        " planned_at) values (%s, %s, %s, %s, 'planned', %s, %s, %s, %s, %s)",
        (
            item.tenant_id, item.stream_id, payout.partner_id, tenant_name, str(payout.way), payout.amount.minor,
            payout.amount.currency, payout.provider, item.recorded_at,
        ),
    )  # fmt: skip
    settled = tx.driver.execute(
        "update partner_earnings set payout_id = %s where tenant_id = %s and event_id = any(%s) and payout_id is null",
        (item.stream_id, item.tenant_id, list(payout.lines)),
    ).rowcount
    if settled != len(payout.lines):
        raise StaleStream("Somebody else has planned a payout of this a moment ago. Please look again.")


def _paid(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, "state = 'paid', reference = %(reference)s, paid_at = %(at)s", reference=item.value.reference)


def _failed(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, "state = 'failed', reason = %(reason)s", reason=item.value.reason)
    tx.driver.execute(
        "update partner_earnings set payout_id = null where tenant_id = %s and payout_id = %s", (item.tenant_id, item.stream_id)
    )


def _reversed(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, "reversed_minor = reversed_minor + %(more)s", more=item.value.amount.minor)


def _refused(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, "reason = %(reason)s", reason=item.value.reason)


def _set(tx: Transaction, item: Recorded, assignments: str, **values: object) -> None:
    tx.driver.execute(
        f"update partner_payouts set {assignments} where tenant_id = %(t)s and id = %(id)s",
        {**values, "t": item.tenant_id, "id": item.stream_id, "at": item.recorded_at},
    )
