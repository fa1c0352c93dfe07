"""Another's bank takes our payment files, and our readers take all it answers: status, bookings, statements, returns, credits, gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from schemas.bank_messages import Notification, PaymentStatus, Return, Statement, StatusReport
from schemas.contracts import Account, Party
from schemas.ids import PartyId
from services.bank.errors import BankCode, BankError
from services.bank.messages import read_message
from services.bank.pain001 import message_id, payment_file
from services.bank.references import creditor_reference
from services.settlement.payments import Payment
from tests.bank_messages import OURS, THEIRS
from tests.loopback_bank import LoopbackBank, loopback_bank

OPCO = PartyId("opco")
PARTIES = {
    PartyId(name): Party(id=PartyId(name), kind="merchant", name=name.title(), account=Account(iban=iban))
    for name, iban in {"opco": OURS, "grocer": "GB82WEST12345698765432", "fuelco": THEIRS, "closed": "NL27MOCK0000000003"}.items()
}
GROCER = Payment("20260302-EUR-GROCER", "EUR", "opco", "grocer", 133_418, date(2026, 3, 3))
FUELCO = Payment("20260302-EUR-FUELCO", "EUR", "opco", "fuelco", 700, date(2026, 3, 3))
MESSAGE = message_id("harvest", 7)


@pytest.fixture
def bank() -> Iterator[LoopbackBank]:
    with loopback_bank() as one:
        yield one


def file_of(*payments: Payment) -> bytes:
    return payment_file(MESSAGE, payments, OPCO, PARTIES, datetime(2026, 3, 2, 7, tzinfo=UTC))


def statements(bank: LoopbackBank) -> list[Statement]:
    read = [read_message(content, accounts={OURS}) for content in bank.fetch("camt.053")]
    return [one for message in read if isinstance(message, tuple) for one in message if isinstance(one, Statement)]


def test_a_payment_is_accepted_booked_and_on_the_statement(bank: LoopbackBank) -> None:
    bank.open_account(OURS)
    bank.send(file_of(GROCER, FUELCO))
    (content,) = bank.fetch("pain.002")
    report = read_message(content)
    assert isinstance(report, StatusReport)
    assert (report.original_message_id, report.group_status) == (MESSAGE, PaymentStatus.PROFILE_ACCEPTED)
    assert {line.end_to_end_id: line.status for line in report.lines} == dict.fromkeys((GROCER.id, FUELCO.id), PaymentStatus.PROFILE_ACCEPTED)
    bank.advance(2)
    (booked,) = (read_message(content) for content in bank.fetch("camt.054"))
    assert isinstance(booked, tuple) and isinstance(booked[0], Notification)
    assert {(one.end_to_end_id, one.signed_minor, one.booking_date) for one in booked[0].entries} == {
        (GROCER.id, -133_418, date(2026, 3, 3)),
        (FUELCO.id, -700, date(2026, 3, 3)),
    }
    second, third = statements(bank)
    assert (second.opening_minor, second.closing_minor, second.entries) == (100_000_000, 100_000_000, ())
    assert (third.from_date, third.sequence, third.opening_minor - third.closing_minor) == (date(2026, 3, 3), (second.sequence or 0) + 1, 134_118)
    assert {(one.reference, one.counterparty_iban) for one in third.entries} == {(one.reference, one.counterparty_iban) for one in booked[0].entries}


def test_a_payment_to_a_closed_account_is_rejected_with_its_reason(bank: LoopbackBank) -> None:
    bank.open_account(OURS)
    closed = bank.call("GET", "/_mock/accounts/INITECH")["iban"]
    parties = PARTIES | {PartyId("closed"): PARTIES[PartyId("closed")].model_copy(update={"account": Account(iban=closed)})}
    wrong = Payment("20260302-EUR-CLOSED", "EUR", "opco", "closed", 5, date(2026, 3, 3))
    bank.send(payment_file(MESSAGE, [GROCER, wrong], OPCO, parties, datetime(2026, 3, 2, 7, tzinfo=UTC)))
    report = read_message(bank.fetch("pain.002")[0])
    assert isinstance(report, StatusReport)
    assert report.group_status is PaymentStatus.PARTLY
    assert [(line.status.value, line.reason_code) for line in report.lines if line.end_to_end_id == wrong.id] == [("RJCT", "AC04")]


def test_a_file_sent_twice_is_told_to_be_a_duplicate(bank: LoopbackBank) -> None:
    bank.open_account(OURS)
    for _ in range(2):
        bank.send(file_of(GROCER))
    first, second = (read_message(content) for content in bank.fetch("pain.002"))
    assert isinstance(first, StatusReport) and isinstance(second, StatusReport)
    assert (first.group_status, second.group_status, second.group_reason) == (PaymentStatus.PROFILE_ACCEPTED, PaymentStatus.REJECTED, "DUPL")
    assert second.original_message_id == MESSAGE


def test_a_payment_that_comes_back_is_a_return_message_and_a_credit_with_its_reason(bank: LoopbackBank) -> None:
    bank.open_account(OURS, behaviour="return-later", parameters={"days": 2, "reason": "MD07", "end_to_end_id": GROCER.id})
    bank.send(file_of(GROCER, FUELCO))
    bank.advance(5)
    (content,) = bank.fetch("pacs.004")
    (back,) = read_message(content)  # type: ignore[misc]
    assert isinstance(back, Return)
    assert (back.end_to_end_id, back.amount_minor, back.currency, back.reason_code) == (GROCER.id, 133_418, "EUR", "MD07")
    assert (back.original_message_id, back.settlement_date) == (MESSAGE, date(2026, 3, 5))
    came = [one for statement in statements(bank) for one in statement.entries if one.credit]
    assert [(one.end_to_end_id, one.amount_minor, one.return_reason) for one in came] == [(GROCER.id, 133_418, "MD07")]


def test_money_that_comes_in_brings_its_reference_and_payer(bank: LoopbackBank) -> None:
    bank.open_account(OURS)
    reference = creditor_reference("20260302-EUR-FUELCO")
    bank.call(
        "POST", "/_mock/credits",
        {"account": "OURS", "amount": 9_999, "reference": reference, "note": ["for March"], "debtor": {"name": "Fuelco", "iban": THEIRS}},
    )  # fmt: skip
    bank.advance(1)
    (entry,) = (one for statement in statements(bank) for one in statement.entries)
    assert (entry.signed_minor, entry.creditor_reference, entry.remittance, entry.end_to_end_id) == (9_999, reference, "for March", "")
    assert (entry.counterparty, entry.counterparty_iban, entry.return_reason) == ("Fuelco", THEIRS, "")


def test_a_statement_that_leaves_an_entry_out_is_refused(bank: LoopbackBank) -> None:
    bank.open_account(OURS, behaviour="statement-gap")
    bank.send(file_of(GROCER, FUELCO))
    bank.advance(2)
    codes = []
    for content in bank.fetch("camt.053"):
        try:
            read_message(content)
        except BankError as refused:
            codes.append(refused.code)
    assert codes == [BankCode.WRONG_BALANCE]


def test_a_bank_that_rejects_the_file_says_so_of_the_group(bank: LoopbackBank) -> None:
    bank.open_account(OURS, behaviour="reject-file")
    bank.send(file_of(GROCER))
    report = read_message(bank.fetch("pain.002")[0])
    assert isinstance(report, StatusReport)
    assert (report.group_status, report.group_reason, report.lines) == (PaymentStatus.REJECTED, "FF01", ())


def test_a_bank_that_stays_silent_still_books(bank: LoopbackBank) -> None:
    bank.open_account(OURS, behaviour="silent")
    bank.send(file_of(GROCER))
    bank.advance(2)
    assert bank.fetch("pain.002") == []
    assert [one.end_to_end_id for statement in statements(bank) for one in statement.entries] == [GROCER.id]
