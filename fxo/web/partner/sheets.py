"""What stands in the cells of files for spreadsheets."""

from __future__ import annotations

from fxo.core.money import Money, exponent


def cell(text: str) -> str:
    """Text as text: what a client typed as a name must never run as a formula in somebody's spreadsheet."""
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r") else text


def decimal(amount: Money) -> str:
    """The amount for a spreadsheet: `-640.00`."""
    digits = exponent(amount.currency)
    whole, rest = divmod(abs(amount.minor), 10**digits)
    sign = "-" if amount.minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"
