"""The ledger: a capture is split once, its parts are the whole, and every event's lines add up to zero."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

import fxo.platform  # noqa: F401  (brings every event)
from fxo.core.events.model import registered
from fxo.core.ids import new_id
from fxo.core.ledger.payouts import PayoutFailed, PayoutPaid, PayoutPlanned, PayoutReversed, Way
from fxo.core.ledger.postings import Account, Posting, postings
from fxo.core.ledger.projections import BOOKED
from fxo.core.money import Money
from fxo.core.payments.model import Abandoned, Voided
from fxo.core.payments.outcomes import (
    Captured,
    CaptureFailed,
    Disputed,
    DisputeLost,
    DisputeWon,
    ProviderFeeKnown,
    Refunded,
    Through,
)  # fmt: skip
from fxo.core.scope import FeeBearer

PARTNER = new_id()
MONEY = st.builds(Money, st.integers(0, 10**11), st.sampled_from(["USD", "EUR", "JPY", "KWD", "GBP"]))


def captured(amount: Money, share: int = 8_000) -> Captured:
    return Captured(new_id(), new_id(), PARTNER, amount, share, "sp_1")


def test_eight_hundred_dollars_are_six_hundred_and_forty_and_one_hundred_and_sixty() -> None:
    assert postings(captured(Money(80_000, "USD"))) == (
        Posting(Account.PROVIDER, Money(80_000, "USD")),
        Posting(Account.PARTNER, Money(-64_000, "USD"), PARTNER),
        Posting(Account.PLATFORM, Money(-16_000, "USD")),
    )


@pytest.mark.parametrize(
    ("amount", "share", "partner", "platform"),
    [
        (Money(72_000, "USD"), 8_000, 57_600, 14_400), (Money(1, "USD"), 8_000, 1, 0), (Money(1, "USD"), 4_999, 0, 1),
        (Money(99_999, "JPY"), 8_000, 79_999, 20_000), (Money(12_345_678, "KWD"), 8_000, 9_876_542, 2_469_136),
        (Money(80_000, "USD"), 0, 0, 80_000), (Money(80_000, "USD"), 10_000, 80_000, 0),
    ],
)  # fmt: skip
def test_the_split_rounds_once(amount: Money, share: int, partner: int, platform: int) -> None:
    _, to_partner, to_platform = postings(captured(amount, share))
    assert (-to_partner.amount.minor, -to_platform.amount.minor) == (partner, platform)


@for_any(MONEY, st.integers(0, 10_000))
def test_the_lines_of_a_capture_add_up_to_zero(amount: Money, share: int) -> None:
    lines = postings(captured(amount, share))
    assert [line.account for line in lines] == [Account.PROVIDER, Account.PARTNER, Account.PLATFORM]
    assert sum(line.amount.minor for line in lines) == 0
    assert {line.amount.currency for line in lines} == {amount.currency}
    assert lines[0].amount == amount
    exact = amount.minor * share / 10_000
    assert abs(-lines[1].amount.minor - exact) <= 0.5
    assert all(line.amount.minor <= 0 for line in lines[1:])
    assert [line.partner_id for line in lines] == [None, PARTNER, None]


# What goes back, and what is paid on ---------------------------------------------------------------------------------


def sums(*events: object) -> dict[tuple[str, str], int]:
    """What all lines of these events come to, by account and currency."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        lines = postings(event)
        assert sum(line.amount.minor for line in lines) == 0, event
        for line in lines:
            found[str(line.account), line.amount.currency] += line.amount.minor
    return {key: minor for key, minor in found.items() if minor}


TAKEN = st.builds(
    lambda amount, share, rate, through: replace(captured(amount, share), tax_rate=rate, through=through),
    st.builds(Money, st.integers(1, 10**9), st.sampled_from(["USD", "JPY", "KWD"])),
    st.integers(0, 10_000),
    st.sampled_from([0, 700, 1_900, 2_500, 810]),
    st.sampled_from(list(Through)),
)


@for_any(TAKEN, st.lists(st.integers(1, 10**9), max_size=6))
def test_case_20_the_splits_of_partial_refunds_add_up_to_the_split_of_their_sum(taken: Captured, wishes: list[int]) -> None:
    currency, gone, parts = taken.amount.currency, 0, []
    for wish in wishes:
        if part := min(wish, taken.amount.minor - gone):
            parts.append(Refunded(new_id(), taken, Money(part, currency), Money(gone, currency), "re"))
            gone += part
    if gone:
        whole = Refunded(new_id(), taken, Money(gone, currency), Money(0, currency), "re")
        assert sums(*parts) == sums(whole)
    if gone == taken.amount.minor:
        assert sums(taken, *parts) == {}
    rest = replace(taken, amount=Money(taken.amount.minor - gone, currency))
    assert sums(taken, *parts) == sums(rest), "what remains is split as if no more had ever been taken"


@for_any(TAKEN, st.integers(0, 10**9), st.booleans())
def test_case_21_a_dispute_freezes_and_then_everything_is_back_or_gone(taken: Captured, refunded: int, won: bool) -> None:
    currency = taken.amount.currency
    before = Money(min(refunded, taken.amount.minor - 1), currency)
    amount = taken.amount - before
    back = Refunded(new_id(), taken, before, Money(0, currency), "re")
    opened = Disputed("sd", taken, amount, before, Money(15, currency), "fraudulent", datetime(2026, 3, 9, tzinfo=UTC))
    during = sums(taken, back, opened)
    assert during.get(("partner", currency), 0) == 0, "nothing of it can be paid out"
    decided = DisputeWon("sd", taken, amount, before) if won else DisputeLost("sd", taken, amount, before)
    after = sums(taken, back, opened, decided)
    fee = {("fees", currency): 15, ("provider", currency): -15} if taken.through is Through.PLATFORM else {}
    left = Counter(sums(taken, back) if won else {})
    left.update(fee)
    assert after == {key: minor for key, minor in left.items() if minor}


