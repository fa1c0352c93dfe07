"""What statements are said to show is read anew from the bank's bytes before anything follows from it: rows that the application added bring nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.settlement.errors import SettlementCode, SettlementError
from tests.paying import AtTheBank, at_the_bank
from tests.signers import Signers

PAID = """
insert into bank_entry (report, line, bank_reference, amount, currency, credit, booked, booking_date, value_date, end_to_end_id, reference, remittance,
  counterparty, counterparty_iban, return_reason)
select r.no, 999, 'forged', p.amount + %s, p.currency, true, true, r.to_date, r.to_date, 'NOTPROVIDED',
  right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21), '', '', '', '' from bank_report r, payment p where p.payer = 'grocer' and r.id = %s
"""
"""The grocer has paid what it owes, and so much more: in a statement that shows nothing of it."""


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield bank


def out(one: AtTheBank, name: str) -> bytes:
    """What the operator pays leaves the account."""
    return one.statement(one.debit("fuelco"), one.debit("cafe"), name=name)


def refused(one: AtTheBank, words: str) -> None:
    with pytest.raises(SettlementError, match=words) as refusal, one.books.transaction():
        one.match()
    assert refusal.value.code is SettlementCode.CHECK_FAILED


def test_a_statement_does_not_count_with_an_entry_that_is_not_in_its_message(one: AtTheBank) -> None:
    one.take(out(one, "S-1"))
    one.books.execute(PAID, (0, "S-1"))
    refused(one, "statement S-1: it is not in the books as it stands in its message, and does not count: statement S-1 has 2 entries, 3 in the books")
    assert one.books.execute("select count(*) from statement_counted").fetchone() == (0,)
    assert one.window() == "instructed"


def test_no_window_settles_on_an_entry_that_was_added_to_a_statement_which_counts_already(one: AtTheBank) -> None:
    one.take(out(one, "S-1"))
    assert (one.match().statements, one.window()) == (["S-1"], "instructed")
    one.books.execute(PAID, (0, "S-1"))
    refused(one, "the bank has not said what the books say it has")
    assert one.window() == "instructed"


def test_nothing_is_put_right_for_an_entry_that_was_added_after_a_window_had_settled(one: AtTheBank) -> None:
    one.take(out(one, "S-1"), one.statement(one.credit("grocer"), name="S-2"))
    one.match()
    assert one.window() == "settled"
    one.books.execute(PAID, (100, "S-1"))
    one.take(one.statement(one.credit("grocer", 700), name="S-3"))
    refused(one, "the bank has not said what the books say it has")
    assert one.corrections() == []


def test_what_the_bank_has_said_settles_and_is_put_right_as_before(one: AtTheBank) -> None:
    one.take(out(one, "S-1"), one.statement(one.credit("grocer"), name="S-2"), one.statement(one.credit("grocer", 700), name="S-3"))
    done = one.match()
    assert (done.statements, one.window(), one.corrections()) == (["S-1", "S-2", "S-3"], "settled", [("opco", "grocer", 700)])
