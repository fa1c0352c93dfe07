"""`clh bank assign | assigned`: what became of money that is about no payment, in or out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.funding import refusals as funding_refusals
from services.cli.output import Format, Output, print_json, print_table, say, say_aside
from services.cli.people import Key, PassphraseFile, refusals, sign_as
from services.cli.typed import no_card_number

if TYPE_CHECKING:
    from services.settlement.assigning import Assigned, Wanted
    from services.settlement.deciding import Credit


def assign(
    credit: Annotated[str, typer.Argument(metavar="CREDIT", help="The bank's reference of the entry, as clh bank match names it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is signed and kept.", callback=no_card_number)],
    person: Annotated[str, typer.Option("--as", metavar="NAME", help="Who says so, as enrolled with clh people add.", callback=no_card_number)],
    key: Key,
    to_party: Annotated[str | None, typer.Option("--to-party", metavar="PARTY", help="It is funds of this party.", show_default=False)] = None,
    given_back: Annotated[
        str | None, typer.Option("--given-back", metavar="DEBIT", help="It was sent back at the bank: the bank's reference of that debit.", show_default=False)
    ] = None,
    kept: Annotated[bool, typer.Option("--kept", help="The operator keeps it.")] = False,
    borne: Annotated[bool, typer.Option("--borne", help="The operator bears it: a debit that nobody ordered, or what the bank kept of a payment.")] = False,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="TEXT",
            help="Of funds: the one they were entered under, if they were; left out: the one that the payment carries.",
            callback=no_card_number,
            show_default=False,
        ),
    ] = None,
    statement: Annotated[
        str | None, typer.Option("--statement", metavar="ID", help="The statement that shows it, where several have such a reference.", show_default=False)
    ] = None,
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Say what became of money that is about no payment, by two people: funds of a party, sent back, or kept; of a debit, that the operator bears it.

    So end ORPHAN_CREDIT, CURRENCY, LATE and MISSING_AT_PROGRAMME. What was debited and came back is named from the credit: --given-back DEBIT. It holds once
    the second person has signed the same; clh bank undo takes it back. Then clh bank match shows it no more, and it counts for no payment. Funds are
    entered with the second signature; those that clh funding confirm had entered under the reference are not entered again. What the payment carries as its
    creditor reference is that reference, unless another is named. --borne of the entry with which a payment came back short, or of the charge beside it: the
    operator bears what is missing, and the payment goes out anew.

    Exit code 0: it is kept; 1: it was refused, and nothing has changed.

    Examples:

        clh bank assign B-2 --to-party grocer --reason "paid in for April" --as mia --key mia.pem

        clh bank assign B-2 --given-back B-7 --reason "paid to the wrong account" --as mia --key mia.pem

        clh bank assign B-9 --borne --reason "charges of March" --as mia --key mia.pem
    """
    from services.settlement.assigning import Became, Wanted, to_assign
    from services.settlement.deciding import keep

    if [to_party is not None, given_back is not None, kept, borne].count(True) != 1:
        raise typer.BadParameter("one of --to-party, --given-back, --kept and --borne", param_hint="--to-party")
    if reference is not None and to_party is None:
        raise typer.BadParameter("funds of a party have one: --to-party", param_hint="--reference")
    became = Became.FUNDS if to_party is not None else Became.KEPT if kept else Became.BORNE if borne else Became.GIVEN_BACK
    wanted = Wanted(credit, became, reason, person, statement, to_party, reference, given_back)
    with books_of(programme) as (_, chosen, connection), refusals(), funding_refusals():
        said = to_assign(connection, chosen, wanted, datetime.now(UTC))
        if said.credit is not None and said.credit.reference is not None:
            say_aside(f"{person} signs: {credit} is funds of {to_party} under {said.credit.reference}.")
        holds = keep(connection, said, sign_as(connection, person, key, passphrase_file, said.signed()))
    if output is Format.JSON:
        funds = said.credit.reference if said.credit is not None else None
        print_json({"programme": chosen, "credit": credit, "became": became, "party": to_party, "reference": funds, "given_back": given_back}
                   | {"charge_minor": said.credit.charge_minor if said.credit is not None else None, "person": person, "decided": holds})  # fmt: skip
        return
    waits = "it is decided" if holds else "a second person signs the same"
    say(f"{person}: {_became(wanted, said.credit)}; {waits}.")


def assigned(programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """List what people have said of money that is about no payment: what became of it, who said so, what waits for a second person, and what was undone.

    Example:

        clh bank assigned --output json
    """
    from schemas.money import to_text
    from services.settlement.assigning import assigned as all_assigned

    with books_of(programme) as (_, chosen, connection):
        found = all_assigned(connection)
    if output is Format.JSON:
        print_json({"programme": chosen, "credits": [asdict(one) for one in found]})
        return
    rows = [
        (one.bank_reference, one.statement, to_text(one.amount_minor, one.currency), one.currency, _said(one), ", ".join(one.people),
         _stands(one), one.at.isoformat(timespec="seconds"), "; ".join(one.reasons))
        for one in found
    ]  # fmt: skip
    columns = ("credit", "statement", "amount", "currency", "what became of it", "said by", "", "at", "reasons")
    empty = "Nobody has said anything of money that is about no payment."
    print_table(columns, rows, title=f"Money of {chosen} that is about no payment", right=("amount",), optional=columns[7:], empty=empty)


def _stands(one: Assigned) -> str:
    if one.undone:
        return f"undone by {', '.join(one.undone_by)}"
    if one.undone_by:
        return f"decided; {', '.join(one.undone_by)} would undo it"
    return "decided" if one.decided else "waits for a second person"


def _became(wanted: Wanted, of: Credit | None) -> str:
    from schemas.money import to_text

    if of is not None and of.charge_minor is not None:
        return f"of what came back by {wanted.credit} {to_text(of.charge_minor, of.currency)} {of.currency} are missing, and borne by the operator"
    if wanted.party is not None:
        return f"{wanted.credit} is funds of {wanted.party}"
    if wanted.became == "borne":
        return f"{wanted.credit} is borne by the operator"
    return f"{wanted.credit} {'is kept' if wanted.debit is None else f'was given back by {wanted.debit}'}"


def _said(one: Assigned) -> str:
    from schemas.money import to_text

    if one.party is not None:
        return f"funds of {one.party}: {one.reference}"
    if one.charge_minor is not None:
        return f"{to_text(one.charge_minor, one.currency)} missing of what came back, borne by the operator"
    if one.verdict == "borne":
        return "borne by the operator"
    return one.verdict if one.given_back is None else f"given back by {one.given_back}"
