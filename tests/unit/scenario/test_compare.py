"""What a scenario expects against what came out: each rule of the comparison."""

import copy
import datetime as dt
import json
import time
from decimal import Decimal
from typing import Any

import pytest

from services.scenario.compare import differences

LINE = {
    "window": "2026-03-02",
    "kind": "issue",
    "debtor": "grocer",
    "creditor": "opco",
    "detail": None,
    "currency": "EUR",
    "quantity": 54,
    "unit_price": "0.0100",
    "amount": "0.54",
    "events": 1,
    "contract": "2026-01-01",
}
REDEMPTION = {**LINE, "kind": "redemption", "debtor": "opco", "creditor": "fuelco", "quantity": 50, "unit_price": "0.0085", "amount": "0.42"}
REPORT: dict[str, Any] = {
    "scenario": "basics",
    "balances": {"m1": {"available": 4, "pending": 0}, "m2": {"available": 0, "pending": 7}},
    "events": {
        "e1": {"outcome": "accepted", "window": "2026-03-02", "effects": [{"mechanic": "base", "kind": "points", "points": 54, "sponsor": "grocer"}]},
        "e2": {
            "outcome": "accepted",
            "window": "2026-03-02",
            "effects": [
                {"mechanic": None, "kind": "points", "points": -30, "sponsor": "grocer"},
                {"mechanic": None, "kind": "points", "points": -20, "sponsor": "dairyco"},
            ],
        },
    },
    "rejected": {"e9": "too-old"},
    "obligations": [LINE, REDEMPTION],
    "positions": {"2026-03-02": {"EUR": {"fuelco": "0.42", "grocer": "-0.54", "opco": "0.12"}}},
    "payments": [{"window": "2026-03-02", "currency": "EUR", "from": "grocer", "to": "opco", "amount": "0.54"}],
    "carried": {"2026-03-02": {"EUR": {"fuelco": "0.42"}}},
    "members": {"m1": {"stamps": {"coffee": 3}}},
    "checks": {"journal_balanced": True, "every_event_once": True},
}


def test_the_report_is_what_the_report_says() -> None:
    assert differences(REPORT, copy.deepcopy(REPORT)) == []


HOLDS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "some members": {"balances": {"m1": {"available": 4}}},
    "some events": {"events": {"e1": {"outcome": "accepted"}}},
    "some windows, currencies, parties": {"positions": {"2026-03-02": {"EUR": {"opco": "0.12"}}}},
    "no party of a window": {"positions": {"2026-03-02": {"EUR": {}}}},
    "a window as a day": {"positions": {dt.date(2026, 3, 2): {"EUR": {"opco": "0.12"}}}},
    "a price with fewer places": {"obligations": [{"unit_price": "0.01"}, {"unit_price": "0.00850"}]},
    "a price as a number": {"obligations": [{"unit_price": 0.01}, {"unit_price": Decimal("0.0085")}]},
    "lines in another order": {"obligations": [{"kind": "redemption"}, {"kind": "issue"}]},
    "a contract as a day": {"obligations": [{"kind": "issue", "contract": dt.date(2026, 1, 1)}, {}]},
    "lines without any key": {"obligations": [{}, {}]},
    "null where there is nothing": {"obligations": [{"detail": None}, {"kind": "issue", "detail": None}]},
    "null for a key that is not there": {"payments": [{"amount": "0.54", "note": None}]},
    "effects in another order": {"events": {"e2": {"effects": [{"sponsor": "dairyco", "points": -20}, {"points": -30}]}}},
    "quantities as text": {"obligations": [{"quantity": "54"}, {"quantity": 50.0}]},
    "all rejected": {"rejected": {"e9": "too-old"}},
    "all carried": {"carried": {dt.date(2026, 3, 2): {"EUR": {"fuelco": "0.420"}}}},
    "checks": {"checks": {"journal_balanced": True}},
    "stamps": {"members": {"m1": {"stamps": {"coffee": 3}}}},
}


@pytest.mark.parametrize("name", HOLDS)
def test_what_holds_has_no_difference(name: str) -> None:
    assert differences(HOLDS[name], REPORT) == []


DIFFERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a balance": ({"balances": {"m1": {"available": 5}}}, ["balances.m1.available: expected 5, found 4"]),
    "a member who is not there": ({"balances": {"m3": {"available": 0}}}, ['balances.m3: expected {"available": 0}, found nothing']),
    "a position": ({"positions": {"2026-03-02": {"EUR": {"opco": "0.13"}}}}, ["positions.2026-03-02.EUR.opco: expected 0.13, found 0.12"]),
    "a party without a position": ({"positions": {"2026-03-02": {"EUR": {"bank1": "0.13"}}}}, ["positions.2026-03-02.EUR.bank1: expected 0.13, found nothing"]),
    "a window without positions": ({"positions": {"2026-03-03": {"EUR": {}}}}, ['positions.2026-03-03: expected {"EUR": {}}, found nothing']),
    "nothing rejected": ({"rejected": {}}, ["rejected.e9: expected nothing, found too-old"]),
    "another code": ({"rejected": {"e9": "no-contract"}}, ["rejected.e9: expected no-contract, found too-old"]),
    "more rejected": ({"rejected": {"e9": "too-old", "e8": "too-old"}}, ["rejected.e8: expected too-old, found nothing"]),
    "nothing carried": ({"carried": {}}, ["carried.2026-03-02.EUR.fuelco: expected nothing, found 0.42"]),
    "another window carried": (
        {"carried": {"2026-03-03": {"EUR": {"fuelco": "0.42"}}}},
        ["carried.2026-03-03.EUR.fuelco: expected 0.42, found nothing", "carried.2026-03-02.EUR.fuelco: expected nothing, found 0.42"],
    ),
    "another party carried": (
        {"carried": {"2026-03-02": {"EUR": {"grocer": "0.42"}}}},
        ["carried.2026-03-02.EUR.grocer: expected 0.42, found nothing", "carried.2026-03-02.EUR.fuelco: expected nothing, found 0.42"],
    ),
    "no payments": (
        {"payments": []},
        ['payments: expected nothing more, found {"window": "2026-03-02", "currency": "EUR", "from": "grocer", "to": "opco", "amount": "0.54"}'],
    ),
    "a payment too many": (
        {"payments": [{"from": "grocer"}, {"from": "opco", "amount": "0.42"}]},
        ['payments: expected {"from": "opco", "amount": "0.42"}, found no such entry'],
    ),
    "another amount": (
        {"obligations": [{"kind": "issue", "amount": "0.55"}, {"kind": "redemption"}]},
        ['obligations: expected {"kind": "issue", "amount": "0.55"}, found one with amount 0.54 instead of 0.55'],
    ),
    "a line too few": (
        {"obligations": [{"kind": "issue"}]},
        [f"obligations: expected nothing more, found {json.dumps(REDEMPTION)}"],
    ),
    "one line for two": (
        {"obligations": [{"kind": "issue"}, {"kind": "issue"}]},
        ['obligations: expected {"kind": "issue"}, found no such entry'],
    ),
    "no effects": (
        {"events": {"e1": {"effects": []}}},
        ['events.e1.effects: expected nothing more, found {"mechanic": "base", "kind": "points", "points": 54, "sponsor": "grocer"}'],
    ),
    "effects of an event that is not there": ({"events": {"e3": {"effects": []}}}, ['events.e3: expected {"effects": []}, found nothing']),
    "a truth value": ({"checks": {"every_event_once": False}}, ["checks.every_event_once: expected false, found true"]),
    "a number for a truth value": ({"checks": {"every_event_once": 1}}, ["checks.every_event_once: expected 1, found true"]),
    "null for a value": ({"events": {"e1": {"window": None}}}, ["events.e1.window: expected nothing, found 2026-03-02"]),
    "a part that there is not": ({"reports": {"a": 1}}, ['reports: expected {"a": 1}, found nothing']),
    "a map for a figure": ({"balances": {"m1": {"available": {"points": 4}}}}, ['balances.m1.available: expected {"points": 4}, found 4']),
    "a list for a map": (
        {"balances": ["m1"]},
        ['balances: expected ["m1"], found {"m1": {"available": 4, "pending": 0}, "m2": {"available": 0, "pending": 7}}'],
    ),
}


@pytest.mark.parametrize("name", DIFFERS)
def test_each_difference_is_one_line_with_path_expected_and_found(name: str) -> None:
    expect, lines = DIFFERS[name]

    found = differences(expect, REPORT)

    if name == "one line for two":
        assert found[:1] == lines
        assert len(found) == 2
    else:
        assert found == lines
    assert all("\n" not in line for line in found)


def test_a_loose_expectation_does_not_take_what_a_strict_one_needs() -> None:
    found = {"payments": [{"from": "a", "to": "x"}, {"from": "a", "to": "y"}, {"from": "b", "to": "x"}]}

    for order in (
        [{"from": "a"}, {"to": "x"}, {"from": "a", "to": "x"}],
        [{"from": "a", "to": "x"}, {"to": "x"}, {"from": "a"}],
        [{"to": "x"}, {"from": "a"}, {"to": "x"}],
    ):
        assert differences({"payments": order}, found) == []
    assert len(differences({"payments": [{"to": "y"}, {"from": "b"}, {"to": "y"}]}, found)) == 2


def test_thousands_of_entries_are_compared_at_once() -> None:
    found = [{**LINE, "debtor": f"p{number}", "amount": f"{number}.00"} for number in range(6000)]
    expected = [dict(reversed(line.items())) for line in reversed(found)]
    loose = [{"debtor": f"p{number}"} if number % 2 else {"amount": f"{number}"} for number in range(6000)]
    wrong = [{**line, "amount": "0.01"} for line in found]

    begun = time.process_time()
    assert differences({"obligations": expected}, {"obligations": found}) == []
    assert differences({"obligations": loose}, {"obligations": found}) == []
    assert differences({"obligations": [{"kind": "issue"}] * 6000}, {"obligations": found}) == []
    assert len(differences({"obligations": wrong}, {"obligations": found})) == 12_000
    assert time.process_time() - begun < 10
