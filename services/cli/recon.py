"""`clh recon`: what the house expects of a co-brand bank against what the bank reports."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.books import AsOf, OneProgramme, as_day, as_of_day, books_of
from services.cli.break_tables import amount, break_table, show_fields, show_report, show_to_sign
from services.cli.break_tables import show as show_in_full
from services.cli.output import DAYS_MAX, FAILED, NUMBER_MAX, Format, Output, fail, print_json, print_table, progress_bars, say, say_aside
from services.cli.parties import expect_bank
from services.cli.people import Doer, PassphraseFile, refusals, sign_as
from services.cli.typed import no_card_number

app = typer.Typer(help="Matching with co-brand banks: run, breaks, show, resolve, verify, status, report.", no_args_is_help=True)

Bank = Annotated[str, typer.Argument(metavar="BANK", help="Id of the bank.", show_default=False)]
Day = Annotated[str, typer.Argument(metavar="DAY", help="A closed window.", show_default=False)]


class ByHand(StrEnum):
    """What people can do with a break."""

    INVESTIGATE = "investigate"
    ASK_BANK = "ask-bank"
    PROPOSE = "propose"
    WITHDRAW = "withdraw"
    WRITE_OFF = "write-off"
    FORCED_MATCH = "forced-match"
    CREATE = "create"
    REOPEN = "reopen"


class Proposal(StrEnum):
    """What can be proposed."""

    WRITE_OFF = "write-off"
    FORCED_MATCH = "forced-match"
    CREATE = "create"


@app.callback()
def group() -> None:
    """An entry of the house creates an expectation, the bank's line fulfils it; what is left, or differs, is a break."""


