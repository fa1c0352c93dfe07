"""What is written stays: neither the application nor a reader nor the books' owner changes or removes a row of the journal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from psycopg import sql

from services.journal.migrate import ADMINISTERED, APPEND_ONLY, APPLICATION_ROLE, READER_ROLE, add_month, connect, drop, migrate
from services.runtime.local import Addresses

SCHEMA = "clh_append_only_test"
REFUSED = {"update": "update {} set {} = {}", "delete": "delete from {}", "truncate": "truncate {} cascade"}
AT_THE_BANK = (
    "window_move", "payment_file", "payment_attempt", "recall", "handed_over", "bank_message", "bank_status", "bank_report", "bank_entry", "statement_counted",
    "payment_correction", "payment_move", "payment_baseline", "bank_decision", "cash_back_payout",
)  # fmt: skip
KEPT = sorted({*APPEND_ONLY, *ADMINISTERED, "entry"})


@pytest.fixture(scope="module")
def uri(addresses: Addresses) -> Iterator[str]:
    """Empty books: whether a statement is refused does not depend on rows."""
    migrate(addresses.postgres_uri, SCHEMA)
    add_month(addresses.postgres_uri, SCHEMA, date(2026, 3, 1))
    try:
        yield addresses.postgres_uri
    finally:
        drop(addresses.postgres_uri, SCHEMA)


def partitions(books: psycopg.Connection, table: str) -> list[str]:
    """The table and the parts it consists of."""
    found = books.execute("select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass order by 1", (table,))
    return [table, *(name for (name,) in found)]


def statement(books: psycopg.Connection, action: str, table: str) -> sql.Composed:
    """Something that would change every row of the table, in its last column."""
    found = books.execute("select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum desc limit 1", (table,)).fetchone()
    assert found is not None
    column = sql.Identifier(found[0])
    return sql.SQL(REFUSED[action]).format(sql.Identifier(table), *([column, column] if action == "update" else []))


@pytest.mark.parametrize("role", [APPLICATION_ROLE, READER_ROLE])
@pytest.mark.parametrize("action", REFUSED)
@pytest.mark.parametrize("table", KEPT)
def test_whoever_works_with_the_books_can_only_append(uri: str, table: str, action: str, role: str) -> None:
    with connect(uri, SCHEMA, role=role, autocommit=True) as books:
        for part in partitions(books, table):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                books.execute(statement(books, action, part))


@pytest.mark.parametrize("action", REFUSED)
@pytest.mark.parametrize(
    "table", ["transfer", "identity", "total", "run", "programme", "signature", "voided", "payment", "cash_back_payout", *AT_THE_BANK, *ADMINISTERED]
)
def test_even_the_owner_of_the_books_is_refused(uri: str, table: str, action: str) -> None:
    with connect(uri, SCHEMA, role=None, autocommit=True) as books, pytest.raises(psycopg.errors.RestrictViolation):
        books.execute(statement(books, action, table))
