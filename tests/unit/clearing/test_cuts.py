"""Which bounds can have left what was given: a bound that cannot have been it is not named."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from clearing.cuts import NoContract, bounds_that_cut
from clearing.plan import Plan
from schemas.mechanics import Limit
from schemas.mechanics.conditions import Budget
from services.programme.read import parse_programme
from tests.coalition import HARVEST

DAY = date(2026, 3, 2)
PLAN = Plan(parse_programme(HARVEST, "harvest.yaml"))


def rule(*limits: dict[str, Any], late: bool = False, effect: str = "points", budget: dict[str, Any] | None = None) -> Any:
    """A rule of a mechanic with these bounds: all that is asked of it."""
    entry = SimpleNamespace(limit=[Limit.model_validate(limit) for limit in limits], budget=None if budget is None else Budget.model_validate(budget))
    return SimpleNamespace(entry=entry, late=late, mechanic=SimpleNamespace(effect=effect), funding=((PLAN.operator, 1),), accruals={})


EVENT, DAILY, ONCE = {"points": 5, "per": "event"}, {"points": 30, "per": "day"}, {"times": 1, "per": "month"}


@pytest.mark.parametrize(
    ("bounds", "worth", "given", "told"),
    [
        ((EVENT, DAILY, ONCE), 9, 9, ()),
        ((EVENT,), 9, 5, (EVENT,)),
        ((EVENT, DAILY), 9, 4, (DAILY,)),  # by itself an event would have got 5
        ((EVENT, DAILY, ONCE), 9, 0, (DAILY, ONCE)),
        ((DAILY, ONCE), 50, 20, (DAILY,)),  # so many times leaves all or nothing
        ((DAILY,), 50, 40, ()),  # more than it ever leaves
    ],
)
def test_a_limit_is_named_only_where_it_can_have_left_what_was_given(bounds: tuple[Any, ...], worth: int, given: int, told: tuple[Any, ...]) -> None:
    found = bounds_that_cut(PLAN, rule(*bounds), PLAN.operator, DAY, worth, given)
    assert [bound.model_dump(exclude_unset=True) for bound in found] == list(told)  # type: ignore[union-attr]


def test_a_budget_that_only_warns_is_no_reason() -> None:
    stops, warns = ({"points": 100, "at_end": end} for end in ("stop", "warn"))
    assert [bound.at_end for bound in bounds_that_cut(PLAN, rule(budget=stops), PLAN.operator, DAY, 9, 3)] == ["stop"]  # type: ignore[union-attr]
    assert bounds_that_cut(PLAN, rule(budget=warns), PLAN.operator, DAY, 9, 3) == ()


def test_a_missing_contract_is_a_reason_only_where_the_night_decides_and_nothing_was_given() -> None:
    missing = next(party.id for party in PLAN.file.parties if PLAN.contract(party.id, DAY) is None)
    assert bounds_that_cut(PLAN, rule(late=True), missing, DAY, 9, 0) == (NoContract(missing, sells=True),)
    assert bounds_that_cut(PLAN, rule(late=True), missing, DAY, 9, 3) == ()
    assert bounds_that_cut(PLAN, rule(), missing, DAY, 9, 0) == ()
    seller = next(contract.party for contract in PLAN.file.contracts if PLAN.contract(contract.party, DAY) is not None)
    assert bounds_that_cut(PLAN, rule(late=True), seller, DAY, 9, 0) == (NoContract(PLAN.operator, sells=False),)
