"""kill -9 at each step between approved and settled: no payment is made twice, and none is lost; and two who do the same at once do it once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.bank.errors import BankCode, BankError
from services.runtime.local import Addresses
from services.settlement.transport import BankUrl, Folder
from tests.bank_messages import OURS, status_line
from tests.faults import paying
from tests.faults.children import Child, barrier
from tests.loopback_bank import loopback_bank
from tests.paying import AtTheBank, approved
from tests.signers import MONDAY, Signers

PAYING = ("instructed", "noted", "written", "handed over", "noted as handed over")
MATCHING = (("looked", 1), ("counted", 1), ("settled", 1), ("corrected", 1), ("committed", 1), ("counted", 1), ("corrected", 1), ("committed", 1), ("told", 1))
"""The second five are of the next statement: what the first four left undone is done again by the process after them."""


@pytest.fixture
def signers(addresses: Addresses) -> Iterator[Signers]:
    with approved(addresses) as people:
        yield people


def test_paying_that_is_killed_at_every_step_pays_once(signers: Signers, tmp_path: Path) -> None:
    """Each process comes one step further; the bank gets the file twice, since one was killed before it could note that it had handed it over."""
    with loopback_bank() as bank, signers.one.books() as books:
        bank.open_account(OURS)
        one = AtTheBank(books, signers.one.id, tmp_path)
        for step in PAYING:
            with Child(paying.pay_window, signers.one, BankUrl(f"http://127.0.0.1:{bank.port}/payments"), (step, 1)) as doomed:
                doomed.was_killed()
            assert one.window() == ("approved" if step == "instructed" else "instructed")
        assert one.pay().handed_over == ()
        assert list(tmp_path.iterdir()) == []
        received = [request for request in bank.call("GET", "/_mock/requests") if request["path"] == "/payments"]
        assert len(received) == 2
        grocer = one.standings()["grocer"]
        bank.call("POST", "/_mock/credits", {"account": "OURS", "amount": grocer.amount_minor, "reference": grocer.reference, "debtor": {"name": "Grocer"}})
        bank.advance(4)
        one.take(*bank.fetch())
        assert one.match().settled == [MONDAY]
        assert {standing.excess_minor for standing in one.standings().values()} == {0}
        assert books.execute("select count(*) from payment_file").fetchone() == (1,)


@pytest.mark.parametrize("statement", [False, True])
def test_a_corrected_file_whose_writer_was_killed_does_not_go_once_the_bank_says_that_the_first_was_made(
    statement: bool, signers: Signers, tmp_path: Path
) -> None:
    with signers.one.books() as books:
        one = AtTheBank(books, signers.one.id, tmp_path)
        one.pay()
        first = one.standings()["cafe"].attempts[0]
        one.take(one.status(status_line(first.end_to_end_id, "RJCT", "AC04"), file=first.message_id))
        with Child(paying.pay_corrected, signers.one, Folder(tmp_path), ("noted", 1)) as doomed:
            doomed.was_killed()
        assert len(one.standings()["cafe"].attempts) == 2
        one.take(one.statement(one.debit("cafe", attempt=0)) if statement else one.status(status_line(first.end_to_end_id, "ACSC"), file=first.message_id))
        one.match()
        with pytest.raises(BankError) as refusal:
            one.pay()
        assert refusal.value.code is BankCode.MAY_BE_PAID
        assert len(list(tmp_path.glob("*.xml"))) == 1


def test_a_folder_holds_one_whole_file_however_often_its_writer_is_killed(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books() as books:
        one = AtTheBank(books, signers.one.id, tmp_path)
        for step in PAYING:
            with Child(paying.pay_window, signers.one, Folder(tmp_path), (step, 1)) as doomed:
                doomed.was_killed()
            assert len(list(tmp_path.glob("*.xml"))) == (PAYING.index(step) >= PAYING.index("handed over"))
        (whole,) = tmp_path.glob("*.xml")
        assert whole.read_bytes() == one.pay().files[0].content


def test_two_who_pay_at_once_hand_one_file_over_once(signers: Signers) -> None:
    with loopback_bank() as bank, signers.one.books() as books:
        bank.open_account(OURS)
        meeting, url = barrier(2), BankUrl(f"http://127.0.0.1:{bank.port}/payments")
        with Child(paying.pay_in_step, signers.one, url, meeting) as first, Child(paying.pay_in_step, signers.one, url, meeting) as second:
            first.ended()
            second.ended()
        assert [request["path"] for request in bank.call("GET", "/_mock/requests")].count("/payments") == 1
        assert books.execute("select count(*) from window_move where event = 'instructed'").fetchone() == (1,)


def test_matching_that_is_killed_at_every_step_or_done_by_two_settles_and_corrects_once(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books() as books:
        one = AtTheBank(books, signers.one.id, tmp_path)
        one.pay()
        cafe = one.standings()["cafe"].amount_minor
        one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer")), one.statement(one.back("cafe")))
        for moment in MATCHING:
            with Child(paying.match_statements, signers.one, moment) as doomed:
                doomed.was_killed()
        one.take(one.statement(one.credit("grocer", 5)))
        meeting = barrier(2)
        with Child(paying.match_in_step, signers.one, meeting) as first, Child(paying.match_in_step, signers.one, meeting) as second:
            first.ended()
            second.ended()
        assert one.window() == "settled"
        assert one.corrections() == [("opco", "cafe", cafe), ("opco", "grocer", 5)]
        assert books.execute("select count(*) from statement_counted").fetchone() == (3,)
        told = books.execute("select body::jsonb ->> 'event', body::jsonb ->> 'payment' from outbox where topic = 'clearing.events.v1' order by seq").fetchall()
        assert [event for event, _ in told].count("confirmed") == 1
        moved = [payment for event, payment in told if event == "payment_moved"]
        assert sorted(moved) == sorted([*(one.id for one in one.standings().values()), one.standings()["cafe"].id])
