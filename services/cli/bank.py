"""`clh bank`: files that co-brand banks send and get, and messages of the settlement bank."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.assigning import assign, assigned
from services.cli.bank_messages import import_message, is_message, match, show_messages
from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.house import expect_kafka
from services.cli.output import FAILED, NOT_RUNNING, Format, Output, fail, print_json, print_table, progress_bars, say_aside
from services.cli.parties import expect_bank, expect_party
from services.cli.senders import SignOption, signer_of
from services.cli.undoing import undo
from services.cli.withdrawing import withdraw

if TYPE_CHECKING:
    from services.bank.funders import FunderLine, FunderTotal
    from services.bank.refusals import RefusedFile
    from services.house import House

app = typer.Typer(
    help="Banks: card transactions and messages of the settlement bank in, statements matched, reward detail and answers out.", no_args_is_help=True
)

SHOWN = 20


@app.callback()
def group() -> None:
    """Card files are CSV with a manifest beside them, messages of the settlement bank are XML. What cannot be trusted is refused whole."""


@app.command(name="import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Card files, each with its manifest beside it; or messages of the settlement bank.")],
    programme: OneProgramme = None,
    sign: SignOption = None,
    first: Annotated[
        bool, typer.Option("--first-statement", help="The house's records of this account begin with this statement, whatever its number.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Take files of banks: card transactions of co-brand banks (CSV), or messages of the settlement bank (XML); which it is, is seen from the file.

    Card transactions: a wrong name, hash, count or total, a file that came before, a gap in the files, or anything that could be a payment card number
    refuses the whole file: nothing of it is kept or published. A bad line is put aside alone, with its code and field. A line always becomes the same
    event, so nothing is ever booked twice; an import that died is finished by running it again.

    Messages: status reports, notifications, statements, returns, answers to recalls, in any order. Each is validated and kept whole or refused whole; the
    same again changes nothing, and what contradicts an earlier one is refused. What they bring about is done by clh bank match.

    Exit code 0: everything was taken; 1: a file was refused, or lines were put aside; 3: Kafka or PostgreSQL is not there.

    Examples:

        clh bank import CRD_bank1_mall-card_2026-03-02_1.csv

        clh bank import CRD_bank1_mall-card_2026-03-02_1.csv --sign bank1-1 --output json

        clh bank import incoming/*.xml
    """
    signer = signer_of(sign)
    with books_of(programme) as (house, chosen, connection):
        told = [
            import_message(connection, file, first=first) if is_message(file) else _import_cards(house, chosen, connection, file, signer, output)
            for file in files
        ]
        suffix = named(house, chosen)
    if output is Format.JSON:
        print_json(told[0] if len(told) == 1 else told)
    else:
        show_messages([one for one in told if "kind" in one], suffix)
    if any(one["refused"] is not None or one.get("quarantined") for one in told):
        raise typer.Exit(FAILED)


app.command()(match)
app.command()(withdraw)
app.command()(assign)
app.command()(assigned)
app.command()(undo)


def _import_cards(house: House, chosen: str, connection: Any, file: Path, signer: Any, output: Format) -> dict[str, Any]:
    """Takes a card file and publishes its transactions; what became of it."""
    from confluent_kafka import KafkaException

    from services.bank.importing import bad_lines, publish, take
    from services.bank.reading import open_file
    from services.bank.refusals import RefusedFile
    from services.events.sending import Sender

    try:
        opened = open_file(file)
        bank = opened.manifest.bank
        expect_kafka(house.kafka_bootstrap)
        with progress_bars() as report:
            taken = take(connection, opened, datetime.now(UTC), report)
            published = publish(connection, taken, bank, Sender(house.kafka_bootstrap, chosen, signer), report)
    except RefusedFile as refused:
        return _refused(file, refused, output)
    except KafkaException as error:
        raise fail(f"Kafka took only a part: {error}; import the file again, nothing is booked twice", code=NOT_RUNNING) from None
    bad = bad_lines(connection, taken.no)
    if output is not Format.JSON:
        rows = [("accepted", f"{taken.good:,}"), ("published as events", f"{published:,}"), ("put aside", f"{taken.bad:,}")]
        print_table(("lines", "number"), rows, title=f"{file.name} of {bank}", right=("number",))
        for one in bad[:SHOWN]:
            say_aside(f"{file.name}:{one['line']}: {one['field']}: {one['reason']} [{one['code']}]")
        if len(bad) > SHOWN:
            say_aside(f"and {len(bad) - SHOWN:,} more lines that were put aside: --output json names them all")
    told: dict[str, Any] = {"file": file.name, "file_id": opened.manifest.file_id, "bank": bank, "day": opened.manifest.day, "resumed": taken.resumed}
    return told | {"accepted": taken.good, "published": published, "quarantined": bad, "refused": None}


