"""`clh events rejected` and `clh events held`: which events were refused in a window, which are held, and what to do about each."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.output import NUMBER_MAX, Format, Output, out, print_json, print_table, say
from services.cli.parties import expect_sender

if TYPE_CHECKING:
    from services.events.refused import Held, Refused

PartyOption = Annotated[str | None, typer.Option("--party", metavar="ID", help="Only of this sender.", show_default=False)]
PageOption = Annotated[int, typer.Option("--page", min=1, max=NUMBER_MAX, help="Which page of them.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Events on a page.")]


def rejected(
    day: Annotated[str, typer.Argument(metavar="DAY", help="The window, such as 2026-03-02.", show_default=False)],
    programme: OneProgramme = None,
    party: PartyOption = None,
    code: Annotated[list[str] | None, typer.Option("--code", help="Only under this code. May be given several times.", show_default=False)] = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    output: Output = Format.TABLE,
) -> None:
    """List the events that were refused in a window: which, why, where in the event, where the record lies, and the next command.

    What was refused and accepted in a later attempt is not among them.

    Examples:

        clh events rejected 2026-03-02

        clh events rejected 2026-03-02 --party grocer --code no-contract --output json
    """
    from schemas.events.answers import RejectionCode
    from services.events.refused import RETRYABLE, refused

    window = as_day(day)
    for one in code or ():
        if one not in set(RejectionCode):
            raise typer.BadParameter(f"{one} is none of {', '.join(RejectionCode)}", param_hint="--code")
    with books_of(programme) as (house, id_, connection):
        chosen = named(house, id_)
        expect_sender(connection, party)
        found = refused(connection, window, party=party, codes=code, first=(page - 1) * limit, limit=limit)
    if output is Format.JSON:
        print_json({"programme": id_, "window": window, "page": page, "of": found.of, "events": [_as_json(each, chosen) for each in found.rows]})
        return
    if not found.of:
        say(f"No such event was refused in the window {window}.")
        return
    rows = [(e.source, e.id, e.type, e.code, e.pointer or "the event", e.detail, e.record) for e in found.rows]
    print_table(
        ("source", "id", "type", "code", "where", "why", "record"),
        rows,
        title=f"Refused in {window}: {_span(page, limit, found.of)}",
        optional=("type", "record"),
    )
    _say_pages(f"clh events rejected {window}{_options(party, code)}", page, limit, found.of, chosen)
    if found.rows:
        say(f"next: {found.rows[0].next}{chosen}    what each code means: docs/errors.md")
        if any(each.code in RETRYABLE for each in found.rows):
            say(f"what lay with the house is tried again with: clh dlq replay --day {window}{chosen}")


def held(
    programme: OneProgramme = None,
    party: PartyOption = None,
    card: Annotated[str | None, typer.Option("--card", help="Only with this card.", show_default=False)] = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    output: Output = Format.TABLE,
) -> None:
    """List the events that are held because nobody has enrolled their card, and until when each can be claimed; the first to lapse first.

    Examples:

        clh events held

        clh events held --card hc-999 --output json
    """
    from services.events.refused import held as held_events

    with books_of(programme) as (house, id_, connection):
        chosen = named(house, id_)
        expect_sender(connection, party)
        found = held_events(connection, party=party, card=card, first=(page - 1) * limit, limit=limit)
    if output is Format.JSON:
        print_json({"programme": id_, "page": page, "of": found.of, "events": [_as_json(each, chosen) for each in found.rows]})
        return
    if not found.of:
        out.print("No such event is held.")
        return
    rows = [(e.source, e.id, e.type, e.card, e.event_day, e.until, e.record) for e in found.rows]
    print_table(("source", "id", "type", "card", "of", "claim until", "record"), rows, title=f"Held: {_span(page, limit, found.of)}", optional=("record",))
    options = _options(party, None) + (f" --card {card}" if card is not None else "")
    _say_pages(f"clh events held{options}", page, limit, found.of, chosen)
    say("They are booked when a member-enrolled event names their card; after that day they are refused: claim-expired.")


def _as_json(event: Refused | Held, chosen: str) -> dict[str, Any]:
    return {**asdict(event), "received_at": event.received_at.isoformat(), "next": event.next + chosen}


def _options(party: str | None, code: list[str] | None) -> str:
    return (f" --party {party}" if party is not None else "") + "".join(f" --code {one}" for one in code or ())


def _span(page: int, limit: int, of: int) -> str:
    pages = -(-of // limit)
    return f"{of:,} {'event' if of == 1 else 'events'}" + (f", page {page} of {pages}" if pages > 1 or page > pages else "")


def _say_pages(command: str, page: int, limit: int, of: int, chosen: str) -> None:
    if page * limit < of:
        say(f"more: {command} --page {page + 1} --limit {limit}{chosen}")
