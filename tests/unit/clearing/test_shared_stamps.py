"""Stamp cards under limits and budgets of the whole programme: stamps, and the gifts of full rows, are decided at night, in order of receipt."""

from __future__ import annotations

from typing import Any

from schemas.ids import MechanicId
from tests.short import MONDAY, Json, back, line, purchase
from tests.unit.clearing.baskets import day
from tests.unit.clearing.test_shared import of_all, of_the_night
from tests.unit.clearing.till import BASE, Till, contract, mechanic

TUESDAY = day("2026-03-03")
CARD = MechanicId("coffee")


def card(name: str = "coffee", **terms: Any) -> Json:
    """A stamp for each unit, two rows of two with a coffee of 2.40."""
    return mechanic("stamp_card", name, **{"stamp_for": "unit", "rows": [2, 2], "gift": "coffee", "gift_value": "2.40", **terms})


def units(event_id: str, count: int, **told: Any) -> Json:
    return purchase(event_id, [line(1, 100 * count, quantity=str(count))], **told)


def test_stamps_over_a_limit_of_all_are_cut_off_in_order_of_receipt_whoever_buys() -> None:
    till = Till(card(**of_all(points=5, per="day")))
    till.enrol("m2", "c2")
    assert till.send(units("e1", 3), units("e2", 4, card="c2"), units("e3", 1)) == ["accepted"] * 3
    assert (till.member().memory, till.books.shared) == ({}, {})
    till.night()
    assert [of_the_night(till, one) for one in ("e1", "e2", "e3")] == [
        "accepted: coffee stamp 3, coffee gift coffee 240 EUR grocer",
        "accepted: coffee stamp 2, coffee gift coffee 240 EUR grocer",
        "accepted",
    ]
    assert (till.member("m1").memory, till.member("m2").memory) == ({"coffee": {"stamps": 3, "paid": 1}}, {"coffee": {"stamps": 2, "paid": 1}})
    assert till.books.shared == {"coffee:0:2026-03-02": 5}


def test_who_funds_the_gift_owes_it_to_the_seller_in_the_window_of_the_night() -> None:
    funding = [{"party": "baker", "share": "0.5"}, {"party": "purchase_partner", "share": "0.5"}]
    till = Till(card(funding=funding, budget={"points": 4, "at_end": "stop"}))
    till.send(units("e1", 2), units("e2", 9))
    till.night()
    assert till.lines(MONDAY) == ["reward baker>grocer 2.40 EUR"]
    assert of_the_night(till, "e2") == "accepted: coffee stamp 2, coffee gift coffee 120 EUR baker, coffee gift coffee 120 EUR grocer"
    till.send(units("e3", 9, day=TUESDAY))
    till.night()
    assert of_the_night(till, "e3") == "accepted"


def test_times_of_all_count_purchases_with_stamps() -> None:
    till = Till(card(when={"categories": ["coffee"]}, **of_all(times=2, per="ever")))
    bought = [purchase("e1", 100, "tea"), purchase("e2", 100, "coffee"), purchase("e3", 100, "coffee"), purchase("e4", 100, "coffee")]
    till.send(*bought)
    till.night()
    assert [of_the_night(till, one) for one in ("e2", "e3", "e4")] == [
        "accepted: coffee stamp 1",
        "accepted: coffee stamp 1, coffee gift coffee 240 EUR grocer",
        "accepted",
    ]


def test_a_return_in_the_same_window_takes_stamps_at_its_place_and_its_room_is_there_for_what_came_after_it() -> None:
    till = Till(card(**of_all(points=3, per="day")))
    till.send(units("e1", 2), units("e2", 2), back("r1", "e1", {1: (100, "1")}), units("e3", 2))
    till.night()
    assert [of_the_night(till, one) for one in ("e1", "e2", "r1", "e3")] == [
        "accepted: coffee stamp 2, coffee gift coffee 240 EUR grocer",
        "accepted: coffee stamp 1",
        "accepted: coffee stamp -1",
        "accepted: coffee stamp 1",
    ]
    assert till.member().memory == {"coffee": {"stamps": 3, "paid": 1}}


