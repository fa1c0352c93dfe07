"""`pass-sold.v1` and `pass-visit.v1`: from which pass a visit is taken, who owes whom for it, and what comes back with a cancellation."""

from __future__ import annotations

from typing import Any

from tests.short import MONDAY, Json, cancel, enrol, of_member, sold, visit
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BOTH, Till, answer, mechanic

TUESDAY = day("2026-03-03")
PRICE = {"amount": "20.00", "currency": "EUR"}
PARTNERS = [{"party": "grocer", "per_visit": "4.00"}, {"party": "fuelco", "per_visit": "2.75"}, {"party": "baker", "per_visit": "0.00"}]
NAME = "2026-04-02/2026-03-02/grocer/s1"


def four(**terms: Any) -> Json:
    return mechanic("pass", "four", **{"visits": 4, "price": PRICE, "partners": PARTNERS, "months": 1, **terms})


def left(till: Till, member: str = "m1") -> dict[str, Any]:
    """Visits left, by the seller's id of the sale."""
    return {name.rpartition("/")[2]: kept for name, kept in till.member(member).memory.get("four", {}).items()}  # type: ignore[call-overload]


def test_the_seller_of_a_pass_owes_the_partner_for_each_visit() -> None:
    till = Till(four())
    decision = till.one(sold("s1", "four"))
    assert answer(decision) == "accepted: four pass_visit 4"
    assert (decision.effects[0].reason, decision.applied, str(decision.contract)) == ("pass sold", ("four",), "2026-01-01")
    assert till.member().memory == {"four": {NAME: 4}}
    visited = till.one(visit("v1", "four"))
    assert answer(visited) == "accepted: four pass_visit -1, four pass_visit 275 EUR grocer"
    assert [effect.reason for effect in visited.effects] == ["visit", "visit"]
    assert till.journal() == ["pass 275 EUR grocer>fuelco by four"]
    assert till.member().memory == {"four": {NAME: 3}}
    till.night()
    assert till.lines(MONDAY) == ["pass grocer>fuelco 2.75 EUR"]


def test_others_may_pay_a_part_of_each_visit_and_the_sellers_is_that_of_who_sold_the_pass() -> None:
    till = Till(four(funding=[{"party": "purchase_partner", "share": "0.5"}, {"party": "baker", "share": "0.5"}]))
    till.send(sold("s1", "four", partner="dairyco"))
    assert till.send(visit("v1", "four")) == ["accepted: four pass_visit -1, four pass_visit 138 EUR dairyco, four pass_visit 137 EUR baker"]


def test_a_visit_at_the_seller_and_one_that_costs_nothing_are_used_and_owed_by_nobody() -> None:
    till = Till(four())
    till.send(sold("s1", "four"))
    assert till.send(visit("v1", "four", partner="grocer"), visit("v2", "four", partner="baker")) == [
        "accepted: four pass_visit -1, four pass_visit 400 EUR grocer",
        "accepted: four pass_visit -1",
    ]
    assert left(till) == {"s1": 2}
    till.night()
    assert till.lines(MONDAY) == []


def test_the_pass_that_ends_first_is_used_first_and_its_own_terms_hold() -> None:
    later = {**four(partners=[{"party": "fuelco", "per_visit": "3.00"}], visits=1), "from": "2026-03-03"}
    till = Till(four(visits=1, to="2026-03-02"), later)
    till.send(sold("s1", "four"))
    till.night()
    assert till.send(sold("s2", "four", partner="baker", day=TUESDAY)) == ["accepted: four pass_visit 1"]
    assert till.send(*(visit(f"v{no}", "four", day=TUESDAY) for no in range(3))) == [
        "accepted: four pass_visit -1, four pass_visit 275 EUR grocer",
        "accepted: four pass_visit -1, four pass_visit 300 EUR baker",
        "insufficient-points /data/mechanic",
    ]
    assert till.member().memory == {}


