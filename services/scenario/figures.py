"""Figures in `expect` are compared as numbers, so they may be written as numbers: here they become the text that the schema asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

_SUMS = frozenset(["amount", "unit_price"])
_SUMS_BELOW = frozenset(["carried", "cash_back", "positions", "saved"])


def as_text(expect: Any, *, sums: bool = False) -> Any:
    """The same expectation with sums of money as decimal text. Whole numbers stay numbers where points or counts are meant.

    A number with a fraction is exact here as far as it was written with no more than 15 digits.
    """
    if isinstance(expect, dict):
        return {name: as_text(value, sums=sums or name in _SUMS or name in _SUMS_BELOW) for name, value in expect.items()}
    if isinstance(expect, list):
        return [as_text(value, sums=sums) for value in expect]
    if isinstance(expect, float) or (sums and isinstance(expect, int) and not isinstance(expect, bool)):
        number = Decimal(str(expect))
        return format(number, "f") if number.is_finite() else expect
    return expect
