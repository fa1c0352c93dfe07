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
        match_rows(connection, bank, day, seen=seen, now=now, progress=progress)
        passes = {Pass(no).name.lower(): count for no, count in connection.execute(COUNTS + " order by pass").fetchall()}
        opened: dict[str, int] = dict(connection.execute(OPENED, {"bank": bank, "last": last}).fetchall())
        matched = Matched(rows, passes, opened)
        connection.execute(RUN, (bank, day, json.dumps({"expected": rows, "passes": passes, "opened": opened}), now))
    return matched


def match_rows(connection: psycopg.Connection, bank: str, day: date, *, seen: date, now: datetime, progress: Progress = silent) -> None:
    """The passes and the breaks, inside the caller's transaction."""
    asked = {"bank": bank, "day": day, "seen": seen, "now": now}
    steps: list[tuple[str, tuple[str, ...]]] = [
        ("read both sides", (sql.MEMORY, sql.OURS, sql.THEIRS, sql.PAIR)),
        ("replays", (sql.REPLAYS, sql.FIRST, *sql.LEFT)),
    ]
    steps += [(which.name.lower(), tuple(each for step in sql.by_key(which) for each in (step, *sql.CONSUME))) for which in sql.KEYS]
    for done, (name, statements) in enumerate(steps):
        progress("match: " + name, done, len(steps) + 4)
        for statement in statements:
            connection.execute(statement, asked if "%(" in statement else None)
    while connection.execute(sql.NEAREST).rowcount:
        _all(connection, sql.CONSUME)
    progress("match: circumstances", len(steps), len(steps) + 4)
    _all(connection, (sql.CANDIDATES, sql.UNIQUE, *sql.CONSUME, *sql.AMBIGUOUS))
    _all(connection, (sql.GROUPS, *sql.CONSUME))
    for statement in (sql.KEEP, sql.DIFFERENT, sql.THEIRS_BREAK, sql.OURS_BREAK, sql.AGAIN, sql.GONE):
        connection.execute(statement, asked)
    progress("match: breaks", len(steps) + 4, len(steps) + 4)


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


def _all(connection: psycopg.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement)


def _one(connection: psycopg.Connection, question: str) -> int:
    row = connection.execute(question).fetchone()
    assert row is not None
    return int(row[0])
