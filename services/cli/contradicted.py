"""`clh settlement decide`: people decide about a payment of which the bank says both."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.output import Format, Output, print_json, say
from services.cli.people import Key, PassphraseFile, refusals, sign_as
from services.cli.typed import no_card_number


class Decided(StrEnum):
    """What people decide about a payment of which the bank says both."""

    PAID = "paid"
    NOT_PAID = "not-paid"


def decide(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="Id of a payment that is contradicted, as clh settlement status names it.")],
    verdict: Annotated[Decided, typer.Argument(metavar="VERDICT", help="paid, or not-paid: then it may be sent again.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is signed and kept.", callback=no_card_number)],
    person: Annotated[str, typer.Option("--as", metavar="NAME", help="Who decides, as enrolled with clh people add.", callback=no_card_number)],
    key: Key,
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Decide about a payment of which the bank says both that it was made and that it was not. Ask the bank first.

    That it was not made takes two people: with the second it may be sent again, by clh settlement pay --corrected. That it was made takes one: then it waits
    for a statement, and two can still say not-paid. A decision holds until the bank says more against it; what statements show holds whatever is decided.

    Of a payment in a file that was noted and never handed over, two people who say not-paid put the file aside: it never goes.

    Exit code 0: it is kept; 1: it was refused, and nothing has changed.

    Example:

        clh settlement decide 20260302-EUR-22XSV7S74OAQG7R2CLTC not-paid --reason "the bank's desk: never debited" --as mia --key mia.pem
    """
    from clearing.payment_states import Verdict
    from services.settlement.deciding import keep, to_decide

    with books_of(programme) as (_, chosen, connection), refusals():
        said = to_decide(connection, chosen, payment, Verdict(verdict.value.replace("-", " ")), reason, person, datetime.now(UTC))
        holds = keep(connection, said, sign_as(connection, person, key, passphrase_file, said.signed()))
    if output is Format.JSON:
        print_json({"programme": chosen, "end_to_end_id": said.end_to_end_id, "verdict": said.verdict, "person": person, "decided": holds})
        return
    waits = "it is decided" if holds else "a second person decides"
    say(f"{person}: {said.end_to_end_id} is {said.verdict}; {waits}.")
