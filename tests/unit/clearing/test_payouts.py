"""When cash-back is paid: by window or by month, from which sum on, and by which version of the mechanic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from clearing.payouts import payout_terms
from schemas.mechanics import CashBack
from tests.unit.clearing.coalition import programme


def terms(*mechanics: Mapping[str, object], day: str = "2026-03-31", currencies: tuple[str, ...] = ("EUR", "CZK")) -> list[tuple[str, int, bool]]:
    common = {"id": "back", "kind": "cash_back", "from": "2026-01-01", "percent": "1"}
    one = programme()
    file = one.model_copy(
        update={
            "programme": one.programme.model_copy(update={"currencies": currencies}),
            "mechanics": tuple(CashBack.model_validate({**common, **mechanic}) for mechanic in mechanics),
        }
    )
    return [tuple(one) for one in payout_terms(file, date.fromisoformat(day))]  # type: ignore[misc]


def test_without_terms_cash_back_is_paid_as_it_is_earned() -> None:
    assert terms({}) == []
    assert terms({"payout": "each_window"}) == []


@pytest.mark.parametrize(("day", "due"), [("2026-03-31", True), ("2026-03-30", False), ("2026-02-28", True), ("2028-02-28", False), ("2028-02-29", True)])
def test_monthly_pays_on_the_months_last_day(day: str, due: bool) -> None:
    assert terms({"payout": "monthly"}, day=day) == [("back", 1, due)]


def test_a_least_sum_is_minor_units_of_the_first_currency_and_each_window_pays() -> None:
    assert terms({"least_payout": "5.00"}, day="2026-03-02") == [("back", 500, True)]
    assert terms({"least_payout": "0"}, day="2026-03-02") == [("back", 1, True)]
    assert terms({"least_payout": "5"}, day="2026-03-02", currencies=("JPY", "EUR")) == [("back", 5, True)]


def test_the_version_in_force_says_how_and_one_that_has_ended_still_pays_its_rest() -> None:
    first = {"least_payout": "5.00", "to": "2026-03-09"}
    second = {"from": "2026-03-10", "least_payout": "7.00", "to": "2026-03-20"}
    assert terms(first, second, day="2026-03-09") == [("back", 500, True)]
    assert terms(first, second, day="2026-03-10") == [("back", 700, True)]
    assert terms(first, second, day="2026-04-10") == [("back", 700, True)]
    assert terms(first, {"from": "2026-03-10"}, day="2026-03-10") == []
    assert terms(first, day="2025-12-31") == []
