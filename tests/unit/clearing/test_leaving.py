"""The checklist of an exit: what each thing that is still open keeps undone, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from clearing.leaving import Account, Leaving, OpenWindow
from clearing.risk import Points
from schemas.ids import PartyId

LAST = date(2026, 3, 31)
NOTHING = Account("EUR", 0, 0, None, 0, 0, Points(), None)
OVER = Leaving(PartyId("baker"), LAST, LAST, True, None, "opco", 0, 0, 0, [], [NOTHING], [], 0, 0, [])


def undone(**more: Any) -> dict[str, str]:
    """What is left of the checklist, by code."""
    return {step.code: step.says for step in replace(OVER, **more).steps if not step.done}


def account(**more: Any) -> dict[str, Any]:
    return {"accounts": [replace(NOTHING, **more)]}


def test_where_nothing_is_open_the_exit_is_over() -> None:
    assert OVER.over
    assert undone() == {}
    assert [step.code for step in OVER.steps] == [
        "contract", "mechanics", "holds", "held", "disputes", "cover", "windows", "carried", "cash_back", "points", "funds",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({"last_day": date(2026, 4, 1)}, {"contract": "end its contract with to: 2026-03-31"}),
        ({"last_day": None}, {"contract": "end its contract with to: 2026-03-31"}),
        ({"last_day": None, "has_contract": False}, {}),
        ({"returns_on": date(2026, 5, 1)},
         {"contract": "end its contract with to: 2026-03-31; the version from 2026-05-01 brings it back: take it out"}),
        ({"mechanics": ["double", "base"]}, {"mechanics": "mechanics that it funds: end them, or let others pay: double, base"}),
        ({"open_holds": 1200}, {"holds": "1,200 holds of its tills: capture, release, or let them run out"}),
        ({"held_events": 1}, {"held": "1 events of it wait for their cards, until their claim days are over"}),
        ({"disputes": [4, 7]}, {"disputes": "disputes with it: decide them: 4, 7"}),
        ({"windows": [OpenWindow(LAST, "netted", "EUR", 5, 5), OpenWindow(LAST, "netted", "CZK", 1, 1)]}, {"windows": "1 windows with it are not settled"}),
        (account(owes_minor=5), {"cover": "it owes more than its funds: pay, or pay in: EUR"}),
        (account(owes_minor=5, funds_minor=-9), {"cover": "it owes more than its funds: pay, or pay in: EUR",
                                                 "funds": "its funds go back, once nothing is owed"}),
        (account(owes_minor=5, funds_minor=5), {"funds": "its funds go back, once nothing is owed"}),
        (account(carried_minor=-150, minimum_minor=151),
         {"windows": "0 windows with it are not settled, and 1.50 EUR is carried on to the next",
          "carried": "what is carried on has to be paid: EUR is below minimum_settlement: paid after maximum_carry_days"}),
        (account(carried_minor=150, minimum_minor=150),
         {"windows": "0 windows with it are not settled, and 1.50 EUR is carried on to the next",
          "carried": "what is carried on has to be paid: EUR waits for its settlement day"}),
        (account(cash_back_minor=1), {"cash_back": "members have earned cash-back of it that was not paid"}),
        ({"points": 999, "unfunded": 1}, {"points": "1,000 of its points are spent or expire"}),
    ],
)  # fmt: skip
def test_what_is_open_keeps_its_step_undone_and_says_so(more: dict[str, Any], left: dict[str, str]) -> None:
    assert undone(**more) == left
    assert replace(OVER, **more).over is (not left)


@pytest.mark.parametrize(("funds", "owes", "back"), [(100, 30, 70), (100, -30, 100), (100, 100, 0), (100, 130, 0), (0, 0, 0)])
def test_of_its_funds_goes_back_what_it_does_not_owe(funds: int, owes: int, back: int) -> None:
    assert replace(NOTHING, funds_minor=funds, owes_minor=owes).returns_minor == back


def test_its_exit_costs_what_points_may_cost_beyond_what_was_paid_and_debts_beyond_funds() -> None:
    assert replace(NOTHING, owes_minor=50, funds_minor=20, points=Points(10, paid_minor=8, cost_minor=11)).cost_minor == 3 + 30
    assert NOTHING.waits_for == ""
