"""`fixed_bonus`: points for an event, or for each unit of the qualifying goods."""

from tests.short import line
from tests.unit.clearing.baskets import compiled, day, worth


def test_a_bonus_for_the_event_comes_once_however_much_was_bought() -> None:
    mechanic = compiled("fixed_bonus", points=25)
    assert worth(mechanic, line(1, 100, quantity="3"), line(2, 100)) == 25


def test_a_bonus_for_units_is_multiplied_by_the_whole_quantity_of_qualifying_lines() -> None:
    mechanic = compiled("fixed_bonus", points=10, each="unit", when={"categories": ["dairy"]})
    assert worth(mechanic, line(1, 100, "dairy", quantity="2"), line(2, 100, "dairy", quantity="3"), line(3, 100, "bakery", quantity="7")) == 50
    assert worth(mechanic, line(1, 100, "dairy", quantity="1.6"), line(2, 100, "dairy", quantity="1.7")) == 30  # 3.3 units are 3 whole ones
    assert worth(mechanic, line(1, 100, "dairy", quantity="0.9")) == 0


def test_a_purchase_with_a_zero_base_still_gets_it() -> None:
    assert worth(compiled("fixed_bonus", points=25), line(1, 0)) == 25
    assert worth(compiled("fixed_bonus", points=25), line(1, 100), tenders={"points": 100}) == 25


def test_without_a_qualifying_line_there_is_none() -> None:
    assert worth(compiled("fixed_bonus", points=25, when={"categories": ["fuel"]}), line(1, 100, "dairy")) == 0
    assert worth(compiled("fixed_bonus", points=25, when={"minimum": {"amount": "50.00", "currency": "EUR"}}), line(1, 4999)) == 0
    assert worth(compiled("fixed_bonus", points=25, when={"minimum": {"amount": "50.00", "currency": "EUR"}}), line(1, 5000)) == 25


def test_its_effect_are_points_and_it_remembers_nothing() -> None:
    mechanic = compiled("fixed_bonus", points=25)
    memory: dict[str, int | str] = {}
    assert (mechanic.id, mechanic.effect) == ("fixed_bonus", "points")
    assert mechanic.remember(memory, 5, day("2026-03-02")) == ()
    assert memory == {}
