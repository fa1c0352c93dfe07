"""`clh member`: a person who wants to be forgotten is erased from the books."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.output import Format, Output, print_json, print_table, progress_bars, refused, say
from services.cli.people import Doer
from services.cli.typed import no_card_number

app = typer.Typer(help="Members: erase, erasures.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Members come and go by events; what no event can do is here."""


@app.command()
def erase(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Id of a member who has left.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept. Name nobody in it.", callback=no_card_number, show_default=False)],
    person: Doer = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Erase who a member was, from the books and from what was sealed. It cannot be undone. For the owner of the books only.

    Points, amounts and seals stay as they are, under the member's number; ids, cards, attributes, and the salts that hid them in sealed leaves go. The
    member has to have left (member-closed.v1), and the windows of its events to be closed. All events are read once.

    Example:

        clh member erase m-900 --reason "asked for it, letter of 2 March" --programme harvest
    """
    from services.journal.erasure import NotErased
    from services.journal.erasure import erase as erase_person
    from services.journal.migrate import connect, schema_of

    with (
        books_of(programme) as (house, chosen, _),
        connect(house.postgres_uri, schema_of(chosen), role=None, autocommit=True) as owner,
        progress_bars() as report,
        refused(NotErased),
    ):
        done = erase_person(owner, member, reason, person or getpass.getuser(), datetime.now(UTC), report)
    if output is Format.JSON:
        print_json({"programme": chosen, **asdict(done)})
        return
    rows = f"{done.cards:,} cards, {done.entries:,} entries, {done.sealed:,} sealed leaves, {done.bank_lines:,} lines of banks"
    say(f"member number {done.member} is erased: {rows}")


@app.command()
def erasures(programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """List who was erased, by number, with reason, moment and by whom.

    Example:

        clh member erasures --programme harvest
    """
    from services.journal.erasure import ALL

    with books_of(programme) as (_, chosen, connection):
        rows = connection.execute(ALL).fetchall()
    names = ("member", "at", "by", "reason", "figures")
    if output is Format.JSON:
        print_json({"programme": chosen, "erasures": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    told = [(no, at.isoformat(timespec="seconds"), who, why) for no, at, who, why, _ in rows]
    print_table(
        ("member number", "erased", "by", "reason"), told, title=f"Erased from {chosen}", right=("member number",), empty=f"Nobody was erased from {chosen}."
    )
