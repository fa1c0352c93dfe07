"""`card_discount`: of each line the smaller of what the seller names and what is allowed."""

from tests.short import line
from tests.unit.clearing.baskets import compiled, day, worth


def named(amount: int, **discounts: int) -> dict[str, object]:
    return line(1, amount, discounts=discounts)


def test_what_the_seller_names_is_settled_up_to_what_is_allowed() -> None:
    mechanic = compiled("card_discount", percent="5")
    assert worth(mechanic, named(950, card_discount=50)) == 50  # 5 % of 1000
    assert worth(mechanic, named(950, card_discount=49)) == 49
    assert worth(mechanic, named(940, card_discount=60)) == 50


def test_allowed_is_a_percentage_of_the_line_before_all_its_discounts() -> None:
    mechanic = compiled("card_discount", percent="10")
    assert worth(mechanic, named(700, card_discount=200, other=100)) == 100  # 10 % of 700 + 200 + 100


def test_what_is_allowed_is_rounded_half_even_for_each_line() -> None:
    mechanic = compiled("card_discount", percent="5")
    assert worth(mechanic, named(40, card_discount=10)) == 2  # 2.5 goes to the even 2
    assert worth(mechanic, named(60, card_discount=10)) == 4  # 3.5 goes to the even 4
    lines = [line(no, 40, discounts={"card_discount": 10}) for no in (1, 2)]
    assert worth(mechanic, *lines) == 4


def test_discounts_of_others_and_lines_without_any_bring_nothing() -> None:
    mechanic = compiled("card_discount", percent="5")
    assert worth(mechanic, named(950, other=50)) == 0
    assert worth(mechanic, line(1, 1000)) == 0
    assert worth(mechanic, named(950, card_discount=0)) == 0


def test_lines_that_do_not_qualify_bring_nothing() -> None:
    mechanic = compiled("card_discount", percent="5", when={"categories": ["dairy"]})
    lines = [line(1, 950, "dairy", discounts={"card_discount": 50}), line(2, 950, "bakery", discounts={"card_discount": 50})]
    assert worth(mechanic, *lines) == 50


def test_its_effect_is_a_discount_and_it_remembers_nothing() -> None:
    mechanic = compiled("card_discount", percent="5")
    memory: dict[str, int | str] = {}
    assert (mechanic.id, mechanic.effect) == ("card_discount", "discount")
    assert mechanic.remember(memory, 5, day("2026-03-02")) == ()
    assert memory == {}
