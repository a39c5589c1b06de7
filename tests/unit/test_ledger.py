"""The ledger: a capture is split once, its parts are the whole, and every event's lines add up to zero."""

from __future__ import annotations

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

import fxo.platform  # noqa: F401  (brings every event)
from fxo.core.events.model import registered
from fxo.core.ids import new_id
from fxo.core.ledger.postings import Account, Posting, postings
from fxo.core.money import Money
from fxo.core.payments.model import Abandoned, Captured, CaptureFailed, Voided

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


@pytest.mark.parametrize("happened", [Voided("booking_ended"), Abandoned("refused"), CaptureFailed("authorisation_expired")])
def test_what_moves_no_money_is_not_booked(happened: object) -> None:
    assert postings(happened) == ()


def test_every_other_kind_of_event_books_nothing() -> None:
    """A new event that moves money has to be looked at here."""
    booked = {name for name, kind in registered().items() if postings(_blank(kind.cls))}
    assert booked == {"payment.captured"}


def _blank(cls: type[object]) -> object:
    """An event of that class as far as the ledger looks at it."""
    return captured(Money(100, "USD")) if cls is Captured else object.__new__(cls)
