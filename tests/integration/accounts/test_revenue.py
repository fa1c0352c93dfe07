"""`clh accounts revenue` on real books: deferred revenue rolled forward, every movement in a window."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import Result

from clearing.deferred import Account, Movement
from clearing.unused_points import NEEDS
from services.accounts.books import Books
from services.accounts.liability import liability_of
from services.accounts.revenue import Revenue, revenue_of
from services.runtime.local import Addresses
from tests.integration.accounts.looking import SEEDS, WAYS, WRITTEN, look_into, months


def test_deferred_revenue_rolls_forward_from_month_to_month_with_every_movement_in_a_window(
    servers: Addresses, seeds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = dict.fromkeys(Movement, 0)
    compared = 0

    def look(connection: psycopg.Connection, name: str) -> None:
        nonlocal compared
        books = Books(connection)
        for share, needs in WAYS:
            closed: dict[Account, int] = {}
            for month in months(connection):
                found = revenue_of(books, month, share, needs)
                assert {one.account: one.opening_minor for one in found.rolled if one.opening_minor} == closed, (name, month)
                closed = {one.account: one.closing_minor for one in found.rolled if one.closing_minor}
                for one in found.rolled:
                    assert one.opening_minor + sum(moved.amount_minor for moved in one.moved) == one.closing_minor >= 0
                    assert all(month <= moved.day <= found.end for moved in one.moved)
                    for movement in Movement:
                        seen[movement] += one.sum_of(movement) != 0
                if needs is NEEDS and share is None:
                    compared += as_the_liability_says(books, found)

    assert look_into([*WRITTEN, *seeds], look, monkeypatch) == len(WRITTEN) + len(SEEDS)
    assert min(seen.values()) > 0, seen
    assert compared > 20


def as_the_liability_says(books: Books, found: Revenue) -> int:
    """Where points count as unused when they expire, what is deferred is what was paid for the points outstanding, which is added up in another way."""
    last = books.connection.execute("select max(day) from settlement_window where state not in ('open', 'draining') and day <= %s", (found.end,)).fetchone()
    assert last is not None
    paid: dict[Account, int] = {}
    for line in liability_of(books, last[0]).lines:
        if line.bucket.sponsor != books.terms.operator:
            for currency, amount in line.paid.items():
                account = Account(line.bucket.sponsor, line.bucket.contract, currency)
                paid[account] = paid.get(account, 0) + amount
    deferred = {one.account: one.closing_minor for one in found.rolled if one.closing_minor}
    assert deferred == {account: amount for account, amount in paid.items() if amount}
    return len(deferred)


def test_the_command_shows_revenue_to_people_spreadsheets_and_programs(run: Callable[..., Result]) -> None:
    shown = json.loads(run("revenue", "--month", "2026-03", "--output", "json").output)
    assert shown["over"] is True
    assert shown["rests_on"] == "expiry"
    totals = shown["totals"]["EUR"]
    moved = sum(round(float(totals[movement.value]) * 100) for movement in Movement)
    assert round(float(totals["opening"]) * 100) + moved == round(float(totals["closing"]) * 100)
    rows = list(csv.DictReader(io.StringIO(run("revenue", "--month", "2026-03", "--windows", "--output", "csv").output)))
    assert sum(round(float(row["amount"]) * 100) for row in rows) == moved
    table = run("revenue", "--month", "2026-03").output
    assert "points count as unused when they expire" in table
    assert f"Redeemed points cost {totals['cost']} EUR." in table
    earned = -sum(round(float(totals[name]) * 100) for name in ("redeemed", "unused", "caught_up", "rounding"))
    assert f"Earned in 2026-03, out of what was deferred: {earned // 100:,}.{earned % 100:02} EUR" in table
    assert "to revenue:" in table
    for wrong in ("2026-13", "March", "2026-3"):
        assert run("revenue", "--month", wrong).exit_code == 2
    refused = run("revenue", "--month", "2031-01")
    assert refused.exit_code == 1
    assert "no window of 2031-01 was closed yet" in refused.output
