"""`clh events trace`: where an event went."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.books import OneProgramme, books_of, named
from services.cli.output import NUMBER_MAX, Format, Output, fail, print_json, print_table, progress_bars, say


def trace(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of an event, or the place of its record: topic/partition/offset.", show_default=False)],
    source: Annotated[str | None, typer.Option("--source", help="Only of this sender: /partners/grocer.", show_default=False)] = None,
    programme: OneProgramme = None,
    search: Annotated[int, typer.Option("--search", min=1, max=NUMBER_MAX, help="Records that are read in Kafka at most.")] = 1_000_000,
    output: Output = Format.TABLE,
) -> None:
    """Where an event went: every record that carries its id, what became of each, its answer, its rows in the journal, window and obligation lines.

    Records are looked for in Kafka from the first of them on; of an id that nobody booked, among the newest.

    Examples:

        clh events trace 31198570044

        clh events trace 31198570044 --source /partners/grocer --output json
    """
    from services.cli import explain_tables
    from services.events.trace import trace as follow
    from services.explain.ledger import Ledger, NotExplained

    with books_of(programme) as (house, id_, connection), progress_bars() as report:
        chosen = named(house, id_)
        try:
            found = follow(Ledger(connection), house.kafka_bootstrap, name, source=source, search_max=search, progress=report)
        except NotExplained as error:
            raise fail(str(error)) from None
    if output is Format.JSON:
        print_json({**asdict(found), "duplicates": found.duplicates})
        return
    answers = {None: "", True: "sent", False: "to be sent"}
    rows = [
        (r.place, r.received_at.isoformat(timespec="milliseconds"), r.source, r.outcome + (f" of {r.of}" if r.of is not None else ""), answers[r.answered])
        for r in found.records
    ]
    count = f"{len(rows)} {'record' if len(rows) == 1 else 'records'}, {found.duplicates} of them {'a duplicate' if found.duplicates == 1 else 'duplicates'}"
    print_table(("record", "received", "source", "outcome", "answer"), rows, title=f"{name}: {count}")
    if not found.complete:
        say(f"{found.searched:,} {'record was' if found.searched == 1 else 'records were'} read; there are more: --search")
    explain_tables.events((each.entry for each in found.records if each.entry is not None), chosen)
