"""`round_up`: what is lacking to the next multiple, and what a party adds to it."""

from typing import Any

import pytest

from clearing.limits import Used
from clearing.mechanics.base import Memory
from clearing.mechanics.round_up import Match, RoundUp
from tests.short import MONDAY, line
from tests.unit.clearing.baskets import compiled, day, spent, worth


@pytest.mark.parametrize(
    ("multiple", "amount", "saved"), [("1.00", 430, 70), ("1.00", 500, 0), ("1.00", 1, 99), ("5.00", 501, 499), ("0.50", 1225, 25), ("0.03", 10, 2)]
)
def test_the_difference_to_the_next_multiple_is_saved(multiple: str, amount: int, saved: int) -> None:
    assert compiled("round_up", multiple=multiple).value(spent(amount), {}) == saved


def test_another_currency_than_the_multiples_and_other_categories_are_not_rounded() -> None:
    up = compiled("round_up", multiple="1.00", when={"mcc": ["5411"]})
    assert [up.value(one, {}) for one in (spent(430), spent(430, currency="CZK"), spent(430, "5812"))] == [70, 0, 0]
    assert worth(up, line(1, 430)) == 0


def matched(**terms: Any) -> tuple[RoundUp, Match]:
    up = compiled("round_up", multiple="1.00", match={"party": "grocer", "percent": "50", **terms})
    assert isinstance(up, RoundUp)
    assert up.match is not None
    return up, up.match


def test_the_match_is_a_percentage_of_each_saving_half_even() -> None:
    _, match = matched()
    assert [match.value(saved, {}, {}, MONDAY) for saved in (70, 55, 75, 1, 3)] == [35, 28, 38, 0, 2]
    assert match.party == "grocer"


def test_the_match_has_limits_of_its_own() -> None:
    _, match = matched(limit={"amount": "1.50", "per": "month"})
    used: Used = {}
    match.limits.use(0, 101, used, MONDAY)
    assert used == {"round_up:match:0:2026-03": 101}
    assert match.value(99, {}, used, MONDAY) == 49
    assert match.value(99, {}, used, day("2026-04-01")) == 50


def test_the_months_of_the_match_run_from_the_first_saving() -> None:
    up, match = matched(months=12)
    memory: Memory = {}
    up.remember(memory, 70, day("2026-01-31"))
    up.remember(memory, 70, MONDAY)
    assert memory == {"since": "2026-01-31"}
    assert match.value(70, memory, {}, day("2027-01-30")) == 35
    assert match.value(70, memory, {}, day("2027-01-31")) == 0


def test_a_saving_that_is_booked_late_may_be_the_first() -> None:
    up, _ = matched(months=1)
    memory: Memory = {}
    up.remember(memory, 70, MONDAY)
    up.remember(memory, 0, day("2026-01-01"))
    assert memory == {"since": "2026-03-02"}
    up.remember(memory, 1, day("2026-02-27"))
    assert memory == {"since": "2026-02-27"}
