"""The journal and its entries lie in months, each added before its first row; a row of the journal moves something."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from services.journal.migrate import add_month, connect, migrate
from services.runtime.local import Addresses
from tests.migrating import namespace


@pytest.fixture
def uri(addresses: Addresses) -> str:
    return addresses.postgres_uri


def test_months_are_added_once_and_hold_their_days(uri: str) -> None:
    with namespace(uri) as schema:
        migrate(uri, schema)
        for day in (date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 15)):
            add_month(uri, schema, day)
        with psycopg.connect(uri) as connection:
            found = connection.execute(
                "select tablename from pg_tables where schemaname = %s and tablename like 'transfer\\_%%' order by 1", (schema,)
            ).fetchall()
            assert [name for (name,) in found] == ["transfer_2026_12", "transfer_2027_01", "transfer_2027_02"]
            bounds = connection.execute(
                "select pg_get_expr(relpartbound, oid) from pg_class where relname = 'entry_2026_12' and relnamespace = %s::regnamespace", (schema,)
            ).fetchone()
            assert bounds == ("FOR VALUES FROM ('2026-12-01') TO ('2027-01-01')",)


def test_a_row_of_a_month_that_was_not_added_is_refused(uri: str) -> None:
    with namespace(uri) as schema:
        migrate(uri, schema)
        with connect(uri, schema, autocommit=True) as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(
                "insert into transfer (entry, line, day, code, amount, unit, debit, credit, sponsor, first) values (1, 0, '2026-03-02', 1, 1, 1, 1, 2, 1, true)"
            )


@pytest.mark.parametrize("amount", [0, -1])
def test_a_row_of_the_journal_moves_something(uri: str, amount: int) -> None:
    with namespace(uri) as schema:
        migrate(uri, schema)
        add_month(uri, schema, date(2026, 3, 2))
        with connect(uri, schema, autocommit=True) as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(
                "insert into transfer (entry, line, day, code, amount, unit, debit, credit, sponsor, first) "
                "values (1, 0, '2026-03-02', 1, %s, 1, 1, 2, 1, true)",
                (amount,),
            )
