"""`clh funding`: what parties pay in beforehand, so that they may give points beyond their net debit cap."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.output import Format, Output, fail, print_json, print_table, refused, say, say_aside
from services.cli.parties import expect_party
from services.cli.people import Key, PassphraseFile, Person, sign_as
from services.cli.typed import no_card_number

if TYPE_CHECKING:
    from schemas.ids import PartyId
    from services.risk.funds import Kind

app = typer.Typer(help="Prefunding of parties: add, pay-out, confirm, list.", no_args_is_help=True)

Party = Annotated[str, typer.Argument(metavar="PARTY", help="Id of the party.", show_default=False)]
Sum = Annotated[str, typer.Argument(metavar="AMOUNT", help="How much, such as 5000.00.", show_default=False)]
Currency = Annotated[str, typer.Argument(metavar="CURRENCY", help="Its currency, such as EUR.", show_default=False)]
Reference = Annotated[
    str, typer.Option("--reference", metavar="TEXT", help="What the payment is known by: entered once.", callback=no_card_number, show_default=False)
]


@app.callback()
def group() -> None:
    """Two people sign what is entered. The next night counts it: it funds points that wait, and opens the room of the window after it."""


def refusals() -> AbstractContextManager[None]:
    """Ends a command with a sentence and the code of docs/errors.md."""
    from clearing.approval import Refused
    from services.risk.errors import RiskError
    from services.settlement.errors import SettlementError

    return refused(RiskError, SettlementError, Refused)


@app.command()
def add(
    party: Party,
    amount: Sum,
    currency: Currency,
    reference: Reference,
    person: Person,
    key: Key,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Propose, with a signature, that a party has paid in. It counts once another person confirms it; a later proposal under the reference takes its place.

    Exit code 0: it is proposed; 1: it was refused, and nothing has changed.

    Example:

        clh funding add grocer 5000.00 EUR --reference "RF18 5390 0754 7034" --as mia --key mia.pem
    """
    _propose("paid in", (party, amount, currency, reference), (person, key, passphrase_file), programme, output)


@app.command(name="pay-out")
def pay_out(
    party: Party,
    amount: Sum,
    currency: Currency,
    reference: Reference,
    person: Person,
    key: Key,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Propose, with a signature, to pay out of a party's funds: never more than is there, nor what its debts over all windows not settled still need.

    The next night opens no room out of what is proposed; where room of the open window rests on it, another person confirms it after that night.
    Exit code 0: it is proposed, and another person confirms it; 1: it was refused, and nothing has changed.

    Example:

        clh funding pay-out grocer 1000.00 EUR --reference "2026-041" --as mia --key mia.pem
    """
    _propose("paid out", (party, amount, currency, reference), (person, key, passphrase_file), programme, output)


@app.command()
def confirm(
    party: Party,
    amount: Sum,
    currency: Currency,
    reference: Reference,
    paid_in: Annotated[bool, typer.Option("--paid-in/--paid-out", help="Which way the money goes: it is signed with the sum.", show_default=False)],
    person: Person,
    key: Key,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Confirm what another person has proposed under a reference, by naming the same sum and which way it goes. From now on it counts.

    What will be signed is shown before the passphrase of the key is asked for. Exit code 0: it is entered; 1: it was refused, and nothing has changed.

    Example:

        clh funding confirm grocer 5000.00 EUR --paid-in --reference "RF18 5390 0754 7034" --as carl --key carl.pem
    """
    from schemas.money import to_text
    from services.risk.funds import Entry
    from services.risk.signed_funds import confirm as enter
    from services.risk.signed_funds import to_confirm

    kind: Kind = "paid in" if paid_in else "paid out"
    named, minor = _typed(party, amount, currency)
    told_sum = f"{to_text(minor, currency)} {currency}"
    with books_of(programme) as (_, chosen, connection), refusals():
        said = to_confirm(connection, chosen, Entry(named, currency, minor, kind, reference), person, datetime.now(UTC))
        say_aside(f"{person} signs: {told_sum} of {party} {kind} under {said.reference}.")
        balance = enter(connection, said, sign_as(connection, person, key, passphrase_file, said.signed()))
    if output is Format.JSON:
        told = {"programme": chosen, "party": party, "currency": currency, "kind": kind, "reference": said.reference, "balance_minor": balance}
        print_json(told)
    else:
        say(f"{told_sum} {kind}: {party} has {to_text(balance, currency)} {currency} paid in. The next night counts it.")


@app.command(name="list")
def list_(
    party: Annotated[str | None, typer.Argument(metavar="[PARTY]", help="Id of the party; left out: all.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """List funds with the balance after each entry, then what is proposed and waits for a second person.

    Example:

        clh funding list grocer
    """
    from schemas.money import to_text
    from services.risk.funds import entries

    with books_of(programme) as (_, chosen, connection):
        expect_party(connection, party)
        found = entries(connection, party)
    if output is Format.JSON:
        print_json(found)
        return
    rows = [
        (row["party"], row["at"], row["kind"], row["reference"], row["by_whom"], row["currency"], to_text(row["amount_minor"], row["currency"]),
         row["state"] if row["balance_minor"] is None else to_text(row["balance_minor"], row["currency"]))
        for row in found
    ]  # fmt: skip
    columns = ("party", "at", "what", "reference", "by", "currency", "amount", "balance")
    empty = "Nobody has paid in anything." if party is None else f"{party} has paid in nothing."
    print_table(columns, rows, title=f"Funds of {chosen}", right=("amount", "balance"), optional=("by",), empty=empty)


def _propose(kind: Kind, about: tuple[str, str, str, str], who: tuple[str, Path, Path | None], programme: str | None, output: Format) -> None:
    from schemas.money import to_text
    from services.risk.funds import Entry
    from services.risk.signed_funds import propose, to_propose

    party, amount, currency, reference = about
    person, key, passphrase_file = who
    named, minor = _typed(party, amount, currency)
    with books_of(programme) as (_, chosen, connection), refusals():
        said = to_propose(connection, chosen, Entry(named, currency, minor, kind, reference), person, datetime.now(UTC))
        propose(connection, said, sign_as(connection, person, key, passphrase_file, said.signed()))
    if output is Format.JSON:
        told = {"programme": chosen, "party": party, "currency": currency, "kind": kind, "reference": said.reference, "amount_minor": minor}
        print_json(told | {"proposed_by": person})
    else:
        way = "--paid-in" if kind == "paid in" else "--paid-out"
        words = (
            f"Proposed: {to_text(minor, currency)} {currency} of {party} {kind} under {said.reference}. Another person confirms it: clh funding confirm {way}"
        )
        say(words)


def _typed(party: str, amount: str, currency: str) -> tuple[PartyId, int]:
    from schemas.ids import PartyId
    from schemas.money import MoneyError, to_minor
    from services.risk.errors import RiskCode

    try:
        return PartyId(party), to_minor(amount, currency)
    except (MoneyError, LookupError) as error:
        raise fail(f"{amount} {currency}: {error} [{RiskCode.BAD_AMOUNT}]") from None
