"""`points_on_spend`: points for each step of what was spent."""

import pytest

from clearing.mechanics.points_on_spend import PointsOnSpend
from tests.short import line
from tests.unit.clearing.baskets import EURO, compiled, day, worth


@pytest.mark.parametrize(
    ("rounding", "points", "per", "spent", "expected"),
    [
        ("down", 1, "1.00", 5430, 54),
        ("down", 1, "1.00", 99, 0),
        ("down", 1, "1.00", 100, 1),
        ("down", 3, "2.50", 999, 9),  # 3 whole steps × 3
        ("half_up", 1, "1.00", 149, 1),
        ("half_up", 1, "1.00", 150, 2),
        ("half_up", 1, "1.00", 49, 0),
        ("half_up", 3, "2.50", 625, 9),  # 2.5 steps round up to 3
        ("half_up", 3, "2.50", 624, 6),
        ("proportional", 3, "2.50", 999, 11),  # 3.996 steps × 3 = 11.988
        ("proportional", 100, "1.00", 5437, 5437),
        ("proportional", 1, "0.10", 5437, 543),
        ("down", 1, "0.01", 5437, 5437),
    ],
)
def test_points_by_steps_and_rounding(rounding: str, points: int, per: str, spent: int, expected: int) -> None:
    mechanic = compiled("points_on_spend", points=points, per={"amount": per, "currency": "EUR"}, rounding=rounding)
    assert worth(mechanic, line(1, spent)) == expected


def test_whole_steps_are_counted_unless_the_file_says_otherwise() -> None:
    assert worth(compiled("points_on_spend", points=2, per=EURO), line(1, 199)) == 2


def test_lines_are_added_up_before_steps_are_counted() -> None:
    assert worth(compiled("points_on_spend", points=1, per=EURO), line(1, 150), line(2, 150)) == 3


def test_only_lines_that_qualify_count() -> None:
    mechanic = compiled("points_on_spend", points=1, per=EURO, when={"except": {"categories": ["tobacco"]}})
    assert worth(mechanic, line(1, 300, "tobacco"), line(2, 500, "dairy")) == 5
    assert worth(mechanic, line(1, 300, "tobacco")) == 0


def test_what_was_paid_with_points_brings_none() -> None:
    assert worth(compiled("points_on_spend", points=1, per=EURO), line(1, 900_000), tenders={"points": 45_000, "cash": 855_000}) == 8_550


def test_a_purchase_in_another_currency_brings_nothing() -> None:
    assert worth(compiled("points_on_spend", points=1, per=EURO), line(1, 500), currency="CZK") == 0


def test_steps_follow_the_places_of_their_currency() -> None:
    assert worth(compiled("points_on_spend", points=1, per={"amount": "100", "currency": "JPY"}), line(1, 950), currency="JPY") == 9
    assert worth(compiled("points_on_spend", points=1, per={"amount": "1.000", "currency": "BHD"}), line(1, 2999), currency="BHD") == 2


def test_its_effect_are_points_and_it_remembers_nothing() -> None:
    mechanic = compiled("points_on_spend", points=1, per=EURO)
    memory: dict[str, int | str] = {}
    assert isinstance(mechanic, PointsOnSpend)
    assert (mechanic.id, mechanic.effect) == ("points_on_spend", "points")
    assert mechanic.remember(memory, 5, day("2026-03-02")) == ()
    assert memory == {}
