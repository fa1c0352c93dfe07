"""Account numbers (ISO 13616) and creditor references (ISO 11649) in a text: both have check digits of their own, so they are no card numbers."""

from __future__ import annotations

import re
from typing import Final

_BEGINS: Final = re.compile(r"(?<![0-9A-Z])[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]){1,30}", re.IGNORECASE)
_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""How many characters an account number of a country has."""


def without_bank_numbers(text: str) -> str:
    """The text with each of them struck out by as many letters as it has characters; one whose check digits are wrong stays."""
    place = 0
    while (found := _BEGINS.search(text, place)) is not None:
        length = _length(found.group())
        text = f"{text[: found.start()]}{'x' * length}{text[found.start() + length :]}"
        place = found.start() + (length or 1)
    return text


def _length(candidate: str) -> int:
    """So many characters of the candidate, spaces among them, are such a number; 0: none."""
    plain = candidate.replace(" ", "").upper()
    if not plain.startswith("RF"):
        length = _LENGTHS.get(plain[:2], 0)
        whole = _characters(candidate, length)
        return whole if length and len(plain) >= length and _checks(plain[:length]) else 0
    ends = (place for place in range(len(candidate), 4, -1) if place == len(candidate) or candidate[place] == " ")
    return next((end for end in ends if len(found := candidate[:end].replace(" ", "").upper()) <= 25 and _checks(found)), 0)


def _characters(candidate: str, count: int) -> int:
    """The place behind the so many-th character that is no space."""
    seen = 0
    for place, one in enumerate(candidate, 1):
        seen += one != " "
        if seen == count:
            return place
    return 0


def _checks(number: str) -> bool:
    """ISO 7064 MOD 97-10: letters count from 10 on."""
    return len(number) > 4 and int("".join(str(int(one, 36)) for one in number[4:] + number[:4])) % 97 == 1
