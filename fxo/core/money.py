"""Money: integers in minor units with a currency, and the split that rounds once."""

from __future__ import annotations

from dataclasses import dataclass

# ISO 4217 currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
WHOLE = 10_000
"""Basis points in a whole."""


def exponent(currency: str) -> int:
    """How many decimals the currency has (JPY 0, USD 2, KWD 3)."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents for USD, yen for JPY) of one ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError("money is counted in whole minor units")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise ValueError(f"{self.currency!r} is not an ISO 4217 code")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")
        return other.minor

    def share(self, basis_points: int) -> Money:
        """That part of the amount, rounded half up once; negative amounts mirror positive ones."""
        if not 0 <= basis_points <= WHOLE:
            raise ValueError("a share lies between 0 and 10,000 basis points")
        size = (abs(self.minor) * basis_points + WHOLE // 2) // WHOLE
        return Money(size if self.minor >= 0 else -size, self.currency)

    def split(self, basis_points: int) -> tuple[Money, Money]:
        """The share and the rest; together they are always the whole amount (PRD FR-2.3)."""
        part = self.share(basis_points)
        return part, self - part

    def tax_within(self, rate: int) -> Money:
        """The tax that the amount has in it, at a rate in basis points, rounded half up once; negative amounts mirror."""
        size = (abs(self.minor) * rate * 2 + WHOLE + rate) // (2 * (WHOLE + rate))
        return Money(size if self.minor >= 0 else -size, self.currency)

    @property
    def exact(self) -> str:
        """For documents, with every decimal of the currency: `$800.00`, `¥1,200`, `1,250.500 KWD`."""
        return self._written(whole=False)

    def __str__(self) -> str:
        """For people: `$800`, `$720.50`, `¥1,200`, `1,250.500 KWD`. Whole amounts drop their decimals."""
        return self._written(whole=True)

    def _written(self, *, whole: bool) -> str:
        digits = exponent(self.currency)
        units, rest = divmod(abs(self.minor), 10**digits)
        number = f"{units:,}" + (f".{rest:0{digits}d}" if digits and (rest or not whole) else "")
        sign = "-" if self.minor < 0 else ""
        symbol = _SYMBOLS.get(self.currency)
        return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {self.currency}"
