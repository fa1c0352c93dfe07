"""`clh accounts`: what points outstanding may cost, what the operator has earned with them, and the entries of its books."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import FAILED, fail, out, print_json, say, say_aside

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction

    from services.accounts.books import Books
    from services.report.tables import Table

app = typer.Typer(help="The operator's accounts: liability, unused points, revenue, export.", no_args_is_help=True)


MONTH = re.compile(r"[0-9]{4}-[0-9]{2}", re.ASCII)
SHARE = re.compile(r"[01]|0?\.[0-9]{1,12}|1\.0{1,12}", re.ASCII)


class View(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


At = Annotated[str | None, typer.Option("--at", metavar="DAY", help="The closed window; left out: the newest.", show_default=False)]
UnusedShare = Annotated[
    str | None,
    typer.Option(
        "--unused-share", metavar="SHARE", show_default=False,
        help="Share of points left that is taken as never to be spent, such as 0.15; left out: by the programme's own history, if it is long enough.",
    ),
]  # fmt: skip
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
    from services.report.terminal import rendered

    out.print(rendered(table), crop=False)


def _share(text: str | None) -> Fraction | None:
    """A share from 0 to 1 as decimal text; anything else ends the command as wrong usage."""
    if text is None:
        return None
    from fractions import Fraction

    if not SHARE.fullmatch(text) or (share := Fraction(text)) > 1:
        raise typer.BadParameter(f"{text!r} is no share from 0 to 1 such as 0.15", param_hint="--unused-share")
    return share


@app.command()
def liability(
    programme: OneProgramme = None,
    at: At = None,
    unused_share: UnusedShare = None,
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
        found = liability_of(books, books.day(as_day(at)), _share(unused_share))
        if output is View.JSON:
            print_json(as_json(found, chosen))
        elif output is View.CSV:
            typer.echo(csv_text(table(found, books.file)), nl=False)
        else:
            _print(table(found, books.file))
            prices = as_json(found, chosen)["redemption_price"]
            by_currency = ", ".join(f"{price} {currency}" for currency, price in prices["by_currency"].items())
            say(f"Spent points cost the {found.borne_by}: {prices['from']}{': ' + by_currency if by_currency else ''}.")
            if not found.differing:
                say(f"By the journal, points outstanding equal what was measured when the window {found.day} was closed.")
            if found.owed:
                say(f"Members owe {found.owed:,} points, which new ones will repay.")
    for difference in found.differing:
        say_aside(difference, style="bold red")
    if found.differing:
        raise typer.Exit(FAILED)


@app.command()
def unused(programme: OneProgramme = None, at: At = None, output: Printed = View.TABLE) -> None:
    """Estimate from the programme's own history how many points will never be spent, month of earning by month, with the range.

    Beside it stands the naive rate, expired ÷ given. A history that is too short is told of, and no other figure rests on its estimate.

    Examples:

        clh accounts unused

        clh accounts unused --at 2026-03-31 --output json
    """
    from services.accounts.unused import as_json, percent, table, unused_of, verdict
    from services.report.csv_files import csv_text

    with _books(programme) as (chosen, books):
        found = unused_of(books, books.day(as_day(at)))
    if output is View.JSON:
        print_json(as_json(found, chosen))
    elif output is View.CSV:
        typer.echo(csv_text(table(found)), nl=False)
    else:
        _print(table(found))
        if found.share is not None and found.naive is not None:
            low, middle, high = map(percent, found.share)
            say(f"Never spent of all points ever given: {middle}, between {low} and {high}. Naive rate (expired ÷ given): {percent(found.naive)}.")
        say(verdict(found))


@app.command()
def revenue(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month.", show_default=False)],
    programme: OneProgramme = None,
    unused_share: UnusedShare = None,
    windows: Annotated[bool, typer.Option("--windows", help="Every movement down to its windows.")] = False,
    output: Printed = View.TABLE,
) -> None:
    """Roll deferred revenue forward over a month (IFRS 15): opening, issued, become revenue, reversed, a new estimate caught up, closing.

    What sponsors pay at issue is deferred until the points are spent. The share for points never to be spent becomes revenue with those that are spent,
    or, where the programme's history is too short for an estimate, when they expire. Opening and movements come to the closing figure exactly.

    Examples:

        clh accounts revenue --month 2026-03

        clh accounts revenue --month 2026-03 --windows --output csv > movements.csv
    """
    from services.accounts import revenue as figures
    from services.report.csv_files import csv_text

    with _books(programme) as (chosen, books):
        found = figures.revenue_of(books, _month(month), _share(unused_share))
    table = figures.windows(found) if windows else figures.table(found)
    if output is View.JSON:
        print_json(figures.as_json(found, chosen))
    elif output is View.CSV:
        typer.echo(csv_text(table), nl=False)
    else:
        _print(table)
        for sentence in figures.sentences(found):
            say(sentence)


def _month(text: str) -> date:
    """The first day of a month such as 2026-03; anything else ends the command as wrong usage."""
    from datetime import date

    try:
        return date.fromisoformat(f"{text}-01" if MONTH.fullmatch(text) else "")
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no month such as 2026-03", param_hint="--month") from None


class Ledger(StrEnum):
    """As what the operator's ledger entries are printed."""

    CSV = "csv"
    BEANCOUNT = "beancount"
    JSON = "json"


@app.command()
def export(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month.", show_default=False)],
    programme: OneProgramme = None,
    unused_share: UnusedShare = None,
    output: Annotated[
        Ledger, typer.Option("--output", "-o", help="`csv` for spreadsheets, `beancount` for a ledger that bean-check accepts, `json` for programs.")
    ] = Ledger.CSV,
) -> None:
    """Write the operator's ledger entries of a month to standard output: every line that it owes or is owed, and what has become revenue.

    Each entry is balanced and says from which window and line, or movement of `clh accounts revenue`, it comes. The beancount file asserts the closing figures.

    Examples:

        clh accounts export --month 2026-03 > entries.csv

        clh accounts export --month 2026-03 --output beancount > march.beancount
    """
    from services.accounts.export import as_json, beancount, ledger_of, table
    from services.accounts.revenue import revenue_of
    from services.report.csv_files import csv_text

    with _books(programme) as (chosen, books):
        ledger = ledger_of(books, revenue_of(books, _month(month), _share(unused_share)))
        title = f"{books.file.programme.name}, {month}"
    if output is Ledger.JSON:
        print_json(as_json(ledger, chosen))
    else:
        typer.echo(csv_text(table(ledger)) if output is Ledger.CSV else beancount(ledger, title), nl=False)
