"""`clh risk`: debts against limits, reserve against liability, what the failure of the largest debtors would cost whom, and what an exit means."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.leaving_tables import leaving_as_json, show_leaving
from services.cli.output import Format, Output, print_json, print_table, say
from services.cli.parties import expect_party

if TYPE_CHECKING:
    from clearing.risk import PartyRisk, Solvency

app = typer.Typer(help="Risk: report, exit.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What parties owe over all windows not settled, how far they may, and what would follow if they did not pay."""


@app.command()
def report(programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """Show by party debt, cap, prefunding, room, points outstanding and the cost of an exit; and who bears what if the largest debtors fail.

    Debts count what is booked by now, points the newest closed window. Room is low from four fifths of a limit on: then it is time to fund it.

    Examples:

        clh risk report

        clh risk report --output json
    """
    from services.risk.report import reports

    with books_of(programme) as (_, chosen, connection):
        day, found = reports(connection)
    if output is Format.JSON:
        print_json({"programme": chosen, "points_at": day, "currencies": [_as_json(one) for one in found]})
        return
    for one in found:
        _show(chosen, one)


@app.command(name="exit")
def exit_(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Who leaves.", show_default=False)],
    at: Annotated[str | None, typer.Option("--at", metavar="DAY", help="Its last day; left out: as its contract has it.", show_default=False)] = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what a partner's exit means: what is open of it, and what everybody has to do until nothing is. It changes nothing.

    Debts and claims in windows not settled, or carried on (less than what is settled, or before its settlement day), a default of it, funds to give back,
    points that members have and what they may cost whom, disputes, holds; then the checklist. A partner leaves by the last day (to) of its contract.

    Examples:

        clh risk exit grocer --at 2026-06-30

        clh risk exit grocer --output json
    """
    from schemas.ids import PartyId
    from services.cli.funding import refusals
    from services.risk.leaving import leaving

    with books_of(programme) as (_, chosen, connection), refusals():
        expect_party(connection, party)
        found = leaving(connection, PartyId(party), as_day(at))
    if output is Format.JSON:
        print_json({"programme": chosen, **leaving_as_json(found)})
    else:
        show_leaving(found)


def _show(programme: str, found: Solvency) -> None:
    from services.report.words import amount_in_words

    def money(minor: int | None) -> str:
        return "" if minor is None else amount_in_words(minor, found.currency)

    rows = [
        (one.party, money(one.owes_minor), money(one.limit.cap_minor if one.limit else None),
         money(one.funds_minor if one.funds_minor or one.limit else None), money(one.headroom_minor),
         one.room, f"{one.points.points:,}", f"{one.points.unfunded:,}", _percent(one.share), money(one.points.paid_minor), money(one.points.cost_minor),
         money(one.exit_minor))
        for one in found.parties
    ]  # fmt: skip
    figures = ("owes", "cap", "prefunded", "room", "points", "unfunded", "share", "paid for", "may cost", "exit costs")
    columns = ("party", *figures[:4], "limit", *figures[4:])
    print_table(columns, rows, title=f"{programme}, {found.currency}", right=figures, empty=f"Nobody owes anything in {found.currency}.")
    for one in found.failures:
        losses = ", ".join(f"{party} {money(minor)}" for party, minor in one.losses.items()) or "nobody loses anything"
        who = f"{' and '.join(one.parties)} {'fails' if len(one.parties) == 1 else 'fail'}"
        words = f"If {who}: {money(one.owed_minor)} {found.currency} unpaid, {money(one.funds_minor)} from their funds; {losses}."
        say(words)
    coverage = "no points are outstanding" if found.coverage is None else f"{_percent(found.coverage)} of what points outstanding may cost"
    reserve = f"Reserve: {money(found.reserve_minor)} {found.currency} was paid for points outstanding, {coverage}."
    say(reserve)


def _percent(share: Fraction) -> str:
    tenths = round(share * 1000)
    return f"{tenths // 10}.{tenths % 10} %"


def _as_json(found: Solvency) -> dict[str, Any]:
    return {
        "currency": found.currency,
        "liability_minor": found.liability_minor,
        "reserve_minor": found.reserve_minor,
        "coverage": None if found.coverage is None else _percent(found.coverage),
        "parties": [_party(one) for one in found.parties],
        "failures": [
            {"parties": one.parties, "owed_minor": one.owed_minor, "funds_minor": one.funds_minor, "losses_minor": dict(one.losses)} for one in found.failures
        ],
    }


def _party(one: PartyRisk) -> dict[str, Any]:
    limit = None if one.limit is None else {"cap_minor": one.limit.cap_minor, "prefunded_minor": one.limit.funds_minor}
    return {
        "party": one.party, "owes_minor": one.owes_minor, "limit": limit, "funds_minor": one.funds_minor,
        "headroom_minor": one.headroom_minor, "room": one.room,
        "points": one.points.points, "unfunded_points": one.points.unfunded, "share": _percent(one.share), "paid_minor": one.points.paid_minor,
        "cost_minor": one.points.cost_minor, "exit_minor": one.exit_minor,
    }  # fmt: skip
