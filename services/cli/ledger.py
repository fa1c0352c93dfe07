"""`clh ledger`: the journal looked at as a whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.output import FAILED, NUMBER_MAX, Format, Output, out, print_json, print_table, progress_bars

app = typer.Typer(help="The journal: verify it against the balances that are kept beside it.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Balances, lots, debts, holds and stamps are kept beside the journal, which alone is the truth about them."""


@app.command()
def verify(
    programme: OneProgramme = None,
    named: Annotated[
        int, typer.Option("--named", min=1, max=NUMBER_MAX, help="So many differences of each kind are named; how many there are is always said.")
    ] = 100,
    output: Output = Format.TABLE,
) -> None:
    """Recompute balances, lots, debts, holds, stamps, limits and totals from the journal, and say what differs.

    It reads one snapshot, so it may run while events are booked. It also looks whether the accounts and unit of every row follow its code, and whether
    an accepted event stands behind it. Exit code 0 when nothing differs, 1 when something does.

    Examples:

        clh ledger verify

        clh ledger verify --programme harvest --output json
    """
    from services.journal.migrate import schema_of
    from services.journal.verify import verify as recompute

    with books_of(programme) as (house, chosen, _), progress_bars() as report:
        found = recompute(house.postgres_uri, schema_of(chosen), named_max=named, progress=report)
    differing = sum(each.differing for each in found)
    if output is Format.JSON:
        print_json({"programme": chosen, "differing": differing, "verified": [asdict(each) for each in found]})
    else:
        rows = [(each.what, f"{each.examined:,}", f"{each.differing:,}") for each in found]
        print_table(("recomputed", "examined", "differ"), rows, title=f"Journal of {chosen}", right=("examined", "differ"))
        differences = [(d.what, d.member, d.place, d.expected, d.found) for each in found for d in each.differences]
        if differences:
            print_table(
                ("what", "member", "where", "by the journal", "in the books"), differences, title="Differences", right=("by the journal", "in the books")
            )
        out.print(
            f"{differing:,} figures are not what the journal says." if differing else "Everything is what the journal says.", markup=False, highlight=False
        )
    if differing:
        raise typer.Exit(FAILED)
