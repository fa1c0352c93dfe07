"""`when` and `for`: the lines, times, places and members that a mechanic is for."""

from datetime import datetime, time
from typing import Any

import pytest

from clearing.mechanics.conditions import Condition, in_audience, lies_in, within
from schemas.mechanics import Audience, When
from tests.short import BERLIN, Json, line
from tests.unit.clearing.baskets import basket

MILK, BREAD, WINE, LOOSE = line(1, 100, "grocery/dairy", sku="milk"), line(2, 200, "bakery", sku="bread"), line(3, 400, "drinks/wine"), line(4, 800)
ALL = (MILK, BREAD, WINE, LOOSE)


def lines(when: Json, *bought: Json, local: datetime | None = None, **terms: Any) -> list[int]:
    """Numbers of the lines that qualify."""
    return [one.line for one in Condition(When.model_validate(when)).lines(basket(*(bought or ALL), local=local, **terms))]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_without_conditions_every_line_qualifies_as_it_stands() -> None:
    one = basket(*ALL)
    assert Condition(When()).lines(one) is one.lines


def test_a_category_qualifies_by_name_and_by_all_that_lies_below_it() -> None:
    assert lies_in("grocery", ("bakery", "grocery"))
    assert lies_in("grocery/dairy", ("grocery",))
    assert lies_in("grocery/dairy/milk", ("grocery/dairy",))
    assert not lies_in("grocery", ("grocery/dairy",))
    assert not lies_in("groceries", ("grocery",))
    assert not lies_in(None, ("grocery",))
    assert not lies_in("grocery", ())


def test_lines_qualify_by_category_or_article() -> None:
    assert lines({"categories": ["grocery"]}) == [1]
    assert lines({"skus": ["bread"]}) == [2]
    assert lines({"categories": ["grocery", "drinks"]}) == [1, 3]
    assert lines({"categories": ["grocery"], "skus": ["bread"]}) == [1, 2]
    assert lines({"categories": ["toys"]}) == []


def test_exceptions_bar_lines_whatever_else_they_are() -> None:
    assert lines({"except": {"categories": ["drinks"]}}) == [1, 2, 4]
    assert lines({"except": {"skus": ["milk"]}}) == [2, 3, 4]
    assert lines({"except": {"categories": ["bakery"], "skus": ["milk"]}}) == [3, 4]
    assert lines({"categories": ["grocery", "bakery"], "except": {"skus": ["bread"]}}) == [1]
    assert lines({"skus": ["milk", "bread"], "except": {"categories": ["grocery"]}}) == [2]


def test_the_same_category_with_another_article_is_judged_anew() -> None:
    condition = Condition(When.model_validate({"categories": ["dairy"], "except": {"skus": ["cheap"]}}))
    one = basket(line(1, 100, "dairy", sku="dear"), line(2, 100, "dairy", sku="cheap"), line(3, 100, "dairy", sku="dear"), line(4, 100, "dairy"))
    assert [part.line for part in condition.lines(one)] == [1, 3, 4]
    assert [part.line for part in condition.lines(one)] == [1, 3, 4]
    only_skus = Condition(When.model_validate({"skus": ["milk"]}))
    assert [part.line for part in only_skus.lines(basket(line(1, 1, "dairy", sku="milk"), line(2, 1, "dairy", sku="cream")))] == [1]


def test_stores_and_channels_are_those_of_the_purchase() -> None:
    assert lines({"stores": ["330", "331"]}, store="331") == [1, 2, 3, 4]
    assert lines({"stores": ["330"]}, store="1") == []
    assert lines({"channels": ["web"]}, channel="web") == [1, 2, 3, 4]
    assert lines({"channels": ["web"]}, channel="store") == []
    assert lines({"channels": ["web"]}) == []


def test_weekdays_and_days_are_those_of_the_event_date() -> None:
    assert lines({"weekdays": ["mon"]}) == [1, 2, 3, 4]
    assert lines({"weekdays": ["tue", "sun"]}) == []
    assert lines({"weekdays": ["sun"]}, local=at("2026-03-01T10:00")) == [1, 2, 3, 4]
    assert lines({"days": ["2026-03-01", "2026-03-02"]}) == [1, 2, 3, 4]
    assert lines({"days": ["2026-03-03"]}) == []


