"""`clh partner`: what partners see of their own events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, tzinfo
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.house import expect_kafka
from services.cli.output import NOT_RUNNING, Format, Output, err, fail, out, print_json

if TYPE_CHECKING:
    from schemas.events.insights import PartnerFiguresEvent
    from schemas.ids import PartyId
    from services.insights.board import Board

    Show = Callable[[PartnerFiguresEvent, bool], None]
    """Shows figures, of which it is said whether they changed."""

app = typer.Typer(help="Partners: live figures.", no_args_is_help=True)

RUN_IT = "`clh run insights` keeps them"


@app.callback()
def group() -> None:
    """What partners see of their own events."""


@app.command()
def live(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Id of the partner.", show_default=False)],
    programme: Annotated[str | None, typer.Option("--programme", "-p", metavar="ID", help="Its programme; may be left out where there is one.")] = None,
    hours: Annotated[int, typer.Option("--hours", min=1, max=744, help="So many hours, back from the latest one.")] = 24,
    timezone: Annotated[str, typer.Option("--timezone", metavar="ZONE", help="In which hours are shown, such as Europe/Berlin.")] = "UTC",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing them as they change, until interrupted.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show what a partner's events bring about, hour by hour: purchases, turnover, points, redemptions, rejections by code.

    Counted about a second after the answer, from what was received today and yesterday (UTC). The settlement report is what counts; these are not
    booked from. With `--follow --output json`, one document a line.

    Examples:

        clh partner live grocer

        clh partner live grocer --programme harvest --follow

        clh partner live grocer --hours 8 --output json | jq .hours[-1]
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from schemas.ids import PartyId
    from services.cli.partner_tables import STALE, age

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise fail(f"there is no time zone {timezone}; try Europe/Berlin", code=2) from None
    id_ = PartyId(party)
    with _board(programme) as (chosen, board):
        known = board.latest.get(id_)
        if known is None and not follow:
            if not board.latest:
                raise fail(f"there are no live figures of {chosen} yet; {RUN_IT}", code=NOT_RUNNING)
            raise fail(f"nothing was received of {party} in {chosen}; there are figures of {', '.join(sorted(board.latest))}")
        if known is not None and age(known, datetime.now(UTC)) > STALE:
            err.print(f"These figures are {int(age(known, datetime.now(UTC)).total_seconds()):,} s old; {RUN_IT} up to date.", style="yellow")
        show = _json if output is Format.JSON else _table
        with show(chosen, hours, zone, lines=follow) as print_figures:
            if follow:
                _follow(board, id_, print_figures)
            elif known is not None:
                print_figures(known, True)


@contextmanager
def _json(programme: str, hours: int, _zone: tzinfo, *, lines: bool) -> Iterator[Show]:
    """Prints JSON: one document, or with `lines` one a line."""
    from services.cli.partner_tables import shown

    def show(event: PartnerFiguresEvent, changed: bool) -> None:
        if changed:
            data = event.data.model_copy(update={"hours": shown(event, hours)})
            document = {"programme": programme, "as_of": event.time.isoformat(), **data.model_dump(mode="json")}
            if lines:
                typer.echo(json.dumps(document))
            else:
                print_json(document)

    yield show


@contextmanager
def _table(programme: str, hours: int, zone: tzinfo, *, lines: bool) -> Iterator[Show]:
    """Prints tables: on a terminal that is followed, one that stays where it is and counts the seconds."""
    from rich.live import Live

    from services.cli.partner_tables import view

    with Live(console=out, auto_refresh=False) if lines and out.is_terminal else nullcontext() as screen:

        def show(event: PartnerFiguresEvent, changed: bool) -> None:
            if screen is not None:
                screen.update(view(programme, event, hours, zone, datetime.now(UTC), width=out.width), refresh=True)
            elif changed:
                out.print(view(programme, event, hours, zone, datetime.now(UTC), width=out.width))

        yield show


def _follow(board: Board, party: PartyId, show: Show) -> None:
    """Shows a partner's figures when they change, and every second, until interrupted."""
    before: PartnerFiguresEvent | None = None
    try:
        for _ in chain([None], board.following()):
            event = board.latest.get(party)
            if event is not None:
                show(event, before is None or event.data != before.data)
                before = event
    except KeyboardInterrupt:
        return


@contextmanager
def _board(programme: str | None) -> Iterator[tuple[str, Board]]:
    """The programme, chosen where there is only one, and its figures. Exit code 3 where there are none, or no broker."""
    from confluent_kafka import KafkaException

    from schemas.ids import ProgrammeId
    from services.insights.board import Board, programmes
    from services.runtime.errors import LocalRuntimeError
    from services.runtime.local import ensure
    from services.settings import settings

    try:
        bootstrap = settings().kafka_bootstrap or ensure(make=False).kafka_bootstrap
        expect_kafka(bootstrap)
        there = programmes(bootstrap)
        if not there:
            raise fail(f"no programme has live figures yet; {RUN_IT}", code=NOT_RUNNING)
        if programme is None and len(there) > 1:
            raise fail(f"which programme? --programme, one of {', '.join(there)}", code=2)
        chosen = programme or there[0]
        if chosen not in there:
            raise fail(f"{chosen} has no live figures; there are those of {', '.join(there)}")
        board = Board(bootstrap, ProgrammeId(chosen))
    except LocalRuntimeError as error:
        raise fail(str(error), code=NOT_RUNNING) from None
    except KafkaException as error:
        raise fail(f"Kafka cannot be reached: {error}", code=NOT_RUNNING) from None
    try:
        yield chosen, board
    finally:
        board.close()
