"""`clh explain`: from a net position down to the records it comes from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.output import FAILED, NUMBER_MAX, Format, Output, fail, out, print_json

if TYPE_CHECKING:
    from services.explain.equations import Equation
    from services.explain.ledger import Ledger

app = typer.Typer(help="Where a figure comes from: position, obligation, event, member.", no_args_is_help=True)

Page = Annotated[int, typer.Option("--page", min=1, max=NUMBER_MAX, help="Which page of the events.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Events on a page.")]


@app.callback()
def group() -> None:
    """Every figure of a settlement can be followed down: position, obligation lines, totals, events, rows of the journal, record in Kafka.

    At each level the parts are added up and compared with the level above. Exit code 0: all of it adds up; 1: something does not, or is not there.
    """


@app.command()
def position(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Id of a party.", show_default=False)],
    day: Annotated[str | None, typer.Argument(metavar="[DAY]", help="The window; the newest that was cleared unless told.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """A party's net position: its obligation lines, their sum, and what was paid or carried on.

    Examples:

        clh explain position grocer

        clh explain position grocer 2026-03-02 --output json
    """
    from schemas.ids import PartyId
    from services.cli import explain_tables as tables
    from services.explain.position import explain_position

    wanted = as_day(day)
    with _ledger(programme) as (ledger, chosen):
        found = explain_position(ledger, PartyId(party), wanted)
        shown = wanted or ledger.day(None)
    _print([asdict(each) for each in found], output, lambda: tables.positions(party, shown, found, chosen))
    _judge(equation for each in found for equation in each.equations)


@app.command()
def obligation(
    day: Annotated[str, typer.Argument(metavar="DAY", help="The window, such as 2026-03-02.", show_default=False)],
    line: Annotated[
        int,
        typer.Argument(
            metavar="LINE", min=0, max=NUMBER_MAX, help="Number of the line, from 0, as the report and `clh explain position` show it.", show_default=False
        ),
    ],
    programme: OneProgramme = None,
    page: Page = 1,
    limit: Limit = 20,
    output: Output = Format.TABLE,
) -> None:
    """An obligation line: quantity and price, the totals it rests on, and their events, each with the record it came in.

    Percentages, tax and monthly fees show the lines and the clauses they rest on. Large windows come in pages; the sums are of all events.

    Examples:

        clh explain obligation 2026-03-02 3

        clh explain obligation 2026-03-02 3 --page 2 --limit 100
    """
    from services.cli import explain_tables as tables
    from services.explain.obligation import explain_obligation

    wanted = as_day(day)
    with _ledger(programme) as (ledger, chosen):
        found = explain_obligation(ledger, wanted, line, first=(page - 1) * limit, limit=limit)
    _print(asdict(found), output, lambda: tables.obligation(found, page, limit, chosen))
    _judge(found.equations)


@app.command()
def event(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of an event, or the place of its record: topic/partition/offset.", show_default=False)],
    source: Annotated[str | None, typer.Option("--source", help="Its sender, where several use this id: /partners/grocer.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """An event: its record in Kafka, what became of it, its rows in the journal with their accounts, and the obligation lines it counts in.

    Examples:

        clh explain event 31198570044

        clh explain event harvest.partner.transactions.v1/0/42
    """
    from services.cli import explain_tables as tables
    from services.explain.event import explain_event, find_records

    with _ledger(programme) as (ledger, chosen):
        found = [explain_event(ledger, record) for record in find_records(ledger, name, source)]
    _print([asdict(each) for each in found], output, lambda: tables.events(found, chosen))
    _judge(equation for each in found for equation in each.equations)


@app.command()
def member(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a member.", show_default=False)],
    programme: OneProgramme = None,
    page: Page = 1,
    limit: Limit = 20,
    output: Output = Format.TABLE,
) -> None:
    """A member's points: the lots they lie in, and every entry that moved them, with the balance after it.

    Example:

        clh explain member m-900
    """
    from services.cli import explain_tables as tables
    from services.explain.member import explain_member

    with _ledger(programme) as (ledger, chosen):
        found = explain_member(ledger, name, first=(page - 1) * limit, limit=limit)
    _print(asdict(found), output, lambda: tables.member(found, page, limit, chosen))
    _judge(found.equations)


@contextlib.contextmanager
def _ledger(programme: str | None) -> Iterator[tuple[Ledger, str]]:
    """The books of a programme, all of an explanation read at one moment; and what names it in suggested commands."""
    from services.explain.ledger import Ledger, NotExplained

    with books_of(programme) as (house, chosen, connection):
        try:
            with connection.transaction():
                connection.execute("set transaction isolation level repeatable read, read only")
                yield Ledger(connection), named(house, chosen)
        except NotExplained as error:
            way_on = f": {error.command}{named(house, chosen)}" if error.command else ""
            raise fail(f"{error}{way_on}") from None


def _print(plain: Any, output: Format, show: Callable[[], None]) -> None:
    if output is Format.JSON:
        print_json(plain)
    else:
        show()


def _judge(equations: Iterable[Equation]) -> None:
    """Exit code 1 where something does not add up; the equations themselves are printed with the rest."""
    if any(not equation.holds for equation in equations):
        out.print("something does not add up", style="bold red")
        raise typer.Exit(FAILED)
