"""Entries of a camt.053 or camt.054: one of ours for each transaction, also where the bank booked several as one sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Final

from lxml import etree

from schemas.bank_messages import Entry
from services.bank.elements import amount, child, children, credit, day, minor, text, wrong
from services.bank.errors import BankCode

STATUSES: Final = {"BOOK": True, "PDNG": False, "INFO": False, "FUTR": False}
"""Which statuses of an entry mean that it is booked."""
NOT_PROVIDED: Final = "NOTPROVIDED"
"""What stands for an end-to-end id that the payer did not give."""


def entries_of(report: etree._Element, iban: str, currency: str) -> tuple[Entry, ...]:
    """All entries of one statement or notification, in its order.

    Raises `BankError`: bad-amount, wrong-currency (not the account's), wrong-sum (a batch whose transactions do not add up to it, a summary that does not
    agree), repeated-id (the same reference of the bank twice), not-valid (a status that is none of the standard, a booked entry without its day).
    """
    found: list[Entry] = []
    seen: set[str] = set()
    made: Counter[str] = Counter()
    for element in children(report, "Ntry"):
        for entry in _entry(element, currency):
            named = entry if entry.reference else replace(entry, reference=_made_reference(entry, iban, made))
            if named.reference in seen:
                raise wrong(element, BankCode.REPEATED_ID, "two entries have the same reference of the bank (AcctSvcrRef)")
            seen.add(named.reference)
            found.append(named)
    _check_summary(report, currency)
    return tuple(found)


def _entry(element: etree._Element, currency: str) -> Iterator[Entry]:
    """The entries that one `Ntry` is: itself, or each of its transactions."""
    total, its_currency = amount(_first(element, "Amt"))
    if its_currency != currency:
        raise wrong(element, BankCode.WRONG_CURRENCY, f"an entry in {its_currency} on an account in {currency}")
    status = text(element, "Sts/Cd")
    if status not in STATUSES:
        raise wrong(element, BankCode.NOT_VALID, "the status of an entry is none of BOOK, PDNG, INFO, FUTR")
    whole = Entry(
        reference=text(element, "AcctSvcrRef"), amount_minor=total, currency=currency, credit=credit(element), booked=STATUSES[status],
        reversal=text(element, "RvslInd") in {"true", "1"}, booking_date=day(element, "BookgDt/Dt", "BookgDt/DtTm"),
        value_date=day(element, "ValDt/Dt", "ValDt/DtTm"), end_to_end_id="", uetr="", creditor_reference="", remittance=text(element, "AddtlNtryInf"),
        counterparty="", counterparty_iban="", return_reason="",
    )  # fmt: skip
    if whole.booked and whole.booking_date is None:
        raise wrong(element, BankCode.NOT_VALID, "a booked entry has no booking date")
    transactions = children(element, "NtryDtls/TxDtls")
    _check_batch(element, whole, len(transactions))
    if not transactions:
        yield whole
    elif len(transactions) == 1:
        yield _transaction(transactions[0], whole, whole.reference or text(transactions[0], "Refs/AcctSvcrRef"), alone=True)
    else:
        parts = [_transaction(one, whole, _reference(one, whole, no), alone=False) for no, one in enumerate(transactions, start=1)]
        if sum(part.signed_minor for part in parts) != whole.signed_minor:
            raise wrong(element, BankCode.WRONG_SUM, "the transactions of an entry do not add up to it")
        yield from parts


def _reference(transaction: etree._Element, whole: Entry, no: int) -> str:
    """The bank's reference of a transaction of a batch: its own, unless it is that of the batch; else that of the batch and its number."""
    own = text(transaction, "Refs/AcctSvcrRef")
    if own and own != whole.reference:
        return own
    return f"{whole.reference}/{no}" if whole.reference else ""


