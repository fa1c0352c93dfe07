"""`clh settlement`: from a netted window to a settled one, and the proof of who approved what."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of, named
from services.cli.contradicted import decide
from services.cli.defaulting import default, default_as_json, propose_default, show_default
from services.cli.output import FAILED, NUMBER_MAX, Format, Output, fail, out, print_json, print_table, say, say_left_out
from services.cli.paying import pay, payments_as_json, recall, show_payments
from services.cli.people import Key, PassphraseFile, Person, refusals, sign_as
from services.cli.readdressing import account
from services.cli.recalls import recalls_as_json, show_recalls
from services.cli.typed import no_card_number

if TYPE_CHECKING:
    from clearing.approval import Action
    from services.report.verify import Proof
    from services.settlement.runs import SignedRun
    from services.settlement.signing import Recorded

app = typer.Typer(
    help="Settlement: check, submit, approve, reject, pay, recall, decide, account, status, verify, file, propose-default, default.", no_args_is_help=True
)
app.command()(pay)
app.command()(recall)
app.command()(decide)
app.command()(account)
app.command()(propose_default)
app.command()(default)

Window = Annotated[str, typer.Argument(metavar="WINDOW", help="The business day of the window.")]
Seen = Annotated[
    str | None,
    typer.Option("--report", metavar="SHA256", help="Sign only if the report still has this hash, or one that begins so.", show_default=False),
]
SEEN_CHARACTERS_MIN = 8


@app.callback()
def group() -> None:
    """One person submits a netted run, two others approve it, each with a key of their own; whoever finds it wrong rejects it with a reason."""


@app.command()
def check(
    window: Window,
    details: Annotated[bool, typer.Option("--details", help="What was recomputed of each earlier run, not only whether it holds.")] = False,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Show every check of a window with its figures, and recompute the hashes and sums of its report. Exit code 1: something does not hold.

    Each report names the hash of the one before it: earlier runs are recomputed too, those that hold in one line. Who submits and who approves signs, with
    the report, the accounts between which is paid, by the programme in force: they are shown too.

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

    day = _day(window)
    with books_of(programme) as (_, chosen, connection), refusals():
        run, proofs = newest_run(connection, day), checked(connection, day)
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
            _show_earlier([one for one in proofs if one.run != run.no])
        print_table(
            ("party", "account"),
            sorted(accounts.items()),
            title="Accounts between which is paid: who signs, signs these",
            empty="Nobody pays or is paid by it, so there are no accounts to sign.",
        )
    if not sound:
        raise typer.Exit(FAILED)


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


@app.command()
def status(
    window: Annotated[str | None, typer.Argument(metavar="[WINDOW]", help="One window with all its runs; left out: all windows.", show_default=False)] = None,
    programme: OneProgramme = None,
    last: Annotated[int, typer.Option("--last", min=1, max=NUMBER_MAX, help="So many of the newest runs.")] = 30,
    output: Output = Format.TABLE,
) -> None:
    """Show runs with who submitted, approved or rejected them, and what each window waits for; of one window also where each payment stands.

    Of a payment: its state, which statements confirm it, what is missing, and until when. A payment that is late says so. Of a recall:
    when the bank was asked, and what it has answered. After a default: who had not paid, who bears it, and the payments of the runs that were replaced
    too, since what was paid under them stays.

    Examples:

        clh settlement status

        clh settlement status 2026-03-02 --output json
    """
    from services.settlement.defaulted import defaulted_runs
    from services.settlement.runs import count_runs, newest_run, runs_of

    day, payments, defaults, recalls = as_day(window), [], [], []
    with books_of(programme) as (_, chosen, connection), refusals():
        if day is not None:
            newest_run(connection, day)
        shown = runs_of(connection, day, last=last if day is None else None)
        made = len(shown) if day is not None else count_runs(connection)
        if day is not None:
            now, after = datetime.now(UTC), {run.replaces: run.no for run in shown}
            defaults = [default_as_json(run, after.get(run.no)) for run in defaulted_runs(connection, day)]
            replaced = [each["run"] for each in defaults if each["replaced_by"] is not None]
            payments = [line for run in replaced for line in payments_as_json(connection, run, now, replaced=True)]
            payments += payments_as_json(connection, shown[-1].no, now)
            recalls = [line for run in [*replaced, shown[-1].no] for line in recalls_as_json(connection, run)]
    newest = {run.day: run.no for run in shown}
    if output is Format.JSON:
        runs = [_as_json(run, newest=newest[run.day] == run.no) for run in shown]
        print_json(
            {"programme": chosen, "runs": runs}
            | ({"payments": payments, "recalls": recalls} if day is not None else {})
            | ({"defaults": defaults} if defaults else {})
        )
        return
    told = {each["run"]: f"nothing: default of {', '.join(sorted({one['party'] for one in each['unpaid']}))}" for each in defaults}
    rows = [
        (
            run.day,
            run.no,
            run.state if newest[run.day] == run.no else "replaced",
            *_signers(run),
            _waits_for(run) if newest[run.day] == run.no else told.get(run.no, ""),
            run.sha256,
        )
        for run in shown
    ]
    columns = ("window", "run", "state", "submitted by", "approved by", "rejected by", "waits for", "report (SHA-256)")
    empty = f"No window of {chosen} is netted yet."
    print_table(columns, rows, title=f"Settlement of {chosen}", right=("run",), optional=("report (SHA-256)",), empty=empty)
    say_left_out(len(shown), made, "runs")
    for each in defaults:
        show_default(each, shown[-1].day)
    if payments and day is not None:
        show_payments(payments, day)
    if recalls:
        show_recalls(recalls, day)


@app.command()
def verify(window: Window, programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """Recompute from the tables who signed what about a window's runs, and whether it stands where that puts it. Exit code 1: something does not hold.

    The fingerprints shown are those of the keys that signed: compare them with those that their owners have.

    Example:

        clh settlement verify 2026-03-02
    """
    from services.settlement.runs import runs_of
    from services.settlement.verify import verify_settlement

    day = _day(window)
    with books_of(programme) as (_, chosen, connection), refusals():
        proofs = verify_settlement(connection, chosen, day)
        runs = runs_of(connection, day)
    signers = sorted({(one.person, one.key.fingerprint) for run in runs for one in run.signatures if one.key is not None})
    broken = [proof for proof in proofs if not proof.holds]
    if output is Format.JSON:
        people = [{"person": person, "fingerprint": fingerprint} for person, fingerprint in signers]
        print_json({"programme": chosen, "window": day, "broken": len(broken), "proofs": _plain(proofs), "signers": people})
    else:
        _show_proofs(proofs, f"Window {day}")
        print_table(("person", "fingerprint (SHA-256)"), signers, title="Keys that signed", empty="Nobody has signed anything about it yet.")
        out.print("everything holds." if not broken else f"{len(broken)} do not hold.", markup=False, highlight=False)
    if broken:
        raise typer.Exit(FAILED)


@app.command(name="file")
def file_(
    window: Window,
    target: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the file goes; it must not be there yet.")],
    programme: OneProgramme = None,
) -> None:
    """Write the payment file (pain.001.001.09) of an approved window: what the operator pays, a block for each currency and value date.

    The file is valid by its XSD. It is written to be looked at: the window stays approved, and clh settlement pay is what sends it. Written again it is
    the same, with the same MsgId.

    Example:

        clh settlement file 2026-03-02 --out payments.xml
    """
    from services.bank.instructions import file_of

    day = _day(window)
    with books_of(programme) as (_, chosen, connection), refusals():
        content = file_of(connection, chosen, day)
    with target.open("xb") as opened:
        opened.write(content)
    out.print(f"{target}: {len(content):,} bytes, to be looked at; clh settlement pay hands it to the bank", markup=False, highlight=False, soft_wrap=True)


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

    day = _day(window)
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
    out.print(_happened(recorded), markup=False, highlight=False, soft_wrap=True)
    if recorded.voided:
        fallen = ", ".join(map(str, recorded.voided))
        out.print(f"Windows that rest on it are closed again with it: {fallen}.", markup=False, highlight=False, soft_wrap=True)
    out.print(_comes_next(recorded, suffix), markup=False, highlight=False, soft_wrap=True)


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


def _day(window: str) -> date:
    day = as_day(window)
    assert day is not None
    return day


def _signers(run: SignedRun) -> tuple[str, str, str]:
    def who(action: str) -> str:
        return ", ".join(
            one.person if one.key is not None and one.key.in_force else f"{one.person} (key revoked)" for one in run.signatures if one.action == action
        )

    rejected = f"{run.rejection.person}: {run.rejection.reason}" if run.rejection is not None else ""
    fell = f"fell with run {run.voided_because}" if run.voided_because is not None else ""
    return who("submit"), who("approve"), rejected or fell


def _waits_for(run: SignedRun) -> str:
    """What has to happen next with the newest run of a window."""
    from clearing.approval import APPROVALS, Action

    match run.state:
        case "netted":
            counting = [one for one in run.signed() if one.counts]
            if not any(one.action is Action.SUBMIT for one in counting):
                return "its rejection" if any(one.action is Action.SUBMIT for one in run.signed()) else "submission"
            left = APPROVALS - sum(one.action is Action.APPROVE for one in counting)
            return f"{left} approval{'s' if left > 1 else ''}"
        case "closed" | "defaulted":
            return "a new run"
        case "approved":
            return "payment instructions"
        case "instructed":
            return "confirmation by statements"
        case _:
            return ""


def _as_json(run: SignedRun, *, newest: bool) -> dict[str, Any]:
    signatures = [
        {"no": one.no, "action": one.action, "person": one.person, "at": one.at, "reason": one.reason, "fingerprint": one.key.fingerprint if one.key else None,
         "in_force": one.key is not None and one.key.in_force}
        for one in run.signatures
    ]  # fmt: skip
    return {
        "window": run.day, "run": run.no, "newest": newest, "state": run.state if newest else "replaced", "report_sha256": run.sha256,
        "replaces": run.replaces, "voided_because": run.voided_because, "waits_for": _waits_for(run) if newest else "", "signatures": signatures,
    }  # fmt: skip


def _plain(proofs: list[Proof]) -> list[dict[str, Any]]:
    return [{"run": one.run, "window": one.day, "what": one.what, "holds": one.holds, "differs": "" if one.holds else one.differs} for one in proofs]


def _show_proofs(proofs: list[Proof], title: str) -> None:
    rows = [(one.day, one.run, one.what, _word(one.holds), "" if one.holds else one.differs) for one in proofs]
    print_table(("window", "run", "what was recomputed", "holds", "what differs"), rows, title=title, right=("run",))


def _show_earlier(proofs: list[Proof]) -> None:
    """How many earlier runs hold, and a line for each that does not."""
    of: dict[tuple[date, int], list[Proof]] = {}
    for proof in proofs:
        of.setdefault((proof.day, proof.run), []).append(proof)
    rows = [
        (day, run, f"{sum(one.holds for one in own)} of {len(own)}", "; ".join(f"{one.what}: {one.differs}" for one in own if not one.holds))
        for (day, run), own in of.items()
        if not all(one.holds for one in own)
    ]
    if sound := len(of) - len(rows):
        say(f"{sound} earlier run{'s hold' if sound > 1 else ' holds'}, recomputed; in full with --details.")
    if rows:
        print_table(("window", "run", "hold", "what differs"), rows, title="Earlier runs that do not hold", right=("run", "hold"))


def _word(holds: bool) -> str:
    return "yes" if holds else "NO"
