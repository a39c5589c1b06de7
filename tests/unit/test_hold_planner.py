"""The hold planner: when a card is authorised, how long that holds, and what cancelling and moving cost (hard cases 1, 2, 16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxo.core.consultations.policy import Term, cancellation_charge, cancellation_terms, move_allowed
from fxo.core.errors import Invalid
from fxo.core.money import Money
from fxo.core.payments.plan import (
    COMPLETION_GRACE,
    AuthorisationWindows,
    Mode,
    Offer,
    Plan,
    after_refusal,
    for_,
)
from fxo.core.scope import CancellationPolicy

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CARDS = AuthorisationWindows(client_present=timedelta(days=7), off_session=timedelta(days=4, hours=18))
POLICY = CancellationPolicy()
PRICE = Money(80_000, "USD")
OFFER = Offer(PRICE, 60, POLICY)


def plan_for(ahead: timedelta, windows: AuthorisationWindows = CARDS, offer: Offer = OFFER) -> Plan:
    return for_(offer, NOW + ahead, windows, now=NOW)


# --- when the card is authorised ---


def test_case_1_a_session_inside_the_window_is_authorised_at_checkout() -> None:
    plan = plan_for(3 * 24 * HOUR)
    assert plan.mode is Mode.AUTHORISE_NOW
    assert (plan.authorise_at, plan.retry_at, plan.give_up_at) == (None, None, None)
    assert plan.end == plan.start + HOUR
    assert plan.capture_by == plan.end + 24 * HOUR
    assert plan.covers_until == NOW + 7 * 24 * HOUR - 12 * HOUR


def test_the_last_session_that_is_authorised_at_checkout_ends_a_day_and_the_safety_before_the_window_does() -> None:
    last = CARDS.client_present - CARDS.safety - COMPLETION_GRACE - HOUR
    assert plan_for(last).mode is Mode.AUTHORISE_NOW
    assert plan_for(last).covers_until == plan_for(last).capture_by
    assert plan_for(last + SECOND).mode is Mode.SAVE_CARD


def test_a_longer_session_saves_the_card_sooner() -> None:
    last = CARDS.client_present - CARDS.safety - COMPLETION_GRACE - HOUR
    assert plan_for(last, offer=Offer(PRICE, 90, POLICY)).mode is Mode.SAVE_CARD


def test_case_1_a_session_beyond_the_window_saves_the_card_and_authorises_three_days_before() -> None:
    plan = plan_for(10 * 24 * HOUR)
    assert plan.mode is Mode.SAVE_CARD
    assert plan.authorise_at == plan.start - 72 * HOUR
    assert plan.retry_at == plan.start - 48 * HOUR
    assert plan.give_up_at == plan.start - 24 * HOUR
    assert plan.covers_until == plan.start - 72 * HOUR + timedelta(days=4, hours=6)


def test_a_shorter_off_session_window_authorises_as_soon_as_it_covers_the_session() -> None:
    plan = plan_for(10 * 24 * HOUR, AuthorisationWindows(timedelta(days=7), timedelta(days=3)))
    assert plan.authorise_at == plan.start - 35 * HOUR
    assert plan.covers_until == plan.capture_by


def test_less_than_three_days_are_parted_in_three_for_the_retry_and_giving_up() -> None:
    plan = plan_for(30 * HOUR, AuthorisationWindows(timedelta(days=2), timedelta(days=5)))
    assert plan.mode is Mode.SAVE_CARD
    assert plan.authorise_at == NOW
    assert (plan.retry_at, plan.give_up_at) == (NOW + 10 * HOUR, NOW + 20 * HOUR)


def test_the_retry_and_giving_up_follow_from_when_the_card_is_authorised_alone() -> None:
    plan = plan_for(10 * 24 * HOUR)
    assert plan.authorise_at
    assert after_refusal(plan.start, plan.authorise_at) == (plan.retry_at, plan.give_up_at)
    assert after_refusal(plan.start, plan.start - 90 * HOUR) == (plan.start - 48 * HOUR, plan.start - 24 * HOUR)


def test_a_window_too_short_for_any_session_still_authorises_a_day_before() -> None:
    plan = plan_for(10 * 24 * HOUR, AuthorisationWindows(timedelta(days=1), timedelta(days=1)))
    assert plan.authorise_at == plan.start - 24 * HOUR
    assert plan.covers_until == plan.start - 12 * HOUR
    assert plan.reauthorise_at(plan.covers_until, now=plan.authorise_at) is not None


@pytest.mark.parametrize("ahead", [timedelta(), -SECOND])
def test_a_session_that_does_not_lie_ahead_is_refused(ahead: timedelta) -> None:
    with pytest.raises(Invalid, match="choose another"):
        plan_for(ahead)


aheads = st.integers(1, 90 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
lengths = st.sampled_from([30, 60, 90, 240])
any_windows = st.builds(
    AuthorisationWindows,
    client_present=st.integers(1, 31 * 24).map(lambda hours: hours * HOUR),
    off_session=st.integers(1, 31 * 24).map(lambda hours: hours * HOUR),
    safety=st.integers(0, 24).map(lambda hours: hours * HOUR),
)


@given(aheads, lengths, any_windows)
def test_a_plan_never_lies_in_the_past_and_keeps_its_order(ahead: timedelta, minutes: int, windows: AuthorisationWindows) -> None:
    plan = plan_for(ahead, windows, Offer(PRICE, minutes, POLICY))
    match plan.mode:
        case Mode.AUTHORISE_NOW:
            assert plan.authorise_at is plan.retry_at is plan.give_up_at is None
        case Mode.SAVE_CARD:
            assert plan.authorise_at and plan.retry_at and plan.give_up_at
            assert NOW <= plan.authorise_at < plan.retry_at < plan.give_up_at < plan.start
    assert plan.start < plan.end < plan.capture_by
    assert all(term.until is None or term.until >= NOW for term in plan.terms)


@given(aheads, lengths, any_windows)
def test_case_1_the_authorisation_always_covers_the_last_capture(
    ahead: timedelta, minutes: int, windows: AuthorisationWindows
) -> None:
    plan = plan_for(ahead, windows, Offer(PRICE, minutes, POLICY))
    needed = timedelta(hours=24, minutes=minutes) + COMPLETION_GRACE + windows.safety
    if plan.mode is Mode.AUTHORISE_NOW or windows.off_session >= needed:
        assert plan.covers_until >= plan.capture_by
        assert plan.reauthorise_at(plan.covers_until, now=NOW) is None


# --- the real end of an authorisation ---


def test_an_authorisation_that_holds_until_the_last_capture_needs_no_other() -> None:
    plan = plan_for(3 * 24 * HOUR)
    assert plan.reauthorise_at(plan.capture_by, now=NOW) is None


def test_case_1_a_shorter_authorisation_is_renewed_the_safety_before_it_ends() -> None:
    plan = plan_for(5 * 24 * HOUR)
    ends = NOW + 2 * 24 * HOUR
    assert plan.reauthorise_at(ends, now=NOW) == ends - 12 * HOUR


def test_it_is_renewed_a_day_before_the_session_at_the_latest_while_that_lies_ahead() -> None:
    plan = plan_for(3 * 24 * HOUR)
    ends = plan.capture_by - SECOND
    assert plan.reauthorise_at(ends, now=NOW) == plan.start - 24 * HOUR
    assert plan.reauthorise_at(ends, now=plan.start - 24 * HOUR) == ends - 12 * HOUR


def test_one_that_has_ended_is_renewed_at_once() -> None:
    plan = plan_for(3 * 24 * HOUR)
    assert plan.reauthorise_at(NOW - HOUR, now=NOW) == NOW
    assert plan.reauthorise_at(NOW, now=NOW) == NOW


@given(aheads, st.integers(1, 40 * 3_600).map(lambda seconds: timedelta(seconds=seconds)))
def test_renewing_again_and_again_always_moves_on_before_the_end(ahead: timedelta, holds: timedelta) -> None:
    plan, now, rounds = plan_for(ahead), NOW, 0
    while rounds < 50 and (again := plan.reauthorise_at(now + holds, now=now)) is not None:
        assert now < again < now + holds
        now, rounds = again, rounds + 1


# --- what cancelling costs ---

START = NOW + 5 * 24 * HOUR


@pytest.mark.parametrize(
    ("before", "cents"),
    [
        (5 * 24 * HOUR, 0),
        (24 * HOUR + SECOND, 0),
        (24 * HOUR, 0),
        (24 * HOUR - SECOND, 40_000),
        (2 * HOUR + SECOND, 40_000),
        (2 * HOUR, 40_000),
        (2 * HOUR - SECOND, 80_000),
        (timedelta(), 80_000),
        (-HOUR, 80_000),
    ],
)
def test_cancelling_is_free_until_a_day_before_then_half_until_two_hours_before_then_all(before: timedelta, cents: int) -> None:
    assert cancellation_charge(POLICY, PRICE, START, START - before) == Money(cents, "USD")


def test_the_page_shows_the_rows_that_the_charge_follows() -> None:
    assert cancellation_terms(POLICY, PRICE, START) == (
        Term(START - 24 * HOUR, Money(0, "USD")),
        Term(START - 2 * HOUR, Money(40_000, "USD")),
        Term(None, PRICE),
    )


def test_a_plan_shows_only_the_terms_that_lie_ahead() -> None:
    assert [term.amount.minor for term in plan_for(24 * HOUR).terms] == [0, 40_000, 80_000]
    assert [term.amount.minor for term in plan_for(10 * HOUR).terms] == [40_000, 80_000]
    assert [term.amount.minor for term in plan_for(HOUR).terms] == [80_000]


def test_the_limit_is_elapsed_time_over_a_change_of_the_clocks() -> None:
    start = datetime(2026, 10, 25, 14, tzinfo=UTC)  # 15:00 in Berlin; 24 hours before it was 16:00 there
    assert cancellation_charge(POLICY, PRICE, start, datetime(2026, 10, 24, 14, tzinfo=UTC)) == Money(0, "USD")
    assert cancellation_charge(POLICY, PRICE, start, datetime(2026, 10, 24, 14, 0, 1, tzinfo=UTC)) == Money(40_000, "USD")


def test_half_of_an_odd_amount_is_rounded_once_in_its_own_currency() -> None:
    at = START - 3 * HOUR
    assert cancellation_charge(POLICY, Money(72_001, "USD"), START, at) == Money(36_001, "USD")
    assert cancellation_charge(POLICY, Money(12_345, "JPY"), START, at) == Money(6_173, "JPY")


def test_a_tenant_may_have_its_own_hours_and_percentage() -> None:
    policy = CancellationPolicy(free_until_hours=48, half_until_hours=6, late_percent=30)
    assert cancellation_charge(policy, PRICE, START, START - 48 * HOUR) == Money(0, "USD")
    assert cancellation_charge(policy, PRICE, START, START - 47 * HOUR) == Money(24_000, "USD")
    assert cancellation_charge(policy, PRICE, START, START - 5 * HOUR) == PRICE


def test_a_policy_may_have_no_middle() -> None:
    policy = CancellationPolicy(free_until_hours=4, half_until_hours=4)
    assert [term.amount.minor for term in cancellation_terms(policy, PRICE, START)] == [0, 80_000]
    assert cancellation_charge(policy, PRICE, START, START - 4 * HOUR) == Money(0, "USD")
    assert cancellation_charge(policy, PRICE, START, START - 4 * HOUR + SECOND) == PRICE


@given(st.integers(0, 200 * 3_600), st.integers(0, 200 * 3_600))
def test_waiting_never_makes_cancelling_cheaper(one: int, other: int) -> None:
    sooner, later = sorted([START - one * SECOND, START - other * SECOND])
    assert cancellation_charge(POLICY, PRICE, START, sooner) <= cancellation_charge(POLICY, PRICE, START, later)


# --- moving ---


def test_a_session_may_be_moved_twice_until_four_hours_before() -> None:
    assert move_allowed(POLICY, 0, START, START - 4 * HOUR)
    assert move_allowed(POLICY, 1, START, START - 24 * HOUR)
    assert not move_allowed(POLICY, 2, START, START - 24 * HOUR)
    assert not move_allowed(POLICY, 0, START, START - 4 * HOUR + SECOND)
