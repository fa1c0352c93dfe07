"""`clh dlq`: events that were refused for a reason that lay with the house."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import FAILED, NUMBER_MAX, Format, Output, fail, out, print_json, print_table, progress_bars
from services.cli.parties import expect_sender

if TYPE_CHECKING:
    import psycopg

    from services.dlq.refused import Chosen
    from services.dlq.retry import Attempt

app = typer.Typer(help="Refused events whose cause lay with the house: list, replay.", no_args_is_help=True)

CodeOption = Annotated[list[str] | None, typer.Option("--code", help="Only under this code. May be given several times.", show_default=False)]
PartyOption = Annotated[str | None, typer.Option("--party", metavar="ID", help="Only of this sender.", show_default=False)]
DayOption = Annotated[str | None, typer.Option("--day", metavar="DAY", help="Only what was received in this window.", show_default=False)]
IdOption = Annotated[list[str] | None, typer.Option("--id", metavar="EVENT", help="Only this event. May be given several times.", show_default=False)]


@app.callback()
def group() -> None:
    """A party or a contract was not entered yet: once it is, the events can be tried again. What the sender has to correct comes back under a new id."""


@app.command(name="list")
def list_(
    programme: OneProgramme = None,
    code: CodeOption = None,
    party: PartyOption = None,
    day: DayOption = None,
    event: IdOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=NUMBER_MAX, help="So many at most.")] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List events that can be tried again: how many by code and sender, and which.

    Examples:

        clh dlq list

        clh dlq list --code no-contract --party grocer --output json
    """
    from services.dlq.refused import counted, refused
    from services.events.refused import places

    with books_of(programme) as (_, _, connection):
        place = places(connection)
        chosen = _chosen(code, party, day, event)
        expect_sender(connection, party)
        counts = counted(connection)
        found = refused(connection, chosen, limit=limit)
    if output is Format.JSON:
        counted_by = [{"code": name, "party": sender, "events": events} for name, sender, events in counts]
        print_json({"counts": counted_by, "events": [asdict(each) | {"record": asdict(place(each.record))} for each in found]})
        return
    if not counts:
        out.print("No refused event can be tried again.")
        return
    print_table(("code", "sender", "events"), [(name, sender, f"{events:,}") for name, sender, events in counts], right=("events",))
    rows = [(e.source, e.id, e.type, e.code, e.detail, e.received_at.isoformat(timespec="seconds"), e.attempts or "", place(e.record)) for e in found]
    print_table(("source", "id", "type", "code", "detail", "received", "attempts", "record"), rows, right=("attempts",))


@app.command()
def replay(
    programme: OneProgramme = None,
    code: CodeOption = None,
    party: PartyOption = None,
    day: DayOption = None,
    event: IdOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Try refused events again, in the order in which they came, into the window that is open now. Each attempt is recorded, and answered.

    Processors may go on booking meanwhile. Exit code 0: all were accepted or held; 1: some were refused again, or no window is open.

    Examples:

        clh programme apply harvest.yaml && clh dlq replay --code unknown-partner

        clh dlq replay --id 31198570044 --yes
    """
    from services.dlq.refused import refused

    with books_of(programme) as (_, _, connection):
        expect_sender(connection, party)
        records = [each.record for each in refused(connection, _chosen(code, party, day, event))]
        if not records:
            raise fail("no refused event of this choice can be tried again: clh dlq list")
        if not yes and not sys.stdin.isatty():
            events = "1 event" if len(records) == 1 else f"{len(records):,} events"
            raise fail(f"{events} would be tried again, and nobody can be asked here: add --yes")
        if not yes:
            typer.confirm(f"Try {len(records):,} {'event' if len(records) == 1 else 'events'} again?", abort=True, err=True)
        attempts = _retry(connection, records)
    if output is Format.JSON:
        print_json([asdict(each) for each in attempts])
    else:
        counts = Counter((each.outcome, each.code or "") for each in attempts)
        print_table(("outcome", "code", "events"), [(*key, f"{events:,}") for key, events in sorted(counts.items())], right=("events",))
        again = [each for each in attempts if each.outcome == "rejected"]
        if again:
            print_table(("source", "id", "code", "detail"), [(each.source, each.id, each.code, each.detail) for each in again[:50]])
    if any(each.outcome == "rejected" for each in attempts):
        raise typer.Exit(FAILED)


def _retry(connection: psycopg.Connection, records: Sequence[int]) -> list[Attempt]:
    from services.dlq.retry import BATCH, NotNow, Retrying

    retrying = Retrying(connection, getpass.getuser())
    attempts: list[Attempt] = []
    with progress_bars() as report:
        for start in range(0, len(records), BATCH):
            try:
                attempts += retrying.retry(records[start : start + BATCH])
            except NotNow as error:
                raise fail(f"{error}; {len(attempts):,} of {len(records):,} were tried") from None
            report("Trying again", min(start + BATCH, len(records)), len(records))
    return attempts


def _chosen(code: list[str] | None, party: str | None, day: str | None, event: list[str] | None) -> Chosen:
    from services.dlq.refused import RETRYABLE, Chosen

    for one in code or ():
        if one not in RETRYABLE:
            raise typer.BadParameter(f"{one} is none of {', '.join(RETRYABLE)}: what the sender has to correct comes back under a new id", param_hint="--code")
    return Chosen(code or RETRYABLE, party, event, as_day(day))
