"""The test cards: what each one does, the check of what was typed, and the network's verdict on a use. Pure rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from fxo.core.errors import Invalid

PRESENT_WINDOW = timedelta(days=7)
"""How long a hold lasts that was made with the client present."""
AWAY_WINDOW = timedelta(days=4, hours=18)
"""How long a hold lasts that was made on a saved card while the client was away."""
SHORT_WINDOW = timedelta(days=2)


class Asks(StrEnum):
    """When the card's bank wants the client's own word."""

    NEVER = "never"
    ONCE = "once"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Card:
    """One test card. `name` stands for it in tables, so that no number is ever stored; `does` is a sentence for people."""

    name: str
    number: str
    does: str
    refused: str | None = None
    """The code with which every use is declined."""
    refused_away: str | None = None
    """The code with which a use is declined while the client is away."""
    asks: Asks = Asks.NEVER
    window: timedelta | None = None
    """How long a hold lasts, where that is shorter than usual."""
    stumbles: int = 0
    """How many captures of a payment fail with "try again" before one works."""
    disputed: bool = False
    """Whether the cardholder disputes every payment as soon as it is captured."""
    stubborn: bool = False
    """Whether the card's bank decides for its cardholder, whatever the evidence."""

    @property
    def digits(self) -> str:
        return self.number.replace(" ", "")

    @property
    def label(self) -> str:
        """For people: the brand and the last four digits."""
        return f"Visa ending {self.digits[-4:]}"


CARDS: tuple[Card, ...] = (
    Card("works", "4242 4242 4242 4242", "Works."),
    Card("declined", "4000 0000 0000 0002", "Is declined.", refused="card_declined"),
    Card("empty", "4000 0000 0000 9995", "Is declined: not enough money in the account.", refused="insufficient_funds"),
    Card("expired", "4000 0000 0000 0069", "Is declined: the card has expired.", refused="expired_card"),
    Card(
        "asks_once",
        "4000 0025 0000 3155",
        "Asks for a confirmation at its first use; once confirmed and saved, works while you are away.",
        asks=Asks.ONCE,
    ),
    Card(
        "asks_always",
        "4000 0027 6000 3184",
        "Asks for a confirmation at every use, and is declined while you are away.",
        asks=Asks.ALWAYS,
    ),
    Card(
        "fails_later",
        "4000 0000 0000 0341",
        "Works while you are present and can be saved; later uses of the saved card are declined.",
        refused_away="card_declined",
    ),
    Card(
        "asks_later",
        "4000 0000 0000 5043",
        "Works while you are present and can be saved; later uses of the saved card are declined until you confirm.",
        refused_away="authentication_required",
    ),
    Card("short_hold", "4000 0000 0000 2024", "Works, but its bank keeps a hold for two days only.", window=SHORT_WINDOW),
    Card(
        "stumbles",
        "4000 0000 0000 5035",
        "Works, but the first capture of a payment fails and has to be tried again.",
        stumbles=1,
    ),
    Card(
        "disputed",
        "4000 0000 0000 0259",
        "Works; the cardholder disputes the payment as soon as it is captured. Who answers with evidence wins.",
        disputed=True,
    ),
    Card(
        "disputed_lost",
        "4000 0000 0000 2685",
        "Works; the cardholder disputes the payment as soon as it is captured, and wins whatever is answered.",
        disputed=True,
        stubborn=True,
    ),
)
BY_NAME: Mapping[str, Card] = {card.name: card for card in CARDS}
_BY_DIGITS: Mapping[str, Card] = {card.digits: card for card in CARDS}


@dataclass(frozen=True, slots=True)
class Approved:
    """The card may be used."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The card's bank said no; `reason` is one of the port's codes."""

    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The card's bank wants the client's own word first."""


Verdict = Approved | Refused | Asked


def judge(card: Card, *, present: bool, confirmed: bool) -> Verdict:
    """What the card's bank says to a use; `confirmed` where the client has confirmed this saved card before."""
    if card.refused:
        return Refused(card.refused)
    if card.refused_away and not present:
        return Refused(card.refused_away)
    if card.asks is Asks.ALWAYS or (card.asks is Asks.ONCE and not confirmed):
        return Asked() if present else Refused("authentication_required")
    return Approved()


def hold_ends(card: Card, now: datetime, *, present: bool) -> datetime:
    """Until when a hold made now can be captured."""
    return now + (card.window or (PRESENT_WINDOW if present else AWAY_WINDOW))


def luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812-1)."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def read_card(details: Mapping[str, Any], now: datetime) -> Card:
    """The test card that these details spell: `number`, `exp_month`, `exp_year` (two or four digits), `cvc`.

    Raises `Invalid` with the field to mend. A number that is no test card is refused, so that nobody leaves a real one here.
    """
    digits = re.sub(r"[\s-]", "", str(details.get("number", "")))
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not luhn(digits):
        raise Invalid("This card number is not complete or has a typing error.", field="number")
    card = _BY_DIGITS.get(digits)
    if card is None:
        raise Invalid("This is a test network: use one of its test cards, never a real one.", field="number")
    month, year = str(details.get("exp_month", "")).strip(), str(details.get("exp_year", "")).strip()
    if not re.fullmatch(r"0?[1-9]|1[0-2]", month, re.ASCII) or not re.fullmatch(r"[0-9]{2}|20[0-9]{2}", year):
        raise Invalid("Give the month and year that stand on the card, such as 09 / 28.", field="exp")
    if (2000 + int(year) % 100, int(month)) < (now.year, now.month):
        raise Invalid("This card's expiry date has passed.", field="exp")
    if not re.fullmatch(r"[0-9]{3}", str(details.get("cvc", "")).strip()):
        raise Invalid("The security code is the 3 digits on the back of the card.", field="cvc")
    return card
