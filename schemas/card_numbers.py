"""Payment card numbers in clear, wherever they stand: found in fields that could hold a card, and in free text, where they can be masked."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from schemas.bank_numbers import without_bank_numbers
from schemas.card_issuers import issuer_takes
from schemas.unseen import UNSEEN

DIGITS_MIN = 13
DIGITS_MAX = 19

_CANDIDATE = re.compile(r"\d(?:[ -]?\d){12,}")
_GAP_MAX: Final = 3
_GAP: Final = rf"(?:\s++|[^\w\s]|_){{0,{_GAP_MAX}}}+"
"""What may stand between two digits of a card number: so many signs. Spaces are one of them however many they are, since texts are kept with single ones."""
_MANY = re.compile(rf"(?:\d{_GAP}){{{DIGITS_MIN - 1}}}\d")
"""Enough digits with nothing but signs and spaces between them: what has not this holds no card number, however it is written."""
_RUN = re.compile(rf"\d(?:{_GAP}\d)+")
_BLOCK = re.compile(r"\d+")
_DAY = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")
_PRINTED: Final = frozenset({(4, 6, 5), (4, 6, 4), (4, 3, 3, 3), (6, 13), (4, 4, 5)})
"""How cards are printed that are not printed in blocks of one size."""
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def holds_card_number(text: str) -> bool:
    """Whether a field that may hold a card holds 13 to 19 digits that pass Luhn's check, as one block or in blocks with single spaces or dashes between,
    or a card number as `card_numbers_in` finds it.

    A longer block of digits is no card number, whatever stands in it.
    """
    if len(text) < DIGITS_MIN or _MANY.search(plain := _plain(text)) is None:
        return False
    return any(_passes(found.group()) for found in _CANDIDATE.finditer(plain)) or bool(card_numbers_in(plain))


def card_numbers_in(text: str) -> list[tuple[int, int]]:
    """Where free text holds what passes for a payment card number: from, and up to before, which character; they do not overlap.

    Such are 13 to 19 digits of any script that pass Luhn's check, begin as a card scheme's numbers do and have one of its lengths: as one block; in any
    blocks with spaces or dashes of any kind between; or, with other signs between (not letters: ids are made of those), in blocks as cards are printed. A
    longer block of digits is none. Account numbers and creditor references whose own check digits are right, days, and article numbers (EAN) are none.
    """
    if len(text) < DIGITS_MIN:
        return []
    plain = _plain(text)
    if _MANY.search(plain) is None:
        return []
    plain = _DAY.sub(_struck, without_bank_numbers(plain))
    return [span for found in _RUN.finditer(plain) for span in _in_run(plain, found.start(), found.end())]


def mask_card_numbers(text: str) -> str:
    """Free text with all but the last four digits of each card number struck out; everything else is as it was."""
    while found := card_numbers_in(text):
        for start, end in found:
            places = [place for place in range(start, end) if _plain(text[place]).isdigit()]
            for place in places[:-4]:
                text = f"{text[:place]}*{text[place + 1 :]}"
    return text


def bytes_hold_card_number(content: bytes) -> bool:
    """Whether a file of any kind holds a card number that can be read as text: UTF-8, Latin or UTF-16. What is compressed in it is not looked into."""
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return bool(card_numbers_in(content.decode("utf-16" if marked else "utf-8", "replace")))


def _plain(text: str) -> str:
    """The same text, place by place, with digits of all scripts and shapes as 0 to 9, all spaces as spaces, all dashes as dashes."""
    return text if text.isascii() else "".join(map(_plain_character, text))


@functools.lru_cache(maxsize=4096)
def _plain_character(one: str) -> str:
    digit = unicodedata.digit(one, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(one)
    if category in UNSEEN:
        return " "
    return "-" if category == "Pd" or one == "\u2212" else one


def _struck(found: re.Match[str]) -> str:
    return "x" * len(found.group())


def _in_run(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The card numbers in a run of blocks of digits; where several readings of it overlap, they are one place."""
    blocks = [(found.start(), found.end()) for found in _BLOCK.finditer(text, start, end)]
    begins = ends = -1
    for first in range(len(blocks)):
        for last in _sized(blocks, first):
            if not _is_card(text, blocks[first:last]):
                continue
            if first >= ends and begins >= 0:
                yield blocks[begins][0], blocks[ends - 1][1]
                begins = -1
            begins, ends = (first if begins < 0 else begins), max(ends, last)
    if begins >= 0:
        yield blocks[begins][0], blocks[ends - 1][1]


def _sized(blocks: list[tuple[int, int]], first: int) -> Iterator[int]:
    """Up to before which block there are as many digits, from the first on, as a card number has."""
    digits = 0
    for last, (start, end) in enumerate(blocks[first : first + DIGITS_MAX], first + 1):
        digits += end - start
        if digits > DIGITS_MAX:
            return
        if digits >= DIGITS_MIN:
            yield last


def _is_card(text: str, blocks: list[tuple[int, int]]) -> bool:
    digits = "".join([text[start:end] for start, end in blocks])
    if not issuer_takes(digits) or not _luhn(digits) or (len(blocks) == 1 and _article(digits)):
        return False
    gaps = {text[before[1] : after[0]].strip() for before, after in pairwise(blocks)}
    return gaps <= {"", "-"} or _as_printed(tuple(end - start for start, end in blocks), gaps)


def _as_printed(sizes: tuple[int, ...], gaps: set[str]) -> bool:
    """Whether blocks are of one size, the last of them not longer; blocks of one or two digits with one and the same sign: sums and times have such."""
    size = sizes[0]
    even = all(one == size for one in sizes[:-1]) and sizes[-1] <= size
    return sizes in _PRINTED or (even and (size > 2 or len(gaps) == 1))


def _article(digits: str) -> bool:
    """Whether 13 digits end with the check digit of an article number (EAN-13)."""
    return len(digits) == DIGITS_MIN and sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def _passes(run: str) -> bool:
    """Whether whole blocks of a run of digits add up to a card number."""
    blocks = run.replace("-", " ").split(" ")
    for first in range(len(blocks)):
        digits = ""
        for block in blocks[first:]:
            digits += block
            if len(digits) > DIGITS_MAX:
                break
            if len(digits) >= DIGITS_MIN and _luhn(digits):
                return True
    return False


def _luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        total += _DOUBLED[int(digit)] if index % 2 else int(digit)
    return total % 10 == 0