def test_hours_begin_with_the_first_moment_and_end_before_the_last() -> None:
    hours = {"hours": ["17:00", "19:00"]}
    assert lines(hours, local=at("2026-03-02T16:59:59")) == []
    assert lines(hours, local=at("2026-03-02T17:00:00")) == [1, 2, 3, 4]
    assert lines(hours, local=at("2026-03-02T18:59:59")) == [1, 2, 3, 4]
    assert lines(hours, local=at("2026-03-02T19:00:00")) == []


def test_hours_may_reach_over_midnight() -> None:
    late, early = time(22), time(6)
    assert within(time(22), late, early)
    assert within(time(23, 59), late, early)
    assert within(time(0), late, early)
    assert within(time(5, 59), late, early)
    assert not within(time(6), late, early)
    assert not within(time(21, 59), late, early)
    assert not within(time(12), late, early)
    assert not within(late, late, late)


def test_the_minimum_is_the_base_of_the_lines_that_qualify() -> None:
    minimum = {"amount": "3.00", "currency": "EUR"}
    assert lines({"minimum": minimum}, MILK, BREAD) == [1, 2]  # 100 + 200 is exactly 3.00
    assert lines({"minimum": {"amount": "3.01", "currency": "EUR"}}, MILK, BREAD) == []
    assert lines({"minimum": minimum, "categories": ["grocery"]}) == []  # only 1.00 of dairy
    assert lines({"minimum": minimum, "categories": ["drinks"]}) == [3]
    assert lines({"minimum": minimum}, currency="CZK") == []
    assert lines({"minimum": minimum}, MILK, BREAD, tenders={"points": 1, "cash": 299}) == []


def test_a_condition_on_merchant_codes_of_cards_holds_for_no_purchase() -> None:
    assert lines({"mcc": ["5411"]}) == []


def test_every_condition_that_is_named_must_hold() -> None:
    when = {"stores": ["330"], "weekdays": ["mon"], "hours": ["09:00", "11:00"], "days": ["2026-03-02"], "channels": ["web"], "categories": ["bakery"]}
    assert lines(when, store="330", channel="web") == [2]
    assert lines(when, store="331", channel="web") == []
    assert lines(when, store="330", channel="store") == []
    assert lines(when, store="330", channel="web", local=at("2026-03-02T11:00")) == []
    assert lines(when, store="330", channel="web", local=at("2026-03-03T10:00")) == []


MEMBER: tuple[str, str, dict[str, Any]] = ("m1", "business", {"segments": ["a", "b"], "tier": "gold", "region": "north", "staff": True, "size": 5})


@pytest.mark.parametrize(
    "audience",
    [
        {},
        {"kinds": ["consumer", "business"]},
        {"members": ["m1", "m2"]},
        {"segments": ["b", "c"]},
        {"tiers": ["silver", "gold"]},
        {"attributes": {"region": "north"}},
        {"attributes": {"region": ["south", "north"]}},
        {"attributes": {"staff": True, "size": 5}},
        {"kinds": ["business"], "members": ["m1"], "segments": ["a"], "tiers": ["gold"], "attributes": {"size": [5, 6]}},
    ],
)
def test_a_member_belongs_to_the_audience_that_describes_it(audience: Json) -> None:
    assert in_audience(Audience.model_validate(audience), *MEMBER)


@pytest.mark.parametrize(
    "audience",
    [
        {"kinds": ["consumer"]},
        {"members": ["m2"]},
        {"segments": ["c"]},
        {"tiers": ["silver"]},
        {"attributes": {"region": "south"}},
        {"attributes": {"region": ["south", "east"]}},
        {"attributes": {"unheard": "of"}},
        {"attributes": {"region": "north", "size": 6}},
        {"activated_offer": True},
        {"kinds": ["business"], "members": ["m2"]},
    ],
)
def test_a_member_whom_one_condition_does_not_fit_is_left_out(audience: Json) -> None:
    assert not in_audience(Audience.model_validate(audience), *MEMBER)


def test_a_member_of_whom_nothing_is_known_is_in_no_segment_and_no_tier() -> None:
    assert not in_audience(Audience.model_validate({"segments": ["a"]}), "m1", "consumer", {})
    assert not in_audience(Audience.model_validate({"tiers": ["gold"]}), "m1", "consumer", {})
    assert in_audience(Audience.model_validate({"segments": ["a"]}), "m1", "consumer", {"segments": "a"})
