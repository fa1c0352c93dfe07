"""The tables of `clh accounts` and `clh risk` stay tables on a terminal of 80 columns, also where figures are large."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from services.accounts import liability, revenue, unused
from services.accounts.books import Books
from services.cli import accounts
from services.cli.main import app
from services.report.tables import Money, Row, Table, Value
from services.report.terminal import rendered
from tests.narrow import WIDTHS, blocks, terminal
from tests.played import Played

LARGE = 37_123


def enlarged(table: Table) -> Table:
    """The same table with figures of a large house, and contracts and currencies that differ, so that no column is said once for all."""

    def of(place: int, key: str, value: Value) -> Value:
        match value:
            case Money(minor, places):
                return Money((minor + place) * LARGE, places)
            case int():
                return (value + place) * LARGE
            case "EUR" if place % 2:
                return "USD"
            case date() if key == "contract" and place % 2:
                return date(2025, 7, 1)
        return value

    rows = (
        Row(tuple(of(place, column.key, value) for column, value in zip(table.columns, row.cells, strict=True)), row.rank)
        for place, row in enumerate(table.rows)
    )
    return replace(table, rows=tuple(rows))


def tables(books: Books) -> list[Table]:
    rolled = revenue.revenue_of(books, date(2026, 3, 1), None)
    found = liability.liability_of(books, books.day(None))
    return [liability.table(found, books.file), unused.table(unused.unused_of(books, books.day(None))), revenue.table(rolled), revenue.windows(rolled)]


@pytest.mark.parametrize("width", WIDTHS)
def test_accounts_are_compared_in_tables_at_this_width_however_large_the_figures(width: int, nights: Played) -> None:
    with nights.owner() as connection:
        for table in tables(Books(connection)):
            for each in (table, enlarged(table)):
                console = Console(file=io.StringIO(), width=width)
                console.print(rendered(each), crop=False)
                assert isinstance(console.file, io.StringIO)
                text = console.file.getvalue()
                assert blocks(text) == [], text
                assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("words", ["accounts liability", "accounts unused", "accounts revenue --month 2026-03", "risk report", "risk exit grocer"])
def test_the_commands_print_tables_at_this_width(words: str, width: int, run: Callable[..., Result], nights: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(width, monkeypatch, accounts) as written:
        done = CliRunner().invoke(app, [*words.split(), "--programme", nights.name])
    assert done.exit_code == 0, done.output
    assert blocks(written.getvalue()) == []
    assert "┃" in written.getvalue()