@for_any(TAKEN, st.sampled_from(list(FeeBearer)), st.lists(st.integers(0, 10**9), min_size=1, max_size=5))
def test_case_20_a_providers_fee_comes_to_the_same_however_it_became_known(
    taken: Captured, bearer: FeeBearer, fees: list[int]
) -> None:
    currency, told, before = taken.amount.currency, [], Money(0, taken.amount.currency)
    taken = replace(taken, fee_bearer=bearer)
    for minor in fees:
        told.append(ProviderFeeKnown(taken, Money(minor, currency), before))
        before = told[-1].fee
    at_once = replace(taken, provider_fee=before)
    assert sums(taken, *told) == sums(at_once)
    back = Refunded(new_id(), taken, taken.amount, Money(0, currency), "re")
    left = sums(taken, *told, back)
    assert left == sums(at_once, replace(back, taken=at_once)), "the provider keeps its fee when the client gets the money back"
    partner = left.get(("partner", currency), 0)
    if taken.through is Through.HAND:
        assert left == {}
    elif bearer is FeeBearer.PLATFORM:
        assert partner == 0
    elif bearer is FeeBearer.PARTNER:
        assert partner == before.minor and ("fees", currency) not in left
    else:
        assert partner == before.share(taken.partner_share).minor


@pytest.mark.parametrize(
    ("bearer", "through", "booked"),
    [
        (FeeBearer.PLATFORM, Through.PLATFORM, {"provider": 77_650, "partner": -64_000, "platform": -16_000, "fees": 2_350}),
        (FeeBearer.PARTNER, Through.PLATFORM, {"provider": 77_650, "partner": -61_650, "platform": -16_000}),
        (FeeBearer.SHARED, Through.PLATFORM, {"provider": 77_650, "partner": -62_120, "platform": -16_000, "fees": 470}),
        (FeeBearer.PLATFORM, Through.TENANT, {"tenant": 80_000, "partner": -64_000, "platform": -16_000}),
        (FeeBearer.PARTNER, Through.TENANT, {"tenant": 77_650, "partner": -61_650, "platform": -16_000}),
        (FeeBearer.SHARED, Through.TENANT, {"tenant": 78_120, "partner": -62_120, "platform": -16_000}),
    ],
)  # fmt: skip
def test_case_20_who_bears_the_providers_fee_is_configuration(
    bearer: FeeBearer, through: Through, booked: dict[str, int]
) -> None:
    taken = replace(captured(Money(80_000, "USD")), through=through, fee_bearer=bearer, provider_fee=Money(2_350, "USD"))
    assert sums(taken) == {(account, "USD"): minor for account, minor in booked.items()}
    refused = replace(taken, provider_fee=None)
    nothing, until = Money(0, "USD"), datetime(2026, 3, 9, tzinfo=UTC)
    disputed = Disputed("sd", refused, taken.amount, nothing, Money(2_350, "USD"), "general", until)
    lost = DisputeLost("sd", refused, taken.amount, nothing)
    of_the_fee = Counter(sums(taken))
    of_the_fee.subtract(sums(refused))
    assert sums(refused, disputed, lost) == {key: minor for key, minor in of_the_fee.items() if minor}, "a dispute's fee too"


def test_a_tenant_with_an_account_of_its_own_owes_what_is_not_its_tax() -> None:
    taken = replace(captured(Money(95_200, "USD")), tax_rate=1_900, through=Through.TENANT)
    assert sums(taken) == {("tenant", "USD"): 80_000, ("partner", "USD"): -64_000, ("platform", "USD"): -16_000}


def test_a_payout_is_on_its_way_until_it_is_paid_refused_or_taken_back() -> None:
    amount = Money(64_000, "USD")
    planned = PayoutPlanned(PARTNER, amount, Way.TRANSFER, "payments_sandbox", ())
    assert sums(planned) == {("partner", "USD"): 64_000, ("payout", "USD"): -64_000}
    paid = PayoutPaid(PARTNER, amount, Way.TRANSFER, "st_1")
    assert sums(planned, paid) == {("partner", "USD"): 64_000, ("provider", "USD"): -64_000}
    assert sums(planned, PayoutFailed(PARTNER, amount, "no_account")) == {}
    assert sums(planned, paid, PayoutReversed(PARTNER, amount, "sr_1")) == {}
    by_hand = PayoutPaid(PARTNER, amount, Way.HAND, "SEPA")
    assert sums(planned, by_hand) == {("partner", "USD"): 64_000, ("bank", "USD"): -64_000}


@pytest.mark.parametrize("happened", [Voided("booking_ended"), Abandoned("refused"), CaptureFailed("authorisation_expired")])
def test_what_moves_no_money_is_not_booked(happened: object) -> None:
    assert postings(happened) == ()


def test_every_other_kind_of_event_books_nothing() -> None:
    """A new event that moves money has to be looked at here."""
    moving = {registered_name(cls) for cls in BOOKED}
    assert moving == {
        "payment.captured", "payment.provider_fee_known",
        "payment.refunded", "payment.disputed", "payment.dispute_won", "payment.dispute_lost",
        "payout.planned", "payout.paid", "payout.failed", "payout.reversed",
    }  # fmt: skip
    for name, kind in registered().items():
        if name not in moving:
            assert postings(object.__new__(kind.cls)) == ()


def registered_name(cls: type[object]) -> str:
    return next(name for name, kind in registered().items() if kind.cls is cls)
