"""Statements and notifications of an account: camt.053.001.08, the book of record, and camt.054.001.08, provisional."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from lxml import etree

from schemas.bank_messages import Entry, Notification, Statement
from schemas.money import is_currency, to_text
from services.bank.elements import amount, child, children, credit, day, moment, required, text, wrong
from services.bank.entries import entries_of
from services.bank.errors import BankCode
from services.bank.references import checked_iban

OPENING: Final = ("OPBD", "PRCD")
CLOSING: Final = ("CLBD",)
SEQUENCE_MAX: Final = 2**31 - 1


def notifications(root: etree._Element) -> tuple[Notification, ...]:
    """What a valid camt.054 says. Raises `BankError`: bad-iban, repeated-id, and what `entries_of` raises."""
    message = required(root, "BkToCstmrDbtCdtNtfctn")
    found = []
    for report in _reports(message, "Ntfctn"):
        iban, currency, entries = _account(report)
        header = report if child(report, "CreDtTm") is not None else required(message, "GrpHdr")
        found.append(Notification(text(message, "GrpHdr/MsgId"), text(report, "Id"), moment(header, "CreDtTm"), iban, currency, entries))
    return tuple(found)


def statements(root: etree._Element) -> tuple[Statement, ...]:
    """What a valid camt.053 says.

    Raises `BankError`: wrong-balance (a balance is missing, or opening and booked entries do not give the closing one, exactly), incomplete-statement (a
    page of several), bad-iban, repeated-id, and what `entries_of` raises.
    """
    message = required(root, "BkToCstmrStmt")
    return tuple(_statement(message, report) for report in _reports(message, "Stmt"))


def _statement(message: etree._Element, report: etree._Element) -> Statement:
    iban, currency, entries = _account(report)
    if text(report, "StmtPgntn/PgNb").lstrip("0") not in {"", "1"} or text(report, "StmtPgntn/LastPgInd") in {"false", "0"}:
        raise wrong(report, BankCode.INCOMPLETE, "the statement is a page of several: ask the bank for statements in one piece")
    opening, opening_element = _balance(report, OPENING, currency)
    closing, closing_element = _balance(report, CLOSING, currency)
    moved = sum(entry.signed_minor for entry in entries if entry.booked)
    if opening + moved != closing:
        missing = to_text(closing - opening - moved, currency)
        raise wrong(report, BankCode.WRONG_BALANCE, f"opening balance and booked entries do not give the closing balance: {missing} {currency} is missing")
    to_date = day(report, "FrToDt/ToDtTm") or day(closing_element, "Dt/Dt", "Dt/DtTm")
    opened = text(opening_element, "Tp/CdOrPrtry/Cd") == "OPBD"  # a previous closing balance is of the day before
    opened = text(opening_element, "Tp/CdOrPrtry/Cd") == "OPBD"  # a previous closing balance is of the day before
    from_date = day(report, "FrToDt/FrDtTm") or (day(opening_element, "Dt/Dt", "Dt/DtTm") if opened else to_date)
    assert from_date is not None and to_date is not None, "the XSD requires the day of a balance"
    if from_date > to_date:
        raise wrong(report, BankCode.NOT_VALID, "the statement ends before it begins")
    header = report if child(report, "CreDtTm") is not None else required(message, "GrpHdr")
    return Statement(
        text(message, "GrpHdr/MsgId"), text(report, "Id"), _sequence(report), moment(header, "CreDtTm"), iban, currency,
        from_date, to_date, opening, closing, entries,
    )  # fmt: skip


def _reports(message: etree._Element, name: str) -> list[etree._Element]:
    """The statements or notifications of a message. Raises `BankError`: repeated-id, where two have one id."""
    found = children(message, name)
    if len({text(one, "Id") for one in found}) != len(found):
        raise wrong(message, BankCode.REPEATED_ID, f"two {name} of the message have the same Id")
    return found


def _account(report: etree._Element) -> tuple[str, str, tuple[Entry, ...]]:
    """Account, currency and entries. The currency is the account's where it is given, else that of balances or entries."""
    iban = text(report, "Acct/Id/IBAN")
    if not iban:
        raise wrong(report, BankCode.BAD_IBAN, "the account of the message is not named by an IBAN")
    checked_iban(iban, "the message")
    said = child(report, "Bal/Amt")
    first = said if said is not None else child(report, "Ntry/Amt")
    currency = text(report, "Acct/Ccy") or ("" if first is None else str(first.get("Ccy")))
    if not is_currency(currency):
        raise wrong(report, BankCode.WRONG_CURRENCY, "the account's currency is missing or none of ISO 4217")
    return iban, currency, entries_of(report, iban, currency)


def _balance(report: etree._Element, kinds: tuple[str, ...], currency: str) -> tuple[int, etree._Element]:
    """The signed balance of the first of these kinds, and its element. Of two of one kind, or of several kinds, all have to say the same."""
    found: list[tuple[int, etree._Element]] = []
    for kind in kinds:
        for element in children(report, "Bal"):
            if text(element, "Tp/CdOrPrtry/Cd") != kind:
                continue
            units, its_currency = amount(required(element, "Amt"))
            if its_currency != currency:
                raise wrong(element, BankCode.WRONG_CURRENCY, f"a balance in {its_currency} on an account in {currency}")
            found.append((units if credit(element) else -units, element))
    if not found:
        raise wrong(report, BankCode.WRONG_BALANCE, f"the statement has no balance {' or '.join(kinds)}")
    if len({units for units, _ in found}) != 1:
        raise wrong(report, BankCode.WRONG_BALANCE, f"the statement has several balances {' or '.join(kinds)}, which differ")
    return found[0]


def _sequence(report: etree._Element) -> int | None:
    written = text(report, "ElctrncSeqNb", "LglSeqNb")
    if not written:
        return None
    number = int(Decimal(written))  # the standard lets it be written 7.0
    if not 0 <= number <= SEQUENCE_MAX:
        raise wrong(report, BankCode.NOT_VALID, "the number of the statement is out of bounds")
    return number
