"""Days, shares and rounding, as the contract words them."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

PLACES = {"JPY": 0, "KRW": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


def places(currency: str) -> int:
    """Digits after the point that a currency has."""
    return PLACES.get(currency, 2)


def minor(text: object, currency: str) -> int:
    """A sum of money in its smallest unit."""
    exact = Fraction(str(text)) * 10 ** places(currency)
    if exact.denominator != 1:
        raise ValueError(f"{text} has more places than {currency}")
    return int(exact)


def money(amount: int, currency: str) -> str:
    """A sum in its smallest unit as a decimal string with the currency's places."""
    digits = places(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def decimal(exact: Fraction) -> str:
    """An exact price as a decimal string; every price of a programme has one."""
    digits = 0
    while (exact * 10**digits).denominator != 1:
        digits += 1
    scaled = int(exact * 10**digits)
    whole, rest = divmod(abs(scaled), 10**digits)
    return ("-" if scaled < 0 else "") + (f"{whole}.{rest:0{digits}d}" if digits else str(whole))


def half_even(exact: Fraction) -> int:
    """Rule 25: rounded to a whole number, half to the even one."""
    return round(exact)


def shares(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Rule 5, largest remainder: rounded down, what is left over one each to the largest fractions, ties to the one named first."""
    whole = sum(weights, Fraction(0))
    if not whole:
        return [0 for _ in weights]
    exact = [Fraction(total) * weight / whole for weight in weights]
    parts = [int(share // 1) for share in exact]
    order = sorted(range(len(parts)), key=lambda at: (-(exact[at] - parts[at]), at))
    for at in order[: total - sum(parts)]:
        parts[at] += 1
    return parts


def month_end(day: date, months: int = 0) -> date:
    """The last day of the month that lies `months` after a day's."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it is shorter."""
    last = month_end(day, months)
    return last.replace(day=min(day.day, last.day))


def fixed_day(after: date, month: int, day: int) -> date:
    """Rule 8, `fixed`: the first such day after a day. A 29 February comes in leap years."""
    found = after + timedelta(days=1)
    while (found.month, found.day) != (month, day):
        found += timedelta(days=1)
    return found
