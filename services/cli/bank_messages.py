"""What commands do with messages of the settlement bank: take them, and let statements count."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.output import FAILED, Format, Output, fail, print_json, print_table, progress_bars, say, say_aside
from services.cli.people import refusals

if TYPE_CHECKING:
    from services.settlement.confirming import Matched
    from services.settlement.findings import Finding

BEGINS_WITH = b"<"
LOOKED_AT_BYTES = 64
SHOWN = 50


def is_message(file: Path) -> bool:
    """Whether a file is XML, by its name or its first character; everything else is a card file."""
    if file.suffix.lower() == ".xml":
        return True
    try:
        with file.open("rb") as opened:
            begins = opened.read(LOOKED_AT_BYTES)
    except OSError:
        return False
    return begins.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(BEGINS_WITH)


def import_message(connection: Any, file: Path, *, first: bool) -> dict[str, Any]:
    """Takes one message; what became of it. A refusal has its code, and nothing of the file is taken then."""
    from services.bank.errors import BankError
    from services.bank.xml import FILE_BYTES_MAX
    from services.settlement.taking import take_message

    told: dict[str, Any] = {"file": file.name, "kind": None, "message_id": None, "parts": 0, "entries": 0, "new": False, "masked": 0, "refused": None}
    try:
        with file.open("rb") as opened:
            taken = take_message(connection, opened.read(FILE_BYTES_MAX + 1), file.name, datetime.now(UTC), first=first)
    except BankError as refused:
        return told | {"refused": {"code": refused.code, "line": refused.line, "reason": str(refused)}}
    except OSError as error:
        return told | {"refused": {"code": "bad-xml", "line": None, "reason": f"it cannot be read: {error.strerror}"}}
    known = {"kind": taken.kind, "message_id": taken.message_id, "parts": taken.parts, "entries": taken.entries}
    return told | known | {"new": taken.new, "masked": taken.masked}


def show_messages(messages: list[dict[str, Any]], suffix: str) -> None:
    """What became of each file, for people; notices and refusals on standard error."""
    from services.bank.masking import MASKED

    rows = [(one["file"], one["kind"].replace("_", " "), one["message_id"], one["parts"], one["entries"], "taken" if one["new"] else "known already")
            for one in messages if one["refused"] is None]  # fmt: skip
    if rows:
        print_table(("file", "message", "id", "parts", "entries", ""), rows, title="Messages of the bank", right=("parts", "entries"))
        say(f"What they bring about: clh bank match{suffix}")
    for one in messages:
        if one["masked"]:
            words = f"{one['file']}: {one['masked']} texts held what passes for a card number; only its last four digits are kept [{MASKED}]"
            say_aside(words, style="bold yellow")
        if one["refused"] is not None:
            words = f"{one['file']}: {one['refused']['reason']} [{one['refused']['code']}]; nothing of it is taken"
            say_aside(words, style="bold red")


def match(
    programme: OneProgramme = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DAY", help="Leave out findings on entries booked before this day.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Let statements of the settlement bank count, and do what follows: settle windows, reopen payments that came back, book adjustments.

    Statements count in the order of their numbers, whenever they came; one that is missing holds up those after it. A window is settled once all its
    payments are on statements, and is final then: what comes back later is an adjustment in the current window. Run again, it changes nothing.

    Exit code 0: nothing is wrong; 1: there is something to look at, each with its code.

    Examples:

        clh bank match

        clh bank match --since 2026-03-01 --output json
    """
    from services.journal.corrections import NoOpenWindow
    from services.settlement.confirming import match as match_statements
    from services.settlement.findings import findings

    day = as_day(since)
    with books_of(programme) as (house, chosen, connection), refusals(), progress_bars() as report:
        now = datetime.now(UTC)
        counted = 0

        def tell(step: str) -> None:
            nonlocal counted
            if step == "committed":
                counted += 1
                report("Statements", counted, None)

        try:
            done = match_statements(connection, chosen, now, tell)
        except NoOpenWindow:
            raise fail("no window is open that could take an adjustment: clh window list; run it again once one is") from None
        found = findings(connection, now, since=day)
        suffix = named(house, chosen)
    if output is Format.JSON:
        print_json(_as_json(chosen, done, found))
    else:
        _show(done, found, suffix)
    if found:
        raise typer.Exit(FAILED)


def _as_json(programme: str, done: Matched, found: list[Finding]) -> dict[str, Any]:
    adjustments = [
        {
            "payment": one.payment, "window": one.window, "debtor": one.debtor, "creditor": one.creditor, "currency": one.currency,
            "amount_minor": abs(one.amount_minor),
        }
        for one in done.corrections
    ]  # fmt: skip
    breaks = [
        {"code": one.code, "about": one.about, "says": one.says, "since": one.since, "amount_minor": one.amount_minor, "currency": one.currency}
        for one in found
    ]
    brought = {"statements": done.statements, "settled": done.settled, "payments_moved": done.moved}
    return {"programme": programme, **brought, "adjustments": adjustments, "findings": breaks}


def _show(done: Matched, found: list[Finding], suffix: str) -> None:
    from schemas.money import to_text
    from services.report.words import amount_in_words

    def days(settled: list[date]) -> str:
        return ", ".join(map(str, settled)) or "none"

    rows = [("statements that count now", ", ".join(done.statements) or "none"), ("windows settled", days(done.settled)), ("payments that moved", done.moved)]
    rows += [
        ("adjustment", f"{one.debtor} owes {one.creditor} {to_text(abs(one.amount_minor), one.currency)} {one.currency}: {one.payment}")
        for one in done.corrections
    ]
    print_table(("what", ""), rows, title="Statements matched")
    if found:
        cells = [
            (
                one.code,
                one.about,
                "" if one.amount_minor is None else amount_in_words(one.amount_minor, one.currency or ""),
                one.currency or "",
                one.since or "",
                one.says,
            )
            for one in found[:SHOWN]
        ]
        print_table(("code", "about", "amount", "currency", "since", "what"), cells, title=f"To look at: {len(found):,}", right=("amount",))
        say(f"Of one window: clh settlement status WINDOW{suffix}")
