"""`clh settlement account`: a payment that came back goes out anew to another account of its payee."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.output import Format, Output, out, print_json, say_aside
from services.cli.people import Key, PassphraseFile, refusals, sign_as
from services.cli.typed import no_card_number


def account(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="Id of a payment that came back, as clh settlement status names it.")],
    iban: Annotated[str, typer.Option("--iban", metavar="IBAN", help="The account, as the payee has told it you; not copied from the programme.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is signed and kept.", callback=no_card_number)],
    person: Annotated[str, typer.Option("--as", metavar="NAME", help="Who signs, as enrolled with clh people add.", callback=no_card_number)],
    key: Key,
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Sign that a payment that came back goes out anew to the account that the programme names for its payee now, by two people.

    First find out from the payee, by a way you know, which account is its own, and put it into the programme: clh programme apply. Each of the two names it
    (--iban), and what is signed is shown before the passphrase of the key is asked for. Once the second person has signed the same account with the payment,
    clh settlement pay --corrected pays to it. The attempts before stay as they were; clh bank undo takes the signatures back until then.

    Exit code 0: it is kept; 1: it was refused, and nothing has changed.

    Example:

        clh settlement account 20260302-EUR-22XSV7S74OAQG7R2CLTC --iban "NL02 ABNA 0123 4567 89" --reason "closed; its director called" --as mia --key mia.pem
    """
    from schemas.money import to_text
    from services.settlement.deciding import keep
    from services.settlement.readdressing import to_readdress

    with books_of(programme) as (_, chosen, connection), refusals():
        said = to_readdress(connection, chosen, payment, iban, reason, person, datetime.now(UTC))
        assert said.account is not None
        money = f"{to_text(said.account.amount_minor, said.account.currency)} {said.account.currency}"
        say_aside(f"{person} signs: {money} of payment {payment} go to {said.account.payee_iban} of {said.account.payee}.")
        holds = keep(connection, said, sign_as(connection, person, key, passphrase_file, said.signed()))
    if output is Format.JSON:
        told = {"programme": chosen, "end_to_end_id": said.end_to_end_id, "payee": said.account.payee, "iban": said.account.payee_iban}
        print_json(told | {"person": person, "decided": holds})
        return
    waits = "it is decided: clh settlement pay --corrected" if holds else "a second person signs the same"
    words = f"{person}: payment {payment} goes out anew to {said.account.payee_iban} of {said.account.payee}; {waits}."
    out.print(words, markup=False, highlight=False, soft_wrap=True)
