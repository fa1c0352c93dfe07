"""docs/features.md lists every feature once and in order, and every test that it names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
GROUPS = {"A": 10, "B": 7, "C": 28, "D": 7, "E": 13, "F": 4, "G": 6, "H": 0, "I": 5, "J": 0, "K": 16}
"""How many features each group has; groups without a number are one row."""
IDS = [f"{group}{number}" for group, most in GROUPS.items() for number in (range(1, most + 1) if most else ("",))]
NAMED = re.compile(r"`([^`]+::[^`]+)`")


class Row(NamedTuple):
    """A row of the table."""

    id: str
    feature: str
    state: str
    proof: str

    @property
    def tests(self) -> list[str]:
        return NAMED.findall(self.proof)


def rows() -> Iterator[Row]:
    for line in (ROOT / "docs" / "features.md").read_text(encoding="utf-8").splitlines():
        if re.match(r"\| [A-K][0-9]* \|", line):
            yield Row(*(cell.strip() for cell in line.strip("|").split("|")))


ROWS = list(rows())


def test_every_feature_is_listed_once_and_in_order() -> None:
    assert [row.id for row in ROWS] == IDS
    assert all(row.feature for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_is_done_with_a_test_or_it_is_missing(row: Row) -> None:
    state, _, part = row.state.partition(": ")
    assert state in {"done", "in part", "not there"}
    assert (state == "done") == bool(row.tests and not row.proof.startswith("missing"))
    if state == "in part":
        assert part
    if state == "not there":
        assert row.proof == "missing"


@pytest.mark.parametrize("test", sorted({test for row in ROWS for test in row.tests}))
def test_every_test_that_is_named_exists(test: str) -> None:
    path, _, name = test.partition("::")
    function, _, parameters = name.partition("[")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {re.escape(function)}\(", text, re.MULTILINE)
    assert parameters.rstrip("]") in text


OF_ALL = "tests/acceptance/test_scenarios.py::"
SCENARIO = re.compile(r"\[([\w-]+)\]\(\.\./tests/acceptance/(golden|worked)/([\w-]+)\.yaml\)")


@pytest.mark.parametrize("row", [row for row in ROWS if OF_ALL in row.proof], ids=lambda row: row.id)
def test_a_row_that_rests_on_all_scenarios_names_the_one_that_is_about_it(row: Row) -> None:
    named = SCENARIO.findall(row.proof)
    assert named
    for name, folder, file in named:
        assert name == file
        assert (ROOT / "tests" / "acceptance" / folder / f"{file}.yaml").exists()
