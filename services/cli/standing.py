"""`clh settlement status`: where each window stands, who signed its runs, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.defaulting import default_as_json, show_default
from services.cli.output import NUMBER_MAX, Format, Output, print_json, print_table, say, say_left_out
from services.cli.paying import payments_as_json, show_payments
from services.cli.people import refusals
from services.cli.recalls import recalls_as_json, show_recalls

if TYPE_CHECKING:
    from services.settlement.runs import SignedRun

REPORT: Final = "report (SHA-256)"


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
    left_out = _show_runs(chosen, shown, defaults)
    if day is not None and REPORT in left_out:
        for run in shown:
            say(f"report of run {run.no}: {run.sha256}")
    say_left_out(len(shown), made, "runs")
    for each in defaults:
        show_default(each, shown[-1].day)
    if payments and day is not None:
        show_payments(payments, day)
    if recalls:
        show_recalls(recalls, day)


def _show_runs(programme: str, shown: Sequence[SignedRun], defaults: list[dict[str, Any]]) -> list[str]:
    newest = {run.day: run.no for run in shown}
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
    columns = ("window", "run", "state", "submitted by", "approved by", "rejected by", "waits for", REPORT)
    empty = f"No window of {programme} is netted yet."
    return print_table(columns, rows, title=f"Settlement of {programme}", right=("run",), optional=(REPORT,), empty=empty)


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
