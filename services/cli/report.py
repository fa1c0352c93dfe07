"""`clh report`: what a night worked out, for people, spreadsheets and programs; and whether it is still what was worked out."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.files import expect_one_stream, write, write_csv
from services.cli.output import FAILED, NUMBER_MAX, Format, Output, fail, out, print_json, print_table, progress_bars, say, say_left_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import psycopg

    from schemas.ids import PartyId
    from services.report.stored import Shown
    from services.report.tables import Table

app = typer.Typer(help="Settlement reports and statements: show, render, list, verify, statement.", no_args_is_help=True)

Day = Annotated[str | None, typer.Argument(metavar="[DAY]", help="The window; left out: the newest that has a report.", show_default=False)]
Nights = Annotated[int, typer.Option("--nights", min=0, max=NUMBER_MAX, help="So many nights before it are compared.")]
Sections = Annotated[list[str] | None, typer.Option("--section", "-s", help="Only this part; may be given several times.", show_default=False)]


class View(StrEnum):
    """What a report is rendered as."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


class StatementView(StrEnum):
    """What a statement is made as."""

    TABLE = "table"
    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


@app.callback()
def group() -> None:
    """Every view is made from the one canonical JSON of a run, whose SHA-256 people approve."""


@app.command()
def show(day: Day = None, programme: OneProgramme = None, nights: Nights = 4, section: Sections = None, output: Output = Format.TABLE) -> None:
    """Show a settlement report: positions, who owes whom, obligations, payments, checks, events, points, the nights before.

    Examples:

        clh report show                                     # the last night

        clh report show 2026-03-02 --section positions --section payments

        clh report show 2026-03-02 --output json            # with its hash
    """
    from services.report.sections import report_tables
    from services.report.terminal import print_report

    with books_of(programme) as (house, chosen, connection):
        shown = _shown(connection, day, nights, named(house, chosen))
    if output is Format.JSON:
        print_json({"sha256": shown.sha256, "report": json.loads(shown.report.canonical())})
        return
    print_report(out, shown, _chosen(report_tables(shown), section))


@app.command()
def render(
    day: Day = None,
    view: Annotated[
        View,
        typer.Option("--format", "-f", help="`html`: one page that needs nothing else; `pdf`; `xlsx`; `csv`; `json`: the bytes that the hash is of."),
    ] = View.HTML,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="PATH", help="A file; for CSV a folder, or a file with one --section; `-`: standard output.", show_default=False),
    ] = None,
    programme: OneProgramme = None,
    nights: Nights = 14,
    section: Sections = None,
    output: Output = Format.TABLE,
) -> None:
    """Write a settlement report as one HTML page, as PDF, as XLSX, as CSV, or as the canonical JSON.

    Every page of the PDF bears its number, the SHA-256 of the report and who has approved it, and so does what is printed of the other two. A workbook has a
    sheet for each table and no formulas. CSV comes as a file for each table, or as one file with one --section. The bytes of the JSON have the SHA-256 of
    the report.

    Examples:

        clh report render --format html --to last-night.html

        clh report render 2026-03-02 --format pdf --to march-2.pdf

        clh report render 2026-03-02 --format xlsx --to march-2.xlsx

        clh report render 2026-03-02 --format csv --to march-2/

        clh report render 2026-03-02 --format csv --section obligations --to obligations.csv

        clh report render 2026-03-02 --format json --to - | sha256sum
    """
    from services.report.page import report_page
    from services.report.sections import report_tables

    if section and view is not View.CSV:
        raise typer.BadParameter("only CSV can be had in parts", param_hint="--section")
    expect_one_stream(target, output)
    with books_of(programme) as (house, chosen, connection):
        shown = _shown(connection, day, nights, named(house, chosen))
    name = f"{chosen}-{shown.report.window}"
    match view:
        case View.HTML:
            write(report_page(shown).encode(), target or f"{name}.html", output)
        case View.PDF:
            from services.report.pdf import report_pdf

            write(report_pdf(shown), target or f"{name}.pdf", output)
        case View.XLSX:
            from services.report.workbook import report_workbook

            write(report_workbook(shown), target or f"{name}.xlsx", output)
        case View.JSON:
            write(shown.report.canonical(), target or f"{name}.json", output)
        case View.CSV:
            write_csv(_chosen(report_tables(shown), section), target or name, output, single=bool(section) and len(section or ()) == 1)