@app.command()
def run(bank: Bank, day: Day, programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """Match a bank's lines with the house's entries up to a closed window, pass by pass, and open breaks for the rest.

    The same rows always come to the same result, in whatever order they came. Running it again finds only what has come since: late arrivals still match.

    Exit code 0: nothing new breaks; 1: breaks were opened, or the window is not closed.

    Examples:

        clh recon run bank1 2026-03-02

        clh recon run bank1 2026-03-02 --output json
    """
    from clearing.plan import Plan
    from schemas.ids import PartyId
    from services.bank.detail import NotClosed
    from services.journal.programmes import load
    from services.recon.run import run_matching

    window = as_day(day)
    now = datetime.now(UTC)
    with books_of(programme) as (_, _, connection), progress_bars() as report:
        expect_bank(connection, bank)
        try:
            done = run_matching(connection, Plan(load(connection)), PartyId(bank), window, seen=now.date(), now=now, progress=report)
        except NotClosed as error:
            raise fail(str(error)) from None
    if output is Format.JSON:
        print_json({"bank": bank, "day": window, **asdict(done)})
    else:
        print_table(("pass", "matches"), [(name, f"{rows:,}") for name, rows in done.passes.items()], title=f"{bank} up to {window}", right=("matches",))
        opened = [(code, f"{number:,}") for code, number in done.opened.items()]
        print_table(("breaks opened", "number"), opened, right=("number",), empty="No new break.")
    if done.opened:
        raise typer.Exit(FAILED)


@app.command(name="breaks")
def list_breaks(
    bank: Annotated[str | None, typer.Argument(metavar="[BANK]", help="Only of this bank.", show_default=False)] = None,
    programme: OneProgramme = None,
    code: Annotated[str | None, typer.Option("--code", help="Only under this code.", show_default=False)] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only in this state.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are resolved or written off too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=NUMBER_MAX, help="So many at most.")] = 100,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """List breaks with code, units of both sides, age and owner.

    Examples:

        clh recon breaks bank1

        clh recon breaks --code MISSING_AT_BANK --output json
    """
    from services.recon.breaks import Chosen, breaks

    counted = as_of_day(as_of)
    with books_of(programme) as (_, _, connection):
        expect_bank(connection, bank)
        found = breaks(connection, Chosen(bank, code, state, every), counted, limit=limit)
    if output is Format.JSON:
        print_json([row | {"as_of": counted} for row in found])
        return
    break_table(found, counted)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="BREAK", min=0, max=NUMBER_MAX, help="Number of the break.", show_default=False)],
    programme: OneProgramme = None,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Show a break: both rows side by side, where they differ, its history, and what deciding it would book. Look at it before you sign.

    Examples:

        clh recon show 7

        clh recon show 7 --output json
    """
    from clearing.plan import Plan
    from services.journal.programmes import load
    from services.recon.showing import show_break

    counted = as_of_day(as_of)
    with books_of(programme) as (_, chosen, connection), refusals():
        shown = show_break(connection, chosen, Plan(load(connection)), number, counted)
    if output is Format.JSON:
        print_json({**asdict(shown), "as_of": counted})
    else:
        show_in_full(shown, counted)


@app.command()
def resolve(
    number: Annotated[int, typer.Argument(metavar="BREAK", min=0, max=NUMBER_MAX, help="Number of the break.", show_default=False)],
    move: Annotated[ByHand, typer.Argument(metavar="MOVE", help="investigate, ask-bank, propose, withdraw, write-off, forced-match, create or reopen.")],
    note: Annotated[str, typer.Option("--note", help="Why.", callback=no_card_number, show_default=False)],
    programme: OneProgramme = None,
    proposal: Annotated[Proposal | None, typer.Option("--proposal", help="Of `propose`: what the second person is to decide.", show_default=False)] = None,
    other: Annotated[
        int | None, typer.Option("--with", metavar="BREAK", min=0, max=NUMBER_MAX, help="Of a forced match: the break of the other side.", show_default=False)
    ] = None,
    person: Doer = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="The person's private key, in encrypted PEM: proposals and decisions are signed.", show_default=False),
    ] = None,
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Move a break on. A write-off, a forced match and a creation are proposed by one person and decided by another, each with a key of their own.

    A decision is booked at once, as adjustments in the current window, so that the house follows the bank's figure: a write-off and a forced match at the
    operator's cost, a creation at that of those who fund the reward. What it books is signed with it. A creation is of cash that the house lacks.

    Exit code 0: it has moved; 1: it may not be moved so.

    Examples:

        clh recon resolve 7 investigate --note "asked the shop"

        clh recon resolve 7 propose --proposal write-off --note "one cent, below the cost of asking" --as ann --key ann.pem

        clh recon resolve 7 write-off --note "agreed" --as ben --key ben.pem
    """
    from clearing.matching import Move
    from clearing.plan import Plan
    from services.journal.programmes import load
    from services.recon.breaks import Chosen, breaks, turns
    from services.recon.deciding import Wish, bookings_of, to_sign
    from services.recon.deciding import resolve as move_on
    from services.recon.showing import fields_of

    if move is ByHand.PROPOSE and proposal is None and person in set(Proposal):  # the word of before
        raise typer.BadParameter(f"what is proposed is --proposal {person}; --as is who does it", param_hint="--as")
    now = datetime.now(UTC)
    wish = Wish(Move(move), person or getpass.getuser(), " ".join(note.split()), None if proposal is None else Move(proposal), other)
    with books_of(programme) as (_, chosen, connection), refusals():
        plan = Plan(load(connection))
        signed = None
        if wish.signed and key is not None:
            decision, fields = to_sign(connection, chosen, plan, number, wish, now), fields_of(connection, number, other)
            if output is Format.TABLE:
                show_fields(fields, title=f"Both rows of break {number}")
            say_aside(show_to_sign(decision, fields))
            signed = (decision, sign_as(connection, wish.who, key, passphrase_file, decision.signed()))
        state = move_on(connection, chosen, plan, number, wish, now, signed=signed)
        (found,) = breaks(connection, Chosen(no=number, all=True), now.date())
        told, booked = turns(connection, number), bookings_of(connection, number)
    if output is Format.JSON:
        print_json(found | {"turns": told, "booked": booked})
        return
    say(f"Break {number} is {state}.")
    for one in booked:
        words = f"Booked as an adjustment: {one['debtor']} owes {one['creditor']} {amount(one['amount_minor'], one['currency'])}."
        say(words)


