"""`clh accounts export` on real books: a ledger that bean-check accepts, and parties where netting says."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import psycopg
import pytest
from typer.testing import Result

from services.accounts.books import Books
from services.accounts.export import Ledger, beancount, ledger_of
from services.accounts.revenue import revenue_of
from services.runtime.local import Addresses
from tests.integration.accounts.looking import SEEDS, WRITTEN, look_into, months


def bean_check(text: str, folder: Path) -> str:
    """What bean-check complains of in a ledger; nothing where it accepts it."""
    path = folder / "ledger.beancount"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([Path(sys.executable).with_name("bean-check"), path], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr


def test_the_ledger_of_every_month_is_accepted_by_bean_check_and_its_parties_stand_where_netting_says(
    servers: Addresses, seeds: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts: set[str] = set()

    def look(connection: psycopg.Connection, name: str) -> None:
        books = Books(connection)
        reports: dict[str, str] = dict(connection.execute("select distinct on (day) day::text, report from run order by day, no desc").fetchall())
        for month in months(connection):
            found = revenue_of(books, month, Fraction(1, 5))
            ledger = ledger_of(books, found)
            assert all(sum(posting.amount_minor for posting in entry.postings) == 0 for entry in ledger.entries)
            assert bean_check(beancount(ledger, f'{name} "of" {month}'), tmp_path) == ""
            assert positions(ledger) == {
                (day, at["currency"]): at["net_minor"]
                for day, report in reports.items()
                if month.isoformat() <= day <= found.end.isoformat()
                for at in json.loads(report)["positions"]
                if at["party"] == books.terms.operator and at["net_minor"]
            }
            accounts.update(posting.account.split(":From-")[0] for entry in ledger.entries for posting in entry.postings)

    assert look_into([*WRITTEN, *seeds], look, monkeypatch) == len(WRITTEN) + len(SEEDS)
    assert {
        "Income:Fees", "Liabilities:Vat", "Expenses:Redemption", "Income:Points:Spent", "Income:Points:Unused", "Income:Points:Unused:Caught-Up",
        "Income:Points:Not-Deferred", "Equity:Opening-Balances", "Liabilities:Deferred-Revenue:Grocer", "Assets:Receivable:Grocer",
        "Liabilities:Payable:Fuelco",
    } <= accounts  # fmt: skip


def positions(ledger: Ledger) -> dict[tuple[str, str], int]:
    """What the lines of each window put on the accounts of parties, by currency."""
    found: dict[tuple[str, str], int] = {}
    for entry in ledger.entries:
        for posting in entry.postings:
            if posting.account.startswith(("Assets:Receivable:", "Liabilities:Payable:")):
                key = (entry.day.isoformat(), entry.currency)
                found[key] = found.get(key, 0) + posting.amount_minor
    return {key: amount for key, amount in found.items() if amount}


def test_the_command_exports_the_same_entries_as_csv_as_json_and_as_beancount(run: Callable[..., Result], tmp_path: Path) -> None:
    text = run("export", "--month", "2026-03", "--output", "beancount").output
    assert bean_check(text, tmp_path) == ""
    rows = list(csv.DictReader(io.StringIO(run("export", "--month", "2026-03").output)))
    by_entry: dict[str, int] = {}
    for row in rows:
        amount = round(float(row["debit"] or 0) * 100) - round(float(row["credit"] or 0) * 100)
        by_entry[row["entry"]] = by_entry.get(row["entry"], 0) + amount
    assert set(by_entry.values()) == {0}
    assert len(by_entry) == text.count(" * ")
    told = json.loads(run("export", "--month", "2026-03", "--output", "json").output)
    assert [len(entry["postings"]) for entry in told["entries"]] == [sum(row["entry"] == no for row in rows) for no in by_entry]
    assert {sum(posting["amount_minor"] for posting in entry["postings"]) for entry in told["entries"]} == {0}
    assert len(told["balances"]) == text.count(" balance ")
    closing = json.loads(run("revenue", "--month", "2026-03", "--output", "json").output)["accounts"]
    for account in closing:
        name = f"Liabilities:Deferred-Revenue:{account['sponsor'].title()}:From-{account['contract']}"
        assert f"balance {name}  -{account['closing']} EUR" in text


def test_bean_check_finds_a_ledger_in_which_one_amount_was_changed(run: Callable[..., Result], tmp_path: Path) -> None:
    text = run("export", "--month", "2026-03", "--output", "beancount").output
    line = next(line for line in text.splitlines() if line.startswith("  Liabilities:Deferred-Revenue:Grocer") and "  -" in line)
    assert "Transaction does not balance" in bean_check(text.replace(line, line.replace("  -", "  -9"), 1), tmp_path)
    balance = next(line for line in text.splitlines() if " balance " in line and "  -" in line)
    assert "Balance failed" in bean_check(text.replace(balance, balance.replace("  -", "  -9"), 1), tmp_path)
