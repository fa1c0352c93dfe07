"""`clh clearing`: the night run, started, looked at, gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from services.cli.books import OneProgramme, books_of, named
from services.cli.house import expect_kafka
from services.cli.output import FAILED, NOT_RUNNING, NUMBER_MAX, Format, Output, err, fail, print_json, print_table, say

if TYPE_CHECKING:
    from clearing.ports import Refusal
    from services.house import House
    from services.night.standing import Standing
    from services.runtime.progress import Progress

app = typer.Typer(help="The night run: run, status, resume.", no_args_is_help=True)

PATIENCE_S = 2.0
"""So long Kafka is waited for where its answer would be good to have, and is not needed."""

WithProcessor = Annotated[bool, typer.Option("--with-processor", help="Book in this process until the cut is reached, beside processors that may run.")]


@app.callback()
def group() -> None:
    """Cut off, drain, book the night, price, net, check: what is done is done once, whoever starts it how often."""


@app.command()
def run(programme: OneProgramme = None, with_processor: WithProcessor = False, output: Output = Format.TABLE) -> None:
    """Clear every window whose cut-off has passed, and what an earlier run left half done.

    Exit code 0 when all that was due is netted, or nothing was; 1 when a check does not hold: the failed checks are shown with their figures, and the
    window stays closed until somebody has looked; 3 when records wait and no processor books them.

    Examples:

        clh clearing run                                # what the platform's cron starts after the cut-off

        clh clearing run --programme harvest --with-processor
    """
    _clear(programme, output, with_processor=with_processor, half_done_only=False)


@app.command()
def resume(programme: OneProgramme = None, with_processor: WithProcessor = False, output: Output = Format.TABLE) -> None:
    """Go on with windows that were cut and are not netted: after a crash, or after a check that did not hold. Open windows stay open.

    Every step that is done is passed over. Exit codes as of `clh clearing run`.

    Example:

        clh clearing status; clh clearing resume
    """
    _clear(programme, output, with_processor=with_processor, half_done_only=True)


@app.command()
def status(
    programme: OneProgramme = None,
    last: Annotated[int, typer.Option("--last", min=1, max=NUMBER_MAX, help="So many of the newest windows.")] = 7,
    output: Output = Format.TABLE,
) -> None:
    """Show where each window stands: its state, the steps that are done, what it waits for, its last run and the hash of its report.

    Times are in the programme's zone. Below stands how many records lie in the topics that are not in the books yet.

    Examples:

        clh clearing status

        clh clearing status --last 31 --output json
    """
    from services.night.standing import STEPS, standings
    from services.runtime.kafka import broker_answers

    with books_of(programme) as (house, chosen, connection):
        windows = standings(connection, last=last)
        not_booked = records_not_booked(house, chosen) if broker_answers(house.kafka_bootstrap, patience_s=PATIENCE_S) else None
    if output is Format.JSON:
        print_json({"programme": chosen, "windows": [as_json(window) for window in windows], "records_not_booked": not_booked})
        return
    rows = [
        (w.day, w.state, f"{sum(step in w.done for step in STEPS)} of {len(STEPS)}", w.waits_for,
         *((w.run.no, w.run.made_at.isoformat(timespec="seconds"), w.run.sha256) if w.run else (None, None, None)))
        for w in windows
    ]  # fmt: skip
    print_table(
        ("window", "state", "steps", "waits for", "run", "made at", "report (SHA-256)"),
        rows,
        title=f"Windows of {chosen}",
        right=("run",),
        optional=("made at", "report (SHA-256)"),
    )
    for window in windows:
        if window.state in ("draining", "closed"):
            _show_half_done(window)
    shown = f"{not_booked:,}" if not_booked is not None else "not known, Kafka does not answer"
    say(f"Records that are not booked: {shown}")


def records_not_booked(house: House, programme: str) -> int:
    """Records that are in the topics now and not in the books."""
    from services.night.waiting import unbooked

    night_books = house.night(programme, lambda *_: None, by_hand=True)
    try:
        return unbooked(night_books)
    finally:
        night_books.connection.close()


def _show_half_done(window: Standing) -> None:
    from services.night.standing import STEPS

    done = [(step, "done", _figures(window.done[step])) if step in window.done else (step, "to do", None) for step in STEPS]
    print_table(("step", "state", "figures"), done, title=f"Night of {window.day}")
    if window.behind:
        rows = [(part.topic, part.partition, f"{part.next_offset:,}", f"{part.cut_offset:,}", f"{part.records:,}") for part in window.behind]
        numbers = ("partition", "booked to", "cut at", "records behind")
        print_table(("topic", *numbers), rows, title=f"Partitions that {window.day} waits for", right=numbers)


def _figures(figures: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in figures.items() if isinstance(value, int))


def as_json(window: Standing) -> dict[str, Any]:
    """A window's standing in plain types."""
    from dataclasses import asdict

    return {
        "window": window.day.isoformat(), "state": window.state, "ends_at": window.ends_at.isoformat() if window.ends_at else None,
        "received": window.received, "steps": window.done, "waits_for": window.waits_for,
        "behind": [asdict(part) | {"records": part.records} for part in window.behind],
        "run": asdict(window.run) | {"made_at": window.run.made_at.isoformat()} if window.run else None,
    }  # fmt: skip


