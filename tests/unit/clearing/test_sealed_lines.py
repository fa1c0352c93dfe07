"""Sealed lines follow from sealed entries and from each other, in figures worked by hand; whatever is changed is named."""

from __future__ import annotations

from typing import Any

import pytest

from clearing.entries import Code
from clearing.sealed_lines import Key, Totals, Wrong, operator_of, owner, without_line, wrong_lines
from clearing.sealed_rules import RULES, rule_of

FIRST = "2026-01-01"
GIVEN = Key(int(Code.ACCRUAL), "grocer", FIRST, None, None, "points")
TAKEN = Key(int(Code.RETURN_UNSPENT), "grocer", FIRST, None, None, "points")
SPENT = Key(int(Code.REDEMPTION), "grocer", FIRST, "fuelco", FIRST, "points")
ELSEWHERE = Key(int(Code.REDEMPTION), "fuelco", FIRST, "grocer", FIRST, "points")
BACK = Key(int(Code.CASH_BACK), "grocer", None, "bank1", None, "EUR")
TOTALS: Totals = {
    ("grocer", GIVEN): 54, ("grocer", TAKEN): 4, ("grocer", SPENT): 50, ("fuelco", SPENT): 50, ("grocer", ELSEWHERE): 50, ("grocer", BACK): 120,
}  # fmt: skip


def line(**named: Any) -> dict[str, Any]:
    return {"kind": "issue", "detail": None, "debtor": "grocer", "creditor": "opco", "currency": "EUR", "places": 2, "quantity": None, "unit_price": None,
            "amount_minor": 0, "events": None, "contract": FIRST, "sources": [], "basis": None, **named}  # fmt: skip


def percent(percents: str, *of: list[Any]) -> dict[str, Any]:
    return {"percent": percents, "of": list(of)}


# 54 points at 0.0100 are 0.54, 4 that came back 0.04; 5 % of 0.50 are 0.025, half-even 0.02; 19 % of 0.02 and 0.50 are 0.0988, rounded to 0.10.
# 50 points at 0.0085 are 0.425, half-even 0.42; 2 % of 0.425 are 0.0085, rounded to 0.01.
HELD: dict[int, dict[str, Any]] = {
    0: line(kind="fee", detail="percent_of_issue", amount_minor=2, basis=percent("5", [2, "54"], [3, "-4"])),
    1: line(kind="vat", amount_minor=10, basis=percent("19", [0, "2"], [2, "54"], [3, "-4"])),
    2: line(quantity=54, unit_price="0.0100", amount_minor=54, sources=[GIVEN]),
    3: line(kind="issue_reversal", debtor="opco", creditor="grocer", quantity=4, unit_price="0.01", amount_minor=4, sources=[TAKEN]),
    4: line(kind="cash_back", creditor="bank1", amount_minor=120, contract=None, sources=[BACK]),
    5: line(kind="fee", detail="monthly", quantity=1, unit_price="2.50", amount_minor=250),
    6: line(kind="fee", detail="monthly_minimum", amount_minor=700, basis={"minimum_minor": "1000", "paid_minor": "300"}),
    7: line(kind="redemption", debtor="opco", creditor="grocer", quantity=50, unit_price="0.0085", amount_minor=42, sources=[ELSEWHERE]),
    8: line(kind="fee", detail="percent_of_redemption", amount_minor=1, basis=percent("2", [7, "85/2"])),
}


def wrong(number: int, party: str = "grocer", totals: Totals = TOTALS, **changed: Any) -> dict[int, str]:
    """What is wrong with the lines of a party once one of them is changed."""
    return {one.line: one.why for one in wrong_lines(party, {**HELD, number: {**HELD.get(number, line()), **changed}}, totals)}


def test_lines_that_follow_are_not_named() -> None:
    assert list(wrong_lines("grocer", HELD, TOTALS)) == []


RESTS = "the lines that it rests on are not those that count for a {} of this contract, each with what counts of it"
ISSUE, SPENDING = RESTS.format("percent_of_issue"), RESTS.format("percent_of_redemption")
NOTHING = "nothing is named from which it follows"


