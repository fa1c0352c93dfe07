"""Before money moves, words of people are recomputed that it rests on, and no others: years of decisions cost a file, and a statement, nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearing.payment_states import Verdict
from services.settlement import verify_bank
from services.settlement.assigning import Became, Wanted, to_assign
from services.settlement.deciding import BankDecision, keep, to_decide
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from tests.bank_messages import Movement, status_line, transaction
from tests.paying import AtTheBank, at_the_bank
from tests.signers import Signers


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield bank


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Signatures that are recomputed from here on."""
    seen: list[bytes] = []

    def counted(key: bytes, message: bytes, signature: bytes) -> bool:
        seen.append(signature)
        return proven(key, message, signature)

    proven = holds
    monkeypatch.setattr(verify_bank, "holds", counted)
    return seen


def say(one: AtTheBank, signers: Signers, said: BankDecision) -> bytes:
    signature = signers.keys[said.person].sign(said.signed())
    keep(one.books, said, signature)
    return signature


def assigned(one: AtTheBank, signers: Signers, many: int) -> None:
    """A statement with credits of strangers, each of which two people have decided to keep."""
    names = [one.name("IN") for _ in range(many)]
    one.take(one.statement(*(Movement("250.00", name, transaction("250.00", end_to_end="NOTPROVIDED")) for name in names)))
    one.match()
    for name in names:
        for person in ("mia", "carl"):
            say(one, signers, to_assign(one.books, one.programme, Wanted(name, Became.KEPT, "a gift", person), one.now))


def contradicted(one: AtTheBank, signers: Signers) -> set[bytes]:
    """The bank says both of the payment to the cafe; two people have decided that it was not made."""
    name = one.standings()["cafe"].id
    one.take(one.status(status_line(name, "RJCT", "AC04")), one.status(status_line(name, "ACSC")))
    return {say(one, signers, to_decide(one.books, one.programme, name, Verdict.NOT_PAID, "asked the bank", person, one.now)) for person in ("mia", "carl")}


def test_a_file_is_handed_over_with_the_words_about_its_payments_recomputed_and_no_others(one: AtTheBank, signers: Signers, looked_at: list[bytes]) -> None:
    assigned(one, signers, 12)
    words = contradicted(one, signers)
    looked_at.clear()
    one.pay(corrected=True)
    assert set(looked_at) == words


def test_statements_count_with_the_words_recomputed_about_what_is_under_way_or_may_count_yet(one: AtTheBank, signers: Signers, looked_at: list[bytes]) -> None:
    assigned(one, signers, 12)
    assigned(one, signers, 1)
    words = contradicted(one, signers)
    one.take(one.statement(one.debit("fuelco")))
    looked_at.clear()
    one.match()
    assert words < set(looked_at)
    assert len(set(looked_at)) == 4, "the cafe's payment, and the credit on the last statement that counts"


def test_a_forged_word_about_another_file_does_not_stop_this_one_and_one_about_its_payment_does(one: AtTheBank, signers: Signers) -> None:
    assigned(one, signers, 1)
    contradicted(one, signers)
    forge = "update bank_decision set reason = 'so' where {}"
    one.books.execute("reset role")
    one.books.execute("set session_replication_role = replica")
    with one.books.transaction(force_rollback=True):
        one.books.execute(forge.format("entry is not null"))
        one.pay(corrected=True)
    one.books.execute(forge.format("end_to_end_id is not null"))
    with pytest.raises(SettlementError) as refusal:
        one.pay(corrected=True)
    assert refusal.value.code is SettlementCode.BAD_SIGNATURE
