"""The payment file, pain.001.001.09: what the operator pays of an approved run, one payment information block for each currency and value date."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from typing import Final, Literal

from lxml import etree

from schemas.contracts import Party
from schemas.ids import PartyId
from schemas.money import currency_places
from services.bank.errors import BankCode, BankError
from services.bank.references import checked_iban, creditor_reference, name_for_bank, transaction_uuid
from services.bank.xml import PAIN_001, written
from services.settlement.payments import Payment

FIRST_FILE: Final = 1


def message_id(programme: str, run: int, no: int = FIRST_FILE, kind: Literal["F", "C"] = "F") -> str:
    """Of a file: the programme in eight letters, the run and the number of its file. The same file sent again keeps it, a corrected one has the next.

    `kind`: F for payment files, C for recalls (cancellations), which are numbered for themselves.
    """
    return f"{b32encode(sha256(programme.encode()).digest())[:8].decode()}-R{run}-{kind}{no}"


def payment_file(message: str, payments: Sequence[Payment], operator: PartyId, parties: Mapping[PartyId, Party], created: datetime) -> bytes:
    """The file of what the operator pays of these payments; the others are paid by those who owe. The same arguments give the same bytes.

    `message` is its MsgId, `created` the moment of approval. Raises `BankError`: nothing-to-pay, no-account, bad-iban, not-valid;
    account-changed, where a party's account is another than the one that the payment was approved with.
    """
    named = blocks(message, payments, operator)
    ours = [one for _, block in named for one in block]
    if not ours:
        raise BankError(BankCode.NOTHING_TO_PAY, "the operator pays nobody: there is no file to send")
    root = etree.Element(f"{{{PAIN_001}}}Document", nsmap={None: PAIN_001})  # type: ignore[dict-item]  # the stubs do not know default name spaces
    initiation = _add(root, "CstmrCdtTrfInitn")
    header = _add(initiation, "GrpHdr")
    _add(header, "MsgId", message)
    _add(header, "CreDtTm", created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _sums(header, ours)
    payer = parties[operator]
    _add(_add(header, "InitgPty"), "Nm", name_for_bank(payer.name))
    for name, block in named:
        _block(initiation, name, message, block, payer, parties)
    return written(root, PAIN_001)


def blocks(message: str, payments: Sequence[Payment], operator: PartyId) -> list[tuple[str, list[Payment]]]:
    """The payment information blocks of a file, each with its name: what the operator pays, by currency and value date."""
    ours = sorted((one for one in payments if one.payer == operator), key=lambda one: (one.currency, one.value_date, one.id))
    grouped = groupby(ours, key=lambda one: (one.currency, one.value_date))
    return [(f"{message}-{no}", list(block)) for no, (_, block) in enumerate(grouped, start=1)]


def _block(initiation: etree._Element, name: str, message: str, payments: Sequence[Payment], payer: Party, parties: Mapping[PartyId, Party]) -> None:
    """One payment information block: the same currency and value date."""
    block = _add(initiation, "PmtInf")
    _add(block, "PmtInfId", name)
    _add(block, "PmtMtd", "TRF")
    _sums(block, payments)
    _add(_add(block, "ReqdExctnDt"), "Dt", payments[0].value_date.isoformat())
    _add(_add(block, "Dbtr"), "Nm", name_for_bank(payer.name))
    account = _add(block, "DbtrAcct")
    _add(_add(account, "Id"), "IBAN", {_iban(payer, one.payer_iban) for one in payments}.pop())
    _add(account, "Ccy", payments[0].currency)
    _add(_add(_add(_add(block, "DbtrAgt"), "FinInstnId"), "Othr"), "Id", "NOTPROVIDED")
    for payment in payments:
        _transfer(block, message, payment, parties[PartyId(payment.payee)])


def _transfer(block: etree._Element, message: str, payment: Payment, payee: Party) -> None:
    transfer = _add(block, "CdtTrfTxInf")
    ids = _add(transfer, "PmtId")
    _add(ids, "EndToEndId", payment.end_to_end_id)
    _add(ids, "UETR", transaction_uuid(message, payment.end_to_end_id))
    _add(_add(transfer, "Amt"), "InstdAmt", str(_amount(payment))).set("Ccy", payment.currency)
    _add(_add(transfer, "Cdtr"), "Nm", name_for_bank(payee.name))
    _add(_add(_add(transfer, "CdtrAcct"), "Id"), "IBAN", _iban(payee, payment.payee_iban, again=payment.attempt > 1))
    structured = _add(_add(transfer, "RmtInf"), "Strd")
    document = _add(structured, "RfrdDocInf")
    _add(_add(_add(document, "Tp"), "CdOrPrtry"), "Cd", "SOAC")
    _add(document, "Nb", payment.id)
    reference = _add(structured, "CdtrRefInf")
    _add(_add(_add(reference, "Tp"), "CdOrPrtry"), "Cd", "SCOR")
    _add(reference, "Ref", creditor_reference(payment.id))


def _sums(parent: etree._Element, payments: Sequence[Payment]) -> None:
    """How many payments, and the sum of their figures whatever their currencies, as the standard has it."""
    _add(parent, "NbOfTxs", str(len(payments)))
    _add(parent, "CtrlSum", str(sum((_amount(one) for one in payments), Decimal(0))))


def _amount(payment: Payment) -> Decimal:
    """In whole units of the currency, with its decimal places: 12.50 EUR, 1250 JPY."""
    return Decimal(payment.amount_minor).scaleb(-currency_places(payment.currency))


def _iban(party: Party, approved: str | None, *, again: bool = False) -> str:
    """The party's account, which has to be the approved one where that is known: people have approved a payment to that account and to no other.

    `again`: the payment came back, and another account may be signed with it.
    """
    if approved is not None and approved != (party.account.iban if party.account is not None else ""):
        before = f"the account {approved}" if approved else "no account"
        way = "two people sign the new one: clh settlement account PAYMENT" if again else "reject the run and have it approved anew"
        said = f"{party.id} had {before} when the payment was approved, and the programme in force has another: {way}"
        raise BankError(BankCode.ACCOUNT_CHANGED, said)
    if party.account is None:
        raise BankError(BankCode.NO_ACCOUNT, f"{party.id} has no account in the programme file: parties, account, iban")
    return checked_iban(party.account.iban, party.id)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{PAIN_001}}}{name}")
    child.text = text
    return child
