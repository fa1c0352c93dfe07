"""A bank that nobody here has written: pays, rejects, returns, stays silent, leaves an entry out; and what becomes of payments and their window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from services.bank.errors import BankCode, BankError
from services.settlement.findings import findings
from services.settlement.instructing import Paying, pay
from services.settlement.statements import halted
from services.settlement.transport import BankUrl
from tests.bank_messages import OURS
from tests.loopback_bank import LoopbackBank, loopback_bank
from tests.paying import AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers

TO_THE_VALUE_DATE = 4
"""Days from the bank's first to the end of that on which it makes the payments."""


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    with at_the_bank(signers, tmp_path / "out") as books:
        yield books


@pytest.fixture
def bank() -> Iterator[LoopbackBank]:
    with loopback_bank() as there:
        yield there


def send(one: AtTheBank, bank: LoopbackBank) -> None:
    """Pays over the bank's own interface."""
    pay(one.books, MONDAY, Paying(one.programme, "mia", one.now, BankUrl(f"http://127.0.0.1:{bank.port}/payments")))


def grocer_pays(one: AtTheBank, bank: LoopbackBank, minor: int | None = None) -> None:
    grocer = one.standings()["grocer"]
    amount = grocer.amount_minor if minor is None else minor
    debtor = {"name": "Grocer", "iban": "GB82WEST12345698765432"}
    bank.call("POST", "/_mock/credits", {"account": "OURS", "amount": amount, "reference": grocer.reference, "debtor": debtor})


def hear(one: AtTheBank, bank: LoopbackBank, *, shuffled: int = 0) -> list[str]:
    """Takes everything that the bank has to say, in an order of its own; the codes under which something is refused."""
    contents = bank.fetch()
    Random(shuffled).shuffle(contents)
    refusals = []
    for content in contents:
        try:
            one.take(content)
        except BankError as refused:
            refusals.append(refused.code.value)
    return refusals


def codes(one: AtTheBank) -> list[str]:
    return sorted(finding.code.value for finding in findings(one.books, one.now))


@pytest.mark.parametrize("shuffled", range(3))
def test_paid_accepted_booked_and_settled(one: AtTheBank, bank: LoopbackBank, shuffled: int) -> None:
    bank.open_account(OURS)
    send(one, bank)
    assert (hear(one, bank), one.match().settled) == ([], [])
    assert one.states() == {"fuelco": "accepted", "cafe": "accepted", "grocer": "planned"}
    grocer_pays(one, bank)
    bank.advance(TO_THE_VALUE_DATE)
    assert hear(one, bank, shuffled=shuffled) == []
    done = one.match()
    assert (len(done.statements), done.settled) == (4, [MONDAY])
    assert codes(one) == []


def test_a_file_that_is_sent_twice_is_paid_once(one: AtTheBank, bank: LoopbackBank) -> None:
    bank.open_account(OURS)
    send(one, bank)
    name = one.standings()["fuelco"].attempts[0].message_id
    BankUrl(f"http://127.0.0.1:{bank.port}/payments").hand_over(name, one.pay().files[0].content, lambda _: None)
    grocer_pays(one, bank)
    bank.advance(TO_THE_VALUE_DATE)
    assert hear(one, bank) == []
    assert one.match().settled == [MONDAY]
    assert {standing.excess_minor for standing in one.standings().values()} == {0}


def test_a_silent_bank_settles_by_its_statement(one: AtTheBank, bank: LoopbackBank) -> None:
    bank.open_account(OURS, behaviour="silent")
    send(one, bank)
    assert (hear(one, bank), one.states()["cafe"]) == ([], "sent")
    grocer_pays(one, bank)
    bank.advance(TO_THE_VALUE_DATE)
    hear(one, bank)
    assert one.match().settled == [MONDAY]


def test_a_payment_that_is_returned_before_the_end_is_sent_again(one: AtTheBank, bank: LoopbackBank) -> None:
    cafe = one.standings()["cafe"].id
    bank.open_account(OURS, behaviour="return-later", parameters={"days": 1, "reason": "AC04", "end_to_end_id": cafe})
    send(one, bank)
    bank.advance(TO_THE_VALUE_DATE + 4)
    hear(one, bank)
    assert one.match().settled == []
    assert one.states() == {"fuelco": "confirmed", "cafe": "returned", "grocer": "planned"}
    assert codes(one) == ["BANK_RETURNED"]
    assert "AC04" in (one.standings()["cafe"].reason or "")
    one.pay(corrected=True)
    name = one.standings()["cafe"].attempts[-1].message_id
    bank.send((one.folder / f"{name}.xml").read_bytes())
    grocer_pays(one, bank)
    bank.advance(2)
    hear(one, bank)
    assert one.match().settled == [MONDAY]
    assert one.corrections() == []


def test_a_payment_that_is_returned_after_the_end_is_an_adjustment(one: AtTheBank, bank: LoopbackBank) -> None:
    cafe = one.standings()["cafe"]
    bank.open_account(OURS, behaviour="return-later", parameters={"days": 1, "reason": "AC04", "end_to_end_id": cafe.id})
    send(one, bank)
    grocer_pays(one, bank)
    bank.advance(TO_THE_VALUE_DATE)
    hear(one, bank)
    assert one.match().settled == [MONDAY]
    bank.advance(4)
    hear(one, bank)
    assert [(done.debtor, done.creditor) for done in one.match().corrections] == [("opco", "cafe")]
    assert one.corrections() == [("opco", "cafe", cafe.amount_minor)]
    assert codes(one) == ["BANK_RETURNED"]


def test_a_statement_with_an_entry_left_out_is_refused_and_those_after_it_wait(one: AtTheBank, bank: LoopbackBank) -> None:
    bank.open_account(OURS, behaviour="statement-gap")
    send(one, bank)
    bank.advance(TO_THE_VALUE_DATE + 1)
    assert hear(one, bank) == [BankCode.WRONG_BALANCE]
    done = one.match()
    assert (len(done.statements), done.settled) == (3, [])
    assert [(halt.code, halt.expected) for _, _, halt in halted(one.books)] == [("STATEMENT_GAP", 4)]
    assert codes(one) == ["STATEMENT_GAP"]
    assert one.states()["fuelco"] == "booked"


def test_part_of_what_is_owed_settles_nothing_and_what_is_too_much_is_shown(one: AtTheBank, bank: LoopbackBank) -> None:
    bank.open_account(OURS)
    send(one, bank)
    grocer_pays(one, bank, 1000)
    bank.call("POST", "/_mock/credits", {"account": "OURS", "amount": 77, "note": "PAYMENT", "debtor": {"name": "Somebody", "iban": "GB82WEST12345698765432"}})
    bank.advance(TO_THE_VALUE_DATE)
    hear(one, bank)
    assert one.match().settled == []
    assert (one.states()["grocer"], codes(one)) == ("partly confirmed", ["ORPHAN_CREDIT"])
    grocer_pays(one, bank)
    bank.advance(3)
    hear(one, bank)
    assert one.match().settled == [MONDAY]
    assert one.corrections() == [("opco", "grocer", 1000)]
