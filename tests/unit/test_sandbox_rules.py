"""The sandbox's pure rules: test cards, check digits, what may be done with an attempt, signatures and their age."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fxo.core.errors import Declined, Invalid, Misconfigured
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments.port import PaymentStatus
from fxo.plugins.payments_sandbox.attempt import Attempt, Change, Transfer, Verb
from fxo.plugins.payments_sandbox.cards import (
    AWAY_WINDOW,
    BY_NAME,
    CARDS,
    PRESENT_WINDOW,
    Approved,
    Asked,
    Card,
    Refused,
    hold_ends,
    judge,
    luhn,
    read_card,
)
from fxo.plugins.payments_sandbox.provider import Settings
from fxo.plugins.payments_sandbox.webhooks import HEADER, read, sign, verify, write

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"
TYPED = {"number": "4242 4242 4242 4242", "exp_month": "09", "exp_year": "28", "cvc": "123"}


# Check digits.


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_test_card_has_the_right_check_digit(card: Card) -> None:
    assert luhn(card.digits)


@given(st.text("0123456789", min_size=11, max_size=18))
def test_exactly_one_last_digit_is_the_right_one(digits: str) -> None:
    assert sum(luhn(digits + last) for last in "0123456789") == 1


@given(st.text("0123456789", min_size=12, max_size=19).filter(luhn), st.data())
def test_one_wrong_digit_is_always_noticed(digits: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != digits[place]]))
    assert not luhn(digits[:place] + other + digits[place + 1 :])


def test_digits_of_other_scripts_are_no_card_number() -> None:
    assert not luhn("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢")


# What was typed.


def test_a_test_card_is_read_however_its_digits_are_grouped() -> None:
    for number in ("4242424242424242", "4242-4242-4242-4242", " 4242 4242 42424242 "):
        assert read_card({**TYPED, "number": number}, NOW).name == "works"


def test_a_card_is_good_until_the_end_of_its_month() -> None:
    assert read_card({**TYPED, "exp_month": 11, "exp_year": 2026}, NOW).name == "works"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"number": ""}, "number"),
        ({"number": "4242 4242 4242 4241"}, "number"),
        ({"number": "5555 5555 5555 4444"}, "number"),
        ({"number": "\uff14\uff12" * 8}, "number"),
        ({"exp_month": "10", "exp_year": "26"}, "exp"),
        ({"exp_month": "13"}, "exp"),
        ({"exp_month": "0"}, "exp"),
        ({"exp_year": ""}, "exp"),
        ({"exp_year": "1999"}, "exp"),
        ({"cvc": "12"}, "cvc"),
        ({"cvc": "abc"}, "cvc"),
        ({"number": {"$ne": ""}}, "number"),
        ({"cvc": None}, "cvc"),
    ],
)
def test_what_cannot_be_a_test_card_is_refused_with_the_field_to_mend(typed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_card({**TYPED, **typed}, NOW)
    assert refusal.value.field == field
    assert refusal.value.message.endswith(".")


def test_a_refusal_never_repeats_the_number() -> None:
    with pytest.raises(Invalid) as refusal:
        read_card({**TYPED, "number": "5555 5555 5555 4444"}, NOW)
    assert not any(character.isdigit() for character in refusal.value.message)


def test_a_label_shows_the_last_four_digits_only() -> None:
    assert BY_NAME["works"].label == "Visa ending 4242"


def test_names_and_numbers_of_test_cards_are_unique() -> None:
    assert len(BY_NAME) == len({card.digits for card in CARDS}) == len(CARDS)


def test_the_docs_list_every_test_card_with_what_it_does() -> None:
    rows = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| 4")]
    assert rows == [f"| {card.number} | {card.does} |" for card in CARDS]


# What a card's bank says.


@pytest.mark.parametrize(
    ("card", "present", "away", "away_once_confirmed"),
    [
        ("works", Approved(), Approved(), Approved()),
        ("declined", Refused("card_declined"), Refused("card_declined"), Refused("card_declined")),
        ("empty", Refused("insufficient_funds"), Refused("insufficient_funds"), Refused("insufficient_funds")),
        ("expired", Refused("expired_card"), Refused("expired_card"), Refused("expired_card")),
        ("asks_once", Asked(), Refused("authentication_required"), Approved()),
        ("asks_always", Asked(), Refused("authentication_required"), Refused("authentication_required")),
        ("fails_later", Approved(), Refused("card_declined"), Refused("card_declined")),
        ("asks_later", Approved(), Refused("authentication_required"), Refused("authentication_required")),
    ],
)
def test_each_card_does_what_it_says(card: str, present: object, away: object, away_once_confirmed: object) -> None:
    assert judge(BY_NAME[card], present=True, confirmed=False) == present
    assert judge(BY_NAME[card], present=False, confirmed=False) == away
    assert judge(BY_NAME[card], present=False, confirmed=True) == away_once_confirmed


def test_a_card_that_asks_once_is_not_asked_again_while_present() -> None:
    assert judge(BY_NAME["asks_once"], present=True, confirmed=True) == Approved()


def test_a_hold_lasts_longer_with_the_client_present() -> None:
    works, short = BY_NAME["works"], BY_NAME["short_hold"]
    assert hold_ends(works, NOW, present=True) == NOW + PRESENT_WINDOW == NOW + timedelta(days=7)
    assert hold_ends(works, NOW, present=False) == NOW + AWAY_WINDOW == NOW + timedelta(days=4, hours=18)
    assert hold_ends(short, NOW, present=True) == hold_ends(short, NOW, present=False) == NOW + timedelta(days=2)


# What may be done with an attempt.


PRICE = Money(80_000, "USD")


def attempt(status: PaymentStatus = PaymentStatus.AUTHORISED, amount: Money = PRICE, **values: Any) -> Attempt:
    return Attempt("sp_1", "order-1", Verb.AUTHORISE, "tok_1", "sc_1", BY_NAME["works"], amount, status=status, **values)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (PaymentStatus.EXPIRED, "authorisation_expired"),
        (PaymentStatus.CAPTURED, "already_captured"),
        (PaymentStatus.VOIDED, "not_authorised"),
        (PaymentStatus.DECLINED, "not_authorised"),
        (PaymentStatus.SAVED, "not_authorised"),
        (PaymentStatus.ACTION_REQUIRED, "not_authorised"),
    ],
)
def test_only_a_living_hold_can_be_captured(status: PaymentStatus, reason: str) -> None:
    with pytest.raises(Declined) as refusal:
        attempt(status).capture(Money(80_000, "USD"))
    assert refusal.value.reason == reason


@given(held=st.integers(1, 10**12), asked=st.integers(1, 10**12), currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_capture_takes_what_was_asked_or_nothing(held: int, asked: int, currency: str) -> None:
    hold = attempt(amount=Money(held, currency))
    if asked <= held:
        assert hold.capture(Money(asked, currency)).captured == asked
    else:
        with pytest.raises(Declined, match="over_capture"):
            hold.capture(Money(asked, currency))


@given(captured=st.integers(1, 10**6), parts=st.lists(st.integers(1, 10**6), max_size=8))
def test_refunds_together_never_exceed_what_was_captured(captured: int, parts: list[int]) -> None:
    payment = replace(attempt(PaymentStatus.CAPTURED, Money(10**6, "USD")), captured=captured)
    for part in parts:
        if payment.refunded + part <= captured:
            payment = payment.refund(Money(part, "USD"))
        else:
            with pytest.raises(Declined, match="over_refund"):
                payment.refund(Money(part, "USD"))
        assert payment.refunded <= captured


def test_what_was_never_captured_cannot_be_refunded() -> None:
    with pytest.raises(Declined, match="over_refund"):
        attempt().refund(Money(1, "USD"))


@pytest.mark.parametrize("amount", [Money(0, "USD"), Money(-1, "USD"), Money(80_000, "EUR")])
def test_nothing_less_than_nothing_and_other_currencies_are_refused(amount: Money) -> None:
    for verb in (attempt().capture, attempt(PaymentStatus.CAPTURED, captured=80_000).refund):
        with pytest.raises(Misconfigured) as refusal:
            verb(amount)
        assert refusal.value.field == "amount"


def test_a_transfer_is_taken_back_in_parts_up_to_what_was_paid() -> None:
    paid = Transfer("st_1", new_id(), Money(64_000, "USD")).reverse(Money(60_000, "USD"))
    assert paid.reverse(Money(4_000, "USD")).reversed == 64_000
    with pytest.raises(Declined, match="over_reversal"):
        paid.reverse(Money(4_001, "USD"))


# Signed notices.

CHANGE = Change("sn_1", "payment.captured", "sp_1", "order-1", NOW)
SECRET = "whsec_test"


def test_a_notice_that_was_signed_with_the_secret_is_read_as_it_was_written() -> None:
    body = write(CHANGE)
    verify(SECRET, {HEADER: sign(SECRET, body, NOW)}, body, NOW + timedelta(minutes=5))
    notice = read(body)
    assert (notice.event_id, notice.kind, notice.reference, notice.order_reference, notice.at) == (
        "sn_1",
        "payment.captured",
        "sp_1",
        "order-1",
        NOW,
    )


def test_the_signature_s_header_is_found_in_any_spelling() -> None:
    verify(SECRET, {HEADER.upper(): sign(SECRET, b"{}", NOW)}, b"{}", NOW)


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(days=3), -timedelta(minutes=6)])
def test_a_notice_too_old_or_from_the_future_is_declined(age: timedelta) -> None:
    with pytest.raises(Declined, match="bad_signature"):
        verify(SECRET, {HEADER: sign(SECRET, b"{}", NOW)}, b"{}", NOW + age)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "v1=" + "0" * 64,
        f"t={int(NOW.timestamp())},v1=" + "0" * 64,
        sign("another", b"{}", NOW),
        sign(SECRET, b"{ }", NOW),
    ],
)
def test_a_signature_that_is_not_of_this_body_and_secret_is_declined(header: str) -> None:
    with pytest.raises(Declined, match="bad_signature"):
        verify(SECRET, {HEADER: header}, b"{}", NOW)


def test_moving_the_time_of_a_signature_breaks_it() -> None:
    later = sign(SECRET, b"{}", NOW).replace(f"t={int(NOW.timestamp())}", f"t={int(NOW.timestamp()) + 600}")
    with pytest.raises(Declined, match="bad_signature"):
        verify(SECRET, {HEADER: later}, b"{}", NOW + timedelta(minutes=10))


@given(st.binary(max_size=200))
def test_a_body_that_is_no_notice_is_declined_whatever_it_is(body: bytes) -> None:
    with pytest.raises(Declined, match="bad_notice"):
        read(body)


# Settings.


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://host", "http://"])
def test_notices_are_delivered_to_web_addresses_only(address: str) -> None:
    with pytest.raises(ValidationError, match="http://"):
        Settings(deliver_to=address)
