"""`clh scenario`: a programme tried on a stretch of events, through the real path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.findings import FOUND, UNUSABLE, as_json, print_findings
from services.cli.output import NOT_RUNNING, Format, Output, err, fail, print_json, print_json_line, print_table, say

if TYPE_CHECKING:
    from services.scenario.run import ScenarioResult, UnusableScenario

app = typer.Typer(help="Scenarios: a programme, its members, a stretch of events, and what should come out.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """A scenario is the acceptance test of a programme: written before a rule goes live, run through Kafka, PostgreSQL and the night run."""


@app.command()
def run(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Scenario files.", show_default=False)],
    output: Output = Format.TABLE,
) -> None:
    """Run scenarios in a namespace of their own, which is removed afterwards, and compare what came out with what they expect.

    Kafka and PostgreSQL are started unless they run. With `--output json` one JSON document is printed, or, for several files, one line each,
    in the order of the files. Exit code 0 when all holds that `expect` names, 1 when not, 2 when a file is unusable or could not be run to its end
    (the others are run all the same).

    Examples:

        clh scenario run independent-basics.yaml

        clh scenario run scenarios/*.yaml

        clh scenario run march.yaml --output json > march.json

    Without `expect` a scenario only reports.
    """
    from services import logs
    from services.runtime.errors import LocalRuntimeError
    from services.scenario.run import ScenarioResult
    from services.settings import settings

    told = settings()
    logs.configure(told.log_format, told.log_level)
    code = 0
    try:
        for result in _results(files):
            if isinstance(result, ScenarioResult):
                code = max(code, FOUND if result.differences else 0)
                _print(result, output, alone=len(files) == 1)
            else:
                code = UNUSABLE
                _print_unusable(result, output, alone=len(files) == 1)
    except LocalRuntimeError as error:
        raise fail(str(error), code=NOT_RUNNING) from None
    if code:
        raise typer.Exit(code)


def _results(files: list[Path]) -> Iterator[ScenarioResult | UnusableScenario]:
    """The results, one after the other, with a bar on standard error while they are made."""
    from services.scenario.run import run_files

    with _bar(len(files)) as (bar, step):
        for result in run_files(files, step):
            bar.advance(bar.task_ids[0])
            yield result


@contextmanager
def _bar(files: int) -> Iterator[tuple[Progress, Any]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("read", total=files)
        yield bar, lambda step: bar.update(task, description=step)


def _print(result: ScenarioResult, output: Format, *, alone: bool) -> None:
    if output is Format.JSON:
        if alone:
            print_json(result.report)
        else:
            print_json_line(result.report)
        return
    if alone:
        _tables(result.report)
    verdict = "passed" if not result.differences else f"{len(result.differences)} {'difference' if len(result.differences) == 1 else 'differences'}"
    say(f"{result.name}: {verdict}", style="green" if not result.differences else "red")
    for difference in result.differences:
        say(f"  {difference}")


def _print_unusable(unusable: UnusableScenario, output: Format, *, alone: bool) -> None:
    """A file that was not run: its findings on standard error, and, as JSON, in its place among the results."""
    print_findings(unusable.findings, to_stderr=True)
    if output is Format.JSON:
        findings = [str(finding) for finding in unusable.findings]
        document = {"scenario": unusable.name, "passed": False, "differences": findings, **as_json(str(unusable.path), unusable.findings)}
        if alone:
            print_json(document)
        else:
            print_json_line(document)


def _tables(report: dict[str, Any]) -> None:
    """What came out, for people: figures of the windows first, then the members'."""
    positions = [
        (window, currency, party, amount)
        for window, by_currency in report["positions"].items()
        for currency, by_party in by_currency.items()
        for party, amount in by_party.items()
    ]
    print_table(("window", "currency", "party", "position"), positions, title="Net positions")
    columns = ("window", "kind", "detail", "debtor", "creditor", "quantity", "unit_price", "amount", "currency")
    print_table([name.replace("_", " ") for name in columns], [[line[name] for name in columns] for line in report["obligations"]], title="Obligations")
    print_table(
        ("member", "available", "pending"),
        [(member, balance["available"], balance["pending"]) for member, balance in report["balances"].items()],
        title="Balances after the last window",
    )
    if report["rejected"]:
        print_table(("event", "code"), list(report["rejected"].items()), title="Rejected")
