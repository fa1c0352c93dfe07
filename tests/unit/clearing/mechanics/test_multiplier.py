"""`multiplier`: (factor − 1) × what its bases would give for the lines that qualify here, rounded down."""

import pytest

from clearing.mechanics import Mechanic, build
from schemas.ids import MechanicId
from tests.short import Json, line
from tests.unit.clearing.baskets import ENTRY, EURO, basket, compiled, day
from tests.unit.clearing.coalition import FIRST


def base(name: str, points: int = 1, **terms: object) -> Mechanic:
    return build(ENTRY.validate_python({"id": name, "kind": "points_on_spend", "from": FIRST, "points": points, "per": EURO, **terms}), (), "EUR")


def extra(mechanic: Mechanic, *lines: Json, bases: tuple[Mechanic, ...] = (), **terms: object) -> int:
    return mechanic.value(basket(*lines, **terms), {one.id: one for one in bases})  # type: ignore[arg-type]


@pytest.mark.parametrize(("factor", "spent", "expected"), [("2", 2020, 20), ("3", 2020, 40), ("1.5", 2100, 10), ("1.5", 199, 0), ("1.1", 10_900, 10)])
def test_extra_points_are_the_factor_less_one_rounded_down(factor: str, spent: int, expected: int) -> None:
    one = base("base")
    assert extra(compiled("multiplier", factor=factor, of=["base"]), line(1, spent), bases=(one,)) == expected


def test_bases_are_asked_for_the_lines_that_qualify_here_only() -> None:
    # of 10.50 dairy alone the base gives 10, though it gives 20 for the whole purchase of 20.20
    mechanic = compiled("multiplier", factor="2", of=["base"], when={"categories": ["dairy"]})
    assert extra(mechanic, line(1, 1050, "dairy"), line(2, 970, "bakery"), bases=(base("base"),)) == 10
    assert extra(mechanic, line(2, 970, "bakery"), bases=(base("base"),)) == 0


def test_the_bases_own_conditions_hold_as_well() -> None:
    mechanic = compiled("multiplier", factor="2", of=["base"], when={"categories": ["dairy"]})
    one = base("base", when={"except": {"skus": ["butter"]}})
    assert extra(mechanic, line(1, 500, "dairy", sku="butter"), line(2, 300, "dairy", sku="milk"), bases=(one,)) == 3


def test_several_bases_are_added_before_rounding() -> None:
    mechanic = compiled("multiplier", factor="1.5", of=["one", "two"])
    assert extra(mechanic, line(1, 100), bases=(base("one"), base("two", 2))) == 1  # half of 3


def test_bases_that_do_not_apply_bring_nothing() -> None:
    mechanic = compiled("multiplier", factor="2", of=["one", "two"])
    assert extra(mechanic, line(1, 500), bases=(base("two"),)) == 5
    assert extra(mechanic, line(1, 500), bases=(base("three"),)) == 0
    assert extra(mechanic, line(1, 500)) == 0


def test_without_names_all_points_on_spend_above_it_are_meant() -> None:
    before = [
        ENTRY.validate_python({"id": "one", "kind": "points_on_spend", "from": FIRST, "points": 1, "per": EURO}),
        ENTRY.validate_python({"id": "bonus", "kind": "fixed_bonus", "from": FIRST, "points": 50}),
        ENTRY.validate_python({"id": "two", "kind": "points_on_spend", "from": FIRST, "points": 2, "per": EURO}),
    ]
    bases: dict[MechanicId, Mechanic] = {one.id: build(one, (), "EUR") for one in before}
    mechanic = compiled("multiplier", *before, factor="2")
    assert mechanic.value(basket(line(1, 1000)), bases) == 30
    assert compiled("multiplier", before[0], factor="2").value(basket(line(1, 1000)), bases) == 10
    assert compiled("multiplier", *before, factor="2", of=["two"]).value(basket(line(1, 1000)), bases) == 20


def test_its_effect_are_points_and_it_remembers_nothing() -> None:
    mechanic = compiled("multiplier", factor="2", of=["base"])
    memory: dict[str, int | str] = {}
    assert (mechanic.id, mechanic.effect) == ("multiplier", "points")
    assert mechanic.remember(memory, 5, day("2026-03-02")) == ()
    assert memory == {}
