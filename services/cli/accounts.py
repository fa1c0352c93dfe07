"""`clh accounts`: what points outstanding may cost, what the operator has earned with them, and the entries of its books."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import FAILED, err, fail, out, print_json, print_table

if TYPE_CHECKING:
    from services.accounts.books import Books
    from services.report.tables import Table

app = typer.Typer(help="The operator's accounts: liability.", no_args_is_help=True)


class View(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Printed = Annotated[View, typer.Option("--output", "-o", help="`table` for people, `json` for programs, `csv` for spreadsheets.")]


@app.callback()
def group() -> None:
    """All figures come from the journal as of the end of a closed window, so any past one can be asked for, and the answer stays the same."""


@contextlib.contextmanager
def _books(programme: str | None) -> Iterator[tuple[str, Books]]:
    """The programme's id and its books. What is not there, or cannot be priced, ends the command with exit code 1."""
    from clearing.errors import ClearingError
    from services.accounts.books import Books, NotClosedError

    with books_of(programme) as (_, chosen, connection):
        try:
            yield chosen, Books(connection)
        except NotClosedError as error:
            raise fail(error.sentence) from None
        except ClearingError as error:
            raise fail(str(error)) from None


def _print(table: Table) -> None:
    from services.report.tables import for_people

    shown = table.for_reading
    if not shown.rows:
        out.print(f"{table.title}: {table.empty}", markup=False, highlight=False)
        return
    columns = [column.title for column in shown.columns]
    rows = [tuple(for_people(cell) for cell in row.cells) for row in shown.rows]
    print_table(columns, rows, title=table.title, right=[column.title for column in shown.columns if column.right])


def _say(sentence: str) -> None:
    out.print(sentence, markup=False, highlight=False)


@app.command()
def liability(
    programme: OneProgramme = None,
    at: Annotated[str | None, typer.Option("--at", metavar="DAY", help="The closed window; left out: the newest.", show_default=False)] = None,
    output: Printed = View.TABLE,
) -> None:
    """Points outstanding by sponsor, contract version, age and month of expiry, at the price paid for them and at the price they may cost.

    They are added up from the journal and compared with what was measured from lots and balances when the window was closed. Exit code 1 when the two differ.

    Examples:

        clh accounts liability

        clh accounts liability --at 2026-03-31 --output csv > liability.csv
    """
    from services.accounts.liability import as_json, liability_of, table
    from services.report.csv_files import csv_text

    with _books(programme) as (chosen, books):
        found = liability_of(books, books.day(as_day(at)))
        if output is View.JSON:
            print_json(as_json(found, chosen))
        elif output is View.CSV:
            typer.echo(csv_text(table(found, books.file)), nl=False)
        else:
            _print(table(found, books.file))
            prices = as_json(found, chosen)["redemption_price"]
            by_currency = ", ".join(f"{price} {currency}" for currency, price in prices["by_currency"].items())
            _say(f"Spent points cost the {found.borne_by}: {prices['from']}{': ' + by_currency if by_currency else ''}.")
            if found.owed:
                _say(f"Members owe {found.owed:,} points, which new ones will repay.")
    for difference in found.differing:
        err.print(difference, style="bold red", markup=False, highlight=False)
    if found.differing:
        raise typer.Exit(FAILED)
