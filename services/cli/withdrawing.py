"""`clh bank withdraw`: a statement that does not belong into the chain of its account is taken out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.books import OneProgramme, books_of, named
from services.cli.output import Format, Output, print_json, say
from services.cli.people import Key, PassphraseFile, refusals, sign_as
from services.cli.typed import no_card_number


def withdraw(
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="The bank's id of the statement, as clh bank match names it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is signed and kept.", callback=no_card_number)],
    person: Annotated[str, typer.Option("--as", metavar="NAME", help="Who says so, as enrolled with clh people add.", callback=no_card_number)],
    key: Key,
    account: Annotated[
        str | None, typer.Option("--account", metavar="IBAN", help="Its account, where several have such a statement.", show_default=False)
    ] = None,
    begins: Annotated[
        str | None, typer.Option("--begin-with", metavar="STATEMENT", help="The statement with which the chain begins instead.", show_default=False)
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="It was withdrawn by mistake: it waits again, and counts anew in its place.")] = False,
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Take a statement out of the chain of its account, by two people: the first one was of another year, or the chain was begun with the wrong one.

    It stays in the books as it came, and counts no more once the second person has signed the same. A statement that shows payments is never withdrawn; of
    several that count, the last comes first. Then clh bank match goes on: with the number 1, or with the statement that is named to begin with. What was
    withdrawn by mistake two people take back with --undo.

    Exit code 0: it is kept; 1: it was refused, and nothing has changed.

    Example:

        clh bank withdraw S-2020-1 --begin-with S-2026-57 --reason "a statement of 2020, taken by mistake" --as mia --key mia.pem
    """
    from services.settlement.deciding import keep
    from services.settlement.withdrawing import to_restore, to_withdraw

    with books_of(programme) as (house, chosen, connection), refusals():
        now = datetime.now(UTC)
        if undo:
            said = to_restore(connection, chosen, statement, reason, person, now, iban=account)
        else:
            said = to_withdraw(connection, chosen, statement, reason, person, now, iban=account, begins=begins)
        holds = keep(connection, said, sign_as(connection, person, key, passphrase_file, said.signed()))
        suffix = named(house, chosen)
    if output is Format.JSON:
        print_json({"programme": chosen, "statement": statement, "begins": begins, "person": person, "withdrawn": holds != undo})
        return
    done, then = ("not withdrawn any more", "it waits for its place") if undo else ("withdrawn", "it counts no more")
    waits = f"{then}: clh bank match{suffix}" if holds else "a second person signs the same"
    say(f"{person}: statement {statement} is {done}; {waits}.")
