"""`clh settlement check | verify`: what a window's report says of itself, and who signed it, recomputed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import FAILED, Format, Output, print_json, print_table, say
from services.cli.people import refusals

if TYPE_CHECKING:
    from services.report.verify import Proof

Window = Annotated[str, typer.Argument(metavar="WINDOW", help="The business day of the window.")]


def check(
    window: Window,
    details: Annotated[bool, typer.Option("--details", help="Read and write each earlier report again too, and show what was recomputed of it.")] = False,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Show every check of a window with its figures, and recompute the hashes and sums of its report. Exit code 1: something does not hold.

    Each report names the hash of the one before it: the bytes of earlier runs are hashed again too, and those that hold are one line. Who submits and who
    approves signs, with the report, the accounts between which is paid, by the programme in force: they are shown too.

    Examples:

        clh settlement check 2026-03-02

        clh settlement check 2026-03-02 --details

        clh settlement check 2026-03-02 --output json
    """
    from clearing.approval import accounts_sha256
    from services.journal.programmes import load
    from services.report.words import check_figure
    from services.settlement.payments import accounts_of
    from services.settlement.runs import newest_run
    from services.settlement.signing import checked

    day = as_day(window)
    with books_of(programme) as (_, chosen, connection), refusals():
        run, proofs = newest_run(connection, day), checked(connection, day, whole=details)
        accounts = accounts_of(run.report, load(connection))
    made = run.report.checks
    sound = all(one.ok for one in made) and all(proof.holds for proof in proofs)
    if output is Format.JSON:
        checks = [{"name": one.name, "ok": one.ok, "figures": one.figures} for one in made]
        print_json({"programme": chosen, "window": day, "run": run.no, "report_sha256": run.sha256, "sound": sound, "checks": checks, "proofs": _plain(proofs)}
                   | {"accounts": accounts, "accounts_sha256": accounts_sha256(accounts.items())})  # fmt: skip
    else:
        rows = [(one.name, _word(one.ok), name, check_figure(name, value).words) for one in made for name, value in one.figures.items()]
        print_table(("check", "holds", "of", "figures"), rows, title=f"Checks of window {day}, run {run.no}")
        _show_proofs([one for one in proofs if details or one.run == run.no], f"Report {run.sha256}")
        if not details:
            _show_earlier([one for one in proofs if one.run != run.no], whole=False)
        print_table(
            ("party", "account"),
            sorted(accounts.items()),
            title="Accounts between which is paid: who signs, signs these",
            empty="Nobody pays or is paid by it, so there are no accounts to sign.",
        )
    if not sound:
        raise typer.Exit(FAILED)


def verify(
    window: Window,
    details: Annotated[bool, typer.Option("--details", help="Show what was recomputed of the reports of earlier windows too.")] = False,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Recompute from the tables who signed what about a window's runs, and whether it stands where that puts it. Exit code 1: something does not hold.

    The reports of earlier windows are recomputed too, as each names the hash of the one before it: those that hold are one line. The fingerprints shown are
    those of the keys that signed: compare them with those that their owners have.

    Examples:

        clh settlement verify 2026-03-02

        clh settlement verify 2026-03-02 --details
    """
    from services.settlement.runs import runs_of
    from services.settlement.verify import verify_settlement

    day = as_day(window)
    with books_of(programme) as (_, chosen, connection), refusals():
        proofs = verify_settlement(connection, chosen, day)
        runs = runs_of(connection, day)
    signers = sorted({(one.person, one.key.fingerprint) for run in runs for one in run.signatures if one.key is not None})
    broken = [proof for proof in proofs if not proof.holds]
    if output is Format.JSON:
        people = [{"person": person, "fingerprint": fingerprint} for person, fingerprint in signers]
        print_json({"programme": chosen, "window": day, "broken": len(broken), "proofs": _plain(proofs), "signers": people})
    else:
        _show_proofs([one for one in proofs if details or one.day == day], f"Window {day}")
        if not details:
            _show_earlier([one for one in proofs if one.day != day], whole=True)
        print_table(("person", "fingerprint (SHA-256)"), signers, title="Keys that signed", empty="Nobody has signed anything about it yet.")
        say("everything holds." if not broken else f"{len(broken)} do not hold.")
    if broken:
        raise typer.Exit(FAILED)


def _plain(proofs: list[Proof]) -> list[dict[str, Any]]:
    return [{"run": one.run, "window": one.day, "what": one.what, "holds": one.holds, "differs": "" if one.holds else one.differs} for one in proofs]


def _show_proofs(proofs: list[Proof], title: str) -> None:
    rows = [(one.day, one.run, one.what, _word(one.holds), "" if one.holds else one.differs) for one in proofs]
    print_table(("window", "run", "what was recomputed", "holds", "what differs"), rows, title=title, right=("run",))


def _show_earlier(proofs: list[Proof], *, whole: bool) -> None:
    """How many earlier runs hold, and a line for each that does not. `whole`: all of them was recomputed, and not their hashes alone."""
    of: dict[tuple[date, int], list[Proof]] = {}
    for proof in proofs:
        of.setdefault((proof.day, proof.run), []).append(proof)
    rows = [
        (day, run, f"{sum(one.holds for one in own)} of {len(own)}", "; ".join(f"{one.what}: {one.differs}" for one in own if not one.holds))
        for (day, run), own in of.items()
        if not all(one.holds for one in own)
    ]
    if sound := len(of) - len(rows):
        told = f"{sound} earlier runs hold" if sound > 1 else f"{sound} earlier run holds"
        hashes = "by their hashes" if sound > 1 else "by its hash"
        say(f"{told} in all that was recomputed; each proof with --details." if whole else f"{told} {hashes}; recomputed in full with --details.")
    if rows:
        print_table(("window", "run", "hold", "what differs"), rows, title="Earlier runs that do not hold", right=("run", "hold"))


def _word(holds: bool) -> str:
    return "yes" if holds else "NO"
