"""What points outstanding may cost: prices, buckets, and lines that add up to what was rounded once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.liability import Bucket, Held, Outstanding, bucket_of, liability, totals
from clearing.rounding import half_even
from clearing.terms import MissingTermsError, Terms
from schemas.ids import PartyId
from tests.unit.clearing.coalition import FIRST, contract, programme

GROCER = PartyId("grocer")
DAY = date(2026, 6, 30)
EUR = {"EUR": Fraction(85, 100)}


def terms(model: str = "independent", price: str = "0.0100", **of_contract: Any) -> Terms:
    return Terms(programme(contract("grocer", price, **of_contract), model=model))


def of(points: int, *, earned: date = date(2026, 6, 1), expires: date | None = date(2028, 6, 1), held: Held = Held.AVAILABLE) -> Outstanding:
    return Outstanding(GROCER, FIRST, held, earned, expires, points)


@pytest.mark.parametrize(
    ("earned", "ages"),
    [
        ((2026, 7), "0-2"), ((2026, 6), "0-2"), ((2026, 4), "0-2"), ((2026, 3), "3-5"), ((2026, 1), "3-5"), ((2025, 12), "6-11"),
        ((2025, 6), "12-23"), ((2024, 6), "24+"), ((2019, 1), "24+"),
    ],
)  # fmt: skip
def test_points_are_as_old_as_the_months_since_that_of_earning(earned: tuple[int, int], ages: str) -> None:
    assert bucket_of(of(1, earned=date(*earned, 1)), DAY).ages == ages


def test_a_line_has_what_was_paid_at_issue_and_what_spending_may_cost() -> None:
    (line,) = liability([of(120), of(30, held=Held.HELD), of(50, held=Held.PENDING)], terms(), DAY, EUR)
    assert line.bucket == Bucket(GROCER, FIRST, 0, 2, date(2028, 6, 1))
    assert (line.available, line.pending, line.held, line.points) == (120, 50, 30, 200)
    assert (line.paid, line.cost, line.expected, line.unused) == ({"EUR": 200}, {"EUR": 170}, None, None)


def test_of_a_hybrid_only_what_was_due_at_issue_is_paid() -> None:
    (line,) = liability([of(200)], terms("hybrid", due_at_issue="0.25"), DAY, EUR)
    assert (line.paid, line.cost) == ({"EUR": 50}, {"EUR": 170})


def test_in_the_anchor_model_nothing_is_paid_and_points_cost_their_sponsor_its_issue_price() -> None:
    (line,) = liability([of(200)], terms("anchor"), DAY, EUR)
    assert (line.paid, line.cost) == ({"EUR": 0}, {"EUR": 200})


def test_lines_are_sorted_by_age_and_expiry_and_those_that_never_expire_come_last() -> None:
    rows = [of(1, expires=None), of(2, earned=date(2026, 1, 1)), of(3, expires=date(2027, 1, 1)), of(4)]
    assert [line.points for line in liability(rows, terms(), DAY, EUR)] == [3, 4, 1, 2]


def test_points_that_will_never_be_spent_cost_nothing() -> None:
    rows = [of(1000), of(1000, earned=date(2026, 1, 1))]
    young, old = liability(rows, terms(), DAY, EUR, lambda age: Fraction(1, 10) if age == 0 else Fraction(1, 2))
    assert (young.unused, young.expected) == (100, {"EUR": 765})
    assert (old.unused, old.expected) == (500, {"EUR": 425})


def test_prices_of_redemption_in_two_currencies_stand_side_by_side() -> None:
    (line,) = liability([of(1000)], terms(), DAY, {"EUR": Fraction(1, 2), "CZK": Fraction(3)})
    assert (line.paid, line.cost) == ({"EUR": 1000}, {"CZK": 3000, "EUR": 500})
    assert totals([line, line]) == {"paid": {"EUR": 2000}, "cost": {"CZK": 6000, "EUR": 1000}}


def test_a_contract_version_that_the_programme_file_does_not_have_is_told_of() -> None:
    with pytest.raises(MissingTermsError):
        liability([Outstanding(GROCER, date(2020, 1, 1), Held.AVAILABLE, FIRST, None, 1)], terms(), DAY, EUR)


months = st.dates(date(2023, 1, 1), DAY).map(lambda day: day.replace(day=1))


@given(st.lists(st.builds(lambda points, earned, expires: of(points, earned=earned, expires=expires), st.integers(1, 500), months, st.none() | months)))
def test_lines_add_up_to_all_points_priced_exactly_and_rounded_once(rows: list[Outstanding]) -> None:
    points = sum(row.points for row in rows)
    lines = liability(rows, terms(price="0.00137"), DAY, {"EUR": Fraction(1, 7)}, lambda age: Fraction(age, 60))
    unused = sum((row.points * Fraction(max(0, (2026 - row.earned.year) * 12 + 6 - row.earned.month), 60) for row in rows), Fraction(0))
    sums: Mapping[str, Mapping[str, int]] = totals(lines)
    assert sum(line.points for line in lines) == points
    assert sum(line.unused or 0 for line in lines) == half_even(unused)
    assert sums["paid"].get("EUR", 0) == half_even(points * Fraction(137, 1000))
    assert sums["cost"].get("EUR", 0) == half_even(points * Fraction(1, 7))
    assert sums.get("expected", {}).get("EUR", 0) == half_even((points - unused) / 7)
