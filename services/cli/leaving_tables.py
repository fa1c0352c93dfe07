"""A partner's exit as tables and as plain values: `clh risk exit`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from services.cli.output import print_table, say

if TYPE_CHECKING:
    from clearing.leaving import Leaving


def leaving_as_json(found: Leaving) -> dict[str, Any]:
    """All of it; money in minor units, a debt above zero, what is paid or carried above zero where it goes to the party."""
    accounts = [
        {"currency": one.currency, "owes_minor": one.owes_minor, "carried_minor": one.carried_minor, "carried_since": one.since,
         "waits_for": one.waits_for, "funds_minor": one.funds_minor,
         "returns_minor": one.returns_minor, "cash_back_minor": one.cash_back_minor, "points_paid_minor": one.points.paid_minor,
         "points_cost_minor": one.points.cost_minor, "points_expected_minor": one.expected_minor, "exit_costs_minor": one.cost_minor}
        for one in found.accounts
    ]  # fmt: skip
    return {
        "party": found.party, "at": found.at, "contract_ends": found.last_day, "contract_begins_again": found.returns_on, "over": found.over,
        "points": found.points, "held_points": found.held_points, "unfunded_points": found.unfunded, "points_borne_by": found.bearer,
        "windows": [asdict(one) for one in found.windows], "accounts": accounts, "disputes": list(found.disputes), "open_holds": found.open_holds,
        "held_events": found.held_events, "mechanics": list(found.mechanics), "defaults": [asdict(one) for one in found.defaults],
        "checklist": [asdict(step) for step in found.steps],
    }  # fmt: skip


def show_leaving(found: Leaving) -> None:
    """What is open, then the checklist."""
    from services.report.words import amount_in_words

    accounts = [
        (one.currency, *(amount_in_words(minor, one.currency) for minor in (one.owes_minor, one.carried_minor)), one.since,
         *("" if minor is None else amount_in_words(minor, one.currency)
           for minor in (one.funds_minor, one.returns_minor, one.points.paid_minor, one.points.cost_minor, one.expected_minor, one.cost_minor)))
        for one in found.accounts
    ]  # fmt: skip
    figures = ("owes", "waits", "funds", "to give back", "points paid for", "points may cost", "expected", "exit costs")
    columns = ("currency", *figures[:2], "since", *figures[2:])
    print_table(columns, accounts, title=f"Exit of {found.party} with {found.at}", right=figures)
    if found.windows:
        windows = [
            (one.day, one.state, one.currency, *(amount_in_words(minor, one.currency) for minor in (one.net_minor, one.due_minor))) for one in found.windows
        ]
        print_table(("window", "state", "currency", "position", "to be paid"), windows, title="Windows that are not settled", right=("position", "to be paid"))
    for default in found.defaults:
        unpaid = f"{amount_in_words(default.amount_minor, default.currency)} {default.currency} of window {default.day}"
        told = f"{found.party} is in default: by the deadline it had not paid {unpaid}. clh settlement status {default.day}"
        say(told, style="bold")
    held = f", {found.held_points:,} of them held" if found.held_points else ""
    waiting = f"; {found.unfunded:,} more wait to be funded" if found.unfunded else ""
    words = f"Members have {found.points:,} of its points{held}{waiting}. What they cost when they are spent is borne by {found.bearer}."
    say(words)
    steps = [("done" if step.done else "OPEN", step.code, step.who, step.says, step.command) for step in found.steps]
    print_table(("is", "step", "who", "what", "command"), steps, title="What is to be done")
