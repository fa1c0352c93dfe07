"""A corrected file that was noted and not handed over, of which the bank says meanwhile that the first was made: nothing is paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from clearing.payment_states import Verdict
from services.bank.errors import BankCode, BankError
from services.settlement.deciding import keep, to_decide
from services.settlement.findings import findings
from services.settlement.instructing import Paying, pay
from services.settlement.payment_states import Attempt
from services.settlement.recalling import recall
from services.settlement.transport import Folder, Tell
from services.settlement.twice import all_twice
from services.settlement.verify import verify_settlement
from tests.bank_messages import recall_answer, recall_line, status_line
from tests.paying import AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers


class Unreachable:
    """A way to the bank that is cut."""

    def expect(self) -> None:
        """It can be tried."""

    def hand_over(self, message_id: str, content: bytes, tell: Tell) -> str:
        raise BankError(BankCode.NOT_HANDED_OVER, message_id)


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """Both payments were rejected, and are noted in a second file that never left."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        for party in ("cafe", "fuelco"):
            bank.take(bank.status(status_line(bank.standings()[party].id, "RJCT", "AC04")))
        with pytest.raises(BankError) as cut:
            pay(bank.books, MONDAY, Paying(bank.programme, "mia", bank.now, Unreachable()), corrected=True)
        assert cut.value.code is BankCode.NOT_HANDED_OVER
        assert len(bank.standings()["cafe"].attempts) == 2
        yield bank


def say(one: AtTheBank, what: str) -> None:
    first = one.standings()["cafe"].attempts[0]
    if what == "settled":
        one.take(one.status(status_line(first.end_to_end_id, "ACSC"), file=first.message_id))
    elif what == "booked":
        one.take(one.notification(one.debit("cafe", attempt=0)))
    elif what == "on a statement":
        one.take(one.statement(one.debit("cafe", attempt=0)))
    else:
        one.take(one.statement(one.debit("cafe", attempt=0), one.debit("fuelco", attempt=0), one.credit("grocer")))
    one.match()


def sent(one: AtTheBank) -> int:
    return len(list(one.folder.glob("*.xml")))


def put_aside(one: AtTheBank, signers: Signers, *people: str) -> list[bool]:
    name, held = one.standings()["cafe"].attempts[1].end_to_end_id, []
    for person in people:
        said = to_decide(one.books, one.programme, name, Verdict.NOT_PAID, "the bank has no such file", person, one.now)
        held.append(keep(one.books, said, signers.keys[person].sign(said.signed())))
    return held


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("what", ["settled", "booked", "on a statement", "all on a statement"])
def test_a_noted_file_is_not_handed_over_once_the_bank_says_that_the_first_was_made(what: str, corrected: bool, one: AtTheBank) -> None:
    say(one, what)
    assert one.window() == ("settled" if what == "all on a statement" else "instructed")
    with pytest.raises(BankError) as refusal:
        one.pay(corrected=corrected and one.window() == "instructed")
    assert refusal.value.code is BankCode.MAY_BE_PAID
    assert "two people put it aside (clh settlement decide" in str(refusal.value)
    assert sent(one) == 1


def test_what_the_bank_has_not_taken_back_is_handed_over_as_before(one: AtTheBank) -> None:
    assert len(one.pay().handed_over) == 1
    assert (sent(one), one.states()["cafe"]) == (2, "sent")