@app.command()
def verify(
    bank: Annotated[str | None, typer.Argument(metavar="[BANK]", help="Only breaks of this bank.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Recompute from the tables who proposed and decided what about breaks, and whether it is booked as it was signed.

    Exit code 0: everything holds; 1: something does not.

    Example:

        clh recon verify bank1
    """
    from services.recon.verify import verify_breaks

    with books_of(programme) as (_, chosen, connection), refusals():
        expect_bank(connection, bank)
        proofs = verify_breaks(connection, chosen, bank)
    broken = [proof for proof in proofs if not proof.holds]
    if output is Format.JSON:
        print_json({"programme": chosen, "bank": bank, "broken": len(broken), "proofs": [asdict(proof) for proof in proofs]})
    else:
        rows = [(proof.no, proof.what, "yes" if proof.holds else "NO", "" if proof.holds else proof.differs) for proof in proofs]
        told = f"Nobody has proposed or decided anything about a break of {bank or chosen}."
        print_table(("break", "what", "holds", "how it differs"), rows, title=f"Decided breaks of {bank or chosen}", right=("break",), empty=told)
        say("everything holds." if not broken else f"{len(broken)} do not hold.")
    if broken:
        raise typer.Exit(FAILED)


@app.command()
def status(
    bank: Annotated[str | None, typer.Argument(metavar="[BANK]", help="Only this bank.", show_default=False)] = None,
    programme: OneProgramme = None,
    days: Annotated[int, typer.Option("--days", min=1, max=DAYS_MAX, help="Look back so many days.")] = 31,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Show whose files are late, how far each bank is matched, and how old its open breaks are. Run it every morning: its exit code is the alert.

    A bank that has sent a file once owes one for every closed window, until the end of the next day on which banks work by the programme's calendar.

    Exit code 0: no file is late; 1: one is.

    Examples:

        clh recon status

        clh recon status bank1 --output json

        clh recon status --as-of 2026-03-31
    """
    from services.journal.programmes import load
    from services.recon.status import FileState, bank_statuses, expected_files

    today = as_of_day(as_of)
    with books_of(programme) as (_, _, connection), refusals():
        expect_bank(connection, bank)
        try:
            files = expected_files(connection, load(connection).programme.bank_calendar, today, bank=bank, days=days)
        except LookupError as error:
            raise fail(str(error)) from None
        banks = bank_statuses(connection, today, bank=bank)
    late = [one for one in files if one.state is FileState.LATE]
    if output is Format.JSON:
        print_json({"as_of": today, "late": len(late), "days": days, "files": [asdict(one) for one in files], "banks": [asdict(one) for one in banks]})
    else:
        rows = [[getattr(one, name) for name in ("bank", "day", "due", "state")] for one in files if one.state is not FileState.TAKEN]
        print_table(("bank", "day", "due", "file"), rows, title=f"Files that have not come, as of {today}", empty=none_late(len(files), days))
        shown = ("bank", "matched_to", "last_file", "open_breaks", "oldest_days", "oldest_business_days")
        told = [["" if (value := getattr(one, name)) is None else value for name in shown] for one in banks]
        columns = ("bank", "matched up to", "newest file", "open breaks", "oldest, days", "by business day")
        print_table(columns, told, title=f"Banks, as of {today}", right=columns[3:], empty="No bank has sent a file yet.")
    if late:
        raise typer.Exit(FAILED)


def none_late(files: int, days: int) -> str:
    """That no file is late, and over which days that was looked: where none was due nothing is said of any."""
    looked = f"of the closed windows of the last {days:,} days (--days)"
    return f"All {files:,} files {looked} have come." if files else f"No file was due: no bank owes one {looked}."


@app.command()
def report(bank: Bank, day: Day, programme: OneProgramme = None, as_of: AsOf = None, output: Output = Format.TABLE) -> None:
    """Show a bank and day: what is matched, proposed and broken by code, and how the two sums differ.

    The causes add up to the difference. A day whose file has not come is late.

    Exit code 0: nothing is broken; 1: something is, a file is late, or nothing was matched yet.

    Examples:

        clh recon report bank1 2026-03-02

        clh recon report bank1 2026-03-02 --output json
    """
    from services.recon.report import NotRun, recon_report

    window = as_day(day)
    with books_of(programme) as (_, _, connection):
        expect_bank(connection, bank)
        try:
            made = recon_report(connection, bank, window, as_of_day(as_of))
        except NotRun as error:
            raise fail(str(error)) from None
    if output is Format.JSON:
        print_json(asdict(made))
    else:
        show_report(made)
        if made.file_late:
            say(f"No file of {bank} for {window} has come: it is late.")
    if made.broken or made.file_late:
        raise typer.Exit(FAILED)
