"""Any part of the report can stand in `expect`, at every level, with numbers as numbers; what is no part of it is refused where it stands."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schemas import expectation, scenario_report
from schemas.scenario_report import ScenarioReport
from services.scenario.compare import judged
from services.scenario.read import ScenarioError, read_scenario
from tests.unit.programme.harvest import TEXT

EFFECTS: list[dict[str, Any]] = [
    {"mechanic": "base", "kind": "points", "points": 54, "sponsor": "grocer"},
    {"mechanic": "price", "kind": "discount", "amount": "1.20", "sponsor": "bank1"},
    {"mechanic": "coffee", "kind": "stamp", "count": 2, "sponsor": None},
    {"mechanic": "coffee", "kind": "gift", "gift": "mug", "sponsor": "cafe"},
    {"mechanic": "steps", "kind": "tier", "tier": "gold", "sponsor": None},
]
OBLIGATION = {"window": "2026-03-02", "kind": "issue", "debtor": "grocer", "creditor": "opco", "detail": "monthly", "currency": "EUR", "quantity": 54}
REPORT: dict[str, Any] = {
    "scenario": "basics",
    "balances": {"m1": {"available": -4, "pending": 7, "unfunded": 2}},
    "events": {"e1": {"outcome": "accepted", "window": "2026-03-02", "effects": EFFECTS}},
    "rejected": {"e9": "too-old"},
    "obligations": [OBLIGATION | {"unit_price": "0.01000000000000001", "amount": "0.54", "events": 1, "contract": "2026-01-01"}],
    "positions": {"2026-03-02": {"EUR": {"grocer": "-0.54", "opco": "0.54"}}},
    "payments": [{"window": "2026-03-02", "currency": "EUR", "from": "grocer", "to": "opco", "amount": "0.54"}],
    "carried": {"2026-03-02": {"EUR": {"fuelco": "0.42"}}},
    "members": {"m1": {"tier": "gold", "stamps": {"coffee": 3}, "cash_back": {"cb": "1.20"}, "saved": {"up": "0.70"}, "visits": {"ten": 7}}},
    "checks": {"journal_balanced": True, "positions_sum_to_zero": True, "recomputed_equal": True, "every_event_once": True},
}
Way = tuple[str | int, ...]


def leaves(value: Any, path: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Every figure, word and truth value of a report, with the path to it."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield path, value
    for key, child in children:
        yield from leaves(child, (*path, key))


LEAVES = dict(leaves(REPORT))


def read(expect: Any, folder: Path) -> dict[str, Any]:
    """What a scenario expects, as it is compared, read from the text of its file."""
    (folder / "harvest.yaml").write_text(TEXT, encoding="utf-8")
    path = folder / "expecting.yaml"
    path.write_text(f"scenario: basics\nprogramme: harvest.yaml\ndays: [{{day: 2026-03-02}}]\nexpect: {json.dumps(expect)}\n", encoding="utf-8")
    scenario, _ = read_scenario(path)
    assert scenario.expect is not None
    return scenario.expect.named()


def only(path: Way, value: Any) -> Any:
    """The expectation of this one leaf: of maps only the key on the way, of lists every entry, each by the keys that tell it from the others."""
    whole = copy.deepcopy(REPORT)
    node: Any = whole
    for at, part in enumerate(path[:-1]):
        if isinstance(node, dict) and not (at == 1 and path[0] == "rejected"):
            for other in [key for key in node if key != part]:
                del node[other]
        node = node[part]
    node[path[-1]] = value
    if "effects" not in path:
        for other in [key for key in node if isinstance(node, dict) and key != path[-1]]:
            del node[other]
    return whole


def test_the_report_of_this_test_has_every_key_that_there_is() -> None:
    ScenarioReport.model_validate(REPORT | {"passed": True, "differences": []}, by_alias=True, by_name=False)
    named = {part for path in LEAVES for part in path}
    for model in (getattr(scenario_report, name) for name in vars(scenario_report) if name.startswith("Report")):
        assert {field.alias or name for name, field in model.model_fields.items()} <= named, model


@pytest.mark.parametrize("part", ["Balance", "Effect", "Event", "Obligation", "Payment", "Member"])
def test_what_the_report_has_can_be_expected(part: str) -> None:
    def keys(model: Any) -> set[str]:
        return {field.alias or name for name, field in model.model_fields.items()}

    assert keys(getattr(expectation, f"Expected{part}")) == keys(getattr(scenario_report, f"Report{part}"))
    assert keys(expectation.Expectation) == keys(ScenarioReport)


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_each_key_is_compared(path: Way, tmp_path: Path) -> None:
    value = LEAVES[path]
    other: Any = not value if isinstance(value, bool) else "2027-01-01" if path[-1] in ("window", "contract") else "held" if path[-1] == "outcome" else None
    other = (value + 1 if isinstance(value, int) else "7.5" if str(value).replace(".", "").strip("-").isdigit() else "other") if other is None else other

    assert judged(read(only(path, value), tmp_path), REPORT)["differences"] == []
    assert judged(read(only(path, other), tmp_path), REPORT)["differences"] != []


FIGURES = {path: value for path, value in LEAVES.items() if not isinstance(value, bool) and str(value).replace(".", "").strip("-").isdigit()}


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: ".".join(map(str, path)))
def test_a_figure_may_be_written_in_any_form(path: Way, tmp_path: Path) -> None:
    number = Decimal(str(FIGURES[path]))
    longer = format(number, "f") + ("0" if "." in str(number) else ".0")
    written: list[Any] = [str(number), longer, float(number)] if number == Decimal(repr(float(number))) else [str(number), longer]

    for form in written:
        assert judged(read(only(path, form), tmp_path), REPORT)["differences"] == []


BY_ID = ("rejected", "positions", "carried", "checks", "stamps", "cash_back", "saved", "visits")
"""Maps by ids, in which any key may stand."""


@pytest.mark.parametrize("path", dict.fromkeys(path[:-1] for path in LEAVES if path[1:] and not set(BY_ID) & set(path)), ids=str)
def test_an_unknown_key_is_refused_where_it_stands(path: Way, tmp_path: Path) -> None:
    expect = copy.deepcopy(REPORT)
    node: Any = expect
    for part in path:
        node = node[part]
    node["no-such"] = 1

    with pytest.raises(ScenarioError) as refused:
        read(expect, tmp_path)

    (finding,) = refused.value.findings
    assert (finding.line, finding.code, finding.field.endswith(".no-such")) == (4, "unknown-field", True)


def test_an_unknown_part_of_the_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        read({"balance": {}}, tmp_path)

    assert [(finding.field, finding.way_out) for finding in refused.value.findings] == [("expect.balance", "did you mean balances?")]


@pytest.mark.parametrize(
    ("expect", "differing"),
    [
        ({"passed": True, "differences": []}, []),
        ({"passed": False}, ["passed: expected false, found true"]),
        ({"differences": ["x"]}, ["differences: expected x, found no such entry"]),
        ({"scenario": "other"}, ["scenario: expected other, found basics"]),
        ({"scenario": "other", "passed": False}, ["scenario: expected other, found basics"]),
        ({"scenario": "other", "differences": ["scenario: expected other, found basics"]}, ["scenario: expected other, found basics"]),
    ],
)
def test_the_verdict_is_that_of_all_else(expect: dict[str, Any], differing: list[str], tmp_path: Path) -> None:
    report = judged(read(expect, tmp_path), REPORT)

    assert (report["differences"], report["passed"]) == (differing, not differing)


def test_a_check_that_fails_is_a_difference_unless_it_is_expected(tmp_path: Path) -> None:
    report = REPORT | {"checks": {"journal_balanced": False}}

    assert judged({}, report)["differences"] == ["checks.journal_balanced: does not hold"]
    assert judged(read({"checks": {"journal_balanced": False}}, tmp_path), report)["differences"] == []
    assert judged(read({"checks": None}, tmp_path), report)["passed"] is False
