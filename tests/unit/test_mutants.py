"""How the outcome of mutation testing is counted: what is killed, what is not, and when it is enough."""

from __future__ import annotations

import pytest

from tests.mutants import enough, module_of, statuses, table

TOLD = """
    clearing.vat.x_tax_base__mutmut_1: killed
    clearing.vat.x_tax_base__mutmut_2: survived
    clearing.points.xǁPurseǁ_post__mutmut_1: timeout
    clearing.mechanics.conditions.x_day__mutmut_1: no tests
some other line: killed
"""


def found(*outcomes: tuple[int, str]) -> dict[str, str]:
    """So many mutants of each outcome."""
    return {f"clearing.vat.x_{status}__mutmut_{number}": status for count, status in outcomes for number in range(count)}


def test_lines_that_name_a_mutant_are_read() -> None:
    assert statuses(TOLD.splitlines()) == {
        "clearing.vat.x_tax_base__mutmut_1": "killed",
        "clearing.vat.x_tax_base__mutmut_2": "survived",
        "clearing.points.xǁPurseǁ_post__mutmut_1": "timeout",
        "clearing.mechanics.conditions.x_day__mutmut_1": "no tests",
    }


def test_a_mutants_module_is_all_before_its_function() -> None:
    assert [module_of(name) for name in statuses(TOLD.splitlines())][1:] == ["clearing.vat", "clearing.points", "clearing.mechanics.conditions"]


def test_what_never_ends_is_killed_and_what_no_test_reaches_is_not() -> None:
    assert [line.split() for line in table(statuses(TOLD.splitlines()))] == [
        ["clearing.mechanics.conditions", "0", "of", "1", "0.0", "%"],
        ["clearing.points", "1", "of", "1", "100.0", "%"],
        ["clearing.vat", "1", "of", "2", "50.0", "%"],
        ["all", "2", "of", "4", "50.0", "%"],
    ]


@pytest.mark.parametrize(
    ("outcomes", "is_enough"),
    [
        ([(85, "killed"), (15, "survived")], True),
        ([(84, "killed"), (1, "timeout"), (15, "no tests")], True),
        ([(84, "killed"), (16, "survived")], False),
        ([(849, "killed"), (151, "suspicious")], False),
        ([(99, "killed"), (1, "not checked")], False),
        ([], False),
    ],
)
def test_85_of_100_have_to_be_killed_and_all_to_be_tried(outcomes: list[tuple[int, str]], is_enough: bool) -> None:
    assert enough(found(*outcomes)) is is_enough
