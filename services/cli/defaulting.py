"""`clh settlement default`, and how a default is told afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import Format, Output, out, print_json, print_table, refused
from services.cli.people import refusals

if TYPE_CHECKING:
    from services.settlement.defaulted import DefaultedRun


def default(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="The business day of the window.")],
    parties: Annotated[list[str], typer.Argument(metavar="PARTY...", help="Every party that has not paid in this window.", show_default=False)],
    by: Annotated[str, typer.Option("--by", metavar="PERSON", help="Who declares it: it is kept.", show_default=False)],
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Declare that parties have not paid by their deadline, and make a further run of the window without what they owe.

    What they have paid in beforehand is used first; the rest is borne as the programme's `default` says: by the operator, or by the others in proportion to
    what the defaulter owes each. What is confirmed stays final; the further run pays only the differences, and is approved like any other.

    Exit code 0: the window is netted again; 1: it was refused, and nothing has changed.

    Example:

        clh settlement default 2026-03-02 grocer --by mia
    """
    from zoneinfo import ZoneInfo

    from schemas.ids import PartyId
    from schemas.money import to_text
    from services.journal.programmes import load
    from services.night.run import clear_due
    from services.risk.default import declare
    from services.risk.errors import RiskError
    from services.settlement.runs import newest_run

    day, now = as_day(window), datetime.now(UTC)
    assert day is not None
    with books_of(programme) as (house, chosen, connection), refusals(), refused(RiskError):
        file = load(connection)
        today = now.astimezone(ZoneInfo(file.programme.timezone)).date()
        made = declare(connection, file, day, [PartyId(party) for party in parties], by, now, today)
        clear_due(house, chosen, half_done_only=True)
        run = newest_run(connection, day)
    if output is Format.JSON:
        losses = [{"kind": line.code.name.lower(), "bearer": line.bearer, "for": line.defaulter, "currency": line.currency, "amount_minor": line.amount_minor}
                  for line in made.borne]  # fmt: skip
        print_json({"programme": chosen, "window": day, "run": run.no, "replaces": made.run, "state": run.state, "borne": losses})
        return
    rows = [
        (line.defaulter, line.bearer, "its own funds" if line.code.name == "ADJUSTMENT" else "loss", line.currency, to_text(line.amount_minor, line.currency))
        for line in made.borne
    ]
    print_table(("not paid by", "borne by", "as", "currency", "amount"), rows, title=f"Default in window {day}", right=("amount",))
    out.print(f"Run {run.no} takes the place of run {made.run}; the window is {run.state}: submit and approve it.", markup=False, highlight=False)


def default_as_json(run: DefaultedRun, replaced_by: int | None) -> dict[str, Any]:
    """Who had not paid a run, how much, and who bears it, as plain values."""
    return {
        "run": run.no, "replaced_by": replaced_by,
        "unpaid": [{"party": one.party, "currency": one.currency, "amount_minor": one.amount_minor, "funds_minor": one.used_minor} for one in run.unpaid],
        "borne": [{"bearer": one.bearer, "for": one.defaulter, "currency": one.currency, "amount_minor": one.amount_minor} for one in run.losses],
    }  # fmt: skip


def show_default(default: dict[str, Any], day: date) -> None:
    """The same for people."""
    from schemas.money import to_text

    for one in default["unpaid"]:
        money = partial(to_text, currency=one["currency"])
        losses = [loss for loss in default["borne"] if (loss["for"], loss["currency"]) == (one["party"], one["currency"])]
        bearers = [f"{money(loss['amount_minor'])} by {loss['bearer']}" for loss in losses]
        own = [f"{money(one['funds_minor'])} by its own funds"] if one["funds_minor"] else []
        then = "A further run is still to be made: clh clearing resume" if default["replaced_by"] is None else f"Run {default['replaced_by']} replaces it"
        words = f"Default: {one['party']} had not paid {money(one['amount_minor'])} {one['currency']} of run {default['run']}, window {day}; borne: "
        out.print(f"{words}{', '.join([*own, *bearers])}. {then}.", markup=False, highlight=False, soft_wrap=True)
