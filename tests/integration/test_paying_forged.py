"""Rows that somebody wrote past the code: no money goes out for an approval that nobody signed, and no result of it is sealed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from clearing.approval import Action
from services.bank.errors import BankCode, BankError
from services.journal.programmes import load
from services.runtime.local import Addresses
from services.seal.errors import NotProven
from services.seal.keys import FileSigner, generate
from services.seal.results import seal_results_due
from services.seal.sealing import seal_due
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.instructing import Paying, pay
from services.settlement.payments import keep, planned
from services.settlement.runs import newest_run
from services.settlement.transport import Tell
from tests.coalition import coalition
from tests.paying import ACCOUNTS, NOW, AtTheBank, at_the_bank, spend
from tests.signers import MONDAY, Signers, netted

SIGN = """
insert into signature (run, day, action, person, key, report_sha256, at, signature, accounts_sha256)
select r.no, r.day, %s, %s, k.no, r.sha256, %s, %s, repeat('0', 64) from run r, person_key k where r.day = %s and k.person = %s
"""
FORGED = {
    "with the person's key": (SettlementCode.BAD_SIGNATURE, "update signature set signature = decode(repeat('00', 64), 'hex') where no = 2"),
    "of the report that the books hold": (SettlementCode.BAD_SIGNATURE, "update run set report = report || ' '"),
    "while the key was in force": (
        SettlementCode.BAD_SIGNATURE,
        "insert into key_revocation (key, at, reason, after_signature) select key, now(), 'x', 1 from signature where no = 2",
    ),
    "two people have approved it": (SettlementCode.CHECK_FAILED, "delete from signature where no = 3"),
    "the hash": (SettlementCode.CHECK_FAILED, "update run set sha256 = repeat('0', 64)"),
    "another amount": (SettlementCode.CHECK_FAILED, "update payment set amount = amount + 1 where payee = 'cafe'"),
    "another account": (SettlementCode.CHECK_FAILED, "update payment set payee_iban = 'GB33BUKB20201555555555' where payee = 'cafe'"),
    "another account that the signature names": (
        SettlementCode.BAD_SIGNATURE,
        "update signature set accounts_sha256 = repeat('0', 64) where no > 0",
    ),
    "no account": (SettlementCode.BAD_SIGNATURE, "update signature set accounts_sha256 = null"),
    "another payee": (SettlementCode.CHECK_FAILED, "update payment set payee = 'grocer' where payee = 'cafe'"),
    "a payment more": (
        SettlementCode.CHECK_FAILED,
        (
            "insert into payment (id, run, currency, payer, payee, amount, value_date, kind) "
            "select 'more', min(no), 'EUR', 'opco', 'fuelco', 1, '2026-03-06', 'outgoing' from run"
        ),
    ),
    "a payment less": (SettlementCode.CHECK_FAILED, "delete from payment where payee = 'cafe'"),
}


@pytest.mark.parametrize("what", FORGED)
def test_what_was_changed_after_it_was_approved_is_not_paid_and_nothing_is_noted(signers: Signers, tmp_path: Path, what: str) -> None:
    """By somebody with all rights over the database, for whom no trigger and no key holds."""
    code, statement = FORGED[what]
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        one = AtTheBank(owner, signers.one.id, tmp_path)
        with owner.transaction():
            owner.execute("set local session_replication_role = replica")
            assert owner.execute(statement).rowcount > 0
            owner.execute("set local session_replication_role = origin")
        _refused(one, code)


def test_signatures_that_nobody_made_are_not_paid_though_the_application_may_write_them(addresses: Addresses, tmp_path: Path) -> None:
    """64 zero bytes for each of three people, the payments of the report, and the window moved: all that the application's own role may do."""
    with coalition(addresses, *ACCOUNTS, day=MONDAY) as one:
        spend(one)
        with netted(one, MONDAY) as people, at_the_bank(people, tmp_path) as there:
            _forge(there.books)
            _refused(there, SettlementCode.BAD_SIGNATURE)


class Unreachable:
    """A way to the bank that is cut."""

    def expect(self) -> None:
        """It can be tried."""

    def hand_over(self, message_id: str, content: bytes, tell: Tell) -> str:
        raise BankError(BankCode.NOT_HANDED_OVER, message_id)


FILES = {
    "other bytes": "content || ' '",
    "another account": "convert_to(replace(convert_from(content, 'UTF8'), 'FR1420041010050500013M02606', 'GB33BUKB20201555555555'), 'UTF8')",
    "another amount": "convert_to(replace(convert_from(content, 'UTF8'), 'InstdAmt Ccy=\"EUR\">', 'InstdAmt Ccy=\"EUR\">9'), 'UTF8')",
    "another currency": "convert_to(replace(convert_from(content, 'UTF8'), 'InstdAmt Ccy=\"EUR\"', 'InstdAmt Ccy=\"USD\"'), 'UTF8')",
    "no payment file": "'<Document/>'::bytea",
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_was_noted_before_is_not_handed_over_with_other_bytes(signers: Signers, tmp_path: Path, what: str) -> None:
    """Somebody with all rights over the database changes it between the note and the bank; its hash too, but where only that tells."""
    change = f"update payment_file set content = {FILES[what]}"  # noqa: S608  # from above
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        one = AtTheBank(owner, signers.one.id, tmp_path)
        with pytest.raises(BankError):
            pay(owner, MONDAY, Paying(one.programme, "mia", NOW, Unreachable()))
        with owner.transaction(force_rollback=True):
            owner.execute("set local session_replication_role = replica")
            owner.execute("alter table payment_file drop constraint payment_file_check")
            assert owner.execute(change).rowcount == 1
            if what != "other bytes":
                owner.execute("update payment_file set sha256 = encode(sha256(content), 'hex')")
            with pytest.raises(BankError) as refusal:
                one.pay()
            assert refusal.value.code is BankCode.FILE_CHANGED
            assert owner.execute("select count(*) from handed_over").fetchone() == (0,)
            assert list(tmp_path.iterdir()) == []
        assert len(one.pay().handed_over) == 1


def test_a_settled_window_whose_signatures_are_forged_is_not_sealed(signers: Signers, tmp_path: Path) -> None:
    generate(tmp_path / "key.pem", tmp_path / "keys.txt", "a test")
    signer = FileSigner(tmp_path / "key.pem")
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        seal_due(owner, signer)
        owner.execute("set local session_replication_role = replica")
        owner.execute("update settlement_window set state = 'settled' where day = %s", (MONDAY,))
        owner.execute("update signature set signature = decode(repeat('00', 64), 'hex') where no = 3")
        owner.execute("set local session_replication_role = origin")
        with pytest.raises(NotProven, match="bad-signature"):
            seal_results_due(owner, signer)
        assert owner.execute("select count(*) from seal_result").fetchone() == (0,)


def _forge(books: psycopg.Connection) -> None:
    for action, name in ((Action.SUBMIT, "mia"), (Action.APPROVE, "carl"), (Action.APPROVE, "dora")):
        books.execute(SIGN, (action, name, NOW, bytes(64), MONDAY, name))
    run = newest_run(books, MONDAY)
    keep(books, run.no, planned(run.report, load(books), NOW, run.series))
    books.execute("update settlement_window set state = 'approved' where day = %s", (MONDAY,))


def _refused(one: AtTheBank, code: SettlementCode) -> None:
    with pytest.raises(SettlementError) as refusal:
        one.pay()
    assert refusal.value.code is code
    assert one.books.execute("select count(*) from payment_file").fetchone() == (0,)
    assert (one.window(), list(one.folder.iterdir())) == ("approved", [])
