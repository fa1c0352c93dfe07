"""What code that runs as the application could do unseen is refused by the database, or found by `clh ledger verify` and `clh settlement verify` and named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import psycopg
import pytest

from clearing.entries import Code
from schemas.ids import PartyId
from services.journal.corrections import book_correction
from services.journal.verify import Verified, verified
from services.report.verify import Proof
from services.runtime.local import Addresses
from services.settlement.runs import newest_run
from services.settlement.verify import verify_settlement
from services.settlement.verify_corrections import correction_proofs
from tests.coalition import coalition, event, purchase
from tests.paying import AtTheBank, approved, at_the_bank
from tests.signers import MONDAY, TUESDAY, Signers, netted

REFUSED, NO_RIGHT = psycopg.errors.RestrictViolation, psycopg.errors.InsufficientPrivilege
SOLD: Final = "/operator/opco"
GROCER = PartyId("grocer")
CAP = ('net_debit_cap: "100000.00"', 'net_debit_cap: "40.00"')
NIGHT = """
insert into transfer (entry, line, day, code, amount, unit, debit, credit, member, sponsor, contract, expiry, earned, release_on, first)
select %(entry)s, 900, day, %(code)s, 7, unit, debit, credit, member, sponsor, contract, expiry, earned, release_on, false
from transfer where code = 1 and entry > 0 order by entry limit 1
"""
CHANGES = {
    "a card goes to another member": ("update card set member = (select no from member where id = 'm-2') where card = 'card-1'", REFUSED),
    "a card goes to nobody": ("update card set member = null where card = 'card-1'", REFUSED),
    "a card that is blocked is good again": ("update card set blocked = false where card = 'card-3'", REFUSED),
    "a card is called otherwise": ("update card set card = 'card-9' where card = 'card-1'", NO_RIGHT),
    "a member is called otherwise": ("update member set id = 'm-9' where id = 'm-1'", NO_RIGHT),
    "a member has another number": ("update member set no = 99 where id = 'm-1'", NO_RIGHT),
    "a party is called otherwise": ("update party set id = 'x' where id = 'grocer'", NO_RIGHT),
    "a party is another's contract": ("update contract set party = (select no from party where id = 'cafe')", NO_RIGHT),
    "a currency is another": ("update unit set id = 'USD' where id = 'EUR'", NO_RIGHT),
    "a mechanic is another": ("update mechanic set id = 'x'", NO_RIGHT),
    "a sender is another": ("update source set uri = '/partners/cafe' where uri = '/partners/grocer'", NO_RIGHT),
    "a cut is moved": ("update cut set end_offset = 0", NO_RIGHT),
    "what a night has noted is changed": ("update night_step set figures = '{}'", NO_RIGHT),
    "a partition is booked again": ("update progress set next_offset = 0 where next_offset > 0", REFUSED),
    "a partition begins later": ("insert into progress (topic, part, next_offset) select no, 99, 7 from topic limit 1", REFUSED),
    "a partition is another": ("update progress set part = 99", NO_RIGHT),
    "the room under a limit is more": ("update headroom set room = room + 1", NO_RIGHT),
    "the room of a partition is more": ("insert into headroom_use (day, party, part, room, used) select day, party, 0, room + 1, 0 from headroom", REFUSED),
    "more room than is used": ("update headroom_use set room = room + 1", NO_RIGHT),
}


@pytest.fixture(scope="module")
def signers(addresses: Addresses) -> Iterator[Signers]:
    """Two members who were enrolled by events; a card of the second is blocked, and one was replaced."""
    with coalition(addresses, CAP, day=MONDAY) as one:
        enrolled = {"enrolled_on": "2026-03-02", "kind": "consumer"}
        one.publish(
            event("member-enrolled.v1", "n1", "m-1", {"member": "m-1", "cards": ["card-1"], **enrolled}, source=SOLD),
            event("member-enrolled.v1", "n2", "m-2", {"member": "m-2", "cards": ["card-2", "card-3"], **enrolled}, source=SOLD),
        )
        one.book()
        one.publish(
            event("card-blocked.v1", "n3", "m-2", {"card": "card-3", "reason": "lost"}, source=SOLD),
            event("card-linked.v1", "n4", "m-2", {"member": "m-2", "card": "card-4", "replaces": "card-2"}, source=SOLD),
        )
        one.publish(purchase("p1", "card-1", 5400), purchase("p2", "nobodys", 900))
        one.book()
        with netted(one, MONDAY) as people:
            yield people


@pytest.fixture
def books(signers: Signers) -> Iterator[psycopg.Connection]:
    with signers.one.books() as connection, connection.transaction(force_rollback=True):
        yield connection


def found(connection: psycopg.Connection) -> dict[str, Verified]:
    return {each.what: each for each in verified(connection) if each.differing}


@pytest.mark.parametrize("what", CHANGES)
def test_the_application_cannot_change_it(what: str, books: psycopg.Connection) -> None:
    statement, error = CHANGES[what]
    with pytest.raises(error):
        books.execute(statement)


def test_the_owner_of_the_books_can_put_it_right(signers: Signers) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        for statement, error in CHANGES.values():
            if error is REFUSED:
                owner.execute(statement)


CARDS = {
    "update card set member = (select no from member where id = 'm-2') where card = 'card-1'": ("m-2", "of m-1", "of m-2"),
    "update card set blocked = false where card = 'card-3'": ("m-2", "of m-2, blocked", "of m-2"),
    "update card set blocked = false where card = 'card-2'": ("m-2", "of m-2, blocked", "of m-2"),
}


@pytest.mark.parametrize("change", CARDS)
def test_a_card_that_is_not_as_events_made_it_is_found_with_its_member(change: str, signers: Signers) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        assert found(owner) == {}
        assert owner.execute(change).rowcount == 1
        (difference,) = found(owner)["cards"].differences
    assert (difference.member, difference.expected, difference.found) == CARDS[change]


def test_a_card_that_nobody_has_linked_is_found_as_soon_as_it_is_somebodys(books: psycopg.Connection) -> None:
    """Its held purchases would be booked for that member."""
    assert books.execute("update card set member = (select no from member where id = 'm-2') where card = 'nobodys'").rowcount == 1
    (difference,) = found(books)["cards"].differences
    assert (difference.member, difference.expected, difference.found) == ("m-2", "of nobody by any event", "of m-2")


@pytest.mark.parametrize(
    ("step", "code", "told"),
    [(7, 1, "7 funded"), (4, 1, "code 1, step 4"), (1, 8, "code 8, step 1"), (6, 3, "code 3, step 6"), (2, 25, "code 25, step 2")],
)
def test_rows_of_the_night_that_no_night_has_written_are_found(step: int, code: int, told: str, books: psycopg.Connection) -> None:
    books.execute(NIGHT, {"entry": -(MONDAY.toordinal() * 16 + step), "code": code})
    assert told in {each.found for each in found(books)["rows of the night"].differences}


def test_a_row_of_another_windows_night_is_found(books: psycopg.Connection) -> None:
    books.execute(NIGHT, {"entry": -(TUESDAY.toordinal() * 16 + 6), "code": 8})
    assert {each.place for each in found(books)["rows of the night"].differences} == {f"entry {-(TUESDAY.toordinal() * 16 + 6)}, line 900, window 2026-03-02"}


# --- what statements have shown, and what was put right by them ---------------------------------------------------------------------------------

BASELINE = "insert into payment_baseline (run, payment, confirmed, excess) select run, id, %s, %s from payment where payer = 'grocer'"
PUT_RIGHT = """
insert into payment_correction (run, payment, report, amount, correction)
select run, id, (select max(no) from bank_report), %s, %s from payment where payer = 'grocer'
"""


@pytest.fixture(scope="module")
def paying(addresses: Addresses) -> Iterator[Signers]:
    with approved(addresses) as people:
        yield people


@pytest.fixture
def one(paying: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """All was paid, and the grocer 7.00 too much, which is put right."""
    with at_the_bank(paying, tmp_path / "out") as bank:
        bank.pay()
        bank.take(bank.statement(bank.debit("fuelco"), bank.debit("cafe"), bank.credit("grocer")), bank.statement(bank.credit("grocer", 700)))
        bank.match()
        yield bank


def failing(one: AtTheBank, day: date = MONDAY) -> list[str]:
    return [proof.what for proof in verify_settlement(one.books, one.programme, day) if not proof.holds]


@pytest.mark.parametrize("sums", [(0, 0), (10**9, 0), (0, 10**9)])
def test_nobody_says_what_counted_as_paid_at_a_default_that_was_not_declared(sums: tuple[int, int], one: AtTheBank) -> None:
    """Whatever it said would be paid back with the next statement."""
    with pytest.raises(REFUSED, match="two people are not declaring its default"):
        one.books.execute(BASELINE, sums)


def test_what_is_said_to_have_counted_as_paid_is_found_where_no_default_was_declared(one: AtTheBank) -> None:
    assert failing(one) == []
    one.books.execute("reset role")
    one.books.execute(BASELINE, (0, 0))
    assert "nothing counts as paid at a default that was not declared" in failing(one)


def test_a_sum_that_was_put_right_and_that_no_statement_shows_is_named(one: AtTheBank) -> None:
    """Rows that belong to a payment in every column: only the statements say that the sum is another."""
    assert one.corrections() == [("opco", "grocer", 700)]
    assert "payments put right" not in found(one.books)
    made = book_correction(one.books, Code.ADJUSTMENT, PartyId("opco"), GROCER, "EUR", 5000, reference="20260302-EUR-GROCER/1/9", reason="more", by="the house")
    one.books.execute(PUT_RIGHT, (5000, made.no))
    (difference,) = found(one.books)["payments put right"].differences
    assert (difference.expected, difference.found) == ("700 EUR", "5700 EUR")
    assert "corrections" not in found(one.books), "each of them looks as it should"
    (proof,) = [proof for proof in of_tuesday(one) if not proof.holds]
    assert proof.what == "what was put right of payments is what statements show of them"
    assert proof.differs.endswith("statements show 700 EUR of grocer, booked is 5700 EUR of grocer")


def test_an_entry_of_a_statement_by_which_something_was_put_right_is_read_anew(one: AtTheBank) -> None:
    assert [proof.holds for proof in of_tuesday(one)] == [True] * 3
    one.books.execute("reset role")
    one.books.execute("set session_replication_role = replica")
    one.books.execute("update bank_entry set amount = amount + 5000 where amount = 700")
    one.books.execute("update payment_correction set amount = amount + 5000")
    one.books.execute("update correction set amount = amount + 5000")
    (proof,) = [proof for proof in of_tuesday(one) if not proof.holds]
    assert proof.what.startswith("what the bank is said to have said of its payments stands in its messages, of run")


def of_tuesday(one: AtTheBank) -> list[Proof]:
    """What is proven of the window in which it is put right: it has no run of its own yet."""
    return list(correction_proofs(one.books, replace(newest_run(one.books, MONDAY), day=TUESDAY), one.programme))
