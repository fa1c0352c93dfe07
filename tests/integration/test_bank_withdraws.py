"""A statement that does not belong into the chain of its account: two people take it out, and the chain goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.bank.errors import BankCode, BankError
from services.runtime.local import Addresses
from services.settlement.deciding import keep
from services.settlement.statements import halted
from services.settlement.taking import take_message
from services.settlement.withdrawing import to_withdraw
from tests.paying import AtTheBank, approved, at_the_bank
from tests.signers import MONDAY, Signers


@pytest.fixture(scope="module")
def signers(addresses: Addresses) -> Iterator[Signers]:
    with approved(addresses) as people:
        yield people


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The window is paid."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield bank


def withdraw(one: AtTheBank, signers: Signers, person: str, statement: str, begins: str | None = None) -> bool:
    said = to_withdraw(one.books, one.programme, statement, "of another year", person, one.now, begins=begins)
    return keep(one.books, said, signers.keys[person].sign(said.signed()))


def of_2020(one: AtTheBank, **how: int) -> bytes:
    return one.statement(name="S-2020", sequence=1, opening=7).replace(b"2026-", b"2020-")


def paid(one: AtTheBank, sequence: int | None = None) -> bytes:
    opening = None if sequence is None else 100_000_00
    return one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer"), name="S-57", sequence=sequence, opening=opening)


def test_a_wrong_first_statement_is_withdrawn_by_two_and_the_chain_begins_with_the_one_they_name(one: AtTheBank, signers: Signers) -> None:
    one.take(of_2020(one))
    assert one.match().statements == ["S-2020"]
    one.take(paid(one, 57))
    assert one.match().statements == []
    assert [halt.code for _, _, halt in halted(one.books)] == ["STATEMENT_GAP"]
    assert withdraw(one, signers, "mia", "S-2020", "S-57") is False
    assert one.match().statements == []
    with pytest.raises(BankError) as again:
        withdraw(one, signers, "mia", "S-2020", "S-57")
    assert again.value.code is BankCode.NOTHING_NEW
    assert withdraw(one, signers, "carl", "S-2020", "S-57") is True
    done = one.match()
    assert (done.statements, done.settled, halted(one.books)) == (["S-57"], [MONDAY], [])
    assert one.books.execute("select count(*) from bank_report where id = 'S-2020'").fetchone() == (1,)
    assert [taken.new for taken in one.take(of_2020(one))] == [False]


def test_a_wrong_number_1_is_withdrawn_and_the_right_one_takes_its_place(one: AtTheBank, signers: Signers) -> None:
    one.take(one.statement(name="S-other", sequence=1, opening=5))
    one.match()
    right = paid(one)
    with pytest.raises(BankError) as refused:
        one.take(right)
    assert refused.value.code is BankCode.CONTRADICTS
    for person in ("mia", "carl"):
        withdraw(one, signers, person, "S-other")
    one.take(right)
    assert one.match().settled == [MONDAY]


def test_two_who_name_another_beginning_have_not_said_the_same(one: AtTheBank, signers: Signers) -> None:
    one.take(of_2020(one), paid(one, 57))
    one.match()
    assert withdraw(one, signers, "mia", "S-2020", "S-57") is False
    assert withdraw(one, signers, "carl", "S-2020") is False
    assert one.match().statements == []


def test_what_shows_payments_is_not_withdrawn_and_of_several_the_last_comes_first(one: AtTheBank, signers: Signers) -> None:
    take_message(one.books, one.statement(name="S-1"), "a file", one.now)
    take_message(one.books, one.statement(name="S-2"), "a file", one.now)
    one.take(one.statement(one.debit("cafe"), name="S-3"))
    one.match()
    for name, code in (("S-3", BankCode.SHOWS_PAYMENTS), ("S-1", BankCode.NOT_THE_LAST), ("S-9", BankCode.UNKNOWN_STATEMENT)):
        with pytest.raises(BankError) as refused:
            withdraw(one, signers, "mia", name)
        assert refused.value.code is code


def test_one_that_waits_and_never_can_count_is_withdrawn_too(one: AtTheBank, signers: Signers) -> None:
    one.take(one.statement(name="S-1"), one.statement(name="S-far", sequence=900, opening=1))
    one.match()
    assert [name for _, name, _ in halted(one.books)] == ["S-far"]
    for person in ("dora", "carl"):
        withdraw(one, signers, person, "S-far")
    assert halted(one.books) == []
