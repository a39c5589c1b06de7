"""Whether the books are right: every entry balances, the ledger says what the events say, the provider has what we think."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from fxo.core.events.model import registered, type_named
from fxo.core.events.store import Transaction
from fxo.core.ledger.postings import postings
from fxo.core.ledger.projections import BOOKED
from fxo.core.money import Money
from fxo.core.payments.disputes import found
from fxo.core.payments.model import PAYMENT
from fxo.core.payments.port import PaymentStatus, ProviderPayment
from fxo.core.payments.settling import next_step

ASKED_FOR = timedelta(days=60)
"""Payments that have changed within this time are compared with their provider."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not agree: where, about what, and both sides in words."""

    kind: str
    """`unbalanced`, `not_posted`, `posted_otherwise`, `payment`, `account` or `provider`."""
    subject: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A payment as we have it, to be compared with its provider."""

    id: UUID
    provider: str
    reference: str
    state: str
    captured: Money
    refunded: Money
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, within our books and from the provider; and how the provider sees the payments that differ there."""

    found: list[Difference]
    seen: Mapping[UUID, ProviderPayment]


def differences(tx: Transaction) -> list[Difference]:
    """What does not agree within our own books, for the tenant in scope: entries, accounts, events, payments, partners."""
    return [*_unbalanced(tx), *_against_events(tx), *_payments(tx), *_partners(tx)]


def _unbalanced(tx: Transaction) -> list[Difference]:
    rows = tx.driver.execute(
        "select event_id, currency, sum(amount_minor)::bigint from postings where tenant_id = %s group by event_id, currency"
        " having sum(amount_minor) <> 0",
        (tx.scope.tenant_id,),
    ).fetchall()
    return [Difference("unbalanced", str(event_id), str(Money(left, currency)), "0") for event_id, currency, left in rows]


def _against_events(tx: Transaction) -> list[Difference]:
    """Each event that moves money is computed anew and compared with what was posted for it."""
    events = tx.driver.execute(
        "select event_id, type, schema_version, data from events where tenant_id = %s and type = any(%s)",
        (tx.scope.tenant_id, _names()),
    ).fetchall()
    posted: dict[UUID, Counter[tuple[str, int, str]]] = {}
    for event_id, account, minor, currency in tx.driver.execute(
        "select event_id, account, amount_minor, currency from postings where tenant_id = %s", (tx.scope.tenant_id,)
    ).fetchall():
        posted.setdefault(event_id, Counter())[account, minor, currency] += 1
    wrong = []
    for event_id, name, version, data in events:
        lines = postings(type_named(name).decode(version, data))
        wanted = Counter((str(line.account), line.amount.minor, line.amount.currency) for line in lines)
        have = posted.pop(event_id, Counter())
        if wanted != have:
            kind = "posted_otherwise" if have else "not_posted"
            wrong.append(Difference(kind, f"{name} {event_id}", _lines(have), _lines(wanted)))
    wrong += [Difference("posted_otherwise", str(event_id), _lines(lines), "no such event") for event_id, lines in posted.items()]
    return wrong


def _names() -> list[str]:
    return [name for name, kind in registered().items() if kind.cls in BOOKED]


def _lines(lines: Counter[tuple[str, int, str]]) -> str:
    return ", ".join(f"{account} {Money(minor, currency)}" for account, minor, currency in sorted(lines.elements())) or "nothing"


def _payments(tx: Transaction) -> list[Difference]:
    """What each payment says that was taken, given back and kept by its provider, beside the ledger's entries about it."""
    rows = tx.driver.execute(
        "select y.id, y.currency, y.captured_minor - y.refunded_minor - y.lost_minor - coalesce(y.provider_fee_minor, 0)"
        " - y.dispute_fees_minor, coalesce(sum(-p.amount_minor)"
        " filter (where p.account in ('partner', 'platform', 'tax', 'frozen', 'fees')), 0)::bigint"
        " from payments y left join postings p on p.tenant_id = y.tenant_id and p.payment_id = y.id where y.tenant_id = %s"
        " and y.through <> 'tenant' group by y.id, y.currency, y.captured_minor, y.refunded_minor, y.lost_minor,"
        " y.provider_fee_minor, y.dispute_fees_minor",
        (tx.scope.tenant_id,),
    ).fetchall()
    return [
        Difference("payment", str(payment_id), f"kept {Money(kept, currency)}", f"booked {Money(owed, currency)}")
        for payment_id, currency, kept, owed in rows
        if kept != owed
    ]


