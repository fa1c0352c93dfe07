"""`clh dispute`: a party disputes a line of a report; a second person decides, until the deadline. Both sign."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import FAILED, NUMBER_MAX, Format, Output, print_json, print_table, refused, say
from services.cli.parties import expect_party
from services.cli.people import Doer, PassphraseFile, sign_as
from services.cli.people import refusals as signing_refusals
from services.cli.typed import no_card_number, refuse_card_number

if TYPE_CHECKING:
    from clearing.disputes import DisputeEvent
    from services.disputes.life import Evidence

app = typer.Typer(help="Disputes of lines: lines, open, list, show, add-evidence, uphold, release, lapse, verify.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=0, max=NUMBER_MAX, help="The number of the dispute.", show_default=False)]
Window = Annotated[str, typer.Argument(metavar="WINDOW", help="The business day of the window.", show_default=False)]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The person's private key, in encrypted PEM: it is signed.", show_default=False)]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why: it is kept.", callback=no_card_number, show_default=False)]
Told = Annotated[
    Path | None, typer.Option("--evidence", metavar="FILE", help="A file that speaks for it, 5 MiB at most: it is kept with its SHA-256.", show_default=False)
]


@app.callback()
def group() -> None:
    """A disputed line is never changed. Until it is paid its amount is withheld by an entry of the current window, and due again when the line stands.

    Who opens a dispute and who decides it are two people, and each signs with a key of their own (clh people). Evidence is only noted.
    """


@contextmanager
def refusals() -> Iterator[None]:
    """Ends a command with a sentence and the code of docs/errors.md."""
    from clearing.disputes import DisputeRefused

    with refused(DisputeRefused), signing_refusals():
        yield


@app.command()
def lines(
    window: Window,
    party: Annotated[str | None, typer.Option("--party", metavar="PARTY", help="Lines that this party owes.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the lines of a window with the numbers that a dispute names them by.

    Example:

        clh dispute lines 2026-03-02 --party grocer
    """
    from schemas.money import to_text
    from services.disputes.life import lines_of
    from services.report.words import in_words

    day = as_day(window)
    with books_of(programme) as (_, _, connection):
        expect_party(connection, party)
        found = lines_of(connection, day, party)
    if output is Format.JSON:
        print_json(found)
        return
    rows = [
        (row["line"], in_words(row["kind"], row["detail"]), row["debtor"], row["creditor"], to_text(row["amount_minor"], row["currency"]), row["currency"])
        for row in found
    ]
    empty = f"No line of window {day} " + ("is there." if party is None else f"is owed by {party}.")
    print_table(("line", "kind", "owes", "to", "amount", "currency"), rows, title=f"Lines of window {day}", right=("line", "amount"), empty=empty)


