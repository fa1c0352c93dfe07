"""A corrected file that was noted and not handed over, of which the bank says meanwhile that the first was made: nothing is paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearing.payment_states import Verdict
from services.bank.errors import BankCode, BankError
from services.runtime.local import Addresses
from services.settlement.deciding import keep, to_decide
from services.settlement.instructing import Paying, pay
from services.settlement.transport import Tell
from services.settlement.verify import verify_settlement
from tests.bank_messages import status_line
from tests.paying import AtTheBank, approved, at_the_bank
from tests.signers import MONDAY, Signers


class Unreachable:
    """A way to the bank that is cut."""

    def hand_over(self, message_id: str, content: bytes, tell: Tell) -> str:
        raise BankError(BankCode.NOT_HANDED_OVER, message_id)


@pytest.fixture(scope="module")
def signers(addresses: Addresses) -> Iterator[Signers]:
    with approved(addresses) as people:
        yield people


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
