"""Limits and budgets of the whole programme: decided at night, purchase by purchase, in order of receipt."""

from __future__ import annotations

from typing import Any

from clearing.events import Sale
from clearing.postings import Postings
from clearing.shared import LINES_BEFORE, book_shared
from schemas.ids import EventId, RecordId
from tests.short import MONDAY, Json, back, line, purchase
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, Till, answer, contract, mechanic

TUESDAY = day("2026-03-03")


def hello(points: int = 30, **terms: Any) -> Json:
    return mechanic("fixed_bonus", "hello", points=points, **terms)


def of_all(**limit: Any) -> Json:
    return {"limit": {**limit, "of": "programme"}}


def late(till: Till) -> list[str]:
    """What the night decided about purchases."""
    return [answer(decisions[-1][1]) for decisions in till.books.decisions.values() if len(decisions) > 1]


def test_what_is_limited_for_all_is_given_in_the_night_in_order_of_receipt() -> None:
    till = Till(BASE, hello(**of_all(points=70, per="day")))
    till.enrol("m2", "c2")
    events = [purchase("e1", 100), purchase("e2", 100, card="c2", at="07:00"), purchase("e3", 100), purchase("e4", 100)]
    assert till.send(*events) == ["accepted: base points 1 grocer"] * 4
    assert (till.balance("m1"), till.balance("m2")) == ((3, 0), (1, 0))
    till.night()
    assert late(till) == ["accepted: hello points 30 grocer", "accepted: hello points 30 grocer", "accepted: hello points 10 grocer", "accepted"]
    assert (till.balance("m1"), till.balance("m2")) == ((43, 0), (31, 0))
    assert till.books.shared == {"hello:0:2026-03-02": 70}
    assert till.lines(MONDAY) == ["issue grocer>opco 74 x 0.01 = 0.74 EUR"]


def test_the_day_of_a_limit_is_that_of_the_programmes_time_zone() -> None:
    till = Till(BASE, hello(**of_all(points=70, per="day")))
    till.send(purchase("e1", 100, at="00:30"))  # Sunday 23:30 in UTC
    till.night()
    assert till.books.shared == {"hello:0:2026-03-02": 30}


def test_a_purchase_counts_as_one_event_however_often_it_was_given_something() -> None:
    till = Till(BASE, hello(**of_all(points=70, per="day")))
    till.send(purchase("e1", 100), purchase("e2", 50))
    till.night()
    (issued,) = [one for one in till.books.runs[MONDAY].obligations if one.kind == "issue"]
    assert (issued.quantity, issued.events) == (61, 2)
    assert [row.line for row in till.rows()] == [0, LINES_BEFORE, LINES_BEFORE]
    assert [row.first for row in till.rows()] == [True, False, True]
    assert [row.entry for row in till.rows()] == [1 << 56, 1 << 56, (1 << 56) + 1]


def test_the_days_of_a_limit_are_event_dates_and_its_use_lasts_over_nights() -> None:
    till = Till(hello(**of_all(points=40, per="day")))
    till.send(purchase("e1", 100))
    till.night()
    till.send(purchase("e2", 100, day=MONDAY), purchase("e3", 100, day=TUESDAY))
    till.night()
    assert late(till) == ["accepted: hello points 30 grocer", "accepted: hello points 10 grocer", "accepted: hello points 30 grocer"]


def test_a_budget_that_stops_cuts_off_like_a_limit_for_ever_and_one_that_warns_does_not() -> None:
    till = Till(hello(budget={"points": 40, "at_end": "stop"}), mechanic("fixed_bonus", "warned", points=5, budget={"points": 1, "at_end": "warn"}))
    assert till.send(purchase("e1", 100), purchase("e2", 100)) == ["accepted: warned points 5 grocer"] * 2
    till.night()
    assert till.balance() == (50, 0)
    till.send(purchase("e3", 100, day=TUESDAY))
    till.night()
    assert till.balance() == (55, 0)


def test_a_members_own_limit_is_asked_first_and_used_by_what_all_leave() -> None:
    limits = [{"points": 25, "per": "day"}, {"points": 40, "per": "ever", "of": "programme"}]
    till = Till(hello(limit=limits))
    till.enrol("m2", "c2")
    till.send(purchase("e1", 100), purchase("e2", 100, card="c2"), purchase("e3", 100))
    till.night()
    assert late(till) == ["accepted: hello points 25 grocer", "accepted: hello points 15 grocer", "accepted"]
    assert (till.used("m1"), till.used("m2")) == ({"2026-03-02": 25}, {"2026-03-02": 15})


def test_what_came_back_before_the_night_is_not_given() -> None:
    till = Till({**BASE, **of_all(points=1000, per="day")})
    till.send(purchase("e1", 1000), purchase("e2", 1000), back("r1", "e1", {1: 400}), back("r2", "e2", {1: (1000, "1")}))
    till.night()
    assert late(till) == ["accepted: base points 6 grocer", "accepted"]
    assert till.books.shared == {"base:0:2026-03-02": 6}


