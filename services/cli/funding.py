"""`clh funding`: what parties pay in beforehand, so that they may give points beyond their net debit cap."""

from __future__ import annotations

import getpass
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.output import Format, Output, fail, print_json, print_table, refused, say
from services.cli.people import Doer
from services.cli.typed import no_card_number

if TYPE_CHECKING:
    from services.risk.funds import Kind

app = typer.Typer(help="Prefunding of parties: add, pay-out, list.", no_args_is_help=True)

Party = Annotated[str, typer.Argument(metavar="PARTY", help="Id of the party.", show_default=False)]
Sum = Annotated[str, typer.Argument(metavar="AMOUNT", help="How much, such as 5000.00.", show_default=False)]
Currency = Annotated[str, typer.Argument(metavar="CURRENCY", help="Its currency, such as EUR.", show_default=False)]
Reference = Annotated[
    str, typer.Option("--reference", metavar="TEXT", help="What the payment is known by: entered once.", callback=no_card_number, show_default=False)
]


@app.callback()
def group() -> None:
    """The next night counts what is entered: it funds points that wait, and opens the room of the window after it."""


def refusals() -> AbstractContextManager[None]:
    """Ends a command with a sentence and the code of docs/errors.md."""
    from services.risk.errors import RiskError

    return refused(RiskError)


@app.command()
def add(
    party: Party, amount: Sum, currency: Currency, reference: Reference, person: Doer = None, programme: OneProgramme = None, output: Output = Format.TABLE
) -> None:
    """Enter what a party has paid in. The same again, under the same reference, changes nothing.

    Example:

        clh funding add grocer 5000.00 EUR --reference "RF18 5390 0754 7034"
    """
    _enter("paid in", party, amount, currency, reference, person, programme, output)


@app.command(name="pay-out")
def pay_out(
    party: Party, amount: Sum, currency: Currency, reference: Reference, person: Doer = None, programme: OneProgramme = None, output: Output = Format.TABLE
) -> None:
    """Enter what is paid out of a party's funds again: never more than is there, nor what its debts over all windows not settled still need.

    Example:

        clh funding pay-out grocer 1000.00 EUR --reference "2026-041"
    """
    _enter("paid out", party, amount, currency, reference, person, programme, output)


@app.command(name="list")
def list_(
    party: Annotated[str | None, typer.Argument(metavar="[PARTY]", help="Id of the party; left out: all.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """List funds with the balance after each entry.

    Example:

        clh funding list grocer
    """
    from schemas.money import to_text
    from services.risk.funds import entries

    with books_of(programme) as (_, chosen, connection):
        found = entries(connection, party)
    if output is Format.JSON:
        print_json(found)
        return
    rows = [
        (row["party"], row["at"], row["kind"], row["reference"], row["by_whom"], row["currency"], to_text(row["amount_minor"], row["currency"]),
         to_text(row["balance_minor"], row["currency"]))
        for row in found
    ]  # fmt: skip
    columns = ("party", "at", "what", "reference", "by", "currency", "amount", "balance")
    empty = "Nobody has paid in anything." if party is None else f"{party} has paid in nothing."
    print_table(columns, rows, title=f"Funds of {chosen}", right=("amount", "balance"), optional=("by",), empty=empty)


def _enter(kind: Kind, party: str, amount: str, currency: str, reference: str, person: str | None, programme: str | None, output: Format) -> None:
    from schemas.ids import PartyId
    from schemas.money import MoneyError, to_minor, to_text
    from services.risk.errors import RiskCode
    from services.risk.funds import Entry, enter

    try:
        minor = to_minor(amount, currency)
    except (MoneyError, LookupError) as error:
        raise fail(f"{amount} {currency}: {error} [{RiskCode.BAD_AMOUNT}]") from None
    with books_of(programme) as (_, chosen, connection), refusals():
        entry = Entry(PartyId(party), currency, minor, kind, reference, person or getpass.getuser())
        balance = enter(connection, entry, datetime.now(UTC))
    if output is Format.JSON:
        print_json({"programme": chosen, "party": party, "currency": currency, "kind": kind, "reference": reference, "balance_minor": balance})
    else:
        say(f"{party} has {to_text(balance, currency)} {currency} paid in. The next night counts it.")
