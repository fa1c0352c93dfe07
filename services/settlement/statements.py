"""Which statements count, as the books keep it: an unbroken chain for each account and currency (the policy: `clearing/statement_order.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg

from clearing.statement_order import Halt, Numbered, next_to_count

NUMBERED = "r.no, r.year, r.sequence, r.opening, r.closing, r.first or exists (select from statement_withdrawn begun where begun.begins = r.no)"
IN_THE_CHAIN = "not exists (select from statement_withdrawn out where out.report = r.no)"
WAITING = f"""
select r.iban, r.currency, {NUMBERED} from bank_report r
where r.kind = 'statement' and {IN_THE_CHAIN}
  and not exists (select from statement_counts c where c.report = r.no) order by r.to_date, r.iban, r.currency, r.no
"""  # noqa: S608  # columns from above
COUNTED = f"""
select {NUMBERED} from statement_counts c join bank_report r on r.no = c.report where r.iban = %s and r.currency = %s
order by c.no {{}} limit 1
"""  # noqa: S608  # columns from above
LAST, FIRST = COUNTED.format("desc"), COUNTED.format("asc")
COUNT = "insert into statement_counted (report, at) values (%s, %s)"
NAME = "select id from bank_report where no = %s"


@dataclass(frozen=True, slots=True)
class Account:
    """What a chain of statements is about."""

    iban: str
    currency: str


def last_counted(connection: psycopg.Connection, iban: str, currency: str) -> Numbered | None:
    """The last statement of an account that counts; None where none does yet."""
    row = connection.execute(LAST, (iban, currency)).fetchone()
    return None if row is None else Numbered(*row)


def first_counted(connection: psycopg.Connection, iban: str, currency: str) -> Numbered | None:
    """The first statement of an account that counts."""
    row = connection.execute(FIRST, (iban, currency)).fetchone()
    return None if row is None else Numbered(*row)


def _nexts(connection: psycopg.Connection) -> list[tuple[Account, Numbered | Halt]]:
    """For each account of which statements wait, the one that counts next or why none does; in the order of their days."""
    waiting: dict[Account, list[Numbered]] = {}
    for iban, currency, *numbered in connection.execute(WAITING).fetchall():
        waiting.setdefault(Account(iban, currency), []).append(Numbered(*numbered))
    found = []
    for account, statements in waiting.items():
        last = last_counted(connection, account.iban, account.currency)
        # A second one of a number that counts by now, which did not fit, has had its place taken.
        ahead = [one for one in statements if last is None or (one.year, one.sequence) > (last.year, last.sequence)]
        following = next_to_count(last, ahead)
        if following is not None:
            found.append((account, following))
    return found


def halts(connection: psycopg.Connection) -> list[Halt]:
    """Accounts whose chain stops though statements wait."""
    return [following for _, following in _nexts(connection) if isinstance(following, Halt)]


def halted(connection: psycopg.Connection) -> list[tuple[Account, str, Halt]]:
    """The same with account and id of the statement before which the chain stops."""
    found = []
    for account, following in _nexts(connection):
        if isinstance(following, Halt):
            row = connection.execute(NAME, (following.statement.no,)).fetchone()
            assert row is not None
            found.append((account, str(row[0]), following))
    return found


def count_next(connection: psycopg.Connection, now: datetime) -> tuple[int, str] | None:
    """Lets the next statement count, in the caller's transaction: its number in the books and the bank's id of it; None where none can."""
    for _, following in _nexts(connection):
        if isinstance(following, Numbered):
            connection.execute(COUNT, (following.no, now))
            row = connection.execute(NAME, (following.no,)).fetchone()
            assert row is not None
            return following.no, str(row[0])
    return None
