"""A payment is made between the accounts that its parties had when people approved it, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from clearing.approval import Action, Statement
from services.bank.errors import BankCode, BankError
from services.bank.instructions import file_of
from services.journal.programmes import store
from services.programme.read import parse_programme
from services.runtime.local import Addresses
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.payments import payments_of
from services.settlement.runs import newest_run
from services.settlement.signing import record, to_sign
from services.settlement.verify import verify_settlement
from tests.bank_messages import status_line
from tests.coalition import coalition
from tests.paying import ACCOUNTS, AtTheBank, at_the_bank, spend
from tests.signers import MONDAY, Signers, netted

OPCO, CAFE, OTHER = "DE89370400440532013000", "FR1420041010050500013M02606", "GB33BUKB20201555555555"

SWAP = """
with swapped as (select convert_to(replace(convert_from(content, 'UTF8'), %s, %s), 'UTF8') content from payment_file)
update payment_file set content = swapped.content, sha256 = encode(sha256(swapped.content), 'hex') from swapped
"""


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    with at_the_bank(signers, tmp_path / "out") as bank:
        yield bank


def apply(books: psycopg.Connection, before: str, after: str) -> None:
    """The programme file in force, with another account in it."""
    row = books.execute("select text from programme order by no desc limit 1").fetchone()
    assert row is not None
    assert before in row[0]
    text = row[0].replace(before, after)
    assert store(books, parse_programme(text, "harvest.yaml"), text)


def refused(one: AtTheBank, *, corrected: bool = False) -> None:
    with pytest.raises(BankError) as refusal:
        one.pay(corrected=corrected)
    assert refusal.value.code is BankCode.ACCOUNT_CHANGED


def unsound(books: psycopg.Connection, programme: str) -> list[str]:
    return [proof.what for proof in verify_settlement(books, programme, MONDAY) if not proof.holds]


def test_the_accounts_of_the_moment_of_approval_are_kept_with_each_payment(one: AtTheBank) -> None:
    kept = {payment.payee: (payment.payer_iban, payment.payee_iban) for payment in payments_of(one.books, one.run) if payment.payer == "opco"}
    assert kept == {"cafe": (OPCO, CAFE), "fuelco": (OPCO, "NL91ABNA0417164300")}


@pytest.mark.parametrize(("before", "after"), [(CAFE, OTHER), (OPCO, OTHER), (f"account: {{iban: {CAFE}}},", "")], ids=["payee", "payer", "none"])
def test_a_payment_whose_account_was_changed_after_it_was_approved_is_not_paid(one: AtTheBank, before: str, after: str) -> None:
    apply(one.books, before, after)
    refused(one)
    assert one.books.execute("select count(*) from payment_file").fetchone() == (0,)
    assert (one.window(), list(one.folder.iterdir())) == ("approved", [])
    with pytest.raises(BankError) as refusal:
        file_of(one.books, one.programme, MONDAY)
    assert refusal.value.code is BankCode.ACCOUNT_CHANGED


def test_a_payment_whose_account_is_again_as_it_was_approved_is_paid(one: AtTheBank) -> None:
    apply(one.books, CAFE, OTHER)
    refused(one)
    apply(one.books, OTHER, CAFE)
    assert len(one.pay().handed_over) == 1
    assert unsound(one.books, one.programme) == []


def test_an_account_of_somebody_who_is_not_paid_from_here_may_change(one: AtTheBank) -> None:
    apply(one.books, "GB82WEST12345698765432", OTHER)
    assert len(one.pay().handed_over) == 1
    assert unsound(one.books, one.programme) == []


def test_a_corrected_file_goes_to_the_approved_account_or_nowhere(one: AtTheBank) -> None:
    one.pay()
    one.take(one.status(status_line(one.standings()["cafe"].id, "RJCT", "AC04", "closed")))
    apply(one.books, CAFE, OTHER)
    refused(one, corrected=True)
    assert one.states()["cafe"] == "rejected"
    apply(one.books, OTHER, CAFE)
    second = one.pay(corrected=True).files[1]
    assert CAFE.encode() in second.content
    assert unsound(one.books, one.programme) == []


def test_what_people_pay_at_the_bank_themselves_is_confirmed_under_the_id_of_the_last_attempt(one: AtTheBank) -> None:
    one.pay()
    one.take(one.status(status_line(one.standings()["cafe"].id, "RJCT", "AC04", "closed")))
    one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer")))
    assert one.match().settled == [MONDAY]
    assert one.states()["cafe"] == "confirmed"


def test_a_payment_of_before_its_accounts_were_kept_is_paid_by_the_programme_in_force(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        owner.execute("set local session_replication_role = replica")
        owner.execute("update payment set payer_iban = null, payee_iban = null")
        for one in newest_run(owner, MONDAY).signatures:  # what people signed then named no accounts
            said = replace(one.statement(signers.one.id), accounts_sha256=None)
            owner.execute(
                "update signature set accounts_sha256 = null, signature = %s where no = %s", (signers.keys[one.person].sign(said.canonical()), one.no)
            )
        owner.execute("set local session_replication_role = origin")
        apply(owner, CAFE, OTHER)
        (file,) = AtTheBank(owner, signers.one.id, tmp_path).pay().files
        assert OTHER.encode() in file.content
        assert unsound(owner, signers.one.id) == []


@pytest.mark.parametrize(("before", "after"), [(CAFE, OTHER), (OPCO, OTHER)], ids=["payee", "payer"])
def test_a_file_that_pays_another_account_than_the_approved_one_is_found_by_the_verifier(signers: Signers, tmp_path: Path, before: str, after: str) -> None:
    """Somebody with all rights over the database, for whom no trigger and no key holds."""
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        AtTheBank(owner, signers.one.id, tmp_path).pay()
        assert unsound(owner, signers.one.id) == []
        owner.execute("set local session_replication_role = replica")
        owner.execute(SWAP, (before, after))
        assert unsound(owner, signers.one.id) == ["payment file 1 pays between the accounts that were approved"]


def test_an_account_that_was_changed_in_the_payment_and_in_the_file_is_not_the_one_that_people_signed(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        one = AtTheBank(owner, signers.one.id, tmp_path)
        one.pay()
        owner.execute("set local session_replication_role = replica")
        owner.execute(SWAP, (CAFE, OTHER))
        owner.execute("update payment set payee_iban = %s where payee = 'cafe'", (OTHER,))
        assert unsound(owner, signers.one.id) == ["it is paid between the accounts that were signed"]
        with pytest.raises(SettlementError) as refusal:
            one.pay()
        assert refusal.value.code is SettlementCode.CHECK_FAILED


@pytest.fixture
def unsigned(addresses: Addresses) -> Iterator[Signers]:
    with coalition(addresses, *ACCOUNTS, day=MONDAY) as made:
        spend(made)
        with netted(made, MONDAY) as people:
            yield people


def test_a_programme_applied_between_two_signatures_is_not_taken_unseen(unsigned: Signers) -> None:
    with unsigned.one.books() as books:

        def no(action: Action, person: str) -> None:
            with pytest.raises(SettlementError) as refusal:
                unsigned.say(action, person, connection=books)
            assert refusal.value.code is SettlementCode.ACCOUNTS_CHANGED

        unsigned.say(Action.SUBMIT, "mia", connection=books)
        apply(books, CAFE, OTHER)
        no(Action.APPROVE, "carl")
        apply(books, OTHER, CAFE)
        unsigned.say(Action.APPROVE, "carl", connection=books)
        apply(books, OPCO, OTHER)
        no(Action.APPROVE, "dora")
        said = to_sign_anyway(books, "dora")
        with pytest.raises(SettlementError) as refusal:
            record(books, unsigned.one.id, said, unsigned.keys["dora"].sign(said.canonical()))
        assert refusal.value.code is SettlementCode.ACCOUNTS_CHANGED
        assert books.execute("select count(*) from payment").fetchone() == (0,)
        unsigned.say(Action.REJECT, "dora", reason="whose account is that?", connection=books)
    unsigned.one.close(MONDAY)
    unsigned.approve()
    with unsigned.one.books() as books:
        assert {payment.payer_iban for payment in payments_of(books, newest_run(books, MONDAY).no) if payment.payer == "opco"} == {OTHER}
        assert unsound(books, unsigned.one.id) == []


def test_an_account_that_changes_while_somebody_signs_is_not_signed(unsigned: Signers) -> None:
    with unsigned.one.books() as books:
        said = to_sign(books, MONDAY, Action.SUBMIT, "mia", unsigned.now)
        apply(books, CAFE, OTHER)
        with pytest.raises(SettlementError) as refusal:
            record(books, unsigned.one.id, said, unsigned.keys["mia"].sign(said.canonical()))
        assert refusal.value.code is SettlementCode.ACCOUNTS_CHANGED
        assert newest_run(books, MONDAY).signatures == ()


def to_sign_anyway(books: psycopg.Connection, person: str) -> Statement:
    """What the maker has signed, in another's name: it names the accounts of then."""
    run = newest_run(books, MONDAY)
    return replace(run.signatures[0].statement(run.report.programme), action=Action.APPROVE, person=person)
