"""Amounts and shares as people type them in forms."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from fxo.core.errors import Invalid
from fxo.core.money import WHOLE, Money, exponent
from fxo.core.scope import FeeBearer
from fxo.web.language import _

LEAST, MOST = 1, 100_000
"""What an hour may cost, in whole units of the currency."""


def money_from(text: str, currency: str, field: str, *, least: int = LEAST) -> Money:
    """The amount that was typed: `800`, `$800`, `1,200.50`. `Invalid` says how to write it. `least`: in whole units; with 0,
    any amount that is more than nothing.
    """
    digits = exponent(currency)
    typed = re.sub(r"[\s$€£¥,']", "", text.replace(currency, ""))
    try:
        minor = Decimal(typed).scaleb(digits) if re.fullmatch(r"\d{1,9}(\.\d{1,4})?", typed) else None
    except InvalidOperation:
        minor = None
    if minor is None or minor != int(minor):
        example = f"800.{'0' * digits}" if digits else "800"
        raise Invalid(_("Write an amount of %(currency)s, such as %(example)s.", currency=currency, example=example), field=field)
    lowest, most = Money(max(1, least * 10**digits), currency), Money(MOST * 10**digits, currency)
    if not lowest.minor <= minor <= most.minor:
        if least:
            raise Invalid(_("Choose a price between %(least)s and %(most)s.", least=lowest, most=most), field=field)
        raise Invalid(_("Choose an amount between %(least)s and %(most)s.", least=lowest, most=most), field=field)
    return Money(int(minor), currency)


def plain(money: Money) -> str:
    """The amount as it stands in a form: `800` or `720.50`."""
    digits = exponent(money.currency)
    whole, rest = divmod(money.minor, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if rest else str(whole)


def share_from(text: str, field: str) -> int:
    """The expert's share that was typed in per cent, in basis points."""
    if not re.fullmatch(r"\d{1,3}(\.\d{1,2})?", text.strip()) or Decimal(text) > 100:
        raise Invalid(_("Write a number from 0 to 100."), field=field)
    return int(Decimal(text.strip()) * 100)


def split(share: int) -> str:
    """Expert and platform: `80 / 20`."""
    return f"{share / 100:g} / {(WHOLE - share) / 100:g}"


def bearer(who: FeeBearer) -> str:
    """Who bears the payment provider's fee."""
    return {
        FeeBearer.PLATFORM: _("The platform bears it"), FeeBearer.PARTNER: _("The expert bears it"),
        FeeBearer.SHARED: _("Both bear it, as the price is shared"),
    }[who]  # fmt: skip
