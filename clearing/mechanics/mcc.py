"""Merchant category codes: what a card was used for, as lists of codes, ranges and the word `quasi_cash`."""

from collections.abc import Iterable
from typing import Final

QUASI_CASH: Final = ("4829", "6010", "6011", "6012", "6051", "6211", "6540", "7800", "7801", "7995")
"""What stands for money: transfers, cash, securities, stored value, lotteries and bets. The word `quasi_cash` in `exclude_mcc` means these."""


class MccList:
    """A list as the programme file writes it: codes ("5411"), ranges with both ends in them ("5500-5599"), and `quasi_cash`."""

    def __init__(self, named: Iterable[str]) -> None:
        codes: set[str] = set()
        ranges: list[tuple[str, str]] = []
        for name in named:
            if name == "quasi_cash":
                codes.update(QUASI_CASH)
            elif "-" in name:
                first, last = name.split("-")
                ranges.append((first, last))
            else:
                codes.add(name)
        self._codes = frozenset(codes)
        self._ranges = tuple(ranges)

    def __contains__(self, code: object) -> bool:
        """Whether the list names a code; codes have four digits, so they compare as text."""
        return code in self._codes or (isinstance(code, str) and any(first <= code <= last for first, last in self._ranges))

    def __bool__(self) -> bool:
        return bool(self._codes or self._ranges)