def _transaction(element: etree._Element, whole: Entry, reference: str, *, alone: bool) -> Entry:
    """An entry of one transaction. Raises `BankError`: wrong-sum, wrong-currency, bad-amount."""
    told = child(element, "Amt")
    units = whole.amount_minor
    if told is not None:
        units, currency = amount(told)
        if currency != whole.currency:
            if not alone:
                raise wrong(told, BankCode.WRONG_CURRENCY, "a transaction of a batch is in another currency than its entry")
            units = whole.amount_minor  # it was converted: what the account got is the entry's
    elif not alone:
        raise wrong(element, BankCode.WRONG_SUM, "a transaction of a batch has no amount")
    came_in = credit(element) if child(element, "CdtDbtInd") is not None else whole.credit
    if alone and (units, came_in) != (whole.amount_minor, whole.credit):
        raise wrong(element, BankCode.WRONG_SUM, "the only transaction of an entry differs from it")
    parties = child(element, "RltdPties")
    # Of a payment that comes back the other side is still the one that was to be paid.
    sides = ("Dbtr", "Cdtr") if came_in else ("Cdtr", "Dbtr")
    returned = child(element, "RtrInf")
    if returned is not None and came_in:
        sides = ("Cdtr", "Dbtr")
    end_to_end = text(element, "Refs/EndToEndId")
    free = " ".join(str(line.text).strip() for line in children(element, "RmtInf/Ustrd") if line.text)
    return replace(
        whole, reference=reference, amount_minor=units, credit=came_in, end_to_end_id="" if end_to_end == NOT_PROVIDED else end_to_end,
        uetr=text(element, "Refs/UETR"), creditor_reference=text(element, "RmtInf/Strd/CdtrRefInf/Ref"),
        remittance=free or text(element, "AddtlTxInf") or whole.remittance,
        counterparty=text(parties, *(f"{side}/{path}" for side in sides for path in ("Pty/Nm", "Agt/FinInstnId/Nm"))),
        counterparty_iban=text(parties, *(f"{side}Acct/Id/{path}" for side in sides for path in ("IBAN",))),
        return_reason="" if returned is None else text(returned, "Rsn/Cd", "Rsn/Prtry") or "UNKNOWN",
    )  # fmt: skip


def _check_batch(element: etree._Element, whole: Entry, transactions: int) -> None:
    """What the bank says of its batches has to agree with the entry and with the transactions that it names, if it names any."""
    batches = children(element, "NtryDtls/Btch")
    counts = [text(one, "NbOfTxs") for one in batches]
    if transactions and batches and all(counts) and sum(map(int, counts)) != transactions:
        raise wrong(element, BankCode.WRONG_SUM, "a batch says that it has another number of transactions")
    totals = [found for one in batches if (found := child(one, "TtlAmt")) is not None]
    if totals and len(totals) == len(batches):
        sums = [amount(one) for one in totals]
        if len(batches) == 1 and sums[0] != (whole.amount_minor, whole.currency):
            raise wrong(element, BankCode.WRONG_SUM, "a batch says that its total is another than the entry's amount")


def _check_summary(report: etree._Element, currency: str) -> None:
    """The number and sum of entries that the summary gives, if it does, in all and by direction."""
    for path, directions in (("TtlNtries", ("CRDT", "DBIT")), ("TtlCdtNtries", ("CRDT",)), ("TtlDbtNtries", ("DBIT",))):
        told = child(report, f"TxsSummry/{path}")
        if told is None:
            continue
        counted = [one for one in children(report, "Ntry") if text(one, "CdtDbtInd") in directions]
        number, total = text(told, "NbOfNtries"), text(told, "Sum")
        if number and int(number) != len(counted):
            raise wrong(told, BankCode.WRONG_SUM, f"the summary ({path}) counts {int(number)} entries; there are {len(counted)}")
        if total and minor(total, currency, told) != sum(amount(_first(one, "Amt"))[0] for one in counted):
            raise wrong(told, BankCode.WRONG_SUM, f"the sum of entries in the summary ({path}) is another than theirs")


def _made_reference(entry: Entry, iban: str, made: Counter[str]) -> str:
    """A reference for an entry of which the bank gives none: made from what it says, so that a notification and a statement name the same."""
    said = "\n".join((
        iban, str(entry.booking_date), str(entry.signed_minor), entry.currency, entry.end_to_end_id, entry.creditor_reference, entry.remittance,
        entry.counterparty_iban, entry.return_reason,
    ))  # fmt: skip
    reference = f"made:{sha256(said.encode()).hexdigest()[:24]}"
    made[reference] += 1
    return reference if made[reference] == 1 else f"{reference}/{made[reference]}"


def _first(element: etree._Element, path: str) -> etree._Element:
    found = child(element, path)
    assert found is not None, "the XSD requires it"
    return found
