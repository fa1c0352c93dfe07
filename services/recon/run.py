"""One run of matching: builds what the house expects, lets the passes consume their rows in order, and opens breaks for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import psycopg

from clearing.matching import Pass
from clearing.plan import Plan
from schemas.ids import PartyId
from services.bank.detail import Detail
from services.recon import break_statements as ends
from services.recon import statements as sql
from services.runtime.progress import Progress, silent

NEW_WINDOWS = """
select day from settlement_window where state not in ('open', 'draining') and day <= %(day)s
and day > coalesce((select max(day) from recon_run where bank = %(bank)s), '0001-01-01') order by day
"""
EXPECTED: Final = (
    "entry", "bank_txn_id", "event_type", "original_bank_txn_id", "card_ref", "rrn", "auth_code", "arn", "mcc", "acceptor_id", "transacted_at",
    "posting_date", "billing_minor", "billing_ccy", "rule_id", "rule_version", "cap_bucket", "cap_cut_units", "reward_kind", "reward_units", "reward_ccy",
    "bank_funded", "merchant_funded", "network_funded", "settlement_ref",
)  # fmt: skip
EXPECT = f"copy recon_expected (bank, day, {', '.join(EXPECTED)}) from stdin"
COUNTS = "select pass, count(*) from pair group by pass"
OPENED = "select code, count(*) from recon_break where bank = %(bank)s and no > %(last)s group by code order by code"
LAST = "select coalesce(max(no), 0) from recon_break"
RUN = "insert into recon_run (bank, day, figures, made_at) values (%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Matched:
    """What one run did: rows that each pass matched, and breaks that it opened, by code."""

    expected: int
    passes: dict[str, int]
    opened: dict[str, int]


def run_matching(connection: psycopg.Connection, plan: Plan, bank: PartyId, day: date, *, seen: date, now: datetime, progress: Progress = silent) -> Matched:
    """Matches a bank's rows up to a closed window, in one transaction; running it again finds only what has come since.

    `seen` is the day from which a break's age counts, `now` when its turns are noted. Raises `NoBank`, `NotClosed`.
    """
    Detail(connection, plan, bank, day)
    books = [Detail(connection, plan, bank, window) for (window,) in connection.execute(NEW_WINDOWS, {"bank": bank, "day": day}).fetchall()]
    rows = 0
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('clh recon'), hashtext(current_schema() || %s))", (bank,))
        for book in books:
            rows += _expect(connection, book)
        last = _one(connection, LAST)
        passes = match_rows(connection, bank, day, seen=seen, now=now, progress=progress)
        opened: dict[str, int] = dict(connection.execute(OPENED, {"bank": bank, "last": last}).fetchall())
        matched = Matched(rows, passes, opened)
        connection.execute(RUN, (bank, day, json.dumps({"expected": rows, "passes": passes, "opened": opened}), now))
    return matched


def match_rows(connection: psycopg.Connection, bank: str, day: date, *, seen: date, now: datetime, progress: Progress = silent) -> dict[str, int]:
    """The passes and the breaks, inside the caller's transaction; returns how many matches each pass made."""
    asked = {"bank": bank, "day": day, "seen": seen, "now": now}
    last = 4 + len(sql.KEYS)
    progress("match: what agrees in all", 0, last)
    _all(connection, (sql.MEMORY, sql.AGREEING), asked)
    agreed = connection.execute(sql.AGREED, asked).rowcount
    progress("match: replays", 1, last)
    _all(connection, (*sql.REST, sql.REPLAYS, *sql.LEFT), asked)
    for done, which in enumerate(sql.KEYS, 2):
        progress("match: " + which.name.lower(), done, last)
        for step in sql.by_key(which):
            _all(connection, (step, *sql.CONSUME), asked)
    progress("match: numbers, circumstances, groups", last - 2, last)
    while connection.execute(sql.NEAREST).rowcount:
        _all(connection, sql.CONSUME, asked)
    _all(connection, (sql.CANDIDATES, sql.UNIQUE, *sql.CONSUME, *sql.AMBIGUOUS, sql.GROUPS, *sql.CONSUME), asked)
    progress("match: breaks", last - 1, last)
    _all(connection, (sql.KEEP, *ends.LIKE, ends.DIFFERENT, ends.THEIRS_BREAK, ends.OURS_BREAK, ends.AGAIN, ends.GONE, ends.LATE_AFTER_ALL), asked)
    progress("match: breaks", last, last)
    found: dict[int, int] = dict(connection.execute(COUNTS).fetchall())
    found[Pass.TRANSACTION] = found.get(Pass.TRANSACTION, 0) + agreed
    return {which.name.lower(): found[which] for which in Pass if found.get(which)}


def _expect(connection: psycopg.Connection, book: Detail) -> int:
    """Writes what the house expects of a window, once."""
    count = 0
    rows = book.rows()
    first: list[Any] = []
    for row in rows:
        first.append((book.bank, book.day, *(row[name] for name in EXPECTED)))
        count += 1
        if len(first) == 10_000:
            _copy(connection, first)
            first = []
    _copy(connection, first)
    return count


def _copy(connection: psycopg.Connection, rows: list[Any]) -> None:
    with connection.cursor().copy(EXPECT) as copy:
        for row in rows:
            copy.write_row(row)


def _all(connection: psycopg.Connection, statements: tuple[str, ...], asked: dict[str, Any]) -> None:
    for statement in statements:
        connection.execute(statement, asked if "%(" in statement else None)


def _one(connection: psycopg.Connection, question: str) -> int:
    row = connection.execute(question).fetchone()
    assert row is not None
    return int(row[0])