@pytest.mark.parametrize(
    ("number", "changed", "why"),
    [
        (2, {"amount_minor": 55}, "its amount is 55, from its entries follows 54"),
        (2, {"amount_minor": -54}, "its amount is below zero"),
        (2, {"quantity": 53}, "its quantity is 53, its entries add up to 54"),
        (2, {"sources": [GIVEN, GIVEN]}, "it names a total twice"),
        (2, {"sources": [GIVEN, SPENT]}, "its quantity is 54, its entries add up to 104"),
        (2, {"unit_price": "0.0200"}, "its amount is 54, from its entries follows 108"),
        (2, {"unit_price": "1e99999999"}, "its price is not written as prices are"),
        (2, {"unit_price": "-0.01"}, "its price is not written as prices are"),
        (2, {"unit_price": "9" * 21}, "its price is not written as prices are"),
        (2, {"unit_price": None}, "a issue of opco from grocer in these terms does not follow from a total of code 1"),
        (2, {"unit_price": None, "quantity": None}, "a issue of opco from grocer in these terms does not follow from a total of code 1"),
        (2, {"contract": "2026-02-01"}, "a issue of opco from grocer in these terms does not follow from a total of code 1"),
        (2, {"kind": "redemption"}, "a redemption of opco from grocer in these terms does not follow from a total of code 1"),
        (2, {"detail": "x"}, "a issue of opco from grocer in these terms does not follow from a total of code 1"),
        (2, {"debtor": "opco", "creditor": "grocer"}, "a issue of grocer from opco in these terms does not follow from a total of code 1"),
        (2, {"creditor": "baker"}, "baker stands where opco, the operator, has to"),
        (2, {"creditor": "grocer"}, "it is not between grocer and another"),
        (2, {"debtor": "baker"}, "it is not between grocer and another"),
        (2, {"places": 0}, "EUR has 2 places"),
        (2, {"currency": "XXX"}, "XXX is no currency"),
        (2, {"basis": percent("5", [3, "-4"])}, "it names totals and lines"),
        (7, {"amount_minor": 43}, "its amount is 43, from its entries follows 42"),
        (4, {"amount_minor": 119}, "its amount is 119, from its entries follows 120"),
        (4, {"currency": "USD"}, "a cash_back of bank1 from grocer in these terms does not follow from a total of code 25"),
        (4, {"quantity": 120}, "a cash_back of bank1 from grocer in these terms does not follow from a total of code 25"),
        (9, {"quantity": 54, "unit_price": "0.0100", "amount_minor": 54, "sources": [GIVEN]}, "a total of code 1 is charged by another line already"),
        (0, {"amount_minor": 3}, "its amount is 3, from what it rests on follows 2"),
        (0, {"basis": percent("5", [9, "54"])}, ISSUE),
        (0, {"basis": percent("5", [2, "55"], [3, "-4"])}, ISSUE),
        (0, {"basis": percent("5", [2, "54"])}, ISSUE),
        (0, {"basis": percent("5", [2, "54"], [2, "54"])}, ISSUE),
        (0, {"basis": percent("5", [0, "999999"]), "amount_minor": 50000}, ISSUE),
        (0, {"basis": percent("5", [1, "54"])}, ISSUE),
        (0, {"basis": percent("5")}, ISSUE),
        (0, {"debtor": "opco", "creditor": "grocer"}, "its amount is 2, from what it rests on follows -2"),
        (0, {"currency": "USD"}, ISSUE),
        (0, {"basis": {"percent": "1e-99999999", "of": [[2, "54"], [3, "-4"]]}}, "what it rests on is not written as that is"),
        (0, {"basis": {"percent": "5", "of": [[2, "54"], [3, "-4"]], "paid_minor": "1"}}, "what it rests on is not written as that is"),
        (0, {"events": 3}, "it tells a number of events, and rests on none"),
        (0, {"quantity": 777}, NOTHING),
        (0, {"quantity": 10**9, "unit_price": "1.00"}, NOTHING),
        (0, {"detail": "monthly"}, NOTHING),
        (0, {"contract": None}, NOTHING),
        (9, {**HELD[0]}, "this fee is charged by another line already"),
        (1, {"basis": percent("19", [0, "1"])}, "it counts 1 of line 0, which has 2"),
        (1, {"basis": percent("19", [0, "2"], [9, "2"])}, "it rests on line 9, which is not there"),
        (1, {"basis": percent("19", [0, "2"], [0, "2"])}, "line 0 is taxed already"),
        (1, {"basis": percent("100", [1, "10"])}, "line 1 bears no tax of grocer to opco in EUR under this contract"),
        (1, {"basis": percent("19", [4, "120"])}, "line 4 bears no tax of grocer to opco in EUR under this contract"),
        (1, {"basis": percent("19", [3, "4"])}, "it counts 4 of line 3, which has -4"),
        (1, {"basis": percent("19", [3, "-4"]), "amount_minor": 1}, "its amount is 1, from what it rests on follows -1"),
        (1, {"currency": "USD"}, "line 0 bears no tax of grocer to opco in USD under this contract"),
        (1, {"contract": "2026-02-01"}, "line 0 bears no tax of grocer to opco in EUR under this contract"),
        (1, {"creditor": "bank1"}, "line 0 bears no tax of grocer to bank1 in EUR under this contract"),
        (1, {"basis": percent("1e9", [0, "2"])}, "what it rests on is not written as that is"),
        (8, {"basis": percent("2", [7, "42"])}, SPENDING),
        (5, {"amount_minor": 249}, "its amount is 249, from what it rests on follows 250"),
        (5, {"quantity": 2}, NOTHING),
        (5, {"unit_price": None}, NOTHING),
        (5, {"kind": "issue"}, NOTHING),
        (5, {"detail": "per_transaction"}, NOTHING),
        (6, {"amount_minor": 699}, "its amount is 699, from what it rests on follows 700"),
        (6, {"basis": {"minimum_minor": "1e999999999", "paid_minor": "300"}}, "what it rests on is not written as that is"),
        (6, {"basis": {"minimum_minor": "1000"}}, "what it rests on is not written as that is"),
        (6, {"basis": {"minimum_minor": "300", "paid_minor": "300"}, "amount_minor": 0}, "its amount is 0, from what it rests on follows 0"),
    ],
)
def test_a_line_that_was_changed_is_named_with_what_follows(number: int, changed: dict[str, Any], why: str) -> None:
    assert wrong(number, **changed).get(number) == why