@app.command(name="open")
def open_(
    window: Window,
    line: Annotated[int, typer.Argument(metavar="LINE", min=0, max=NUMBER_MAX, help="The number of the line: clh dispute lines.", show_default=False)],
    party: Annotated[str, typer.Option("--party", metavar="PARTY", help="The party that owes the line and disputes it.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept.", callback=no_card_number, show_default=False)],
    evidence: Told = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="SUM", help="How much of it, such as 12.50; left out: all of it.", show_default=False)
    ] = None,
    person: Doer = None,
    key: Key = None,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Dispute a line, with a signature. While it is not paid its amount is withheld until somebody else decides.

    Exit code 0: it is open; 1: it was refused, and nothing has changed.

    Examples:

        clh dispute open 2026-03-02 4 --party grocer --reason "delivered twice, sold once" --evidence slip.pdf --as ann --key ann.pem

        clh dispute open 2026-03-02 4 --party grocer --reason "the last three are returns" --amount 12.50 --as ann --key ann.pem
    """
    from schemas.ids import PartyId
    from services.disputes.life import Wanted, disputes, lines_of, open_dispute, to_open
    from services.journal.programmes import load

    day, now = as_day(window), datetime.now(UTC)
    with books_of(programme) as (_, chosen, connection), refusals():
        expect_party(connection, party)
        head = load(connection).programme
        told = None if evidence is None else _read(evidence)
        currency = next((row["currency"] for row in lines_of(connection, day) if row["line"] == line), head.currencies[0])
        minor = None if amount is None else _minor(amount, currency)
        wanted = Wanted(day, line, PartyId(party), reason, person or getpass.getuser(), head.dispute_days, minor, told)
        today = now.astimezone(ZoneInfo(head.timezone)).date()
        signed = None
        if key is not None:
            said = to_open(connection, chosen, wanted, now, today)
            signed = (said, sign_as(connection, said.person, key, passphrase_file, said.signed()))
        no = open_dispute(connection, chosen, wanted, today, signed)
        (found,) = disputes(connection, no)
    _show(found, output)


@app.command(name="list")
def list_(
    over: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False, programme: OneProgramme = None, output: Output = Format.TABLE
) -> None:
    """List disputes that wait for a decision, with their deadlines.

    Examples:

        clh dispute list

        clh dispute list --all --output json
    """
    from schemas.money import to_text
    from services.disputes.life import disputes
    from services.report.words import in_words

    with books_of(programme) as (_, chosen, connection):
        found = disputes(connection, over=over)
    if output is Format.JSON:
        print_json(found)
        return
    rows = [
        (row["no"], row["window"], row["line"], row["debtor"], row["creditor"], f"{to_text(row['amount_minor'], row['currency'])} {row['currency']}",
         row["state"], row["decide_by"], "yes" if row["withheld"] else "no", in_words(row["kind"], row.get("detail")), row["reason"])
        for row in found
    ]  # fmt: skip
    columns = ("no", "window", "line", "by", "against", "amount", "state", "decide by", "withheld", "kind", "reason")
    empty = "No dispute was ever opened." if over else "No dispute waits for a decision."
    print_table(columns, rows, title=f"Disputes of {chosen}", right=("no", "line", "amount"), optional=columns[7:], empty=empty)


@app.command()
def show(
    no: Number,
    folder: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write its evidence into this folder.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Show a dispute with every turn, and save its evidence.

    Examples:

        clh dispute show 7

        clh dispute show 7 --to evidence
    """
    from services.disputes.life import disputes, evidence_of, turns

    with books_of(programme) as (_, _, connection), refusals():
        (found,) = disputes(connection, no)
        told = turns(connection, no)
        if folder is not None:
            folder.mkdir(exist_ok=True)
            for turn in told:
                if turn["file_name"] is not None:  # the name that it was given here: that of the sender is only shown
                    (folder / f"dispute-{no}-{turn['no']}").write_bytes(evidence_of(connection, no, turn["no"]).content)
    if output is Format.JSON:
        print_json(found | {"turns": told})
        return
    _show(found, output)
    rows = [(turn["no"], turn["at"], turn["who"], turn["to_state"], turn["note"], turn["file_name"] or "", turn["file_sha256"] or "") for turn in told]
    print_table(("turn", "at", "by", "state", "note", "file", "SHA-256"), rows, title=f"Dispute {no}", right=("turn",), optional=("file", "SHA-256"))


