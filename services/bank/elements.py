"""What stands in the elements of a valid message: texts, amounts, days and moments, by the path below an element."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from lxml import etree

from schemas.card_numbers import card_numbers_in
from schemas.money import MoneyError, to_minor
from services.bank.errors import BankCode, BankError
from services.bank.references import is_creditor_reference
from services.bank.xml import quoted

CARD_ELEMENTS: Final = frozenset({"CardTx", "PlainCardData", "PAN", "TrckData", "PmtCard"})
"""Elements that hold card data whatever stands in them."""
NOT_SCANNED: Final = frozenset({
    "AcctOwnrTxId", "AcctSvcrRef", "AcctSvcrTxId", "Amt", "AnyBIC", "BIC", "BICFI", "CaseId", "ChqNb", "ClrSysRef", "CtrlSum", "CxlId", "EndToEndId",
    "IBAN", "Id", "InstdAmt", "InstrId", "LEI", "MktInfrstrctrTxId", "MmbId", "MndtId", "MsgId", "NtryRef", "OrgnlClrSysRef", "OrgnlCtrlSum",
    "OrgnlEndToEndId", "OrgnlInstrId", "OrgnlMsgId", "OrgnlPmtInfId", "OrgnlTxId", "OrgnlUETR", "PmtInfId", "PrcgId", "RtrId", "StsId", "Sum",
    "TtlAmt", "TxId", "UETR",
})  # fmt: skip
"""Ids, accounts and sums: one number in ten of 13 to 19 digits would pass for that of a card by chance."""


def wrong(element: etree._Element, code: BankCode, sentence: str) -> BankError:
    """The refusal of a message for what stands in an element, with its line."""
    return BankError(code, sentence, element.sourceline)  # type: ignore[arg-type]  # the stubs do not know that it is a number


def children(element: etree._Element, path: str) -> list[etree._Element]:
    """The elements at a path of local names, in the order of the file."""
    return element.findall(_qualified(str(element.tag).partition("}")[0], path))


def child(element: etree._Element, path: str) -> etree._Element | None:
    """The first element at a path, or None."""
    return element.find(_qualified(str(element.tag).partition("}")[0], path))


@lru_cache(maxsize=1024)
def _qualified(opened: str, path: str) -> str:
    """A path with the name space in front of each step; `opened` is it with the brace before it."""
    return "/".join(f"{opened}}}{step}" for step in path.split("/"))


def text(element: etree._Element | None, *paths: str) -> str:
    """What stands at the first of these paths that is there; the empty string where none is."""
    for path in paths:
        found = None if element is None else child(element, path)
        if found is not None and found.text:
            return str(found.text).strip()
    return ""


def required(element: etree._Element, path: str) -> etree._Element:
    """The element at a path. Raises `BankError`: not-valid, where the standard lets it be left out and we cannot do without."""
    found = child(element, path)
    if found is None:
        raise wrong(element, BankCode.NOT_VALID, f"{etree.QName(element).localname} has no {path}")
    return found


def amount(element: etree._Element) -> tuple[int, str]:
    """Minor units and currency of an amount. Raises `BankError`: bad-amount (an unknown currency, more decimals than it has, too large)."""
    currency = str(element.get("Ccy"))
    return minor(str(element.text), currency, element), currency


def minor(figure: str, currency: str, where: etree._Element) -> int:
    """Minor units of a figure that an XSD has taken as a decimal number, never negative. Raises `BankError`: bad-amount."""
    try:
        units = to_minor(Decimal(figure.strip()), currency)
    except MoneyError as error:
        raise wrong(where, BankCode.BAD_AMOUNT, error.reason) from None
    if units < 0:
        raise wrong(where, BankCode.BAD_AMOUNT, "a sum is below zero: messages say apart which way money goes")
    return units


def credit(element: etree._Element) -> bool:
    """Whether the element's indicator says credit."""
    return text(element, "CdtDbtInd") == "CRDT"


def moment(element: etree._Element, path: str) -> datetime:
    """A moment with its offset, UTC where there is none. Raises `BankError`: not-valid, where it is none of the calendar that computers keep."""
    found = required(element, path)
    try:
        told = datetime.fromisoformat(str(found.text).strip())
    except ValueError:
        raise wrong(found, BankCode.NOT_VALID, f"{path} is no moment that can be read") from None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def day(element: etree._Element, *paths: str) -> date | None:
    """The first of these days or moments that is there, as the bank writes it: a moment's day is that of its own offset. Raises `BankError`: not-valid."""
    written = text(element, *paths)
    if not written:
        return None
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        raise wrong(element, BankCode.NOT_VALID, "a day is none that can be read") from None


def scanned(element: etree._Element) -> bool:
    """Whether an element's text is searched for card numbers: what people write, not ids, accounts and sums."""
    name = etree.QName(element).localname
    return bool(element.text) and name not in NOT_SCANNED and not (name == "Ref" and is_creditor_reference(str(element.text)))


def refuse_card_data(root: etree._Element) -> None:
    """Raises `BankError`: card-data, where an element is for cards, or a text or a name, of name spaces too, holds what passes for a card number.

    The number is not repeated.
    """
    for element in root.iter():
        name = etree.QName(element).localname
        if name in CARD_ELEMENTS:
            raise wrong(element, BankCode.CARD_DATA, f"the message has card data ({name}): the house takes none")
        written = [str(value) for value in (name, *element.attrib.values())]
        if scanned(element):
            written.append(str(element.text))
        if element.tail:
            written.append(str(element.tail))
        if any(map(card_numbers_in, written)) or card_numbers_in("\n".join(_lines(element))):
            raise wrong(element, BankCode.CARD_DATA, f"{quoted(name)} holds what may be a card number: the house takes none")
    for _, declared in etree.iterwalk(root, events=("start-ns",)):
        if any(map(card_numbers_in, declared)):  # it is archived with the message, though it says nothing
            raise wrong(root, BankCode.CARD_DATA, "a name space or its prefix holds what may be a card number: the house takes none")


def _lines(element: etree._Element) -> list[str]:
    """The texts below an element that stand in lines of one name: a number may go on in the next."""
    return [str(each.text) for each in element if scanned(each) and len(each) == 0]
