"""Limits of a mechanic: what is over one is cut off, and room comes back with returns."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clearing.limits import Limits, Used, limits_of, period
from schemas.ids import MechanicId
from schemas.mechanics import Limit
from tests.short import MONDAY
from tests.unit.clearing.baskets import day, entry


def limits(*told: dict[str, Any], currency: str = "EUR") -> Limits:
    return Limits(MechanicId("base"), [Limit.model_validate(one) for one in told], currency)


def give(one: Limits, used: Used, *values: int, on: str = "2026-03-02") -> list[int]:
    """What is given of each value, one event after the other."""
    given = []
    for value in values:
        within = one.cut(value, used, day(on))
        one.use(0, within, used, day(on))
        given.append(within)
    return given


def test_what_counts_and_for_how_long_can_be_asked() -> None:
    told = limits({"points": 50, "per": "event"}, {"amount": "1.00", "per": "day"}, {"times": 3, "per": "ever"})
    assert told.terms == (("base:0:", "event", "units"), ("base:1:", "day", "units"), ("base:2:", "ever", "times"))


def test_a_limit_for_each_event_cuts_each_by_itself() -> None:
    used: Used = {}
    assert give(limits({"points": 50, "per": "event"}), used, 49, 50, 51, 500) == [49, 50, 50, 50]
    assert used == {}


def test_a_limit_for_a_period_counts_what_was_given_before() -> None:
    used: Used = {}
    one = limits({"points": 100, "per": "day"})
    assert give(one, used, 60, 60, 60) == [60, 40, 0]
    assert used == {"base:0:2026-03-02": 100}
    assert give(one, used, 60, on="2026-03-03") == [60]


def test_days_months_and_years_are_those_of_the_event_date() -> None:
    assert [period(per, day("2026-03-02")) for per in ("day", "month", "year", "ever")] == ["2026-03-02", "2026-03", "2026", ""]
    for per, same, other in (("month", "2026-03-31", "2026-04-01"), ("year", "2026-12-31", "2027-01-01"), ("day", "2026-03-02", "2026-03-31")):
        used: Used = {}
        one = limits({"points": 100, "per": per})
        assert give(one, used, 100) == [100]
        assert give(one, used, 1, on=same) == [0]
        assert give(one, used, 1, on=other) == [1]
    used = {}
    ever = limits({"points": 100, "per": "ever"})
    assert give(ever, used, 70) == [70]
    assert give(ever, used, 70, on="2031-01-01") == [30]
    assert used == {"base:0:": 100}


def test_amounts_are_in_the_programmes_first_currency() -> None:
    assert give(limits({"amount": "30.00", "per": "month"}), {}, 2999, 2) == [2999, 1]
    assert give(limits({"amount": "30", "per": "month"}, currency="JPY"), {}, 31) == [30]


def test_a_limit_of_times_counts_events_that_brought_something() -> None:
    used: Used = {}
    one = limits({"times": 2, "per": "day"})
    assert give(one, used, 10, 20, 30) == [10, 20, 0]
    assert used == {"base:0:2026-03-02": 2}
    assert give(one, used, 5, on="2026-03-03") == [5]


def test_none_at_all_may_be_allowed() -> None:
    assert give(limits({"times": 0, "per": "event"}), {}, 10) == [0]
    assert give(limits({"times": 1, "per": "event"}), {}, 10, 10) == [10, 10]
    assert give(limits({"points": 0, "per": "event"}), {}, 10) == [0]
    assert give(limits({"points": 0, "per": "ever"}), {}, 10) == [0]


def test_of_several_limits_the_narrowest_counts_and_each_keeps_its_own_account() -> None:
    used: Used = {}
    one = limits({"points": 50, "per": "event"}, {"points": 80, "per": "day"}, {"times": 2, "per": "month"}, {"points": 90, "per": "ever"})
    assert give(one, used, 60) == [50]
    assert give(one, used, 60) == [30]
    assert give(one, used, 60) == [0]  # the day is full, and so are two times
    assert used == {"base:1:2026-03-02": 80, "base:2:2026-03": 2, "base:3:": 80}
    assert give(one, used, 60, on="2026-04-01") == [10]


def test_after_a_limit_of_times_the_others_are_not_asked_but_nothing_is_given() -> None:
    used: Used = {}
    one = limits({"times": 1, "per": "day"}, {"points": 50, "per": "event"})
    assert give(one, used, 60, 60) == [50, 0]


def test_limits_of_each_member_and_of_the_whole_programme_are_told_apart() -> None:
    told = entry(
        "fixed_bonus", points=5, each="event",
        limit=[{"points": 10, "per": "day", "of": "programme"}, {"points": 20, "per": "day"}], budget={"points": 30, "at_end": "stop"},
    )  # fmt: skip
    of_member, shared = limits_of(told, "member", "EUR"), limits_of(told, "programme", "EUR")
    assert of_member is not None
    assert shared is not None
    used: Used = {}
    assert give(of_member, used, 500) == [20]
    assert used == {"fixed_bonus:0:2026-03-02": 20}
    assert give(shared, {}, 500, 500) == [10, 0]
    assert [give(shared, {"fixed_bonus:1:": 25}, 500)] == [[5]]
    assert limits_of(entry("fixed_bonus", points=5, each="event", budget={"points": 30, "at_end": "warn"}), "programme", "EUR") is None


def test_a_budget_in_money_that_stops_is_a_limit_for_ever() -> None:
    shared = limits_of(entry("card_discount", percent="10", budget={"amount": "30.00", "at_end": "stop"}), "programme", "EUR")
    assert shared is not None
    assert give(shared, {}, 2000, 2000) == [2000, 1000]


def test_room_comes_back_with_returns() -> None:
    used: Used = {}
    one = limits({"points": 100, "per": "day"}, {"times": 1, "per": "month"})
    assert give(one, used, 80) == [80]
    one.use(80, 30, used, MONDAY)
    assert used == {"base:0:2026-03-02": 30, "base:1:2026-03": 1}
    assert one.cut(100, used, MONDAY) == 0  # once this month is still once
    one.use(30, 0, used, MONDAY)
    assert used == {}
    assert one.cut(100, used, MONDAY) == 100


def test_room_never_grows_above_the_limit() -> None:
    used: Used = {"base:0:2026-03-02": 10}
    one = limits({"points": 100, "per": "day"})
    one.use(50, 0, used, MONDAY)
    assert used == {}
    one.use(50, 0, used, MONDAY)
    assert used == {}


def test_no_change_leaves_no_trace() -> None:
    used: Used = {}
    one = limits({"points": 100, "per": "day"}, {"times": 3, "per": "day"})
    one.use(20, 20, used, MONDAY)
    one.use(0, 0, used, MONDAY)
    assert used == {}


def test_more_used_than_allowed_leaves_no_room() -> None:
    assert limits({"points": 100, "per": "day"}).cut(50, {"base:0:2026-03-02": 130}, MONDAY) == 0


@given(st.lists(st.integers(0, 120), max_size=20), st.integers(0, 200), st.integers(0, 5))
def test_never_more_than_the_limits_and_returns_give_all_room_back(values: list[int], points: int, times: int) -> None:
    used: Used = {}
    one = limits({"points": points, "per": "day"}, {"times": times, "per": "day"})
    given = give(one, used, *values)
    assert sum(given) <= points
    assert sum(1 for value in given if value) <= times
    for value in given:
        one.use(value, 0, used, MONDAY)
    assert used == {}
