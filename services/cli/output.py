"""How commands speak: tables for people, JSON for programs; progress and errors on standard error, so that output can be piped.

Exit codes: 0 done; 1 it could not be done, or something was found wrong; 2 the command line was wrong; 3 what was asked about does not run.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Protocol, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.rule import Rule

from services.cli.escaping import DataConsole, visible
from services.runtime.progress import Progress as Report

FAILED = 1
NUMBER_MAX = 2**31 - 1
"""No command takes a larger number: the books count no further."""
DAYS_MAX = 36_500
NOT_RUNNING = 3

PIPED_COLUMNS = 10_000  # a pipe has no width: nothing is folded there, unless COLUMNS says how wide its reader is
RULE_COLUMNS = 80


def console(*, stderr: bool) -> Console:
    """A console as wide as the terminal, or as COLUMNS says; in a pipe without COLUMNS so wide that nothing is folded."""
    made = DataConsole(stderr=stderr)
    return made if made.is_terminal or os.environ.get("COLUMNS", "").isdigit() else DataConsole(stderr=stderr, width=PIPED_COLUMNS)


out = console(stderr=False)
err = console(stderr=True)


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="`table` for people, `json` for programs.")]


def print_json(value: object) -> None:
    """Print a value of plain types as JSON, whatever the width of the terminal."""
    typer.echo(visible(json.dumps(value, indent=2, ensure_ascii=False, default=_plain)))


def _plain(value: object) -> str:
    """Moments and days as RFC 3339 writes them, anything else as it writes itself."""
    return value.isoformat() if isinstance(value, date) else str(value)


def print_json_line(value: object) -> None:
    """Print a value of plain types as one line of JSON."""
    typer.echo(visible(json.dumps(value, ensure_ascii=False, separators=(",", ":"))))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
    optional: Sequence[str] = (),
    empty: str | None = None,
) -> list[str]:
    """Print a table; words are wrapped, figures and ids never broken. `right`: the columns of figures, aligned to the right.

    `optional`: columns left out where the terminal is too narrow for all, the last one first; returns those that were, which the table names below it.
    `empty`: the sentence that stands for a table without rows.
    """
    from services.report.fitting import Field, Fitted, Line

    if not rows and empty is not None:
        say(empty)
        return []
    fields = [Field(visible(column), right=column in right, optional=column in optional) for column in columns]
    lines = [Line(tuple("" if cell is None else visible(str(cell)) for cell in row)) for row in rows]
    table = Fitted(fields, lines, title=visible(title or ""))
    out.print(table, crop=False)
    return table.left_out(out.width)


def say(sentence: str, *, style: str | None = None, whole: bool = False) -> None:
    """Print a sentence as it is: what data brings along is no markup. On a terminal it is wrapped between words, but for one that names a command.

    `whole`: it is no sentence but a document, to be copied or compared: no line break is put into it.
    """
    out.print(sentence, style=style, markup=False, highlight=False, soft_wrap=whole or not _wraps(out, sentence))


def say_aside(sentence: str, *, style: str | None = None) -> None:
    """The same on standard error, beside what is printed."""
    err.print(sentence, style=style, markup=False, highlight=False, soft_wrap=not _wraps(err, sentence))


def _wraps(console: Console, sentence: str) -> bool:
    """A pipe folds nothing; and a command that is copied from a terminal has to stay one line."""
    return console.is_terminal and "clh " not in sentence


def say_left_out(shown: int, of: int, what: str) -> None:
    """Says that the oldest are not shown, where that is so."""
    if shown < of:
        say(f"{shown} of {of} {what}; --last {of} shows all")


def heading(words: str) -> None:
    """A rule with words in it, across the terminal; in a pipe not wider than a page."""
    out.print(Rule(words), width=min(out.width, RULE_COLUMNS) if out.width == PIPED_COLUMNS else out.width)


def fail(sentence: str, *, code: int = FAILED) -> typer.Exit:
    """Say what went wrong, on standard error; `raise fail(...)` ends the command."""
    err.print(sentence, style="bold red", markup=False, highlight=False)
    return typer.Exit(code)


class Coded(Protocol):
    """What a refusal has beside its sentence."""

    @property
    def code(self) -> str: ...


@contextlib.contextmanager
def refused(*kinds: type[Exception]) -> Iterator[None]:
    """Ends the command with the sentence of an exception of these kinds, each of which has a `code` of docs/errors.md."""
    try:
        yield
    except kinds as refusal:
        raise fail(f"{refusal} [{cast('Coded', refusal).code}]") from None


@contextlib.contextmanager
def progress_bars() -> Iterator[Report]:
    """A bar for each step that reports; on a terminal only, and gone when the work is done. Safe to report to from several threads."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}
        guard = threading.Lock()

        def report(step: str, done: int, total: int | None) -> None:
            with guard:
                if step not in tasks:
                    tasks[step] = bars.add_task(step, total=total)
                bars.update(tasks[step], completed=done, total=total)

        yield report