@pytest.mark.parametrize(("told", "counts", "holds"), [
    (2, (2, 0), True), (2, (1, 0), False), (3, (2, 0), False), (None, (0, 0), True), (None, (1, 0), False), (0, (0, 0), False),
    (3, (2, 2), True), (1, (2, 2), False), (5, (2, 2), False),
])  # fmt: skip
def test_an_event_in_two_totals_of_a_line_is_told_once(told: int | None, counts: tuple[int, int], holds: bool) -> None:
    other = GIVEN._replace(code=int(Code.REPAYMENT), counterparty="opco")
    both = line(quantity=60, unit_price="0.0100", amount_minor=60, sources=[GIVEN, other], events=told)
    events = {("grocer", GIVEN): counts[0], ("grocer", other): counts[1]}
    found = list(wrong_lines("grocer", {2: both}, {**TOTALS, ("grocer", other): 6}, None, None, events))
    assert [one.why for one in found] == ([] if holds else [f"it tells of {told} events, its entries are {max(counts)} to {sum(counts)}"])


def test_whoever_is_named_first_as_the_operator_has_to_be_in_all_lines() -> None:
    assert set(wrong(0, creditor="baker").values()) >= {"opco stands where baker, the operator, has to"}


def test_every_line_that_does_not_follow_is_named_with_its_party() -> None:
    some = {no: HELD[no] for no in (2, 4, 7)}
    assert list(wrong_lines("grocer", some, {})) == [
        Wrong("grocer", 2, "its quantity is 54, its entries add up to 0"),
        Wrong("grocer", 4, "its amount is 120, from its entries follows 0"),
        Wrong("grocer", 7, "its quantity is 50, its entries add up to 0"),
    ]