@app.command(name="list")
def list_(
    programme: OneProgramme = None,
    last: Annotated[int, typer.Option("--last", min=1, max=NUMBER_MAX, help="So many of the newest windows.")] = 30,
    output: Output = Format.TABLE,
) -> None:
    """List windows that have a report: state, sums, and the hash of the report.

    Examples:

        clh report list

        clh report list --last 7 --output json
    """
    from services.report.nights import turnover
    from services.report.stored import count_windows, latest_runs
    from services.report.tables import Money, for_people, for_programs
    from services.report.words import Amounts

    with books_of(programme) as (_, chosen, connection):
        runs, windows = latest_runs(connection, last=last), count_windows(connection)
    sums: list[dict[str, Money]] = []
    for run in runs:
        report = run.report
        amounts = Amounts(report)
        sums.append({currency: amounts(turnover(report, currency), currency) for currency in amounts.currencies})
    if output is Format.JSON:
        listed = [
            {"window": run.day.isoformat(), "state": run.state, "run": run.no, "made_at": run.made_at.isoformat(), "sha256": run.sha256,
             "previous_sha256": run.previous, "obligations": {currency: for_programs(sum_) for currency, sum_ in of_run.items()}}
            for run, of_run in zip(runs, sums, strict=True)
        ]  # fmt: skip
        print_json({"programme": chosen, "reports": listed})
        return
    rows = [
        (
            run.day,
            run.state,
            run.no,
            run.made_at.isoformat(timespec="seconds"),
            "\n".join(f"{for_people(s)} {c}" for c, s in of_run.items()),
            run.sha256,
        )
        for run, of_run in zip(runs, sums, strict=True)
    ]
    columns = ("window", "state", "run", "made at", "obligations", "report (SHA-256)")
    print_table(columns, rows, title=f"Reports of {chosen}", right=("run", "obligations"), optional=("report (SHA-256)",))
    say_left_out(len(runs), windows, "windows")


