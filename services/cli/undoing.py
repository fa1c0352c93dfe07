"""`clh bank undo`: a decision about the bank that was a mistake is taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.funding import refusals as funding_refusals
from services.cli.output import Format, Output, out, print_json
from services.cli.people import Key, PassphraseFile, refusals, sign_as
from services.cli.typed import no_card_number


def undo(
    about: Annotated[
        str, typer.Argument(metavar="WHAT", help="A payment, or the EndToEndId of an attempt; or the bank's reference of an entry that was assigned.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is signed and kept.", callback=no_card_number)],
    person: Annotated[str, typer.Option("--as", metavar="NAME", help="Who says so, as enrolled with clh people add.", callback=no_card_number)],
    key: Key,
    statement: Annotated[
        str | None, typer.Option("--statement", metavar="ID", help="The statement that shows the entry, where several have it.", show_default=False)
    ] = None,
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Undo what was decided last about a payment (clh settlement decide) or an entry (clh bank assign), by two people. Nothing that was said is changed.

    It holds once the second person has signed the same: the payment stands as the bank's words put it, and the entry is found again; funds that it entered are
    paid out. Refused, with what it is, where something final rests on it: a payment that was sent again, a window that is settled, funds that were used.
    A statement that was withdrawn comes back by clh bank withdraw --undo.

    Exit code 0: it is kept; 1: it was refused, and nothing has changed.

    Example:

        clh bank undo B-2 --reason "it was the fuel company's" --as mia --key mia.pem
    """
    from services.settlement.deciding import keep
    from services.settlement.undoing import to_undo

    with books_of(programme) as (_, chosen, connection), refusals(), funding_refusals():
        said = to_undo(connection, chosen, about, reason, person, datetime.now(UTC), statement=statement)
        holds = keep(connection, said, sign_as(connection, person, key, passphrase_file, said.signed()))
    if output is Format.JSON:
        print_json({"programme": chosen, "about": about, "undoes": said.undoes, "person": person, "undone": holds})
        return
    waits = "it does not hold any more" if holds else "a second person signs the same"
    out.print(f"{person}: what was decided about {about} is undone; {waits}.", markup=False, highlight=False, soft_wrap=True)