def _clear(programme: str | None, output: Format, *, with_processor: bool, half_done_only: bool) -> None:
    from services.night.run import clear_due

    def work(house: House, chosen: str, waiting: Any, step: Callable[[str], None]) -> list[date]:
        return clear_due(house, chosen, booked_to_cut=waiting, progress=step, half_done_only=half_done_only)

    with books_of(programme) as (house, chosen, connection):
        cleared = night(house, chosen, work, output, with_processor=with_processor)
        show_cleared(connection, chosen, cleared, output, named(house, chosen))


def night(
    house: House, programme: str, work: Callable[[House, str, Any, Callable[[str], None]], list[date]], output: Format, *, with_processor: bool
) -> list[date]:
    """Does the work of a night with progress bars, and a processor beside it where that is asked for; says what stopped it."""
    from clearing.ports import Refusal
    from services.night.waiting import NoProcessor, Waiting

    expect_kafka(house.kafka_bootstrap)
    try:
        with night_bars() as (step, report), _booking(house, programme, with_processor=with_processor) as at_work:
            return work(house, programme, Waiting(house, programme, report, at_work=at_work), step)
    except Refusal as refusal:
        _refused(refusal, output, named(house, programme))
    except NoProcessor as missing:
        way_out = f"start one (clh run accrual --programme {programme}), or add --with-processor; then: clh clearing resume --programme {programme}"
        raise fail(f"{missing}; {way_out}", code=NOT_RUNNING) from None


@contextlib.contextmanager
def _booking(house: House, programme: str, *, with_processor: bool) -> Iterator[Callable[[], bool] | None]:
    if not with_processor:
        yield None
        return
    from services import logs
    from services.accrual.incoming import SenderKeys
    from services.night.waiting import booking_here
    from services.settings import settings

    told = settings()
    logs.configure(told.log_format, told.log_level)
    try:
        keys = SenderKeys.read(told.sender_keys)
    except (OSError, ValueError, KeyError) as error:
        raise fail(f"CLH_SENDER_KEYS: {told.sender_keys} cannot be read as keys of senders: {error}") from None
    with booking_here(house, programme, keys) as at_work:
        yield at_work


@contextlib.contextmanager
def night_bars() -> Iterator[tuple[Callable[[str], None], Progress]]:
    """A line for each window with the step that it is at, and a bar for what can be counted; on a terminal only, and gone when the work is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def begin(name: str) -> None:
            window, _, doing = name.partition(": ")
            for other, task in tasks.items():
                if other != window:
                    bars.stop_task(task)
            if window not in tasks:
                tasks[window] = bars.add_task(name, total=None)
            bars.update(tasks[window], description=f"{window}: {doing:<24}", advance=1)

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield begin, report


def _refused(refusal: Refusal, output: Format, chosen: str) -> NoReturn:
    """Shows the checks that do not hold, with their figures."""
    if output is Format.JSON:
        failed = [{"name": check.name, "figures": dict(check.figures)} for check in refusal.failed]
        print_json({"refused": refusal.day.isoformat(), "failed": failed})
    else:
        from services.report.words import check_figure, check_in_words

        rows = [(check.name, name, check_figure(name, value).words) for check in refusal.failed for name, value in check.figures.items()]
        print_table(("check", "of", "figures"), rows, title=f"Window {refusal.day} was not cleared: {len(refusal.failed)} of its checks do not hold")
        for check in refusal.failed:
            say(f"{check.name} says: {check_in_words(check.name)}")
        way_on = f"clh clearing resume{chosen}"
        say(f"It stays closed; nothing is netted or paid. Once it is put right: {way_on}")
    raise typer.Exit(FAILED)


def show_cleared(connection: Any, programme: str, days: Sequence[date], output: Format, chosen: str) -> None:
    """What a night brought: each window with its run and the hash of its report."""
    from services.night.standing import standings

    windows = [window for window in standings(connection, since=min(days)) if window.day in days] if days else []
    if output is Format.JSON:
        print_json({"programme": programme, "cleared": [as_json(window) for window in windows]})
        return
    if not windows:
        opened = [window for window in standings(connection, last=1) if window.state == "open"]
        waits = f"; the open window {opened[0].day} waits for {opened[0].waits_for}" if opened else ""
        say(f"Nothing to clear{waits}.")
        return
    rows = [(w.day, w.state, *(f"{w.received.get(name, 0):,}" for name in ("accepted", "rejected", "held")), w.run.sha256 if w.run else None) for w in windows]
    print_table(
        ("window", "state", "accepted", "rejected", "held", "report (SHA-256)"),
        rows,
        title=programme,
        right=("accepted", "rejected", "held"),
        optional=("report (SHA-256)",),
    )
    say(f"Look at it: clh report show {windows[-1].day}{chosen}")