def test_a_return_in_a_later_window_takes_stamps_at_once_and_its_room_is_there_that_night() -> None:
    till = Till(card(**of_all(points=3, per="ever")))
    till.send(units("e1", 3))
    till.night()
    assert till.send(units("e2", 1, day=TUESDAY), back("r1", "e1", {1: (200, "2")}, day=TUESDAY), units("e3", 3, day=TUESDAY)) == [
        "accepted",
        "accepted: coffee stamp -2",
        "accepted",
    ]
    assert till.books.shared == {"coffee:0:": 3}
    till.night()
    assert (of_the_night(till, "e2"), of_the_night(till, "e3")) == ("accepted", "accepted: coffee stamp 2")
    assert till.books.shared == {"coffee:0:": 3}
    assert till.member().memory == {"coffee": {"stamps": 3, "paid": 1}}


def test_all_that_comes_back_takes_all_stamps_and_no_gift() -> None:
    till = Till(card(**of_all(points=9, per="day")))
    till.send(units("e1", 4), back("r1", "e1", {1: (400, "4")}))
    till.night()
    assert of_the_night(till, "r1") == "accepted: coffee stamp -4"
    assert (till.member().memory, till.books.shared) == ({"coffee": {"stamps": 0, "paid": 2}}, {})
    assert till.lines(MONDAY) == []


def test_a_members_own_limit_is_asked_first() -> None:
    limits = [{"points": 2, "per": "day"}, {"points": 3, "per": "day", "of": "programme"}]
    till = Till(card(limit=limits))
    till.enrol("m2", "c2")
    till.send(units("e1", 5), units("e2", 5, card="c2"))
    till.night()
    assert (till.member("m1").memory[CARD]["stamps"], till.member("m2").memory[CARD]["stamps"]) == (2, 1)
    assert (till.used("m1"), till.used("m2")) == ({"2026-03-02": 2}, {"2026-03-02": 1})


def test_the_winner_of_a_group_of_cards_is_who_gives_most_stamps_after_the_limits_of_all() -> None:
    till = Till(card("big", group="cards", **of_all(points=3, per="day")), card("small", stamp_for="purchase", rows=[9], group="cards"))
    till.send(units("e1", 3), units("e2", 3))
    till.night()
    assert of_the_night(till, "e1") == "accepted: big stamp 3, big gift coffee 240 EUR grocer"
    assert of_the_night(till, "e2") == "accepted: small stamp 1"
    assert till.member().memory == {"big": {"stamps": 3, "paid": 1}, "small": {"stamps": 1}}


def test_points_of_the_same_purchase_are_given_at_once_and_nobody_gives_stamps_without_the_sellers_contract() -> None:
    till = Till(BASE, card(**of_all(points=3, per="day")), contracts=(contract("fuelco", "0.0100", "0.0085"),))
    assert till.send(units("e1", 2), units("e2", 2, partner="fuelco")) == ["no-contract /source", "accepted: base points 2 fuelco"]
    till.night()
    assert of_the_night(till, "e2") == "accepted: coffee stamp 2, coffee gift coffee 240 EUR fuelco"


def test_stamps_that_a_return_takes_belong_to_the_card_of_the_purchases_day_in_the_programmes_time_zone() -> None:
    till = Till(card(months=1))
    till.send(units("e1", 1, day=day("2026-02-02")), units("e2", 1, at="00:30"))  # 1 March 23:30 in UTC, when the first card still lived
    assert till.member().memory == {"coffee": {"stamps": 1, "since": "2026-03-02", "lapsed": "2026-03-02"}}
    assert till.send(back("r2", "e2", {1: (100, "1")})) == ["accepted: coffee stamp -1"]
    assert till.member().memory == {"coffee": {"stamps": 0, "lapsed": "2026-03-02"}}
