"""A payment that came back less what the bank kept of it: two people say that the operator bears that, and the payment goes out anew in full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.bank.errors import BankCode, BankError
from services.settlement.assigning import Became, Wanted, assigned, to_assign
from services.settlement.deciding import BankDecision, keep
from services.settlement.findings import findings
from services.settlement.undoing import to_undo
from services.settlement.verify import verify_settlement
from tests.paying import AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The payment to the cafe was made."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        bank.take(bank.statement(bank.debit("cafe")))
        bank.match()
        yield bank


def short(one: AtTheBank, how: str) -> str:
    """30 are missing of what came back; the bank's reference of the entry of which that is said."""
    if how == "less":
        named = one.back("cafe", minor=one.standings()["cafe"].amount_minor - 30)
        one.take(one.statement(named))
    else:
        back, named = one.back("cafe"), one.debit("cafe", minor=30)
        one.take(one.statement(back, named))
    one.match()
    return named.reference


def sign(one: AtTheBank, signers: Signers, said: BankDecision) -> bool:
    return keep(one.books, said, signers.keys[said.person].sign(said.signed()))


def borne(one: AtTheBank, name: str, person: str = "mia") -> BankDecision:
    return to_assign(one.books, one.programme, Wanted(name, Became.BORNE, "its charge", person), one.now)


def unsound(one: AtTheBank) -> list[str]:
    return [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds]


@pytest.mark.parametrize("how", ["less", "a charge beside it"])
def test_what_the_bank_kept_is_borne_by_two_and_the_payment_goes_out_anew(how: str, one: AtTheBank, signers: Signers) -> None:
    name = short(one, how)
    assert one.states()["cafe"] == "partly confirmed"
    assert "clh bank assign RETURN --borne" in next(found.says for found in findings(one.books, one.now) if found.code.value == "AMOUNT_UNDER")
    with pytest.raises(BankError) as nothing, one.books.transaction():
        one.pay(corrected=True)
    assert nothing.value.code is BankCode.NOTHING_TO_CORRECT
    assert [sign(one, signers, borne(one, name, person)) for person in ("mia", "carl")] == [False, True]
    assert one.states()["cafe"] == "returned"
    (listed,) = assigned(one.books)
    assert (listed.charge_minor, listed.people, listed.decided) == (30, ["mia", "carl"], True)
    one.pay(corrected=True)
    with pytest.raises(BankError) as final:
        to_undo(one.books, one.programme, name, "it was a mistake", "mia", one.now)
    assert final.value.code is BankCode.FINAL and "it was sent again as" in str(final.value)
    one.take(one.statement(one.debit("cafe"), one.debit("fuelco"), one.credit("grocer")))
    assert one.match().settled == [MONDAY]
    assert (one.corrections(), findings(one.books, one.now), unsound(one)) == ([], [], [])


def test_it_is_undone_until_the_payment_is_sent_again(one: AtTheBank, signers: Signers) -> None:
    name = short(one, "less")
    for person in ("mia", "carl"):
        sign(one, signers, borne(one, name, person))
    for person in ("mia", "carl"):
        sign(one, signers, to_undo(one.books, one.programme, name, "it was a mistake", person, one.now))
    assert one.states()["cafe"] == "partly confirmed"
    assert unsound(one) == []


def test_two_name_the_same_sum_and_it_is_the_one_that_is_missing(one: AtTheBank, signers: Signers) -> None:
    name = short(one, "less")
    early = borne(one, name)
    one.take(one.statement(one.back("cafe", minor=10)))
    one.match()
    with pytest.raises(BankError) as changed:
        sign(one, signers, early)
    assert changed.value.code is BankCode.CONTRADICTS


def test_of_a_payment_that_did_not_come_back_nothing_is_borne(one: AtTheBank) -> None:
    row = one.books.execute("select bank_reference from bank_entry").fetchone()
    assert row is not None
    with pytest.raises(BankError) as refused:
        borne(one, row[0])
    assert refused.value.code is BankCode.UNKNOWN_CREDIT


def test_whoever_changes_the_sum_past_all_rules_is_found_and_named(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        one = AtTheBank(owner, signers.one.id, tmp_path)
        one.pay()
        one.take(one.statement(one.debit("cafe")))
        name = short(one, "less")
        for person in ("mia", "carl"):
            sign(one, signers, borne(one, name, person))
        assert unsound(one) == []
        owner.execute("set local session_replication_role = replica")
        owner.execute("update bank_decision set charge = charge + 1 where decides")
        assert any(what.startswith("decision ") and what.endswith("of what the books hold") for what in unsound(one))