@app.command(name="add-evidence")
def add_evidence(
    no: Number,
    evidence: Annotated[Path, typer.Argument(metavar="FILE", help="5 MiB at most: it is kept with its SHA-256.", show_default=False)],
    note: Note,
    person: Doer = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Add a file that speaks for one side.

    Example:

        clh dispute add-evidence 7 delivery-note.pdf --note "what the driver signed"
    """
    from clearing.disputes import DisputeEvent

    with refusals():
        told = _read(evidence)
    _move(no, DisputeEvent.ADD_EVIDENCE, person, note, programme, output, told)


@app.command()
def uphold(
    no: Number,
    note: Note,
    person: Doer = None,
    key: Key = None,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Decide for the disputing party: the line is booked back in the current window, unless that is what withholds it.

    By another person than who opened it, with a signature.

    Example:

        clh dispute uphold 7 --note "the slip is right" --as ben --key ben.pem
    """
    from clearing.disputes import DisputeEvent

    _decide(no, DisputeEvent.UPHOLD, person, note, key, passphrase_file, programme, output)


@app.command()
def release(
    no: Number,
    note: Note,
    person: Doer = None,
    key: Key = None,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Decide that the line stands: what was withheld is due again in the current window.

    By another person than who opened it, with a signature.

    Example:

        clh dispute release 7 --note "both deliveries were sold" --as ben --key ben.pem
    """
    from clearing.disputes import DisputeEvent

    _decide(no, DisputeEvent.RELEASE, person, note, key, passphrase_file, programme, output)


@app.command()
def lapse(programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """Let lapse what was not decided in time: the lines stand. Every night run does it too.

    Example:

        clh dispute lapse
    """
    from services.disputes.life import lapse_due
    from services.journal.programmes import load

    now = datetime.now(UTC)
    with books_of(programme) as (_, _, connection), refusals():
        lapsed = lapse_due(connection, now, now.astimezone(ZoneInfo(load(connection).programme.timezone)).date())
    if output is Format.JSON:
        print_json({"lapsed": lapsed})
    else:
        say(
            f"Lapsed: dispute{'s' if len(lapsed) > 1 else ''} {', '.join(map(str, lapsed))}." if lapsed else "No dispute is past its deadline: none has lapsed."
        )


@app.command()
def verify(
    no: Annotated[int | None, typer.Argument(metavar="[NUMBER]", min=0, max=NUMBER_MAX, help="Only this dispute.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Recompute from the tables who opened and decided disputes, and whether what was booked is what they signed.

    Exit code 0: everything holds; 1: something does not.

    Example:

        clh dispute verify 7
    """
    from services.disputes.life import disputes
    from services.disputes.verify import verify_disputes

    with books_of(programme) as (_, chosen, connection), refusals():
        if no is not None:
            disputes(connection, no)
        proofs = verify_disputes(connection, chosen, no)
    broken = [proof for proof in proofs if not proof.holds]
    if output is Format.JSON:
        print_json({"programme": chosen, "dispute": no, "broken": len(broken), "proofs": [asdict(proof) for proof in proofs]})
    else:
        rows = [(proof.no, proof.what, "yes" if proof.holds else "NO", "" if proof.holds else proof.differs) for proof in proofs]
        print_table(("dispute", "what was recomputed", "holds", "what differs"), rows, title=f"Disputes of {chosen}", right=("dispute",))
        say("everything holds." if not broken else f"{len(broken)} do not hold.")
    if broken:
        raise typer.Exit(FAILED)


def _decide(
    no: int, event: DisputeEvent, person: str | None, note: str, key: Path | None, passphrase_file: Path | None, programme: str | None, output: Format
) -> None:
    from services.disputes.life import decide, disputes, to_decide
    from services.journal.programmes import load

    who, now = person or getpass.getuser(), datetime.now(UTC)
    with books_of(programme) as (_, chosen, connection), refusals():
        today = now.astimezone(ZoneInfo(load(connection).programme.timezone)).date()
        said = to_decide(connection, chosen, no, event, who, note, now, today)
        signed = None if key is None else (said, sign_as(connection, who, key, passphrase_file, said.signed()))
        decide(connection, chosen, no, who, today, signed)
        (found,) = disputes(connection, no)
    _show(found, output)


def _move(no: int, event: DisputeEvent, person: str | None, note: str, programme: str | None, output: Format, evidence: Evidence | None = None) -> None:
    from services.disputes.life import disputes, move
    from services.journal.programmes import load

    now = datetime.now(UTC)
    with books_of(programme) as (_, _, connection), refusals():
        today = now.astimezone(ZoneInfo(load(connection).programme.timezone)).date()
        move(connection, no, event, person or getpass.getuser(), note, now, today, evidence)
        (found,) = disputes(connection, no)
    _show(found, output)


def _show(found: dict[str, Any], output: Format) -> None:
    from schemas.money import to_text

    if output is Format.JSON:
        print_json(found)
        return
    amount = f"{to_text(found['amount_minor'], found['currency'])} {found['currency']}"
    stands = "has evidence and waits for the decision" if found["state"] == "evidence" else f"is {found['state']}"
    words = f"Dispute {found['no']} {stands}: {amount} of line {found['line']} ({found['kind']}) of window {found['window']}, {found['debtor']} "
    words += f"to {found['creditor']}. "
    words += f"To be decided by {found['decide_by']}." if found["state"] in ("open", "held", "evidence") else f"Decided by {found['last_by']}."
    say(words)


def _read(path: Path) -> Evidence:
    from clearing.disputes import DisputeCode, DisputeRefused
    from services.bounded import TooLarge, read_bounded
    from services.disputes.life import EVIDENCE_BYTES_MAX, Evidence

    try:
        content = read_bounded(path, EVIDENCE_BYTES_MAX)
    except OSError as error:
        raise DisputeRefused(DisputeCode.EVIDENCE_UNREADABLE, f"{path} cannot be read: {error.strerror}") from None
    except TooLarge:
        content = b""
    if not content:
        raise DisputeRefused(DisputeCode.EVIDENCE_UNREADABLE, f"{path} is empty, or larger than {EVIDENCE_BYTES_MAX:,} bytes")
    refuse_card_number("the evidence", path.name, content)
    return Evidence(path.name, content)


def _minor(amount: str, currency: str) -> int:
    from schemas.money import MoneyError, to_minor

    try:
        return to_minor(amount, currency)
    except MoneyError:
        raise typer.BadParameter(f"{amount!r} is no sum such as 12.50", param_hint="--amount") from None