def test_where_more_came_back_than_was_charged_the_operator_owes_the_fee_and_the_tax() -> None:
    totals = TOTALS | {("grocer", TAKEN): 104}
    back = {**HELD[3], "quantity": 104, "amount_minor": 104}
    fee = line(kind="fee", detail="percent_of_issue", debtor="opco", creditor="grocer", amount_minor=2, basis=percent("5", [2, "54"], [3, "-104"]))
    tax = line(kind="vat", debtor="opco", creditor="grocer", amount_minor=10, basis=percent("19", [0, "2"], [2, "-54"], [3, "104"]))
    lines = {**HELD, 0: fee, 1: tax, 3: back}
    assert list(wrong_lines("grocer", lines, totals)) == []
    other = {**fee, "debtor": "grocer", "creditor": "opco"}
    assert {one.line for one in wrong_lines("grocer", {**lines, 0: other}, totals)} == {0, 1}


def test_a_fee_can_rest_on_a_line_between_two_others_where_that_is_shown() -> None:
    between = line(kind="redemption", debtor="grocer", creditor="fuelco", quantity=50, unit_price="0.01", amount_minor=50, sources=[SPENT])
    fee = line(kind="fee", detail="percent_of_redemption", debtor="fuelco", amount_minor=1, basis=percent("2", [0, "50"]))
    assert list(wrong_lines("opco", {1: fee}, TOTALS, {0: between, 1: fee}, "opco")) == []
    assert [one.why for one in wrong_lines("opco", {1: fee}, TOTALS)] == [SPENDING]


def test_the_operator_is_told_by_what_follows_from_totals() -> None:
    assert operator_of(HELD) == "opco"
    assert operator_of({4: HELD[4]}) is None
    assert [one.why for one in wrong_lines("grocer", {2: HELD[2]}, TOTALS, None, "baker")] == ["opco stands where baker, the operator, has to"]


def test_each_code_that_could_be_owed_for_has_a_rule_and_no_other() -> None:
    assert {code for code in Code if code in RULES} == {code for code in Code if code <= Code.EXPIRY and code != Code.RELEASE} | {
        Code.RETURN_SPENT_REVERSAL, Code.PURCHASE, *(code for code in Code if Code.DISCOUNT <= code <= Code.DEFAULT_LOSS)
    }  # fmt: skip
    assert rule_of(GIVEN._replace(code=51), HELD[2]) is None


def test_a_total_is_found_with_the_party_that_it_is_about_and_else_with_its_sponsor() -> None:
    assert [owner(party, SPENT) for party in ("grocer", "fuelco", "opco")] == ["grocer", "fuelco", "grocer"]
    assert owner("opco", SPENT._replace(sponsor=None)) == "opco"
    spent = line(kind="redemption", debtor="opco", creditor="fuelco", quantity=50, unit_price="0.0085", amount_minor=42, sources=[SPENT])
    assert list(wrong_lines("fuelco", {3: spent}, {("fuelco", SPENT): 50})) == []
    assert list(wrong_lines("opco", {3: spent}, {("grocer", SPENT): 50})) == []


def test_a_total_that_could_be_owed_for_and_stands_behind_no_line_is_told_and_a_sum_of_amounts_is_a_fault() -> None:
    own, nothing = GIVEN._replace(counterparty="grocer"), BACK._replace(unit="USD")
    bought = Key(int(Code.PURCHASE), "grocer", FIRST, None, None, "EUR")
    totals = TOTALS | {("grocer", own): 3, ("grocer", bought): 9, ("grocer", nothing): 0, ("bank1", BACK): 120, ("opco", SPENT._replace(sponsor="baker")): 4}
    assert without_line("grocer", HELD, totals) == [(SPENT, False)]
    assert without_line("grocer", {2: HELD[2]}, totals) == sorted([(SPENT, False), (ELSEWHERE, False), (TAKEN, False), (BACK, True)], key=lambda of: str(of[0]))