@app.command()
def rewards(
    bank: Annotated[str, typer.Argument(metavar="BANK", help="Id of the bank.", show_default=False)],
    day: Annotated[str, typer.Argument(metavar="DAY", help="A closed window.", show_default=False)],
    folder: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder for the file and its manifest.")] = Path(),
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Write the reward detail of a closed window: a line for each card transaction and reward, with rule, cap and funding, and a manifest beside it.

    The file is called `CRD_{bank}_{programme}_{day}_1.csv`, as the bank's own file of that day may be: keep the two in folders of their own. The totals of
    the manifest are those of the journal; a file that did not add up to them would not be written. The same window always comes out as
    the same bytes. No cell is a formula to a spreadsheet.

    Exit code 0: it is written; 1: the window is not closed, or there is no such bank.

    Examples:

        clh bank rewards bank1 2026-03-02 --to out/

        clh bank rewards bank1 2026-03-02 --programme mall-card --output json
    """
    from clearing.plan import Plan
    from schemas.ids import PartyId
    from services.bank.detail import Detail, NotClosed
    from services.bank.writing import write_detail
    from services.journal.programmes import load

    window = as_day(day)
    with books_of(programme) as (_, _, connection):
        expect_bank(connection, bank)
        try:
            detail = Detail(connection, Plan(load(connection)), PartyId(bank), window)
        except NotClosed as error:
            raise fail(str(error)) from None
        with progress_bars() as report:
            written = write_detail(detail, folder, report)
    manifest = written.manifest
    if output is Format.JSON:
        print_json({"path": str(written.path), "manifest": manifest.model_dump()})
        return
    rows = [(total.event_type, total.reward_kind, total.reward_ccy, f"{total.count:,}", f"{total.units:,}") for total in manifest.totals]
    title = f"{written.path}: {manifest.record_count:,} lines"
    print_table(("event type", "reward", "unit", "lines", "units"), rows, title=title, right=("lines", "units"))


@app.command(name="cash-back")
def cash_back(
    day: Annotated[str, typer.Argument(metavar="DAY", help="A netted window.", show_default=False)],
    funder: Annotated[str | None, typer.Option("--funder", metavar="PARTY", help="Only what this party funds.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the cash-back statement of a window for each funder: by rule what was earned, what was reversed, and what it owes the payer for it.

    The totals are the report's lines `cash_back` and `cash_back_reversal`, exactly; what a funder pays to members itself is its own and owed to nobody.

    Exit code 0: it is shown; 1: the window is not netted, or the journal and the report differ.

    Examples:

        clh bank cash-back 2026-03-02

        clh bank cash-back 2026-03-02 --funder grocer --output json
    """
    from dataclasses import asdict

    from schemas.money import to_text
    from services.bank.detail import NotClosed
    from services.bank.funders import cash_back_statement
    from services.bank.writing import TotalsDiffer

    window = as_day(day)
    with books_of(programme) as (_, _, connection):
        expect_party(connection, funder)
        try:
            lines, totals = cash_back_statement(connection, window, funder)
        except (NotClosed, TotalsDiffer) as error:
            raise fail(str(error)) from None
    if output is Format.JSON:
        told = [asdict(line) | {"net_minor": line.net_minor} for line in lines]
        owed = [asdict(total) | {"net_minor": total.net_minor, "own": total.own} for total in totals]
        print_json({"day": day, "lines": told, "totals": owed})
        return

    def figures(one: FunderLine | FunderTotal) -> tuple[str, ...]:
        return tuple(to_text(minor, one.currency) for minor in (one.earned_minor, one.reversed_minor, one.net_minor))

    rows = [(line.funder, line.payer, line.rule, line.currency, f"{line.transactions:,}", *figures(line)) for line in lines]
    right = ("transactions", "earned", "reversed", "net")
    print_table(("funder", "payer", "rule", "currency", *right), rows, title=f"Cash-back of {day}, by rule", right=right)
    sums = [(total.funder, "itself" if total.own else total.payer, total.currency, *figures(total)) for total in totals]
    print_table(("funder", "owes", "currency", *right[1:]), sums, title="As in the settlement report", right=right)


@app.command()
def answer(
    bank: Annotated[str, typer.Argument(metavar="BANK", help="Id of the bank.", show_default=False)],
    day: Annotated[str, typer.Argument(metavar="DAY", help="The day of the bank's files.", show_default=False)],
    folder: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder for the file and its manifest.")] = Path(),
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Answer a bank's files of a day: for each line its status, break code, the house's units, difference and age; then what the bank lacks.

    Written again, it is the same file under the same id, unless something has changed since. No cell is a formula to a spreadsheet.

    Exit code 0: it is written; 1: there is nothing to answer.

    Examples:

        clh bank answer bank1 2026-03-02 --to out/

        clh bank answer bank1 2026-03-02 --programme mall-card --output json
    """
    from services.bank.answer import NothingToAnswer, write_answer

    window = as_day(day)
    with books_of(programme) as (_, chosen, connection), progress_bars() as report:
        expect_bank(connection, bank)
        try:
            written = write_answer(connection, chosen, bank, window, folder, datetime.now(UTC), report)
        except NothingToAnswer as error:
            raise fail(str(error)) from None
    manifest = written.manifest
    if output is Format.JSON:
        print_json({"path": str(written.path), "again": written.again, "manifest": manifest.model_dump()})
        return
    rows = [(one.status, one.break_code, one.reward_ccy, f"{one.count:,}", f"{one.bank_units:,}", f"{one.programme_units:,}") for one in manifest.totals]
    title = f"{written.path}: {manifest.record_count:,} lines" + (", as before" if written.again else "")
    figures = ("lines", "bank_units", "programme_units")
    print_table(("status", "code", "unit", *figures), rows, title=title, right=figures)


@app.command()
def payouts(
    day: Annotated[str, typer.Argument(metavar="DAY", help="A closed window.", show_default=False)],
    payer: Annotated[str | None, typer.Option("--payer", metavar="PARTY", help="Only what this party pays.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """List what members are to be paid of their cash-back for a window: by payer, rule and card, from the least sum on or by the month.

    A bank finds the same as PAYOUT lines in its reward detail. Nothing is owed between parties for a payout: that was owed when it was earned.
    Cash-back whose programme names no terms of payout is paid as it is earned, and is not listed.

    Exit code 0: it is shown; 1: the window is not closed.

    Examples:

        clh bank payouts 2026-03-31

        clh bank payouts 2026-03-31 --payer bank1 --output json
    """
    from dataclasses import asdict

    from schemas.money import to_text
    from services.bank.detail import NotClosed
    from services.bank.payouts import payouts_of

    window = as_day(day)
    with books_of(programme) as (_, _, connection):
        expect_party(connection, payer)
        try:
            found = payouts_of(connection, window, payer)
        except NotClosed as error:
            raise fail(str(error)) from None
    if output is Format.JSON:
        print_json({"day": day, "payouts": [asdict(one) for one in found]})
        return
    rows = [(one.payer, one.rule, one.member, one.card, one.currency, to_text(one.amount_minor, one.currency)) for one in found]
    empty = f"Nothing is paid out for {day}" + ("." if payer is None else f" by {payer}.")
    print_table(("payer", "rule", "member", "card", "currency", "amount"), rows, title=f"Payouts of {day}", right=("amount",), empty=empty)


def _refused(file: Path, refused: RefusedFile, output: Format) -> dict[str, Any]:
    if output is not Format.JSON:
        place = file.name if refused.line is None else f"{file.name}:{refused.line}"
        field = f" {refused.field}:" if refused.field else ""
        fail(f"{place}:{field} {refused.reason} [{refused.code}]; the file is refused, nothing of it is taken")
    told = {"code": refused.code, "line": refused.line, "field": refused.field, "reason": refused.reason}
    return {"file": file.name, "accepted": 0, "published": 0, "quarantined": [], "refused": told}
