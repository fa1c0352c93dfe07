"""A payment that the bank had been given before its window defaulted, and takes after all, while the further run pays it anew: it is found at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from clearing.payment_states import Verdict
from services.bank.errors import BankCode, BankError
from services.runtime.local import Addresses
from services.settlement.deciding import keep, to_decide
from services.settlement.findings import findings
from services.settlement.instructing import Paying, pay
from services.settlement.payment_states import Attempt
from services.settlement.recalling import recall
from services.settlement.transport import Folder
from services.settlement.twice import all_twice
from tests.bank_messages import Movement, recall_answer, recall_line, status_line
from tests.defaults import again
from tests.paying import AtTheBank, approved
from tests.signers import MONDAY, Signers

LATE = date(2026, 5, 20)
NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)


class Cut:
    """A way to the bank that breaks: nobody knows whether it has the file."""

    def expect(self) -> None:
        """It can be the bank's."""

    def hand_over(self, message_id: str, content: bytes, tell: object) -> str:
        raise BankError(BankCode.NOT_HANDED_OVER, message_id)


def put_aside(one: AtTheBank, signers: Signers, attempt: Attempt) -> None:
    for person in ("mia", "carl"):
        said = to_decide(one.books, one.programme, attempt.end_to_end_id, Verdict.NOT_PAID, "it has no such file", person, one.now)
        keep(one.books, said, signers.keys[person].sign(said.signed()))


@contextmanager
def paid_anew(addresses: Addresses, folder: Path) -> Iterator[tuple[AtTheBank, Attempt, Attempt]]:
    """The second file with the cafe's payment was put aside, its window defaulted, the further run pays the cafe: both attempts."""
    with approved(addresses) as signers, signers.one.books() as books:
        one = AtTheBank(books, signers.one.id, folder)
        one.pay()
        one.take(one.statement(one.debit("fuelco")))
        one.match()
        first = one.standings()["cafe"].attempts[0]
        one.take(one.status(status_line(first.end_to_end_id, "RJCT", "AC04"), file=first.message_id))
        with pytest.raises(BankError):
            pay(books, MONDAY, Paying(one.programme, "mia", one.now, Cut()), corrected=True)
        second = one.standings()["cafe"].attempts[1]
        put_aside(one, signers, second)
        signers.default(books, ["grocer"], LATE, NOW)
        again(signers)
        one.pay()
        yield one, second, one.standings()["cafe"].attempts[0]


def found(one: AtTheBank) -> dict[str, str]:
    return {finding.code.value: finding.says for finding in findings(one.books, one.now)}


def test_a_file_put_aside_before_a_default_that_the_bank_takes_is_found_with_the_payment_of_the_further_run(addresses: Addresses, tmp_path: Path) -> None:
    with paid_anew(addresses, tmp_path) as (one, old, new):
        assert "DUPLICATE_BANK" not in found(one)
        one.take(one.status(status_line(old.end_to_end_id, "ACSP"), file=old.message_id))
        named = f"{old.end_to_end_id} (accepted, in file {old.message_id}) and {new.end_to_end_id} (sent, in file {new.message_id})"
        says = found(one)["DUPLICATE_BANK"]
        assert f"the bank has it 2 times, {named}; ask the bank for one of them: clh settlement recall {new.end_to_end_id} --attempt 1" in says
        one.take(one.status(status_line(new.end_to_end_id, "ACCC"), file=new.message_id))
        one.take(one.statement(one.debit("cafe")))
        assert one.match().settled == [MONDAY]
        payment = old.end_to_end_id.removesuffix("-2")
        assert f"clh settlement recall {payment} --attempt 2 --reason DUPL" in found(one)["DUPLICATE_BANK"]  # the new one is on a statement by now
        recall(one.books, payment, "DUPL", Paying(one.programme, "mia", one.now, Folder(one.folder)), attempt=2)
        (asked,) = all_twice(one.books)
        assert f"{old.end_to_end_id} was asked back: wait for the bank's answer" in asked.words
        one.take(recall_answer(recall_line(old.end_to_end_id)))
        assert "DUPLICATE_BANK" not in found(one)


def test_what_statements_show_of_both_is_put_right_and_over(addresses: Addresses, tmp_path: Path) -> None:
    with paid_anew(addresses, tmp_path) as (one, old, new):
        twice, amount = one.debit("cafe"), one.standings()["cafe"].amount_minor
        before = Movement(twice.figure, "B-OLD", twice.details.replace(new.end_to_end_id, old.end_to_end_id))
        one.take(one.statement(before))
        one.match()
        assert one.corrections()[-1] == ("cafe", "opco", amount)
        assert "DUPLICATE_BANK" in found(one)
        one.take(one.statement(twice))
        assert one.match().settled == [MONDAY]
        assert "DUPLICATE_BANK" not in found(one)
        assert one.corrections()[-1] == ("cafe", "opco", amount)