def test_of_several_passes_the_first_is_used_whose_conditions_and_limits_allow_it() -> None:
    early = four(when={"hours": ["06:00", "09:00"]}, limit={"times": 1, "per": "day"}, to="2026-03-01")
    till = Till(early, {**four(), "from": "2026-03-02"})
    till.send(sold("s0", "four", day=day("2026-03-01")), sold("s1", "four"))
    events = [visit("v1", "four", at="10:00"), visit("v2", "four", at="08:10"), visit("v3", "four", at="08:20")]
    assert [answer(till.one(event)) and left(till) for event in events] == [{"s0": 4, "s1": 3}, {"s0": 3, "s1": 3}, {"s0": 3, "s1": 2}]


def test_where_no_pass_allows_it_nothing_is_used_and_nothing_owed() -> None:
    till = Till(four(limit={"amount": "5.00", "per": "day"}, when={"stores": ["1"]}))
    till.send(sold("s1", "four"))
    events = [visit("v0", "four", store="2"), *(visit(f"v{no}", "four", store="1") for no in (1, 2, 3))]
    assert till.send(*events) == [
        "accepted",
        "accepted: four pass_visit -1, four pass_visit 275 EUR grocer",
        "accepted: four pass_visit -1, four pass_visit 225 EUR grocer",
        "accepted",
    ]
    assert left(till) == {"s1": 2}
    assert till.send(cancel("x3", "pass-visit", "v3"), cancel("x2", "pass-visit", "v2"), visit("v4", "four", store="1")) == [
        "accepted",
        "accepted: four pass_visit 1, four pass_visit -225 EUR grocer",
        "accepted: four pass_visit -1, four pass_visit 225 EUR grocer",
    ]


def test_a_pass_is_good_from_its_sale_until_the_day_before_it_ends_by_the_visits_date() -> None:
    till = Till(four(), day=day("2026-04-02"))
    till.send(sold("s1", "four"))
    events = [visit(f"v{no}", "four", day=day(on)) for no, on in enumerate(("2026-03-01", "2026-03-02", "2026-04-01", "2026-04-02"))]
    assert till.send(*events) == [
        "insufficient-points /data/mechanic",
        "accepted: four pass_visit -1, four pass_visit 275 EUR grocer",
        "accepted: four pass_visit -1, four pass_visit 275 EUR grocer",
        "insufficient-points /data/mechanic",
    ]
    assert till.one(events[3] | {"id": "v9"}).detail == "the member has no visit left on 2026-04-02 on a pass four that fuelco takes"
    till.night()
    assert till.lines(day("2026-04-02")) == ["pass grocer>fuelco 5.50 EUR"]  # nobody owes anything for the 2 visits that are left


def test_a_mechanic_that_has_ended_is_not_sold_any_more_and_what_was_sold_is_good() -> None:
    till = Till(four(to="2026-03-02"))
    till.send(sold("s1", "four"))
    till.night()
    assert till.send(sold("s2", "four", day=TUESDAY), visit("v1", "four", day=TUESDAY)) == [
        "malformed /data/mechanic",
        "accepted: four pass_visit -1, four pass_visit 275 EUR grocer",
    ]


def test_what_is_no_pass_or_not_for_this_member_is_not_sold_and_who_takes_none_gets_none() -> None:
    gold = mechanic("privilege", "gold", services=[{"id": "wash", "provider": "grocer", "cost": "1.00"}])
    till = Till(four(for_={"kinds": ["business"]}), gold)
    refused = [sold("s1", "ten"), sold("s2", "gold"), sold("s3", "four"), visit("v1", "gold"), visit("v2", "four", partner="dairyco")]
    assert till.send(*refused) == ["malformed /data/mechanic"] * 5
    assert till.send(visit("v3", "four")) == ["insufficient-points /data/mechanic"]


def test_a_seller_and_a_partner_that_is_owed_something_need_a_contract() -> None:
    till = Till(four(), contracts=tuple(one for one in BOTH if one["party"] == "grocer"))
    assert till.send(sold("s0", "four", partner="fuelco"), sold("s1", "four"), visit("v1", "four")) == [
        "no-contract /source",
        "accepted: four pass_visit 4",
        "no-contract /source",
    ]
    assert till.send(visit("v2", "four", partner="baker")) == ["accepted: four pass_visit -1"]
    assert left(till) == {"s1": 3}


