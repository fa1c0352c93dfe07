"""What the readers make of good messages: sides, signs, batches, returns, dates, currencies."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from schemas.bank_messages import Entry, Notification, PaymentStatus, Recall, RecallAnswer, RecallStatus, Return, Statement, StatusReport
from services.bank.errors import BankCode, BankError
from services.bank.messages import read_message
from services.bank.recalls import recall_message
from services.bank.references import checked_reference, creditor_reference, is_creditor_reference
from services.bank.xml import CAMT_055, read_xml
from tests.bank_messages import (
    OURS,
    REFERENCE,
    THEIRS,
    UETR,
    Movement,
    balance,
    notification,
    payment_return,
    recall_answer,
    recall_line,
    returned,
    statement,
    status_line,
    status_report,
    transaction,
)

PARTIES = (
    "<RltdPties><Dbtr><Pty><Nm>Payer</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>GB82WEST12345698765432</IBAN></Id></DbtrAcct>"
    f"<Cdtr><Pty><Nm>Payee</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>{THEIRS}</IBAN></Id></CdtrAcct></RltdPties>"
)


def entries(*movements: Movement) -> tuple[Entry, ...]:
    """The entries of a statement of these movements, whose closing balance is right."""
    closing = 1000 + sum(Decimal(one.figure) for one in movements if one.status == "BOOK")
    read = read_message(statement(*movements, closing=str(closing)))
    assert isinstance(read, tuple) and isinstance(read[0], Statement)
    return read[0].entries


def test_a_statement_says_account_number_days_and_both_balances() -> None:
    (read,) = read_message(statement(Movement("-12.50"), Movement("3.00", "B-2"), opening="-1.00", closing="-10.50"))  # type: ignore[misc]
    assert isinstance(read, Statement)
    assert (read.message_id, read.id, read.sequence, read.account_iban, read.currency) == ("M-7", "S-7", 7, OURS, "EUR")
    assert (read.from_date, read.to_date, read.opening_minor, read.closing_minor) == (date(2026, 3, 3), date(2026, 3, 3), -100, -1050)
    assert read.created_at == datetime(2026, 3, 3, 23, 59, 59, tzinfo=UTC)
    assert [(one.reference, one.signed_minor, one.booked, one.booking_date, one.value_date) for one in read.entries] == [
        ("B-1", -1250, True, date(2026, 3, 3), date(2026, 3, 4)),
        ("B-2", 300, True, date(2026, 3, 3), date(2026, 3, 4)),
    ]


def test_the_other_side_of_a_debit_is_its_creditor_and_of_a_credit_its_debtor() -> None:
    paid, received = entries(Movement("-1.00", details=transaction(more=PARTIES)), Movement("2.00", "B-2", details=transaction(more=PARTIES)))
    assert (paid.counterparty, paid.counterparty_iban) == ("Payee", THEIRS)
    assert (received.counterparty, received.counterparty_iban) == ("Payer", "GB82WEST12345698765432")


def test_a_payment_that_comes_back_names_its_reason_and_whom_it_was_to_reach() -> None:
    back = PARTIES + "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    own_word = "<RtrInf><Rsn><Prtry>GONE</Prtry></Rsn></RtrInf>"
    first, second, third = entries(
        Movement("1.00", details=transaction(more=back)), Movement("1.00", "B-2", transaction(more=own_word)),
        Movement("1.00", "B-3", transaction(more="<RtrInf/>")),
    )  # fmt: skip
    assert (first.credit, first.return_reason, first.counterparty) == (True, "AC04", "Payee")
    assert (second.return_reason, third.return_reason) == ("GONE", "UNKNOWN")


def test_references_texts_and_the_uetr_are_kept_and_an_id_that_was_not_provided_is_none() -> None:
    said = f"<RmtInf><Ustrd>invoice 7</Ustrd><Ustrd>part 2</Ustrd><Strd><CdtrRefInf><Ref>{REFERENCE}</Ref></CdtrRefInf></Strd></RmtInf>"
    full = transaction(more=said).replace("</Refs>", f"<UETR>{UETR}</UETR></Refs>")
    first, second = entries(Movement("1.00", details=full), Movement("1.00", "B-2", transaction(end_to_end="NOTPROVIDED")))
    assert (first.end_to_end_id, first.uetr, first.creditor_reference, first.remittance) == ("P-1", UETR, REFERENCE, "invoice 7 part 2")
    assert (second.end_to_end_id, second.uetr, second.creditor_reference, second.remittance) == ("", "", "", "")


def test_a_batch_that_is_booked_as_one_sum_is_as_many_entries_as_transactions() -> None:
    batch = "<Btch><NbOfTxs>3</NbOfTxs><TtlAmt Ccy='EUR'>6.00</TtlAmt></Btch>"
    details = batch + "".join(transaction(f"-{no}.00", end_to_end=f"P-{no}") for no in (1, 2, 3))
    read = entries(Movement("-6.00", details=details))
    assert [(one.reference, one.end_to_end_id, one.signed_minor) for one in read] == [("B-1/1", "P-1", -100), ("B-1/2", "P-2", -200), ("B-1/3", "P-3", -300)]


def test_a_batch_may_hold_both_directions_and_references_of_its_own() -> None:
    own = [transaction(figure, end_to_end=name, refs=f"<AcctSvcrRef>{name}</AcctSvcrRef>") for figure, name in (("-5.00", "X"), ("2.00", "Y"))]
    read = entries(Movement("-3.00", details="".join(own)))
    assert [(one.reference, one.signed_minor) for one in read] == [("X", -500), ("Y", 200)]


def test_what_is_not_booked_moves_no_balance() -> None:
    read = entries(Movement("-1.00"), Movement("500.00", "B-2", status="PDNG"), Movement("7.00", "B-3", status="INFO"))
    assert [one.booked for one in read] == [True, False, False]


def test_a_reversal_says_which_way_the_money_goes_now() -> None:
    (read,) = entries(Movement("12.50", more="<RvslInd>true</RvslInd>"))
    assert (read.reversal, read.credit, read.signed_minor) == (True, True, 1250)


@pytest.mark.parametrize(("currency", "figure", "units"), [("JPY", "1250", 1250), ("EUR", "12.5", 1250), ("KWD", "1.250", 1250), ("EUR", "12.50000", 1250)])
def test_currencies_have_their_own_decimals(currency: str, figure: str, units: int) -> None:
    (read,) = read_message(statement(Movement(figure), opening="0", closing=figure, currency=currency))  # type: ignore[misc]
    assert isinstance(read, Statement)
    assert (read.entries[0].amount_minor, read.closing_minor, read.currency) == (units, units, currency)


def test_a_converted_payment_counts_as_what_the_account_got() -> None:
    (read,) = entries(Movement("10.00", details=transaction("12.00", currency="USD")))
    assert (read.amount_minor, read.currency) == (1000, "EUR")


def test_the_closing_balance_of_yesterday_may_stand_for_the_opening_one() -> None:
    told = balance("PRCD", "5.00", day="2026-03-02") + balance("CLBD", "6.00")
    (read,) = read_message(statement(Movement("1.00"), balances=told, period=False))  # type: ignore[misc]
    assert isinstance(read, Statement)
    assert (read.opening_minor, read.closing_minor, read.from_date, read.to_date) == (500, 600, date(2026, 3, 3), date(2026, 3, 3))


def test_a_movement_without_a_reference_gets_the_same_one_in_notification_and_statement() -> None:
    movements = (Movement("1.00", "", transaction()), Movement("1.00", "", transaction()), Movement("1.00", "", transaction(end_to_end="P-2")))
    (told,) = read_message(notification(*movements))  # type: ignore[misc]
    assert isinstance(told, Notification)
    references = [one.reference for one in told.entries]
    assert references == [one.reference for one in entries(*movements)]
    assert len(set(references)) == 3
    assert references[1] == f"{references[0]}/2"
    assert all(one.startswith("made:") and len(one) <= 35 for one in references)


def test_a_notification_is_read_like_a_statement_without_balances() -> None:
    (read,) = read_message(notification(Movement("-12.50", details=transaction())))  # type: ignore[misc]
    assert isinstance(read, Notification)
    assert (read.id, read.account_iban, read.entries[0].signed_minor, read.entries[0].end_to_end_id) == ("N-1", OURS, -1250, "P-1")
    assert read.created_at.utcoffset() is not None


def test_our_accounts_are_taken_and_others_are_not() -> None:
    assert read_message(statement(), accounts={OURS})
    for content in (statement(), notification()):
        with pytest.raises(BankError) as refused:
            read_message(content, accounts={THEIRS})
        assert refused.value.code is BankCode.WRONG_ACCOUNT


def test_a_status_report_says_what_becomes_of_file_block_and_payment() -> None:
    read = read_message(status_report(status_line("P-1", "ACCP"), status_line("P-2", "RJCT", "AC04", "closed"), batch="<PmtInfSts>PART</PmtInfSts>"))
    assert isinstance(read, StatusReport)
    assert (read.message_id, read.original_message_id, read.group_status, read.group_reason) == ("SR-1", "HOUSE-R7-F1", PaymentStatus.PARTLY, "")
    assert [(one.end_to_end_id, one.status.value, one.reason_code, one.reason_text) for one in read.lines] == [
        ("P-1", "ACCP", "", ""),
        ("P-2", "RJCT", "AC04", "closed"),
    ]
    assert [(one.payment_information_id, one.status.value) for one in read.batches] == [("HOUSE-R7-F1-1", "PART")]


def test_a_file_that_is_refused_as_had_before_says_so_of_the_group() -> None:
    read = read_message(status_report(group="RJCT", group_reason="DUPL"))
    assert isinstance(read, StatusReport)
    assert (read.group_status, read.group_reason, read.lines) == (PaymentStatus.REJECTED, "DUPL", ())


def test_a_return_says_what_comes_back_and_why() -> None:
    (read,) = read_message(payment_return(returned(more=f"<OrgnlUETR>{UETR}</OrgnlUETR>")))  # type: ignore[misc]
    assert isinstance(read, Return)
    assert (read.end_to_end_id, read.amount_minor, read.currency, read.reason_code, read.reason_text) == ("P-1", 1250, "EUR", "AC04", "account closed")
    assert (read.original_message_id, read.settlement_date, read.uetr, read.id) == ("HOUSE-R7-F1", date(2026, 3, 6), UETR, "R-P-1")


def test_the_answer_to_a_recall_is_yes_no_or_not_yet() -> None:
    read = read_message(recall_answer(recall_line("P-1"), recall_line("P-2", "RJCR", "LEGL"), recall_line("P-3", "PDCR")))
    assert isinstance(read, tuple)
    answers = [one for one in read if isinstance(one, RecallAnswer)]
    assert [(one.end_to_end_id, one.status, one.accepted, one.reason_code) for one in answers] == [
        ("P-1", RecallStatus.ACCEPTED, True, ""),
        ("P-2", RecallStatus.REJECTED, False, "LEGL"),
        ("P-3", RecallStatus.PENDING, False, ""),
    ]
    assert {(one.case_id, one.original_message_id) for one in answers} == {("CASE-1", "HOUSE-R7-F1")}


DAY = date(2026, 3, 3)
RECALL = Recall(
    "HOUSE-R7-C1", "CASE-1", datetime(2026, 3, 4, 8, tzinfo=UTC), "HOUSE-R7-F1", "HOUSE-R7-F1-1", "P-1", UETR, 1250, "EUR", date(2026, 3, 3), "DUPL"
)


def test_a_recall_names_file_block_payment_sum_and_reason_and_is_valid() -> None:
    content = recall_message(RECALL, "Harvest & Co")
    root = read_xml(content, CAMT_055)
    said = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
    assert (said["OrgnlMsgId"], said["OrgnlPmtInfId"], said["OrgnlEndToEndId"], said["OrgnlUETR"]) == ("HOUSE-R7-F1", "HOUSE-R7-F1-1", "P-1", UETR)
    assert (said["OrgnlInstdAmt"], said["CtrlSum"], said["NbOfTxs"], said["Dt"], said["Cd"]) == ("12.50", "12.50", "1", "2026-03-03", "DUPL")
    assert content == recall_message(RECALL, "Harvest & Co")


def test_a_recall_without_a_reason_of_the_standard_is_not_written() -> None:
    with pytest.raises(ValueError, match="reason"):
        recall_message(Recall(**{name: getattr(RECALL, name) for name in RECALL.__slots__} | {"reason_code": "OOPS"}), "Harvest")


@pytest.mark.parametrize("good", [REFERENCE, "RF18 5390 0754 7034", "rf18539007547034", creditor_reference("20260302-EUR-AAAAAAAAAAAAAAAAAAAA"), "RF712348231"])
def test_a_creditor_reference_is_taken_with_spaces_and_in_small_letters(good: str) -> None:
    assert checked_reference(good) == good.replace(" ", "").upper()


@pytest.mark.parametrize(
    "bad", ["", "RF", "RF18", "RF19539007547034", "RF18539007547035", "XX18539007547034", "RF1X539007547034", "RF18" + "1" * 22, "RF18-539007547034", "RF18é"]
)
def test_what_is_no_creditor_reference_is_refused(bad: str) -> None:
    assert not is_creditor_reference(bad)
    with pytest.raises(BankError) as refused:
        checked_reference(bad)
    assert refused.value.code is BankCode.BAD_REFERENCE
