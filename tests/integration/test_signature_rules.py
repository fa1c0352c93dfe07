"""What the database refuses by itself: statements that go past the code, by the application and by the owner of the books."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from services.journal.migrate import connect
from services.runtime.local import Addresses
from services.settlement.keys import raw
from services.settlement.runs import newest_run
from services.settlement.verify import verify_settlement
from tests.coalition import coalition
from tests.signers import MONDAY, TUESDAY, Signers, netted

REFUSED = psycopg.errors.RestrictViolation
SIGN = """
insert into signature (run, day, action, person, key, report_sha256, reason, at, signature, accounts_sha256) values (%s, %s, %s, %s, %s, %s, %s, now(), %s, %s)
"""
MOVE = "update settlement_window set state = %s where day = %s"


@pytest.fixture(scope="module")
def people(addresses: Addresses) -> Iterator[Signers]:
    """Monday is netted; nothing that a test does stays."""
    with coalition(addresses, day=MONDAY) as one, netted(one, MONDAY, TUESDAY) as signers:
        yield signers


@pytest.fixture
def books(people: Signers) -> Iterator[psycopg.Connection]:
    """The books as the application may use them, in a transaction that is rolled back."""
    with people.one.books() as connection, connection.transaction(force_rollback=True):
        yield connection


def sign(books: psycopg.Connection, action: str, person: str, changes: dict[str, Any] | None = None) -> None:
    """A row such as the code would insert, with 64 bytes that nobody signed; some of its values are others."""
    run = newest_run(books, MONDAY)
    key = books.execute("select max(no) from person_key where person = %s", (person,)).fetchone()
    assert key is not None
    row = {"run": run.no, "day": MONDAY, "action": action, "person": person, "key": key[0], "sha256": run.sha256}
    row |= {"reason": "x" if action == "reject" else None, "signature": bytes(64)}
    row |= {"accounts": None if action == "reject" else "0" * 64, **(changes or {})}
    books.execute(SIGN, tuple(row.values()))


def submitted(books: psycopg.Connection) -> psycopg.Connection:
    sign(books, "submit", "mia")
    return books


def approved(books: psycopg.Connection) -> psycopg.Connection:
    submitted(books)
    sign(books, "approve", "carl")
    sign(books, "approve", "dora")
    books.execute(MOVE, ("approved", MONDAY))
    return books


def test_what_the_code_does_is_allowed(books: psycopg.Connection) -> None:
    approved(books)
    sign(books, "reject", "mia")
    books.execute(MOVE, ("closed", MONDAY))


def test_the_maker_is_no_checker_and_nobody_approves_what_nobody_submitted(books: psycopg.Connection) -> None:
    for person in ("mia", "carl"):
        with pytest.raises(REFUSED), books.transaction():
            sign(books, "approve", person)
    with pytest.raises(REFUSED), books.transaction():
        sign(submitted(books), "approve", "mia")


def test_nobody_counts_twice_and_there_is_one_maker_and_no_third_approval(books: psycopg.Connection) -> None:
    submitted(books)
    sign(books, "approve", "carl")
    for action, person in (("approve", "carl"), ("submit", "mia"), ("submit", "emil")):
        with pytest.raises(psycopg.errors.UniqueViolation), books.transaction():
            sign(books, action, person)
    sign(books, "approve", "dora")
    with pytest.raises(REFUSED), books.transaction():
        sign(books, "approve", "emil")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"run": 10**6}, REFUSED),
        ({"day": TUESDAY}, REFUSED),
        ({"sha256": "0" * 64}, REFUSED),
        ({"person": "carl"}, psycopg.errors.ForeignKeyViolation),
        ({"action": "agree"}, psycopg.errors.CheckViolation),
        ({"reason": "because"}, psycopg.errors.CheckViolation),
        ({"action": "reject", "reason": "  ", "accounts": None}, psycopg.errors.CheckViolation),
        ({"accounts": None}, REFUSED),
        ({"accounts": "x"}, psycopg.errors.CheckViolation),
        ({"signature": bytes(63)}, psycopg.errors.CheckViolation),
    ],
    ids=str,
)
def test_a_row_that_is_not_about_the_newest_run_by_a_key_of_its_person_is_refused(
    books: psycopg.Connection, changes: dict[str, Any], error: type[psycopg.Error]
) -> None:
    with pytest.raises(error), books.transaction():
        sign(books, "submit", "mia", changes)


def test_who_approves_names_the_accounts_that_the_maker_has_named(books: psycopg.Connection) -> None:
    submitted(books)
    with pytest.raises(REFUSED, match="other accounts"), books.transaction():
        sign(books, "approve", "carl", {"accounts": "1" * 64})
    with pytest.raises(REFUSED, match="signs none"), books.transaction():
        sign(books, "reject", "carl", {"accounts": "0" * 64})
    sign(books, "approve", "carl")


def test_a_signature_about_a_report_that_was_changed_is_refused(people: Signers) -> None:
    with people.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        owner.execute("set local session_replication_role = replica")
        owner.execute("update run set report = report || ' '")
        owner.execute("set local session_replication_role = origin")
        with pytest.raises(REFUSED), owner.transaction():
            sign(owner, "submit", "mia")


def test_a_revoked_key_signs_nothing_and_its_approval_counts_no_more(people: Signers) -> None:
    with people.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        submitted(owner)
        sign(owner, "approve", "carl")
        sign(owner, "approve", "dora")
        owner.execute("insert into key_revocation (key, at, reason, after_signature) select no, now(), 'lost', 10 from person_key where person = 'dora'")
        assert owner.execute("select after_signature = (select max(no) from signature) from key_revocation").fetchone() == (True,)
        with pytest.raises(REFUSED), owner.transaction():
            sign(owner, "reject", "dora")
        with pytest.raises(REFUSED), owner.transaction():
            owner.execute(MOVE, ("approved", MONDAY))


@pytest.mark.parametrize("state", ["approved", "instructed", "settled", "defaulted", "closed"])
def test_a_window_goes_nowhere_without_the_signatures_for_it(books: psycopg.Connection, state: str) -> None:
    with pytest.raises(REFUSED), books.transaction():
        books.execute(MOVE, (state, MONDAY))
    sign(submitted(books), "approve", "carl")
    with pytest.raises(REFUSED), books.transaction():
        books.execute(MOVE, (state, MONDAY))


def test_a_further_run_has_to_name_the_one_whose_place_it_takes(books: psycopg.Connection) -> None:
    insert = "insert into run (day, sha256, report, reception, replaces) select day, sha256, report, reception, {} from run where day = %s"
    for names in ("null", "no + 1000"):
        with pytest.raises((REFUSED, psycopg.errors.ForeignKeyViolation)), books.transaction():
            books.execute(insert.format(names), (MONDAY,))
    books.execute(insert.format("no"), (MONDAY,))


def test_only_the_owner_of_the_books_enrols_and_revokes(people: Signers, books: psycopg.Connection) -> None:
    for statement in (
        "insert into person (name, enrolled_at) values ('eve', now())",
        "insert into person_key (person, public_key, enrolled_at) values ('mia', decode(repeat('ab', 32), 'hex'), now())",
        "insert into key_revocation (key, at, reason, after_signature) values (1, now(), 'x', 0)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), books.transaction():
            books.execute(statement)


def test_one_key_is_one_persons_and_one_person_has_one_in_force(people: Signers) -> None:
    add = "insert into person_key (person, public_key, enrolled_at) values (%s, %s, now())"
    with connect(people.one.house.postgres_uri, people.one.schema, role=None) as owner, owner.transaction(force_rollback=True):
        owner.execute("insert into person (name, enrolled_at) values ('eve', now())")
        with pytest.raises(psycopg.errors.UniqueViolation), owner.transaction():
            owner.execute(add, ("eve", raw(people.keys["mia"])))
        with pytest.raises(REFUSED), owner.transaction():
            owner.execute(add, ("mia", bytes(range(32))))
        with pytest.raises(psycopg.errors.CheckViolation), owner.transaction():
            owner.execute(add, ("eve", bytes(31)))
        with pytest.raises(psycopg.errors.CheckViolation), owner.transaction():
            owner.execute("insert into person (name, enrolled_at) values ('Mia', now())")


FORGED = {
    "with the person's key": "update signature set signature = decode(repeat('00', 64), 'hex') where no = 2",
    "of the report that the books hold": "update signature set report_sha256 = repeat('0', 64) where no = 2",
    "while the key was in force": "insert into key_revocation (key, at, reason, after_signature) select key, now(), 'x', 1 from signature where no = 2",
    "maker and checkers are different people": "update person_key set public_key = (select public_key from person_key where person = 'mia') "
    "where person = 'carl'",
    "one maker submitted it before anybody approved": "delete from signature where action = 'submit'",
    "the window stands where its signatures put it": "delete from signature where no = 3",
    "it names the run whose place it takes": "update run set replaces = no where day = '2026-03-02'",
    "it fell with a run of an earlier window that was rejected": "insert into voided (run, because, at) select min(no), max(no), now() from run",
    "the payments are those that were approved": "insert into payment (id, run, currency, payer, payee, amount, value_date) "
    "select 'more', min(no), 'EUR', 'opco', 'eve', 1, now()::date from run",
    "no approval after the second": "insert into signature (run, day, action, person, key, report_sha256, at, signature) "
    "select run, day, action, 'emil', (select no from person_key where person = 'emil'), report_sha256, at, signature from signature where no = 3",
    "maker and checkers have signed the same accounts": "update signature set accounts_sha256 = repeat('0', 64) where no = 2",
    "it was rejected, fell or defaulted before it was replaced": "insert into run (day, sha256, previous, report, reception, replaces) "
    "select day, sha256, previous, report, reception, no from run where day = '2026-03-02'",
}


@pytest.mark.parametrize("what", FORGED)
def test_whoever_goes_past_all_rules_is_found_by_the_verifier(addresses: Addresses, what: str) -> None:
    """Somebody with all rights over the database, for whom no trigger and no key holds."""
    with coalition(addresses, day=MONDAY) as one, netted(one, MONDAY, TUESDAY) as signers:
        signers.approve()
        with one.books(owner=True) as owner:
            assert all(proof.holds for proof in verify_settlement(owner, one.id, MONDAY))
            owner.execute("alter table person_key drop constraint person_key_public_key_key")
            owner.execute("set session_replication_role = replica")
            assert owner.execute(FORGED[what]).rowcount > 0
            found = [proof.what for proof in verify_settlement(owner, one.id, MONDAY) if not proof.holds]
        assert any(name.endswith(what) for name in found), found
