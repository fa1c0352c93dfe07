"""A payment that came back since its account is closed goes out anew to the account that two people sign with it, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from services.bank.errors import BankCode, BankError
from services.journal.programmes import load
from services.settlement.deciding import keep
from services.settlement.readdressing import changed_accounts, to_readdress
from services.settlement.undoing import to_undo
from services.settlement.verify import verify_settlement
from tests.bank_messages import status_line
from tests.integration.test_paying_accounts import CAFE, OPCO, OTHER, apply
from tests.paying import AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers

THIRD = "NL02ABNA0123456789"
SWAP = """
with swapped as (select convert_to(replace(convert_from(content, 'UTF8'), %s, %s), 'UTF8') content from payment_file where file_no = %s)
update payment_file set content = swapped.content, sha256 = encode(sha256(swapped.content), 'hex') from swapped where file_no = %s
"""


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The payment to the cafe came back: its account is closed. The programme has another by now."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        bank.take(bank.statement(bank.debit("cafe"), name="S-1"), bank.statement(bank.back("cafe"), name="S-2"))
        bank.match()
        assert bank.states()["cafe"] == "returned"
        apply(bank.books, CAFE, OTHER)
        yield bank


def sign(one: AtTheBank, signers: Signers, *people: str, iban: str | None = None) -> list[bool]:
    """`iban`: what they type; else what the programme names."""
    held = []
    cafe = next(party for party in load(one.books).parties if party.id == "cafe")
    for person in people:
        named = iban or (cafe.account.iban if cafe.account is not None else "")
        said = to_readdress(one.books, one.programme, one.standings()["cafe"].id, named, "closed; called back", person, one.now)
        held.append(keep(one.books, said, signers.keys[person].sign(said.signed())))
    return held


def undo(one: AtTheBank, signers: Signers, *people: str) -> None:
    for person in people:
        said = to_undo(one.books, one.programme, one.standings()["cafe"].id, "not theirs", person, one.now)
        keep(one.books, said, signers.keys[person].sign(said.signed()))


def refused(code: BankCode, one: AtTheBank) -> None:
    with pytest.raises(BankError) as told, one.books.transaction():
        one.pay(corrected=True)
    assert told.value.code is code
    assert len(one.standings()["cafe"].attempts) == 1


def not_signed(code: BankCode, one: AtTheBank, signers: Signers) -> None:
    with pytest.raises(BankError) as told:
        sign(one, signers, "dora")
    assert told.value.code is code


def unsound(books: psycopg.Connection, programme: str) -> list[str]:
    return [proof.what for proof in verify_settlement(books, programme, MONDAY) if not proof.holds]


def test_two_people_sign_the_account_and_the_payment_goes_out_anew_to_it(one: AtTheBank, signers: Signers) -> None:
    name = one.standings()["cafe"].id
    assert changed_accounts(one.books, one.run) == {name: (CAFE, OTHER)}
    refused(BankCode.ACCOUNT_CHANGED, one)
    assert sign(one, signers, "mia") == [False]
    refused(BankCode.ACCOUNT_CHANGED, one)
    assert sign(one, signers, "carl") == [True]
    not_signed(BankCode.SAME_ACCOUNT, one, signers)
    assert changed_accounts(one.books, one.run) == {}
    second = one.pay(corrected=True).files[1]
    assert OTHER.encode() in second.content and CAFE.encode() not in second.content
    first, again = one.standings()["cafe"].attempts
    assert (first.state, again.state, again.end_to_end_id) == ("returned", "sent", f"{name}-2")
    assert unsound(one.books, one.programme) == []
    one.take(one.statement(one.debit("cafe"), one.debit("fuelco"), one.credit("grocer"), name="S-3"))
    assert one.match().settled == [MONDAY]
    assert (unsound(one.books, one.programme), one.corrections()) == ([], [])


def test_only_the_account_that_both_have_signed_is_paid(one: AtTheBank, signers: Signers) -> None:
    assert sign(one, signers, "mia") == [False]
    apply(one.books, OTHER, THIRD)
    assert sign(one, signers, "carl") == [False]
    refused(BankCode.ACCOUNT_CHANGED, one)
    assert sign(one, signers, "mia") == [True]
    apply(one.books, THIRD, OTHER)
    refused(BankCode.ACCOUNT_CHANGED, one)
    assert sign(one, signers, "carl") == [True]  # mia had said this one before
    assert OTHER.encode() in one.pay(corrected=True).files[1].content
    assert unsound(one.books, one.programme) == []


def test_a_payment_whose_money_is_not_back_gets_no_other_account(one: AtTheBank, signers: Signers) -> None:
    sign(one, signers, "mia", "carl")
    one.pay(corrected=True)
    apply(one.books, OTHER, THIRD)
    not_signed(BankCode.NOTHING_TO_CORRECT, one, signers)
    again = one.standings()["cafe"].attempts[1]
    one.take(one.status(status_line(again.end_to_end_id, "RJCT", "AC04"), file=again.message_id))
    one.now += timedelta(hours=1)
    assert sign(one, signers, "mia", "dora") == [False, True]
    assert THIRD.encode() in one.pay(corrected=True).files[2].content
    assert [attempt.state for attempt in one.standings()["cafe"].attempts] == ["returned", "rejected", "sent"]
    assert unsound(one.books, one.programme) == []


def test_what_was_signed_is_undone_until_it_is_paid(one: AtTheBank, signers: Signers) -> None:
    sign(one, signers, "mia", "carl")
    undo(one, signers, "carl", "dora")
    refused(BankCode.ACCOUNT_CHANGED, one)
    one.now += timedelta(hours=1)
    sign(one, signers, "mia", "carl")
    one.pay(corrected=True)
    with pytest.raises(BankError) as told:
        undo(one, signers, "dora")
    assert told.value.code is BankCode.FINAL
    assert unsound(one.books, one.programme) == []


def test_a_payment_that_the_operator_would_make_from_another_account_stays_refused(one: AtTheBank, signers: Signers) -> None:
    sign(one, signers, "mia", "carl")
    apply(one.books, OPCO, THIRD)
    refused(BankCode.ACCOUNT_CHANGED, one)


FORGED = {
    "of what the books hold": "update bank_decision set payee_iban = 'GB82WEST12345698765432' where decides",
    "after another person had said the same": "delete from bank_decision where not decides",
    "with the person's key": "update bank_decision set signature = decode(repeat('00', 64), 'hex') where decides",
}


def test_whoever_changes_the_account_past_all_rules_is_found_and_nothing_goes_to_it(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        one = AtTheBank(owner, signers.one.id, tmp_path)
        one.pay()
        one.take(one.status(status_line(one.standings()["cafe"].id, "RJCT", "AC04")))
        apply(owner, CAFE, OTHER)
        sign(one, signers, "mia", "carl")
        one.pay(corrected=True)
        assert unsound(owner, one.programme) == []
        owner.execute("set local session_replication_role = replica")
        for what, statement in FORGED.items():
            with owner.transaction(force_rollback=True):
                assert owner.execute(statement).rowcount > 0
                wrong = unsound(owner, one.programme)
            assert any(name.startswith("decision ") and name.endswith(what) for name in wrong), (what, wrong)
        owner.execute(SWAP, (OTHER, THIRD, 2, 2))
        assert "payment file 2 pays between the accounts that were approved" in unsound(owner, one.programme)


def test_nobody_signs_an_account_that_one_person_has_put_into_the_programme(one: AtTheBank, signers: Signers) -> None:
    """Both know the account from the payee; the programme names a third."""
    apply(one.books, OTHER, "NL02ABNA0123456789")
    with pytest.raises(BankError) as told:
        sign(one, signers, "mia", iban=OTHER)
    assert told.value.code is BankCode.OTHER_ACCOUNT
    apply(one.books, "NL02ABNA0123456789", OTHER)
    assert sign(one, signers, "mia", "carl", iban=f" {OTHER[:4].lower()} {OTHER[4:]}") == [False, True]
