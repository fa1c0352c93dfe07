"""A statement that does not belong into the chain of its account: two people take it out, and the chain goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from clearing.approval import Action
from services.bank.errors import BankCode, BankError
from services.runtime.local import Addresses
from services.settlement.deciding import keep
from services.settlement.statements import halted
from services.settlement.taking import take_message
from services.settlement.verify import verify_settlement
from services.settlement.withdrawing import to_restore, to_withdraw
from tests.coalition import coalition
from tests.paying import ACCOUNTS, AtTheBank, at_the_bank, spend
from tests.signers import MONDAY, Signers, netted


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The window is paid."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield bank


def withdraw(one: AtTheBank, signers: Signers, person: str, statement: str, begins: str | None = None) -> bool:
    said = to_withdraw(one.books, one.programme, statement, "of another year", person, one.now, begins=begins)
    return keep(one.books, said, signers.keys[person].sign(said.signed()))


def restore(one: AtTheBank, signers: Signers, person: str, statement: str) -> bool:
    said = to_restore(one.books, one.programme, statement, "it was right", person, one.now)
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


def test_what_was_withdrawn_by_mistake_two_people_restore_and_it_counts_anew_in_its_place(one: AtTheBank, signers: Signers) -> None:
    one.take(one.statement(name="S-1"), one.statement(name="S-2"))
    one.match()
    for person in ("mia", "carl"):
        withdraw(one, signers, person, "S-2")
    one.take(paid(one))
    assert (one.match().statements, one.window()) == ([], "instructed")
    assert restore(one, signers, "mia", "S-2") is False
    with pytest.raises(BankError) as again:
        restore(one, signers, "mia", "S-2")
    assert again.value.code is BankCode.NOTHING_NEW
    assert restore(one, signers, "dora", "S-2") is True
    with pytest.raises(BankError) as twice:
        restore(one, signers, "carl", "S-2")
    assert twice.value.code is BankCode.UNKNOWN_STATEMENT
    assert one.match().statements == ["S-2", "S-57"]
    assert one.window() == "settled"
    assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


def test_what_people_said_before_it_was_restored_does_not_withdraw_it_again(one: AtTheBank, signers: Signers) -> None:
    one.take(one.statement(name="S-1"))
    for person in ("mia", "carl"):
        withdraw(one, signers, person, "S-1")
    for person in ("mia", "carl"):
        restore(one, signers, person, "S-1")
    assert one.match().statements == ["S-1"]
    one.now += timedelta(hours=1)
    assert withdraw(one, signers, "dora", "S-1") is False
    assert withdraw(one, signers, "mia", "S-1") is True
    assert one.books.execute("select count(*) from statement_counts").fetchone() == (0,)
    assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


@pytest.fixture(scope="module")
def early(addresses: Addresses) -> Iterator[Signers]:
    """The window is closed, and nobody has approved it yet."""
    with coalition(addresses, *ACCOUNTS, day=MONDAY) as one:
        spend(one)
        with netted(one, MONDAY) as people:
            yield people


class Undo(Exception):
    """What was tried is taken back."""


def approve(books: psycopg.Connection, people: Signers) -> None:
    for action, name in ((Action.SUBMIT, "mia"), (Action.APPROVE, "carl"), (Action.APPROVE, "dora")):
        people.say(action, name, connection=books)


def test_no_window_settles_on_a_statement_that_was_withdrawn_before_its_run_was_approved(early: Signers, tmp_path: Path) -> None:
    with at_the_bank(early, tmp_path / "out") as one:
        with contextlib.suppress(Undo), one.books.transaction():
            approve(one.books, early)
            comes = one.credit("grocer")
            raise Undo
        one.take(one.statement(comes, name="S-other"))
        assert one.match().statements == ["S-other"]
        for person in ("mia", "carl"):
            withdraw(one, early, person, "S-other")
        approve(one.books, early)
        one.pay()
        one.match()
        assert one.states()["grocer"] == "planned"
        one.opening, one.sequence = 100_000_00, 0
        one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), name="S-1"))
        assert one.match().statements == ["S-1"]
        assert (one.window(), one.standings()["grocer"].confirmed_minor) == ("instructed", 0)
        with pytest.raises(psycopg.errors.RestrictViolation, match="no statement shows payment"), one.books.transaction():
            one.books.execute("update settlement_window set state = 'settled' where day = %s", (MONDAY,))
        one.take(one.statement(one.credit("grocer"), name="S-2"))
        assert (one.match().settled, one.corrections()) == ([MONDAY], [])
        failing = [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds]
        assert failing == []
