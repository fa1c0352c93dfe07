"""`clh window`: business days, listed, and closed by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.clearing import WithProcessor, as_json, night, records_not_booked, show_cleared
from services.cli.house import expect_kafka
from services.cli.output import NOT_RUNNING, NUMBER_MAX, Format, Output, fail, print_json, print_table

if TYPE_CHECKING:
    from services.house import House
    from services.night.standing import Standing

app = typer.Typer(help="Windows, the business days of the clearing: list, close.", no_args_is_help=True)

LATER = ("netted", "approved", "instructed", "settled", "defaulted")
"""States of a window that is closed and cleared."""


@app.callback()
def group() -> None:
    """Each business day is a window: open, draining after its cut-off, closed when all of it is booked, then netted."""


@app.command(name="list")
def list_(
    programme: OneProgramme = None,
    last: Annotated[int, typer.Option("--last", min=1, max=NUMBER_MAX, help="So many of the newest windows.")] = 30,
    output: Output = Format.TABLE,
) -> None:
    """List windows: state, end by the programme's clock, and what became of the events they received.

    Examples:

        clh window list

        clh window list --programme harvest --last 7 --output json
    """
    from services.night.standing import standings

    with books_of(programme) as (_, chosen, connection):
        windows = standings(connection, last=last)
    if output is Format.JSON:
        print_json({"programme": chosen, "windows": [as_json(window) for window in windows]})
        return
    counted = ("accepted", "rejected", "held", "waiting", "duplicate")
    rows = [
        (
            w.day,
            w.state,
            w.ends_at.isoformat(timespec="minutes") if w.ends_at else "by hand",
            *(f"{w.received.get(name, 0):,}" for name in counted),
            w.waits_for,
        )
        for w in windows
    ]
    print_table(("window", "state", "ends at", *counted, "waits for"), rows, title=f"Windows of {chosen}", right=counted)


@app.command()
def close(
    day: Annotated[str | None, typer.Argument(metavar="[DAY]", help="The window; left out: the oldest that is open.", show_default=False)] = None,
    programme: OneProgramme = None,
    with_processor: WithProcessor = False,
    output: Output = Format.TABLE,
) -> None:
    """Close a window by hand: cut it now, whatever the clock says, book it to the cut, and clear it.

    What comes from now on belongs to the next window. It needs a processor that books to the cut: one that runs, or --with-processor. Exit codes as
    of `clh clearing run`; closing a window that is cleared already changes nothing.

    Examples:

        clh window close                            # the open window

        clh window close 2026-03-02 --programme harvest --with-processor
    """
    wanted = as_day(day)
    with books_of(programme) as (house, chosen, connection):
        suffix = named(house, chosen)
        window = _window(connection, wanted, suffix)
        if window.state in LATER:
            show_cleared(connection, chosen, [window.day], output, suffix)
            return

        def work(house: House, chosen: str, waiting: Any, step: Callable[[str], None]) -> list[date]:
            from services.night.run import close_by_hand

            if window.state == "open" and not with_processor:
                _ask_for_a_processor(house, chosen)
            close_by_hand(house, chosen, window.day, booked_to_cut=waiting, progress=step)
            return [window.day]

        show_cleared(connection, chosen, night(house, chosen, work, output, with_processor=with_processor), output, suffix)


def _window(connection: Any, day: date | None, suffix: str) -> Standing:
    """The window that is meant; older ones have to be cleared before it."""
    from services.night.standing import standings

    row = connection.execute("select min(day) from settlement_window where state in ('open', 'draining', 'closed')").fetchone()
    oldest: date | None = row[0]
    wanted = day or oldest
    if wanted is None:
        raise fail("there is no window to close")
    found = [window for window in standings(connection, since=wanted) if window.day == wanted]
    if not found:
        raise fail(f"there is no window {wanted}: clh window list{suffix}")
    if oldest is not None and oldest < wanted:
        raise fail(f"window {oldest} comes before {wanted} and is not cleared: clh window close {oldest}{suffix}")
    return found[0]


def _ask_for_a_processor(house: House, programme: str) -> None:
    """Before anything is cut: where records wait, somebody has to be there who books them."""
    from services.night.waiting import in_number, processors

    expect_kafka(house.kafka_bootstrap)
    records = records_not_booked(house, programme)
    if records and not processors(house, programme):
        raise fail(
            f"{in_number(records)} to be booked, and no processor of {programme} runs: clh run accrual --programme {programme}, or add --with-processor",
            code=NOT_RUNNING,
        )