def test_two_people_put_the_file_aside_and_what_else_was_in_it_is_paid_by_the_next(one: AtTheBank, signers: Signers) -> None:
    say(one, "on a statement")
    assert put_aside(one, signers, "mia") == [False]
    with pytest.raises(BankError):
        one.pay()
    assert put_aside(one, signers, "carl") == [True]
    assert (one.pay().handed_over, one.states()["fuelco"]) == ((), "recalled")
    paid = one.pay(corrected=True)
    assert [(file.payments, file.put_aside) for file in paid.files] == [(2, False), (2, True), (1, False)]
    assert (sent(one), len(one.standings()["cafe"].attempts), len(one.standings()["fuelco"].attempts)) == (2, 2, 3)
    assert [proof for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


def test_a_file_that_was_put_aside_and_that_the_bank_speaks_of_is_with_the_bank(one: AtTheBank, signers: Signers) -> None:
    put_aside(one, signers, "mia", "carl")
    second = one.standings()["cafe"].attempts[1]
    one.take(one.status(status_line(second.end_to_end_id, "ACCP"), file=second.message_id))
    assert (one.states()["cafe"], one.states()["fuelco"]) == ("accepted", "noted")
    assert (one.pay().handed_over, sent(one), one.states()["fuelco"]) == ((second.message_id,), 1, "sent")


def test_a_file_that_was_handed_over_cannot_be_put_aside(one: AtTheBank, signers: Signers) -> None:
    said = to_decide(one.books, one.programme, one.standings()["cafe"].attempts[1].end_to_end_id, Verdict.NOT_PAID, "so", "mia", one.now)
    one.pay()
    with pytest.raises(BankError) as refusal:
        keep(one.books, said, signers.keys["mia"].sign(said.signed()))
    assert refusal.value.code is BankCode.CONTRADICTS
    with pytest.raises(BankError) as nothing:
        put_aside(one, signers, "carl")
    assert nothing.value.code is BankCode.NOT_CONTRADICTED


def found(one: AtTheBank) -> dict[str, str]:
    """What is found, by code: the sentence."""
    return {finding.code.value: finding.says for finding in findings(one.books, one.now)}


def accepted_after_all(one: AtTheBank, signers: Signers) -> tuple[Attempt, Attempt]:
    """The file was put aside, its payments went into the next, and the bank accepts the first of the two: the attempts at the cafe's payment that it has."""
    put_aside(one, signers, "mia", "carl")
    one.pay(corrected=True)
    _, second, third = one.standings()["cafe"].attempts
    assert "DUPLICATE_BANK" not in found(one)
    one.take(one.status(status_line(second.end_to_end_id, "ACCP"), file=second.message_id))
    _, second, third = one.standings()["cafe"].attempts
    return second, third


def test_a_payment_of_a_file_that_was_put_aside_and_the_bank_accepts_is_found_at_once_with_both(one: AtTheBank, signers: Signers) -> None:
    second, third = accepted_after_all(one, signers)
    name = one.standings()["cafe"].id
    assert "the bank has it 2 times, " in found(one)["DUPLICATE_BANK"]
    both = {each.payment.payee: each for each in all_twice(one.books)}
    assert set(both) == {"cafe", "fuelco"}  # of the fuel company's the bank has said nothing, but it has the file
    assert both["cafe"].words == (
        f"the bank has it 2 times, {name}-2 (accepted, in file {second.message_id}) and {name}-3 (sent, in file {third.message_id}); "
        f"ask the bank for one of them: clh settlement recall {name} --attempt 3 --reason DUPL"
    )
    one.take(one.status(status_line(third.end_to_end_id, "RJCT", "AM05"), file=third.message_id))  # a duplicate is nothing new
    assert "cafe" in {each.payment.payee for each in all_twice(one.books)}


def test_one_is_recalled_and_the_other_is_the_payment(one: AtTheBank, signers: Signers) -> None:
    second, third = accepted_after_all(one, signers)
    for party in ("cafe", "fuelco"):
        asked = next(each for each in all_twice(one.books) if each.payment.payee == party)
        assert asked.recall is not None
        no = asked.payment.attempts.index(asked.recall) + 1
        told = recall(one.books, asked.payment.id, "DUPL", Paying(one.programme, "mia", one.now, Folder(one.folder)), attempt=no)
        assert told.end_to_end_id == asked.recall.end_to_end_id
    assert all("wait for the bank's answer" in each.words for each in all_twice(one.books))
    one.take(recall_answer(recall_line(third.end_to_end_id)))
    assert {each.payment.payee for each in all_twice(one.books)} == {"fuelco"}
    assert one.states()["cafe"] == "accepted"
    before = sent(one)
    assert one.pay(corrected=True).handed_over == (second.message_id,)  # the bank has it: that is noted, and nothing goes
    assert sent(one) == before
    with pytest.raises(BankError) as nothing:
        one.pay(corrected=True)
    assert nothing.value.code is BankCode.NOTHING_TO_CORRECT
    assert second.end_to_end_id in [each.end_to_end_id for each in one.standings()["cafe"].attempts]


def test_a_statement_that_shows_both_settles_the_window_and_what_is_too_much_is_an_adjustment(one: AtTheBank, signers: Signers) -> None:
    accepted_after_all(one, signers)
    one.take(one.statement(one.debit("cafe", attempt=1), one.debit("fuelco", attempt=1), one.credit("grocer"), name="S-1"))
    assert one.match().settled == [MONDAY]
    assert "DUPLICATE_BANK" in found(one)  # the other one is on its way
    one.take(one.statement(one.debit("cafe", attempt=2), one.debit("fuelco", attempt=2), name="S-2"))
    one.match()
    assert "DUPLICATE_BANK" not in found(one)
    amounts = {party: standing.amount_minor for party, standing in one.standings().items()}
    assert sorted(one.corrections()) == [(party, "opco", amounts[party]) for party in ("cafe", "fuelco")]
    assert [proof for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


def test_the_database_itself_sends_nothing_again_while_an_earlier_attempt_may_be_made(one: AtTheBank, signers: Signers) -> None:
    second, third = accepted_after_all(one, signers)
    one.take(one.status(status_line(third.end_to_end_id, "RJCT", "AC04"), file=third.message_id))
    assert one.states()["cafe"] == "accepted"
    with pytest.raises(psycopg.errors.RestrictViolation, match=second.end_to_end_id), one.books.transaction():
        one.books.execute(
            "insert into payment_attempt (end_to_end_id, run, payment, attempt, message_id, block, value_date) "
            "select payment || '-4', run, payment, 4, message_id, block, value_date from payment_attempt where end_to_end_id = %s",
            (third.end_to_end_id,),
        )
