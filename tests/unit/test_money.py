"""Money: whole minor units, parts that always add up, and amounts as people write them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxo.core.money import WHOLE, Money, exponent

minors = st.integers(-(10**12), 10**12)
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
shares = st.integers(0, WHOLE)


@given(minors, currencies, shares)
def test_the_parts_of_a_split_always_add_up(minor: int, currency: str, basis_points: int) -> None:
    part, rest = Money(minor, currency).split(basis_points)
    assert part + rest == Money(minor, currency)
    assert part.currency == rest.currency == currency


@given(minors, shares)
def test_a_share_is_rounded_once_and_half_away_from_zero(minor: int, basis_points: int) -> None:
    exact = (Decimal(minor) * basis_points / WHOLE).quantize(Decimal(1), ROUND_HALF_UP)
    assert Money(minor, "USD").share(basis_points).minor == int(exact)


@given(st.integers(0, 10**12), shares)
def test_a_share_lies_between_nothing_and_the_whole(minor: int, basis_points: int) -> None:
    assert 0 <= Money(minor, "USD").share(basis_points).minor <= minor


@given(minors, shares)
def test_taking_back_mirrors_giving(minor: int, basis_points: int) -> None:
    assert (-Money(minor, "USD")).share(basis_points) == -Money(minor, "USD").share(basis_points)


@given(st.integers(0, 10**9), shares, shares)
def test_a_larger_share_is_never_smaller(minor: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert Money(minor, "USD").share(low) <= Money(minor, "USD").share(high)


def test_eighty_and_twenty_of_the_usual_price() -> None:
    assert Money(80_000, "USD").split(8_000) == (Money(64_000, "USD"), Money(16_000, "USD"))
    assert Money(1, "JPY").split(5_000) == (Money(1, "JPY"), Money(0, "JPY"))


@pytest.mark.parametrize("basis_points", [-1, WHOLE + 1])
def test_a_share_outside_the_whole_is_refused(basis_points: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 10,000"):
        Money(100, "USD").share(basis_points)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(80_000, "USD"), "$800"),
        (Money(72_050, "USD"), "$720.50"),
        (Money(5, "USD"), "$0.05"),
        (Money(0, "USD"), "$0"),
        (Money(-12_345, "EUR"), "-€123.45"),
        (Money(123_456_789, "GBP"), "£1,234,567.89"),
        (Money(1_200, "JPY"), "¥1,200"),
        (Money(-1, "JPY"), "-¥1"),
        (Money(1_250_500, "KWD"), "1,250.500 KWD"),
        (Money(1, "KWD"), "0.001 KWD"),
        (Money(2_000, "KWD"), "2 KWD"),
        (Money(99_900, "SEK"), "999 SEK"),
    ],
)
def test_an_amount_reads_as_people_write_it(money: Money, text: str) -> None:
    assert str(money) == text


@given(minors, currencies)
def test_no_minor_unit_is_lost_in_the_text(minor: int, currency: str) -> None:
    digits = "".join(c for c in str(Money(minor, currency)) if c in "0123456789.-")
    assert Decimal(digits) * 10 ** exponent(currency) == minor


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot combine"):
        Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(ValueError, match="cannot combine"):
        Money(1, "USD") - Money(1, "JPY")


@pytest.mark.parametrize("minor", [1.0, True, "1", None, Decimal(1)])
def test_money_is_never_a_float_or_anything_but_a_whole_number(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "ÜSD", "$"])
def test_a_currency_is_an_iso_code(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)