@app.command()
def verify(day: Day = None, programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """Recompute the hash of a stored report, and of all those it rests on; and whether its figures add up.

    Every run up to the window: its hash is that of its stored text, and it names the hash of the run before it. The window's own run also: positions
    and pairs are the sums of its lines, and these are the lines that the books keep. Exit code 0 when all of it holds, 1 when something does not.

    Examples:

        clh report verify                   # the last night and all before it

        clh report verify 2026-03-02 --output json
    """
    from services.report.stored import NoReport
    from services.report.verify import verify_report

    wanted = as_day(day)
    with books_of(programme) as (_, chosen, connection), progress_bars() as report:
        try:
            proofs = verify_report(connection, wanted, report)
        except NoReport as missing:
            raise fail(str(missing)) from None
    broken = [proof for proof in proofs if not proof.holds]
    last = max(proof.run for proof in proofs)
    if output is Format.JSON:
        print_json({"programme": chosen, "runs": len({p.run for p in proofs}), "broken": len(broken), "proofs": [asdict(proof) for proof in proofs]})
    else:
        named = [proof for proof in proofs if proof.run == last or not proof.holds]
        rows = [(proof.day, proof.run, proof.what, "holds" if proof.holds else "DOES NOT HOLD", "" if proof.holds else proof.differs) for proof in named]
        print_table(("window", "run", "recomputed", "result", "what differs"), rows, title=f"Reports of {chosen}", right=("run",))
        runs = len({proof.run for proof in proofs})
        verdict = f"{len(broken)} of {len(proofs)} do not hold" if broken else "everything holds"
        say(f"{len(proofs)} proofs over {runs} {'run' if runs == 1 else 'runs'}: {verdict}.")
    if broken:
        raise typer.Exit(FAILED)


@app.command()
def statement(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="A partner, a bank, or the operator.", show_default=False)],
    day: Day = None,
    view: Annotated[StatementView, typer.Option("--format", "-f", help="On the terminal, or as a file.")] = StatementView.TABLE,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="PATH", help="A file; for CSV a folder, or a file with one --section; `-`: standard output.", show_default=False),
    ] = None,
    programme: OneProgramme = None,
    section: Sections = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a party's statement: its lines with subtotals that add up to its position, how it is settled, its rejected events, its points.

    A party of the programme that had no part in the window gets a statement that says so.

    Examples:

        clh report statement grocer                                    # of the last night

        clh report statement grocer 2026-03-02 --format html --to grocer.html

        clh report statement grocer 2026-03-02 --format pdf --to grocer.pdf

        clh report statement grocer 2026-03-02 --format csv --section lines --to -
    """
    from schemas.ids import PartyId
    from services.report.after_default import default_in_words
    from services.report.page import statement_page
    from services.report.statement import UnknownParty, statement_tables
    from services.report.words import Amounts

    if view is StatementView.TABLE and output is Format.JSON:
        view = StatementView.JSON
    expect_one_stream(target, output)
    with books_of(programme) as (house, chosen, connection):
        shown = _shown(connection, day, 1, named(house, chosen))
    try:
        tables = _chosen(statement_tables(shown, PartyId(party)), section)
    except UnknownParty as unknown:
        raise fail(str(unknown)) from None
    name = f"{chosen}-{shown.report.window}-{party}"
    default = default_in_words(shown.report, PartyId(party), Amounts(shown.report))
    match view:
        case StatementView.TABLE:
            _print_statement(shown, PartyId(party), chosen, tables, default)
        case StatementView.JSON:
            told = {"default": default} if default else {}
            print_json({"party": party, "window": shown.report.window.isoformat(), "sha256": shown.sha256, **told, "tables": _plain(tables)})
        case StatementView.HTML:
            write(statement_page(shown, PartyId(party)).encode(), target or f"{name}.html", output)
        case StatementView.PDF:
            from services.report.pdf import statement_pdf

            write(statement_pdf(shown, PartyId(party)), target or f"{name}.pdf", output)
        case StatementView.XLSX:
            from services.report.workbook import statement_workbook

            write(statement_workbook(shown, PartyId(party)), target or f"{name}.xlsx", output)
        case StatementView.CSV:
            write_csv(tables, target or name, output, single=bool(section) and len(tables) == 1)


def _print_statement(shown: Shown, party: PartyId, programme: str, tables: Sequence[Table], default: str | None) -> None:
    from services.report.statement import has_figures
    from services.report.terminal import rendered

    say(f"Statement of {party}, {programme}, window {shown.report.window}", style="bold")
    if default:
        say(default, style="bold")
    if not has_figures(shown.report, party):
        say(f"{party} has no figures in this window: no lines, payments, events or points.")
    for table in tables:
        out.print()
        out.print(rendered(table), crop=False)
    out.print()
    say(f"From the report with SHA-256 {shown.sha256}")


def _shown(connection: psycopg.Connection, day: str | None, nights: int, chosen: str) -> Shown:
    from services.report.stored import NoReport, shown

    wanted: date | None = as_day(day)
    try:
        return shown(connection, wanted, nights=nights)
    except NoReport as missing:
        raise fail(f"{missing}: clh report list{chosen}") from None


def _chosen(tables: Sequence[Table], section: Sequence[str] | None) -> list[Table]:
    """The tables that are asked for, in their own order."""
    named = [table.name for table in tables]
    for wanted in section or ():
        if wanted not in named:
            raise typer.BadParameter(f"{wanted!r} is none of {', '.join(named)}", param_hint="--section")
    return [table for table in tables if not section or table.name in section]


def _plain(tables: Sequence[Table]) -> dict[str, list[dict[str, str]]]:
    """Tables as lists of named texts."""
    from services.report.tables import for_programs

    return {
        table.name: [{column.key: for_programs(value) for column, value in zip(table.columns, row.cells, strict=True)} for row in table.lines]
        for table in tables
    }
