"""Every finding about payments and statements comes to an end: each code is found, and after its way out it is found no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clearing.payment_breaks import PaymentBreak
from clearing.payment_states import Verdict
from services.settlement.assigning import Became, Wanted, to_assign
from services.settlement.deciding import BankDecision, keep, to_decide
from services.settlement.findings import findings
from services.settlement.verify import verify_settlement
from services.settlement.withdrawing import to_withdraw
from tests.bank_messages import Movement, status_line, transaction
from tests.paying import AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers

Ends = Callable[["Window"], object]


class Window:
    """A window that is paid, with its bank and two people."""

    def __init__(self, bank: AtTheBank, signers: Signers) -> None:
        self.bank, self.signers, self.later = bank, signers, timedelta()

    def found(self) -> set[str]:
        return {finding.code.value for finding in findings(self.bank.books, self.bank.now + self.later)}

    def takes(self, *contents: bytes) -> None:
        self.bank.take(*contents)
        self.bank.match()

    def shows(self, *movements: Movement) -> None:
        self.takes(self.bank.statement(*movements))

    def status(self, *lines: str) -> None:
        self.takes(self.bank.status(*lines))

    def two_say(self, word: Callable[[str], BankDecision], *people: str) -> None:
        for person in people or ("mia", "carl"):
            said = word(person)
            keep(self.bank.books, said, self.signers.keys[person].sign(said.signed()))

    def assign(self, name: str, became: Became) -> None:
        self.two_say(lambda person: to_assign(self.bank.books, self.bank.programme, Wanted(name, became, "so", person), self.bank.now))

    def withdraw(self, name: str) -> None:
        self.two_say(lambda person: to_withdraw(self.bank.books, self.bank.programme, name, "so", person, self.bank.now))

    def decide(self, verdict: Verdict) -> None:
        name = self.cafe
        people = ("mia",) if verdict is Verdict.PAID else ("mia", "carl")
        self.two_say(lambda person: to_decide(self.bank.books, self.bank.programme, name, verdict, "so", person, self.bank.now), *people)

    @property
    def cafe(self) -> str:
        return self.bank.standings()["cafe"].id

    def settle(self) -> None:
        """The first attempts are on a statement, and what the grocer owes."""
        self.shows(self.bank.debit("cafe", attempt=0), self.bank.debit("fuelco", attempt=0), self.bank.credit("grocer"))

    def strange(self, figure: str, name: str) -> Movement:
        return Movement(figure, name, transaction(figure, end_to_end="NOTPROVIDED"))


def gap(one: Window) -> None:
    one.takes(one.bank.statement(name="S-9", sequence=9, opening=100_000_00))


def wrong_balance(one: Window) -> None:
    one.shows()
    one.takes(one.bank.statement(name="S-odd", sequence=2, opening=1))


def rejected(one: Window) -> None:
    one.status(status_line(one.cafe, "RJCT", "AC04"))


def said_both(one: Window) -> None:
    one.status(status_line(one.cafe, "RJCT", "AC04"))
    one.status(status_line(one.cafe, "ACSC"))


def returned(one: Window) -> None:
    one.shows(one.bank.debit("cafe"))
    one.shows(one.bank.back("cafe"))


def too_much(one: Window) -> None:
    one.shows(one.bank.credit("grocer"), replace(one.bank.credit("grocer", 7), reference="more"))


def too_little(one: Window) -> None:
    one.shows(one.bank.debit("cafe", minor=100))


def overdue(one: Window) -> None:
    one.later = timedelta(days=30)


def in_dollars(one: Window) -> None:
    moved = replace(one.bank.credit("grocer", 700), reference="IN-7")
    one.takes(one.bank.statement(moved, sequence=1, opening=0).replace(b'Ccy="EUR"', b'Ccy="USD"').replace(b"<Ccy>EUR", b"<Ccy>USD"))


def those_between(one: Window) -> None:
    for _ in range(8):
        one.shows()


def the_right_one(one: Window) -> None:
    one.withdraw("S-odd")
    one.shows()


def the_rest(one: Window) -> None:
    amount = one.bank.standings()["cafe"].amount_minor
    one.shows(one.bank.debit("cafe", minor=amount - 100))


def sent_again_and_shown(one: Window) -> None:
    one.bank.pay(corrected=True)
    one.shows(one.bank.debit("cafe"))


WAYS: dict[str, tuple[PaymentBreak, Ends, Ends]] = {
    "the statement between comes": (PaymentBreak.STATEMENT_GAP, gap, those_between),
    "a statement that belongs nowhere is withdrawn": (PaymentBreak.STATEMENT_GAP, gap, lambda one: one.withdraw("S-9")),
    "the right statement takes its place": (PaymentBreak.BALANCE, wrong_balance, the_right_one),
    "what was rejected is sent again": (PaymentBreak.BANK_REJECTED, rejected, lambda one: one.bank.pay(corrected=True)),
    "what was rejected is sent again and shown": (PaymentBreak.BANK_REJECTED, rejected, sent_again_and_shown),
    "people decide that it was made": (PaymentBreak.BANK_CONTRADICTS, said_both, lambda one: one.decide(Verdict.PAID)),
    "people decide that it was not": (PaymentBreak.BANK_CONTRADICTS, said_both, lambda one: one.decide(Verdict.NOT_PAID)),
    "what came back is sent again": (PaymentBreak.BANK_RETURNED, returned, sent_again_and_shown),
    "it is kept": (PaymentBreak.ORPHAN_CREDIT, lambda one: one.shows(one.strange("5.00", "IN-1")), lambda one: one.assign("IN-1", Became.KEPT)),
    "money in another currency is kept": (PaymentBreak.CURRENCY, in_dollars, lambda one: one.assign("IN-7", Became.KEPT)),
    "a fee is borne": (
        PaymentBreak.MISSING_AT_PROGRAMME, lambda one: one.shows(one.strange("-5.00", "FEE")), lambda one: one.assign("FEE", Became.BORNE),
    ),
    "the rest comes under the same id": (PaymentBreak.AMOUNT_UNDER, too_little, the_rest),
    "the window is settled, and with it what is too much an adjustment": (
        PaymentBreak.AMOUNT_OVER, too_much, lambda one: one.shows(one.bank.debit("cafe"), one.bank.debit("fuelco")),
    ),
    "statements show it": (PaymentBreak.MISSING_AT_BANK, overdue, Window.settle),
}  # fmt: skip
ELSEWHERE = {
    PaymentBreak.LATE: "tests/integration/test_bank_assigns.py",
    PaymentBreak.DUPLICATE_BANK: "tests/integration/test_corrected_not_sent.py",
}
"""Codes whose ends need other books."""


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[Window]:
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield Window(bank, signers)


def test_each_code_about_payments_is_here() -> None:
    assert {code for code, _, _ in WAYS.values()} | set(ELSEWHERE) == set(PaymentBreak)


@pytest.mark.parametrize("way", WAYS)
def test_each_is_found_and_comes_to_its_end(way: str, one: Window) -> None:
    code, begins, ends = WAYS[way]
    assert code.value not in one.found()
    begins(one)
    assert code.value in one.found()
    ends(one)
    left = {found for found in findings(one.bank.books, one.bank.now + one.later) if found.code is code}
    if code is PaymentBreak.AMOUNT_OVER:  # an adjustment of Tuesday by now, and found until that is settled
        assert [found.says for found in left if "puts it right" in found.says] and one.bank.window() == "settled"
        one.bank.books.execute("reset role")
        one.bank.books.execute("set local session_replication_role = replica")
        one.bank.books.execute("update settlement_window set state = 'settled'")
        left = {found for found in findings(one.bank.books, one.bank.now + one.later) if found.code is code}
    assert left == set()
    if code is not PaymentBreak.AMOUNT_OVER:
        assert [proof.what for proof in verify_settlement(one.bank.books, one.bank.programme, MONDAY) if not proof.holds] == []