def test_room_of_all_comes_back_with_a_return() -> None:
    till = Till({**BASE, **of_all(points=12, per="ever")})
    till.send(purchase("e1", 1000))
    till.night()
    decision = till.one(back("r1", "e1", {1: 400}, day=TUESDAY))
    assert (answer(decision), decision.shared_changes) == ("accepted: base points -4 grocer", (("base:0:", -4),))
    assert till.books.shared == {"base:0:": 6}
    till.send(purchase("e2", 1000, day=TUESDAY))
    till.night()
    assert till.balance() == (6 + 6, 0)


def test_a_return_of_what_is_not_limited_for_all_changes_no_room_of_all() -> None:
    till = Till(BASE, hello(**of_all(points=1000, per="day")))
    till.send(purchase("e1", 1000))
    till.night()
    assert till.one(back("r1", "e1", {1: 400}, day=TUESDAY)).shared_changes == ()
    assert till.one(back("r2", "e1", {1: (600, "1")}, day=TUESDAY)).shared_changes == (("hello:0:2026-03-02", -30),)


def test_only_mechanics_that_applied_at_the_purchase_are_decided() -> None:
    till = Till(hello(group="g", **of_all(points=1000, per="day")), mechanic("fixed_bonus", "forty", points=40, group="g"))
    assert till.send(purchase("e1", 100)) == ["accepted: forty points 40 grocer"]
    till.night()
    assert late(till) == []
    gold = Till(hello(for_={"tiers": ["gold"]}, **of_all(points=1000, per="day")), {**BASE, **of_all(points=1000, per="day")})
    gold.send(purchase("e1", 100))
    gold.member().attributes["tier"] = "gold"  # too late
    gold.night()
    assert late(gold) == ["accepted: base points 1 grocer"]


def test_a_multiplier_under_a_limit_of_all_counts_what_its_bases_give() -> None:
    till = Till(BASE, mechanic("multiplier", "double", factor="2", when={"categories": ["dairy"]}, **of_all(points=1000, per="day")))
    till.send(purchase("e1", [line(1, 1050, "dairy"), line(2, 970, "bakery")]))
    till.night()
    assert late(till) == ["accepted: double points 10 grocer"]
    assert till.balance() == (30, 0)


def test_a_discount_under_a_limit_of_all_is_owed_after_the_night() -> None:
    gold = mechanic(
        "card_discount", "gold", percent="10", funding=[{"party": "fuelco", "share": "1"}], limit={"amount": "1.50", "per": "day", "of": "programme"}
    )
    other = mechanic("card_discount", "silver", percent="5", funding=[{"party": "fuelco", "share": "1"}])
    till = Till(gold, other)
    bought = [line(1, 850, discounts={"gold": 100, "silver": 50})]
    assert till.send(purchase("e1", bought), purchase("e2", bought)) == ["accepted: silver discount 50 EUR fuelco"] * 2
    till.night()
    assert late(till) == ["accepted: gold discount 100 EUR fuelco", "accepted: gold discount 50 EUR fuelco"]
    assert till.lines(MONDAY) == ["discount_funding fuelco>grocer 2.50 EUR"]
    assert till.books.runs[MONDAY].obligations[0].events == 2


def test_pending_points_under_a_limit_of_all_wait_for_their_day() -> None:
    till = Till(hello(**of_all(points=1000, per="day")), pending_days=1)
    till.send(purchase("e1", 100))
    till.night()
    assert till.balance() == (0, 30)
    till.night()
    assert till.balance() == (30, 0)


def test_a_sponsor_without_a_contract_is_refused_at_once_though_the_night_decides() -> None:
    till = Till(hello(**of_all(points=1000, per="day")), contracts=(contract("fuelco", "0.01"),))
    assert till.send(purchase("e1", 100)) == ["no-contract /source"]


def test_the_decision_of_the_night_says_whose_and_when_it_was_and_the_balance_after_it() -> None:
    till = Till(hello(**of_all(points=50, per="day")))
    decision = till.one(purchase("e1", 100))
    assert (decision.deferred, decision.applied) == (True, ("hello",))
    sale = till.books.facts.originals["/partners/grocer", EventId("e1")]
    assert isinstance(sale, Sale)
    used = {"hello:0:2026-03-02": 30}
    postings = Postings()
    late_decision = book_shared(till.books.plan, postings, sale, till.member(), used)
    assert (late_decision.day, late_decision.member, late_decision.balance) == (MONDAY, till.member(), (20, 0))
    assert (late_decision.received, late_decision.local) == (decision.received, decision.local)
    assert used == {"hello:0:2026-03-02": 50}
    assert [(row.entry, row.amount) for row in postings.transfers] == [(RecordId(1 << 56), 20)]


def test_a_purchase_that_brings_nothing_under_a_limit_of_all_is_not_put_off() -> None:
    till = Till({**BASE, **of_all(points=50, per="day")})
    assert not till.one(purchase("e1", 99)).deferred
    assert not Till(BASE).one(purchase("e1", 100)).deferred
