"""Rows of both sides for tests of matching: 10.00 at a grocer and 0.15 cash-back unless told; everything by short names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import psycopg

from services.journal.migrate import add_month, connect, drop, migrate
from services.recon.run import match_rows

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)
ENTRIES = count(1)
Row = dict[str, Any]
NAMES = {
    "txn": "bank_txn_id", "typ": "event_type", "orig": "original_bank_txn_id", "card": "card_ref", "auth": "auth_code", "acceptor": "acceptor_id",
    "at": "transacted_at", "minor": "billing_minor", "ccy": "billing_ccy", "rule": "rule_id", "version": "rule_version", "cut": "cap_cut_units",
    "kind": "reward_kind", "units": "reward_units", "unit": "reward_ccy", "bf": "bank_funded", "mf": "merchant_funded", "nf": "network_funded",
    "ref": "settlement_ref", "exclusion": "exclusion_code",
}  # fmt: skip


def one(txn: str, **more: Any) -> Row:
    """A row of either side. `arn`, `rrn` and `auth` follow the transaction unless told."""
    told = {
        "txn": txn, "typ": "EARN", "card": "tok1", "rrn": f"r{txn}", "auth": "A1", "arn": f"a{txn}", "mcc": "5411", "acceptor": "shop",
        "at": "2026-03-02T10:00:00+01:00", "posting_date": DAY, "minor": 1000, "ccy": "EUR", "rule": "back", "version": date(2026, 1, 1), "kind": "CASHBACK",
        "units": 15, "unit": "EUR", "bf": 15, "mf": 0, "nf": 0, "day": DAY,
    }  # fmt: skip
    told |= more
    if "units" in more and "bf" not in more:
        told["bf"] = told["units"]
    return {NAMES.get(name, name): value for name, value in told.items()}


@dataclass
class Sides:
    """Books of their own for one bank: both sides are put in, and matched."""

    connection: psycopg.Connection
    bank: str
    file: int = 0

    def put(self, ours: Sequence[Row] = (), theirs: Sequence[Row] = (), *, day: date = DAY) -> None:
        """Adds rows of ours, and a file of the bank's with its lines, in their order."""
        for row in ours:
            self._insert("recon_expected", row | {"bank": self.bank, "entry": next(ENTRIES)})
        if theirs:
            self.file += 1
            (no,) = self.connection.execute(
                "insert into bank_file (bank, file_id, day, sequence, sha256, lines, bad, manifest, received_at, state) "
                "values (%s, %s, %s, %s, '', 0, 0, '{}', now(), 'published') returning no",
                (self.bank, f"f{self.file}", day, self.file),
            ).fetchone() or (0,)
            for line, row in enumerate(theirs, 1):
                self._insert("bank_line", row | {"bank": self.bank, "file": no, "line": line, "card_ref_type": "TOKEN", "day": row.get("file_day", day)})

    def _insert(self, table: str, row: Row) -> None:
        columns = [name for name in row if name != "file_day"]
        self.connection.execute(
            f"insert into {table} ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})",  # noqa: S608  # names from above
            [row[name] for name in columns],
        )

    def match(self, day: date = DAY, *, seen: date = DAY) -> None:
        """One run up to a day."""
        with self.connection.transaction():
            match_rows(self.connection, self.bank, day, seen=seen, now=NOW)

    def pairs(self) -> list[tuple[Any, ...]]:
        """What is matched: pass, our transaction, the bank's; in order."""
        return self.connection.execute(
            "select m.pass, o.bank_txn_id, t.bank_txn_id from recon_match m left join recon_expected o on o.no = m.ours "
            "left join bank_line t on t.no = m.theirs where m.bank = %s order by 1, 2 nulls first, 3 nulls first",
            (self.bank,),
        ).fetchall()

    def breaks(self) -> list[tuple[Any, ...]]:
        """Breaks: code, our transaction, the bank's, units of both, state; in order."""
        return self.connection.execute(
            "select b.code, o.bank_txn_id, t.bank_txn_id, b.programme_units, b.bank_units, b.state from recon_break b "
            "left join recon_expected o on o.no = b.ours left join bank_line t on t.no = b.theirs "
            "where b.bank = %s order by 1, 2 nulls first, 3 nulls first, 4, 5",
            (self.bank,),
        ).fetchall()


@contextmanager
def books(uri: str, schema: str) -> Iterator[psycopg.Connection]:
    """A schema of its own, gone afterwards."""
    migrate(uri, schema)
    add_month(uri, schema, DAY)
    try:
        with connect(uri, schema, autocommit=True) as connection:
            yield connection
    finally:
        drop(uri, schema)
