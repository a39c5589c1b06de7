"""What changes payouts: planning what partners are owed, paying by hand. Transfers follow from the plan (`settlement`)."""

from __future__ import annotations

from uuid import UUID

from fxo.core.errors import Invalid, NotAllowed
from fxo.core.events.store import Stream, Transaction
from fxo.core.ids import derived_id
from fxo.core.ledger import payouts, queries
from fxo.core.ledger.payouts import PAYOUT, PayoutPlanned, Way
from fxo.core.money import Money
from fxo.core.scope import Permission, TenantConfig


def plan(tx: Transaction, config: TenantConfig, provider: str, partner_id: UUID | None = None) -> list[UUID]:
    """Plan a payout for each partner, or this one, to whom something is owed in this tenant; returns the payouts.

    What a partner owes is set off. A tenant with a payment account of its own has no transfers: those are paid by hand.
    """
    _operator(tx)
    way = Way.HAND if config.own_payment_account else Way.TRANSFER
    wanted: list[tuple[Stream[payouts.State], list[object]]] = []
    for (partner, currency), entries in queries.unpaid(tx, partner_id).items():
        owed = sum(minor for _, minor in entries)
        if owed <= 0:
            continue
        stream = tx.load(PAYOUT, derived_id(partner, "payout", entries[0][0], len(entries), entries[-1][0]))
        payout = PayoutPlanned(partner, Money(owed, currency), way, provider, tuple(event_id for event_id, _ in entries))
        if isinstance(stream.state, payouts.Failed):
            stream = tx.load(PAYOUT, derived_id(stream.id, "again", stream.version, entries[-1][0], tx.now.isoformat()))
        wanted.append((stream, payouts.plan(stream.state, payout)))
    tx.append(*wanted)
    return [stream.id for stream, happened in wanted if happened]


def paid_by_hand(tx: Transaction, payout_id: UUID, reference: str) -> None:
    """The operator has paid it by bank, under this reference."""
    _operator(tx)
    reference = reference.strip()
    if not 0 < len(reference) <= 100:
        raise Invalid("Please write down the bank's reference, at most 100 characters.", field="reference")
    stream = tx.load(PAYOUT, payout_id)
    match stream.state:
        case payouts.Planned(payout) if payout.way is Way.HAND:
            tx.append((stream, payouts.pay(stream.state, reference)))


def _operator(tx: Transaction) -> None:
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may pay partners.")
