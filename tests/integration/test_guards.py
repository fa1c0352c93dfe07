"""What the application role can no longer change, whatever code runs under it: what was approved, what a break is about and how it moves, what a file was."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

from clearing.matching import TRANSITIONS, BreakState
from services.journal.migrations.versions.m0017_guards import MOVES
from services.runtime.local import Addresses
from tests.coalition import coalition
from tests.signers import MONDAY, TUESDAY, Signers, netted, shop

REFUSED = psycopg.errors.RestrictViolation
BREAK = """
insert into recon_break (bank, day, code, ours, programme_units, bank_units, unit, first_seen, state, proposal, proposed_by, decided_by)
values ('bank1', '2026-03-02', 'MISSING_AT_BANK', %s, 1, 0, 'EUR', '2026-03-03', %s, %s, %s, %s)
"""
COPY = """
insert into obligation select {}, 99, kind, detail, debtor, creditor, currency, quantity, unit_price, amount, events, contract, sources from obligation
where day = %s and line = 0
"""
SET = "update recon_break set state = %s, proposal = %s, proposed_by = %s, decided_by = %s where ours = %s"
PEOPLE: dict[BreakState, tuple[str | None, str | None, str | None]] = {
    **dict.fromkeys(BreakState, (None, None, None)),
    BreakState.PROPOSED: ("write-off", "ann", None),
    BreakState.WRITTEN_OFF: ("write-off", "ann", "ben"),
}
"""Who has proposed and decided what in each state."""


@pytest.fixture(scope="module")
def people(addresses: Addresses) -> Iterator[Signers]:
    """Monday is approved, Tuesday netted; nothing that a test does stays."""
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        with netted(one, MONDAY, TUESDAY) as signers:
            signers.approve()
            yield signers


@pytest.fixture
def books(people: Signers) -> Iterator[psycopg.Connection]:
    """The books as the application may use them, in a transaction that is rolled back."""
    with people.one.books() as connection, connection.transaction(force_rollback=True):
        yield connection


def refused(books: psycopg.Connection, statement: str, values: tuple[Any, ...] = (), match: str | None = None) -> None:
    with pytest.raises(REFUSED, match=match), books.transaction():
        books.execute(statement, values)


@pytest.mark.parametrize("state", ["approved", "instructed", "settled"])
def test_lines_of_a_window_that_was_approved_can_be_neither_changed_nor_removed_nor_added(people: Signers, state: str) -> None:
    with people.one.books(owner=True) as books, books.transaction(force_rollback=True):
        books.execute("alter table settlement_window disable trigger user")
        books.execute("update settlement_window set state = %s where day = %s", (state, MONDAY))
        books.execute("set local role clh_app")
        for statement in (
            "update obligation set amount = amount + 1 where day = %s and line = 0",
            "update obligation set day = '2026-03-03', line = 99 where day = %s and line = 0",
            "delete from obligation where day = %s",
            COPY.format("day"),
            "insert into carried (day, currency, party, amount, since) values (%s, 'EUR', 'grocer', 5, '2026-03-02')",
        ):
            refused(books, statement, (MONDAY,), "what was approved")
        refused(books, "update obligation set amount = amount + 1 where line = 0", match="2026-03-02: what was approved")
        refused(
            books,
            "insert into obligation select %s, 99, kind, detail, debtor, creditor, currency, 1, 1, 1, 1, contract, sources from obligation limit 1",
            (MONDAY,),
        )


def test_lines_of_a_window_that_nobody_has_approved_are_made_anew(people: Signers) -> None:
    with people.one.books(owner=True) as books, books.transaction(force_rollback=True):
        books.execute("alter table settlement_window disable trigger user")
        for state in ("closed", "netted", "defaulted"):
            books.execute("update settlement_window set state = %s where day = %s", (state, MONDAY))
            with books.transaction(force_rollback=True):
                books.execute("set local role clh_app")
                assert books.execute("update obligation set amount = amount + 1 where day = %s", (MONDAY,)).rowcount > 0
                assert books.execute("delete from obligation where day = %s", (MONDAY,)).rowcount > 0


def test_a_break_is_opened_as_open_and_as_nothing_else(books: psycopg.Connection) -> None:
    for ours, state in enumerate(BreakState, 1):
        if state is not BreakState.OPEN:
            refused(books, BREAK, (ours, state.value, *PEOPLE[state]), "cannot become")
    refused(books, BREAK, (8, "open", "write-off", "ann", None), "cannot become")
    refused(books, BREAK, (9, "open", None, None, "ben"), "cannot become")
    books.execute(BREAK, (10, "open", None, None, None))


def test_the_database_knows_the_moves_of_a_break_and_no_other() -> None:
    assert {(before.value, after.value) for (before, _), after in TRANSITIONS.items()} == set(MOVES)


def test_a_break_moves_as_the_table_of_moves_says(people: Signers) -> None:
    with people.one.books(owner=True) as books, books.transaction(force_rollback=True):
        books.execute("alter table recon_break disable trigger user")
        books.execute("alter table recon_break enable trigger moves_by_the_table")
        for ours, (before, after) in enumerate(product(BreakState, BreakState), 1):
            books.execute("reset role")
            books.execute(BREAK, (ours, before.value, *PEOPLE[before]))
            books.execute("set local role clh_app")
            if before is after or (before.value, after.value) in MOVES:
                books.execute(SET, (after.value, *PEOPLE[after], ours))
            else:
                refused(books, SET, (after.value, *PEOPLE[after], ours), "cannot become")


def test_a_break_stays_about_the_same_rows_and_its_decision_the_same_peoples(people: Signers) -> None:
    with people.one.books(owner=True) as books, books.transaction(force_rollback=True):
        books.execute("alter table recon_break disable trigger signed_by_two")
        for ours, state in enumerate(BreakState, 1):
            books.execute(BREAK, (ours, state.value, *PEOPLE[state]))
        books.execute("set local role clh_app")
        for change in (
            "programme_units = 2",
            "bank_units = 2",
            "code = 'LATE'",
            "unit = 'USD'",
            "ours = 99",
            "theirs = 99",
            "day = '2026-03-05'",
            "bank = 'b'",
        ):
            refused(books, f"update recon_break set {change} where ours = 1", match="cannot become")  # noqa: S608  # from above
        for change in ("decided_by = 'emil'", "proposed_by = 'emil'", "proposal = 'create'", "decided_by = null"):
            refused(books, f"update recon_break set {change} where state = 'written off'", match="cannot become")  # noqa: S608  # from above
        for people_of in (("write-off", "ann", None), (None, None, "ben"), ("write-off", "ann", "ben")):
            refused(books, SET, ("investigating", *people_of, 1), "cannot become")
        refused(books, SET, ("resolved", "write-off", "ann", None, 1), "cannot become")
        books.execute("update recon_break set owner = 'ann' where ours = 1")


def test_a_break_is_not_decided_without_the_two_who_signed(books: psycopg.Connection) -> None:
    books.execute(BREAK, (1, "open", None, None, None))
    for state in (BreakState.PROPOSED, BreakState.WRITTEN_OFF, BreakState.RESOLVED):
        refused(books, SET, (state.value, *PEOPLE[state], 1))
    refused(books, SET, ("resolved", "forced-match", "ann", "ben", 1), "no forced match|nobody signed")


def test_a_card_file_stays_what_was_noted_of_it_and_is_counted_once(books: psycopg.Connection) -> None:
    books.execute(
        "insert into bank_file (bank, file_id, day, sequence, sha256, lines, bad, manifest, received_at, state) "
        "values ('bank1', 'f1', '2026-03-02', 1, 'ab', 0, 0, '{}', now(), 'taken')"
    )
    books.execute("insert into bank_bad_line (file, line, field, code, reason) select no, 1, 'x', 'y', 'z' from bank_file")
    unsound = ("lines = 1, bad = 1", "bad = 2", "sha256 = 'cd'", "manifest = '[]'", "file_id = 'f2'", "day = '2026-03-03'", "sha256 = 'cd', bad = 1")
    for change in unsound:
        refused(books, f"update bank_file set {change}", match="what was noted")  # noqa: S608  # from above
    books.execute("update bank_file set lines = 0, bad = 1")
    for change in (*unsound, "bad = 0"):
        refused(books, f"update bank_file set {change}", match="what was noted")  # noqa: S608  # from above
    books.execute("update bank_file set state = 'published'")
    books.execute("update bank_file set state = 'published'")
    refused(books, "update bank_file set state = 'taken'", match="what was noted")


def test_the_owner_of_the_books_can_mend_them(people: Signers) -> None:
    with people.one.books(owner=True) as books, books.transaction(force_rollback=True):
        assert books.execute("update obligation set amount = amount + 1 where day = %s", (MONDAY,)).rowcount > 0
        books.execute("alter table recon_break disable trigger signed_by_two")
        books.execute(BREAK, (1, "written off", *PEOPLE[BreakState.WRITTEN_OFF]))
