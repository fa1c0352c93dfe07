"""Rows that say what the bank never said, or what nobody decided: written by the application's own role, they are found, and no money moves by them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearing.payment_states import Verdict
from services.bank.errors import BankError
from services.settlement.deciding import BankDecision, to_decide
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.instructing import Paying, pay
from services.settlement.verify import verify_settlement
from services.settlement.withdrawing import to_withdraw
from tests.bank_messages import recall_answer, recall_line, status_line
from tests.integration.test_corrected_not_sent import Unreachable
from tests.paying import AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers

STATUS = (
    "insert into bank_status select message, 999, original_message_id, end_to_end_id, 'RJCT', 'rejected', 'AC04', '' from bank_status where fact = 'accepted'"
)
CAME_BACK = """
insert into bank_entry (report, line, bank_reference, amount, currency, credit, booked, booking_date, value_date, end_to_end_id, reference, remittance,
  counterparty, counterparty_iban, return_reason)
select report, 999, 'forged', amount, currency, true, booked, booking_date, value_date, end_to_end_id, reference, remittance, counterparty, counterparty_iban,
  'AC04' from bank_entry
"""
DECIDE = """
insert into bank_decision (end_to_end_id, report, verdict, known, decides, reason, person, key, at, document, signature)
select %s, %s, %s, %s, false, %s, k.person, k.no, %s, %s, %s from person_key k where k.person = %s
"""
PROOF = "what the bank is said to have said of its payments stands in its messages"


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield bank


def failing(one: AtTheBank) -> list[str]:
    return [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds]


def forge(one: AtTheBank, said: BankDecision) -> None:
    values = (said.end_to_end_id, said.report, said.verdict, said.known, said.reason, said.at, said.document(), said.person[:1].encode() * 64, said.person)
    one.books.execute(DECIDE, values)


def refused(one: AtTheBank, code: SettlementCode) -> None:
    with pytest.raises(SettlementError) as refusal, one.books.transaction():
        one.pay(corrected=True)
    assert refusal.value.code is code
    assert len(list(one.folder.glob("*.xml"))) == 1


def test_a_rejection_that_the_message_does_not_hold_is_found_and_nothing_is_sent_again(one: AtTheBank) -> None:
    one.take(one.status(status_line(one.standings()["cafe"].id, "ACCP")))
    assert failing(one) == []
    assert one.books.execute(STATUS).rowcount == 1
    assert one.states()["cafe"] == "rejected"
    assert failing(one) == [PROOF]
    refused(one, SettlementCode.CHECK_FAILED)
    assert len(one.standings()["cafe"].attempts) == 1


def test_a_return_that_the_statement_does_not_hold_is_found_and_nothing_is_sent_again(one: AtTheBank) -> None:
    one.take(one.statement(one.debit("cafe")))
    one.match()
    assert failing(one) == []
    assert one.books.execute(CAME_BACK).rowcount == 1
    assert one.states()["cafe"] == "returned"
    assert failing(one) == [PROOF]
    refused(one, SettlementCode.CHECK_FAILED)


def test_a_file_that_was_noted_does_not_go_for_a_rejection_that_was_forged_before(one: AtTheBank) -> None:
    one.take(one.status(status_line(one.standings()["cafe"].id, "RJCT", "AC04")))
    with pytest.raises(BankError):
        pay(one.books, MONDAY, Paying(one.programme, "mia", one.now, Unreachable()), corrected=True)
    one.books.execute(STATUS.replace("'accepted'", "'rejected'"))
    refused(one, SettlementCode.CHECK_FAILED)


def test_what_the_bank_has_said_in_every_kind_of_message_is_found_in_them(one: AtTheBank) -> None:
    cafe, fuelco = one.standings()["cafe"].id, one.standings()["fuelco"].id
    one.take(one.status(status_line(cafe, "ACCP"), group="PART"), one.status(group="ACTC"), recall_answer(recall_line(fuelco, "RJCR")))
    one.take(one.notification(one.debit("cafe")), one.statement(one.debit("cafe"), one.credit("grocer", text="card 4111 1111 1111 1111"), one.back("cafe")))
    one.match()
    proofs = verify_settlement(one.books, one.programme, MONDAY)
    assert [proof.what for proof in proofs if not proof.holds] == []
    assert PROOF in {proof.what for proof in proofs}


def test_a_decision_that_nobody_signed_sends_nothing_again(one: AtTheBank) -> None:
    name = one.standings()["cafe"].id
    one.take(one.status(status_line(name, "RJCT", "AC04")), one.status(status_line(name, "ACSC")))
    for person in ("mia", "carl"):
        forge(one, to_decide(one.books, one.programme, name, Verdict.NOT_PAID, "so", person, one.now))
    assert one.states()["cafe"] == "rejected"
    refused(one, SettlementCode.BAD_SIGNATURE)


def test_no_statement_counts_where_one_was_withdrawn_by_words_that_nobody_signed(one: AtTheBank) -> None:
    one.take(one.statement(name="S-2020", sequence=1, opening=7))
    for person in ("mia", "carl"):
        forge(one, to_withdraw(one.books, one.programme, "S-2020", "so", person, one.now))
    with pytest.raises(SettlementError) as refusal:
        one.match()
    assert refusal.value.code is SettlementCode.BAD_SIGNATURE
