"""Sealed lines follow from sealed entries and from each other, in figures worked by hand; whatever is changed is named."""

from __future__ import annotations

from typing import Any

import pytest

from clearing.entries import Code
from clearing.sealed_lines import Key, Totals, Wrong, owner, without_line, wrong_lines

GIVEN = Key(int(Code.ACCRUAL), "grocer", "2026-01-01", None, None, "points")
SPENT = Key(int(Code.REDEMPTION), "grocer", "2026-01-01", "fuelco", "2026-01-01", "points")
BACK = Key(int(Code.CASH_BACK), "grocer", "2026-01-01", "bank1", None, "EUR")
TOTALS: Totals = {("grocer", GIVEN): 54, ("grocer", SPENT): 50, ("fuelco", SPENT): 50, ("grocer", BACK): 120}


def line(**named: Any) -> dict[str, Any]:
    return {"kind": "issue", "quantity": None, "unit_price": None, "places": 2, "amount_minor": 0, "sources": [], "basis": None, **named}


# 54 points at 0.0100 are 0.54; 5 % of it 0.027, rounded to 0.03; 19 % of 0.03 are 0.0057, rounded to 0.01. 50 points at 0.0085 are 0.425, half-even 0.42.
HELD: dict[int, dict[str, Any]] = {
    0: line(kind="fee", amount_minor=3, basis={"percent": "5", "of": [[2, "54"]]}),
    1: line(kind="vat", amount_minor=1, basis={"percent": "19", "of": [[0, "3"]]}),
    2: line(quantity=54, unit_price="0.0100", amount_minor=54, sources=[GIVEN]),
    3: line(kind="redemption", quantity=50, unit_price="0.0085", amount_minor=42, sources=[SPENT]),
    4: line(kind="cash_back", amount_minor=120, sources=[BACK]),
    5: line(kind="fee", quantity=1, unit_price="2.50", amount_minor=250),
    6: line(kind="fee", amount_minor=700, basis={"minimum_minor": "1000", "paid_minor": "300"}),
    7: line(kind="fee", amount_minor=1, basis={"percent": "2", "of": [[3, "42.5"]]}),
}


def wrong(number: int, party: str = "grocer", totals: Totals = TOTALS, **changed: Any) -> list[tuple[int, str]]:
    """What is wrong with the lines of a party once one of them is changed."""
    return [(one.line, one.why) for one in wrong_lines(party, {**HELD, number: {**HELD[number], **changed}}, totals)]


def test_lines_that_follow_are_not_named() -> None:
    assert list(wrong_lines("grocer", HELD, TOTALS)) == []


@pytest.mark.parametrize(
    ("number", "changed", "why"),
    [
        (2, {"amount_minor": 55}, "its amount is 55, from its entries follows 54"),
        (2, {"quantity": 53}, "its quantity is 53, its entries add up to 54"),
        (2, {"sources": [GIVEN, GIVEN]}, "it names a total twice"),
        (2, {"sources": [GIVEN, SPENT]}, "its quantity is 54, its entries add up to 104"),
        (2, {"unit_price": "0.0200"}, "its amount is 54, from its entries follows 108"),
        (2, {"places": 0}, "its amount is 54, from its entries follows 1"),
        (3, {"amount_minor": 43}, "its amount is 43, from its entries follows 42"),
        (4, {"amount_minor": 119}, "its amount is 119, from its entries follows 120"),
        (0, {"amount_minor": 2}, "its amount is 2, from what it rests on follows 3"),
        (0, {"basis": {"percent": "5", "of": [[9, "54"]]}}, "it rests on line 9, which is not there"),
        (0, {"basis": {"percent": "5", "of": [[2, "55"]]}}, "it counts 55 of line 2, which has 54"),
        (0, {"basis": {"percent": "5", "of": [[2, "-55"]]}}, "it counts -55 of line 2, which has 54"),
        (1, {"basis": {"percent": "19", "of": [[0, "2"]]}}, "it counts 2 of line 0, which has 3"),
        (7, {"basis": {"percent": "2", "of": [[3, "42.6"]]}}, "it counts 42.6 of line 3, which has 42"),
        (7, {"basis": {"percent": "2", "of": [[4, "120.5"]]}}, "it counts 120.5 of line 4, which has 120"),
        (5, {"amount_minor": 249}, "its amount is 249, from what it rests on follows 250"),
        (5, {"quantity": 2}, "nothing is named from which it follows"),
        (5, {"unit_price": None}, "nothing is named from which it follows"),
        (5, {"kind": "issue"}, "nothing is named from which it follows"),
        (6, {"amount_minor": 699}, "its amount is 699, from what it rests on follows 700"),
    ],
)
def test_a_line_that_was_changed_is_named_with_what_follows(number: int, changed: dict[str, Any], why: str) -> None:
    assert (number, why) in wrong(number, **changed)


def test_every_line_that_does_not_follow_is_named_with_its_party() -> None:
    assert list(wrong_lines("grocer", HELD, {})) == [
        Wrong("grocer", 2, "its quantity is 54, its entries add up to 0"),
        Wrong("grocer", 3, "its quantity is 50, its entries add up to 0"),
        Wrong("grocer", 4, "its amount is 120, from its entries follows 0"),
    ]


def test_percentages_are_added_up_before_they_are_rounded_and_a_credit_lowers_them() -> None:
    both = {"percent": "5", "of": [[2, "54"], [3, "-20"]]}  # 5 % of 34: 1.7
    assert wrong(0, basis=both, amount_minor=2) == [(1, "it counts 3 of line 0, which has 2")]
    credit = {"percent": "5", "of": [[2, "-54"]]}
    assert wrong(0, basis=credit) == []


def test_a_total_is_found_with_the_party_that_it_is_about_and_else_with_its_sponsor() -> None:
    assert [owner(party, SPENT) for party in ("grocer", "fuelco", "opco")] == ["grocer", "fuelco", "grocer"]
    assert owner("opco", SPENT._replace(sponsor=None)) == "opco"
    assert list(wrong_lines("fuelco", {3: HELD[3]}, {("fuelco", SPENT): 50})) == []
    assert list(wrong_lines("opco", {3: HELD[3]}, {("grocer", SPENT): 50})) == []


def test_a_total_that_could_be_owed_for_and_stands_behind_no_line_is_told() -> None:
    own = GIVEN._replace(counterparty="grocer")
    bought = Key(int(Code.PURCHASE), "grocer", "2026-01-01", None, None, "EUR")
    totals = TOTALS | {("grocer", own): 3, ("grocer", bought): 9, ("bank1", BACK): 120}
    assert without_line("grocer", HELD, totals) == []
    assert without_line("grocer", {2: HELD[2]}, totals) == sorted([SPENT, BACK], key=str)