def _partners(tx: Transaction) -> list[Difference]:
    """What partners' accounts say, beside the ledger's account of them."""
    rows = tx.driver.execute(
        "select partner_id, currency, sum(booked)::bigint, sum(entered)::bigint from ("
        " select partner_id, currency, -amount_minor as booked, 0 as entered from postings"
        " where tenant_id = %(t)s and account = 'partner'"
        " union all select partner_id, currency, 0, amount_minor from partner_earnings"
        " where tenant_id = %(t)s and payout_id is null) both_sides group by 1, 2 having sum(booked) <> sum(entered)",
        {"t": tx.scope.tenant_id},
    ).fetchall()
    return [
        Difference("account", str(partner_id), str(Money(booked, currency)), str(Money(entered, currency)))
        for partner_id, currency, booked, entered in rows
    ]


def to_compare(tx: Transaction) -> list[Compared]:
    """The payments of the last weeks that their providers know, in the tenant's scope."""
    rows = tx.driver.execute(
        "select id, provider, provider_reference, state, captured_minor, refunded_minor, currency, provider_fee_minor"
        " from payments where tenant_id = %s and provider_reference is not null and state in ('authorised', 'captured', 'voided')"
        " and through <> 'hand' and updated_at > %s order by updated_at desc limit 2000",
        (tx.scope.tenant_id, tx.now - ASKED_FOR),
    ).fetchall()
    return [
        Compared(
            payment_id,
            provider,
            reference,
            state,
            Money(captured, currency),
            Money(refunded, currency),
            None if fee is None else Money(fee, currency),
        )
        for payment_id, provider, reference, state, captured, refunded, currency, fee in rows
    ]


def compare(payment: Compared, seen: ProviderPayment | None) -> list[Difference]:
    """What differs between a payment and its provider. A hold that has run out there is told by the reconciler. Pure."""
    if seen is None:
        return [Difference("provider", str(payment.id), payment.state, "unknown")]
    if payment.state == "captured" or seen.status is PaymentStatus.CAPTURED:
        ours, theirs = (
            f"captured {each.captured}, refunded {each.refunded}" + (f", fee {each.fee}" if seen.fee else "")
            for each in (payment, seen)
        )
        return [] if ours == theirs else [Difference("provider", str(payment.id), ours, theirs)]
    if payment.state == "voided" and seen.status is PaymentStatus.AUTHORISED:
        return [Difference("provider", str(payment.id), "voided", "authorised")]
    return []


def unexplained(tx: Transaction, comparison: Comparison) -> list[Difference]:
    """What was found, without the payments that the provider is only ahead with: it has done what we are still asking for, or
    something by itself, which the reconciler brings within minutes. The rest is wrong.
    """
    ahead = set()
    for payment_id, seen in comparison.seen.items():
        state = tx.load(PAYMENT, payment_id).state
        if next_step(state) is not None or found(state, seen):
            ahead.add(str(payment_id))
    return [each for each in comparison.found if each.kind != "provider" or each.subject not in ahead]


def keep(tx: Transaction, compared: int, differ: Sequence[Difference]) -> None:
    """Write down what a check has found; the newest one counts."""
    tx.driver.execute(
        "insert into ledger_checks (tenant_id, at, compared, differences) values (%s, %s, %s, %s) on conflict do nothing",
        (tx.scope.tenant_id, tx.now, compared, Jsonb([asdict(each) for each in differ])),
    )
