"""`clh settlement`: from a netted window to a settled one, and the proof of who approved what."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.checking import Window, check, verify
from services.cli.contradicted import decide
from services.cli.defaulting import default, propose_default
from services.cli.output import Format, Output, fail, print_json, say
from services.cli.paying import pay, recall
from services.cli.people import Key, PassphraseFile, Person, refusals, sign_as
from services.cli.readdressing import account
from services.cli.standing import status
from services.cli.typed import no_card_number

if TYPE_CHECKING:
    from clearing.approval import Action
    from services.settlement.signing import Recorded

app = typer.Typer(
    help="Settlement: check, submit, approve, reject, pay, recall, decide, account, status, verify, file, propose-default, default.", no_args_is_help=True
)
app.command()(check)
app.command()(pay)
app.command()(recall)
app.command()(decide)
app.command()(account)
app.command()(propose_default)
app.command()(default)
app.command()(status)
app.command()(verify)

Seen = Annotated[
    str | None,
    typer.Option("--report", metavar="SHA256", help="Sign only if the report still has this hash, or one that begins so.", show_default=False),
]
SEEN_CHARACTERS_MIN = 8


@app.callback()
def group() -> None:
    """One person submits a netted run, two others approve it, each with a key of their own; whoever finds it wrong rejects it with a reason."""


@app.command()
def submit(
    window: Window,
    person: Person,
    key: Key,
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    report: Seen = None,
    output: Output = Format.TABLE,
) -> None:
    """Submit a netted run for approval, as its maker. The maker is not one of the two who approve it.

    Example:

        clh settlement submit 2026-03-02 --as mia --key mia.pem
    """
    from clearing.approval import Action

    _sign(Action.SUBMIT, window, person, key, programme, passphrase_file, report, output)


@app.command()
def approve(
    window: Window,
    person: Person,
    key: Key,
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    report: Seen = None,
    output: Output = Format.TABLE,
) -> None:
    """Approve a submitted run, as one of two checkers. With the second approval the window is approved.

    Examples:

        clh settlement approve 2026-03-02 --as carl --key carl.pem

        clh settlement approve 2026-03-02 --as dora --key dora.pem --report 3f9a0c77     # only the report that you have looked at
    """
    from clearing.approval import Action

    _sign(Action.APPROVE, window, person, key, programme, passphrase_file, report, output)


@app.command()
def reject(
    window: Window,
    person: Person,
    key: Key,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is signed and kept.", callback=no_card_number)],
    programme: OneProgramme = None,
    passphrase_file: PassphraseFile = None,
    report: Seen = None,
    output: Output = Format.TABLE,
) -> None:
    """Reject a run that is netted or approved, with a reason. The window is closed again, and so are later ones that rest on it.

    The next night run, or clh clearing resume, makes them anew; each new run names the one whose place it takes.

    Example:

        clh settlement reject 2026-03-02 --as carl --key carl.pem --reason "the price of bakery is last year's"
    """
    from clearing.approval import Action

    _sign(Action.REJECT, window, person, key, programme, passphrase_file, report, output, reason)


@app.command(name="file")
def file_(
    window: Window,
    target: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where the file goes; it must not be there yet.")],
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Write the payment file (pain.001.001.09) of an approved window: what the operator pays, a block for each currency and value date.

    The file is valid by its XSD. It is written to be looked at: the window stays approved, and clh settlement pay is what sends it. Written again it is
    the same, with the same MsgId.

    Example:

        clh settlement file 2026-03-02 --to payments.xml
    """
    from services.bank.instructions import file_of

    day = as_day(window)
    with books_of(programme) as (_, chosen, connection), refusals():
        content = file_of(connection, chosen, day)
    with target.open("xb") as opened:
        opened.write(content)
    if output is Format.JSON:
        print_json({"programme": chosen, "window": day, "path": str(target), "bytes": len(content), "sha256": sha256(content).hexdigest()})
        return
    say(f"{target}: {len(content):,} bytes, to be looked at; clh settlement pay hands it to the bank")


def _sign(
    action: Action,
    window: str,
    person: str,
    key: Path,
    programme: str | None,
    passphrase_file: Path | None,
    seen: str | None,
    output: Format,
    reason: str | None = None,
) -> None:
    """Signs here, with the key of this machine; only the signature goes to the books."""
    from services.settlement.signing import record, to_sign

    day = as_day(window)
    if seen is not None and len(seen) < SEEN_CHARACTERS_MIN:
        raise typer.BadParameter(f"{SEEN_CHARACTERS_MIN} characters of the hash, or more", param_hint="--report")
    with books_of(programme) as (house, chosen, connection), refusals():
        statement = to_sign(connection, day, action, person, datetime.now(UTC), reason=reason)
        if seen is not None and not statement.report_sha256.startswith(seen.lower()):
            raise fail(f"the report of window {day} has the hash {statement.report_sha256}, not the one that you have looked at [report-changed]")
        recorded = record(connection, chosen, statement, sign_as(connection, person, key, passphrase_file, statement.canonical()))
        suffix = named(house, chosen)
    _show_recorded(chosen, recorded, output, suffix)


def _show_recorded(programme: str, recorded: Recorded, output: Format, suffix: str) -> None:
    said = recorded.statement
    if output is Format.JSON:
        document = {"programme": programme, "window": said.window, "run": said.run, "action": said.action, "person": said.person}
        print_json(document | {"report_sha256": said.report_sha256, "state": recorded.state, "voided": [day.isoformat() for day in recorded.voided]})
        return
    say(_happened(recorded))
    if recorded.voided:
        fallen = ", ".join(map(str, recorded.voided))
        say(f"Windows that rest on it are closed again with it: {fallen}.")
    say(_comes_next(recorded, suffix))


def _happened(recorded: Recorded) -> str:
    """Who has signed what, as a sentence."""
    said = recorded.statement
    done = {"submit": "submitted", "approve": "approved", "reject": "rejected"}[said.action]
    return (
        f"{said.person} has {done} run {said.run} of window {said.window}, whose report has the SHA-256 {said.report_sha256}. The window is {recorded.state}."
    )


def _comes_next(recorded: Recorded, suffix: str) -> str:
    """What the window waits for from here."""
    from clearing.approval import APPROVALS, Action

    said = recorded.statement
    match recorded.state:
        case "netted":
            left = APPROVALS if said.action == Action.SUBMIT else 1
            who = "two other people look at the report and approve it" if left > 1 else "one more person approves it"
            return f"next: {who}: clh settlement approve {said.window} --as NAME --key FILE{suffix}"
        case "approved":
            return f"next: it is paid: clh settlement pay {said.window}{suffix}"
        case _:
            return f"next, once it is put right: clh clearing resume{suffix}"
