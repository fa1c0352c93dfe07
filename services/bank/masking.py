"""Card numbers in the texts of statements and notifications are struck out before anything is kept. Payers write what they like, and a statement that is
refused for it would stop the chain. What is for cards (elements, files, events) is refused as ever."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from lxml import etree

from schemas.card_numbers import mask_card_numbers
from services.bank.elements import scanned
from services.bank.xml import CAMT_053, CAMT_054

MASKED: Final = "card-number-masked"
"""The notice under which it is told."""
MASKABLE: Final = frozenset({CAMT_053, CAMT_054})
"""Name spaces of messages that are taken with their card numbers struck out."""


def mask_texts(root: etree._Element) -> int:
    """Strikes all but the last four digits out of each card number in a text that people write; returns how many texts it has changed.

    Lines that stand one after the other under one name are read as one text, since a number may go on in the next. Attributes and names stay as they are.
    """
    changed = 0
    for parent in root.iter():
        for _, lines in groupby(parent, key=lambda each: each.tag):
            changed += _mask([line for line in lines if scanned(line)])
    return changed


def bytes_to_keep(root: etree._Element, content: bytes, masked: int) -> bytes:
    """What is archived: the bank's own bytes; or, where a number was struck out or comments could hold one, the message as it was read."""
    if not masked and b"<!--" not in content and content.count(b"<?") <= 1:
        return content
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _mask(lines: list[etree._Element]) -> int:
    texts = [str(line.text) for line in lines]
    masked = mask_card_numbers("\n".join(texts))
    place = changed = 0
    for line, before in zip(lines, texts, strict=True):
        after = masked[place : place + len(before)]
        place += len(before) + 1
        if after != before:
            line.text = after
            changed += 1
    return changed
