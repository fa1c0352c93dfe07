"""What has to be the same, shown: the sum of the parts, and the figure of the level above."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from schemas.money import currency_places, is_currency


@dataclass(frozen=True, slots=True)
class Equation:
    """`parts` in words add up to `total`; `level` in words says `above`. Figures are exact, as text."""

    parts: str
    total: str
    level: str
    above: str

    @property
    def holds(self) -> bool:
        """Whether the two figures are the same."""
        return self.total == self.above


def counts(parts: str, total: int, level: str, above: int) -> Equation:
    """Of whole numbers: points, purchases, events."""
    return Equation(parts, f"{total:,}", level, f"{above:,}")


def measured(parts: str, total: int, level: str, above: int, unit: str) -> Equation:
    """Of a unit of the journal: of a currency amounts, of anything else whole numbers."""
    return amounts(parts, total, level, above, unit) if is_currency(unit) else counts(parts, total, level, above)


def amounts(parts: str, total_minor: Fraction | int, level: str, above_minor: Fraction | int, currency: str) -> Equation:
    """Of amounts of a currency, rounded or not."""
    return Equation(parts, money(total_minor, currency), level, money(above_minor, currency))


def money(minor: Fraction | int, currency: str) -> str:
    """An exact amount with its currency, never with fewer places than the currency has: `0.54 EUR`, `0.5355 EUR`."""
    places = currency_places(currency)
    return f"{exact(Fraction(minor) / 10**places, places)} {currency}"


def exact(value: Fraction, places: int = 0) -> str:
    """All decimals of a number that has finitely many, at least so many; of any other number twelve, and an ellipsis."""
    sign = "-" if value < 0 else ""
    rest = value.denominator
    needed = 0
    while rest > 1 and needed < 40:
        rest //= _common(rest)
        needed += 1
        if _common(rest) == 1:
            break
    finite = rest == 1
    digits = max(places, needed if finite else 12)
    whole, decimals = divmod(abs(value.numerator) * 10**digits // value.denominator, 10**digits)
    return f"{sign}{whole:,}" + (f".{decimals:0{digits}d}" if digits else "") + ("" if finite else "…")


def _common(number: int) -> int:
    """What a number has in common with ten: each decimal place takes that away."""
    return (2 if number % 2 == 0 else 1) * (5 if number % 5 == 0 else 1)