def test_a_blocked_card_and_a_member_who_has_left_neither_visit_nor_buy() -> None:
    till = Till(four())
    till.enrol("m2", "c2", "c2x")
    till.send(sold("s1", "four"), sold("s2", "four", card="c2"), visit("v1", "four", card="c2"))
    till.send(of_member("card-blocked", "b1", "m2", card="c2", reason="lost"), of_member("member-closed", "l1", "m1", reason="", erase=False))
    assert till.send(visit("v2", "four", card="c2"), visit("v3", "four"), sold("s3", "four"), visit("v4", "four", card="c2x")) == [
        "card-blocked /data/card",
        "member-closed /data/card",
        "member-closed /data/card",
        "accepted: four pass_visit -1, four pass_visit 275 EUR grocer",
    ]
    assert till.send(cancel("x1", "pass-visit", "v1", card="c2")) == ["accepted: four pass_visit 1, four pass_visit -275 EUR grocer"]


def test_a_pass_of_an_unknown_card_is_held_with_its_visits_until_the_card_becomes_known() -> None:
    till = Till(four())
    assert till.send(sold("s1", "four", card="c9"), visit("v1", "four", card="c9"), cancel("x1", "pass-visit", "v1", card="c9")) == ["held"] * 3
    assert till.send(enrol("n1", "m9", "c9"))[1:] == [
        "accepted: four pass_visit 4",
        "accepted: four pass_visit -1, four pass_visit 275 EUR grocer",
        "accepted: four pass_visit 1, four pass_visit -275 EUR grocer",
    ]
    assert left(till, "m9") == {"s1": 4}


def test_a_cancelled_visit_is_on_its_pass_again_and_its_partner_gives_back_what_it_got() -> None:
    till = Till(four(limit={"times": 1, "per": "day"}))
    till.send(sold("s1", "four"), visit("v1", "four"))
    till.night()
    till.mark()
    assert till.send(cancel("x1", "pass-visit", "v1", day=TUESDAY), cancel("x2", "pass-visit", "v1", day=TUESDAY)) == [
        "accepted: four pass_visit 1, four pass_visit -275 EUR grocer",
        "returned-too-much /data/original_id",
    ]
    assert till.journal() == ["pass_reversal 275 EUR grocer>fuelco by four"]
    assert (left(till), till.member().used) == ({"s1": 4}, {})
    till.night()
    assert till.lines(TUESDAY) == ["pass_reversal fuelco>grocer 2.75 EUR"]


def test_what_comes_back_by_a_cancellation_is_told_as_one() -> None:
    till = Till(four())
    till.send(sold("s1", "four"), visit("v1", "four"))
    assert till.one(cancel("x1", "pass-visit", "v1")).effects[0].reason == "cancellation"
    assert till.one(cancel("x2", "pass-sold", "s1")).effects[0].reason == "cancellation"


def test_a_pass_that_comes_back_takes_the_visits_left_on_it_and_leaves_what_was_used_settled() -> None:
    till = Till(four())
    till.send(sold("s1", "four"), sold("s2", "four", at="08:30"), visit("v1", "four"))
    till.mark()
    assert till.send(cancel("x1", "pass-sold", "s1", partner="grocer"), cancel("x2", "pass-sold", "s1", partner="grocer")) == [
        "accepted: four pass_visit -3",
        "returned-too-much /data/original_id",
    ]
    assert till.journal() == []
    assert left(till) == {"s2": 4}
    assert till.send(cancel("x3", "pass-visit", "s2", partner="grocer"), cancel("x4", "pass-sold", "s2", card="c1")) == [
        "unknown-original /data/original_id",
        "waiting",
    ]


def test_a_pass_that_is_used_up_or_has_ended_does_not_come_back() -> None:
    till = Till(four(visits=1), day=day("2026-04-02"))
    till.send(sold("s1", "four"), sold("s2", "four"), visit("v1", "four"))
    back = [
        cancel(f"x{no}", "pass-sold", of, partner="grocer", day=day(on))
        for no, (of, on) in enumerate((("s1", "2026-04-01"), ("s2", "2026-04-02"), ("s2", "2026-04-01")))
    ]
    assert till.send(*back) == ["returned-too-much /data/original_id", "returned-too-much /data/original_id", "accepted: four pass_visit -1"]
