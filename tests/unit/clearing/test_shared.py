"""Limits and budgets of the whole programme: decided at night, purchase by purchase, in order of receipt."""

from __future__ import annotations

from typing import Any

from clearing.events import Decision, Room, Sale
from clearing.postings import Postings
from clearing.shared import Before, SharedLimits
from schemas.ids import EventId, RecordId
from tests.short import MONDAY, Json, adjust, back, enrol, line, purchase, redeem
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, Till, answer, contract, mechanic

TUESDAY = day("2026-03-03")


HYBRID = tuple({**contract(party, "0.0100", "0.0085"), "due_at_issue": "0.4"} for party in ("grocer", "fuelco", "baker", "dairyco"))


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
    assert [row.line for row in till.rows()] == [0, 1, 0]
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


def of_the_night(till: Till, event_id: str) -> str:
    """What the night decided about an event."""
    return next(answer(found[-1][1]) for found in till.books.decisions.values() if found[-1][1].received.event.id == event_id)


def test_a_purchase_is_worth_what_it_was_when_it_came_and_a_return_takes_back_at_its_own_place() -> None:
    till = Till({**BASE, **of_all(points=15, per="day")})
    till.send(purchase("e1", 1000), purchase("e2", 1000), back("r1", "e1", {1: 400}), purchase("e3", 1000), back("r2", "e2", {1: (1000, "1")}))
    assert till.balance() == (0, 0)
    till.night()
    assert [of_the_night(till, one) for one in ("e1", "e2", "r1", "e3", "r2")] == [
        "accepted: base points 10 grocer",
        "accepted: base points 5 grocer",
        "accepted: base points -4 grocer",
        "accepted: base points 4 grocer",
        "accepted: base points -5 grocer",
    ]
    assert till.balance() == (10, 0)
    assert till.books.shared == {"base:0:2026-03-02": 10}
    assert [(row.entry & 0xFF, row.line) for row in till.rows()] == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]


def test_several_returns_and_adjustments_of_one_purchase_are_taken_back_one_after_the_other() -> None:
    till = Till({**BASE, **of_all(points=1000, per="day")}, mechanic("fixed_bonus", "each", points=2, each="unit", **of_all(points=1000, per="day")))
    bought = [line(1, 1000, quantity="3")]
    till.send(purchase("e1", bought), back("r1", "e1", {1: (300, "1")}), adjust("a1", "e1", {1: 200}), back("r2", "e1", {1: 500}))
    till.night()
    assert [of_the_night(till, one) for one in ("e1", "r1", "a1", "r2")] == [
        "accepted: base points 10 grocer, each points 6 grocer",
        "accepted: base points -3 grocer, each points -2 grocer",
        "accepted: base points -2 grocer",
        "accepted: base points -5 grocer, each points -4 grocer",
    ]
    assert (till.balance(), till.books.shared) == ((0, 0), {})


def test_a_return_that_came_before_its_purchase_is_taken_back_after_all_that_came_in_order() -> None:
    till = Till({**BASE, **of_all(points=10, per="day")})
    till.send(back("r1", "e1", {1: 400}), purchase("e1", 1000), purchase("e2", 1000))
    till.night()
    assert [of_the_night(till, one) for one in ("e1", "e2", "r1")] == [
        "accepted: base points 10 grocer",
        "accepted",
        "accepted: base points -4 grocer",
    ]
    assert till.books.shared == {"base:0:2026-03-02": 6}


def test_what_was_held_has_its_place_by_its_own_receipt() -> None:
    till = Till({**BASE, **of_all(points=15, per="ever")})
    till.send(purchase("e1", 1000, card="c9"))
    till.night()
    till.send(purchase("e2", 1000, day=TUESDAY), enrol("n1", "m9", "c9", day=TUESDAY))
    till.night()
    assert (of_the_night(till, "e1"), of_the_night(till, "e2")) == ("accepted: base points 10 grocer", "accepted: base points 5 grocer")


def test_what_the_night_takes_back_and_was_spent_is_owed() -> None:
    till = Till(BASE, {**BASE, "id": "more", **of_all(points=1000, per="ever")})
    till.send(purchase("e1", 1000), redeem("s1", 10), back("r1", "e1", {1: 1000}))
    assert (till.balance(), till.debts()) == ((-10, 0), ["10 opco"])
    till.night()  # 10 more repay what is owed; they are spent when the night takes them back
    assert (till.balance(), till.debts()) == ((-10, 0), ["10 opco"])


def test_lines_of_an_entry_never_repeat_and_it_counts_once_under_each_key_whatever_it_had() -> None:
    till = Till(BASE, {**BASE, "id": "more", **of_all(points=1000, per="ever")}, model="hybrid", contracts=HYBRID)
    till.send(purchase("e1", 1000), redeem("s1", 10), back("r1", "e1", {1: 1000}))
    till.night()
    till.mark()
    till.send(purchase("e2", 500, day=TUESDAY))  # both repay
    till.night()
    assert [(row.what.code.name, row.line, row.first) for row in till.rows()] == [
        ("ACCRUAL", 0, True),
        ("REPAYMENT", 1, True),
        ("ACCRUAL", 2, False),
        ("REPAYMENT", 3, False),
    ]
    assert {line.events for line in till.books.runs[TUESDAY].obligations if line.kind == "issue"} == {1}


def test_the_rows_of_the_night_are_numbered_behind_more_than_a_thousand() -> None:
    till = Till(hello(**of_all(points=50, per="day")))
    till.send(purchase("e1", 100))
    sale = till.books.facts.originals["/partners/grocer", EventId("e1")]
    assert isinstance(sale, Sale)
    postings = Postings()
    SharedLimits(till.books.plan, postings, {}).purchase(sale, till.member(), Before(1_234, frozenset()))
    assert [(row.line, row.first) for row in postings.transfers] == [(1_234, True)]
    known = frozenset(row.what.key for row in postings.transfers)
    again = Postings()
    SharedLimits(till.books.plan, again, {}).purchase(sale, till.member(), Before(7, known))
    assert [(row.line, row.first) for row in again.transfers] == [(7, False)]


def test_room_of_all_comes_back_with_a_return() -> None:
    till = Till({**BASE, **of_all(points=12, per="ever")})
    till.send(purchase("e1", 1000))
    till.night()
    decision = till.one(back("r1", "e1", {1: 400}, day=TUESDAY))
    assert (answer(decision), decision.room) == ("accepted: base points -4 grocer", Room((("base:0:", -4),), ()))
    assert till.books.shared == {"base:0:": 10}
    till.send(purchase("e2", 1000, day=TUESDAY))
    till.night()
    assert till.balance() == (6 + 6, 0)


def test_room_that_comes_back_is_there_for_what_was_received_after_the_return() -> None:
    limits = {"limit": [{"points": 10, "per": "ever"}, {"points": 40, "per": "ever", "of": "programme"}]}
    for own in (of_all(points=10, per="ever"), limits):
        till = Till({**BASE, **own})
        till.send(purchase("e1", 1000))
        till.night()
        till.send(purchase("e2", 500, day=TUESDAY), back("r1", "e1", {1: 400}, day=TUESDAY), purchase("e3", 500, day=TUESDAY))
        till.night()
        assert (of_the_night(till, "e2"), of_the_night(till, "e3")) == ("accepted", "accepted: base points 4 grocer")


def test_a_return_of_what_is_not_limited_for_all_changes_no_room_of_all() -> None:
    till = Till(BASE, hello(**of_all(points=1000, per="day")))
    till.send(purchase("e1", 1000))
    till.night()
    assert till.one(back("r1", "e1", {1: 400}, day=TUESDAY)).room is None
    assert till.one(back("r2", "e1", {1: (600, "1")}, day=TUESDAY)).room == Room((("hello:0:2026-03-02", -30),), ())


def test_only_mechanics_that_applied_at_the_purchase_are_decided() -> None:
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
    late_decision: Decision = SharedLimits(till.books.plan, postings, used).purchase(sale, till.member(), Before())
    assert (late_decision.day, late_decision.member, late_decision.balance) == (MONDAY, till.member(), (20, 0))
    assert (late_decision.received, late_decision.local) == (decision.received, decision.local)
    assert used == {"hello:0:2026-03-02": 50}
    assert [(row.entry, row.amount) for row in postings.transfers] == [(RecordId(1 << 56), 20)]


def test_a_purchase_that_brings_nothing_under_a_limit_of_all_is_not_put_off() -> None:
    till = Till({**BASE, **of_all(points=50, per="day")})
    assert not till.one(purchase("e1", 99)).deferred
    assert not Till(BASE).one(purchase("e1", 100)).deferred


RIVALS = (
    {**BASE, "id": "two", "points": 2, "group": "g", **of_all(points=10, per="ever")},
    {**BASE, "id": "one", "group": "g"},
)


def test_of_a_group_the_night_finds_who_gives_most_after_what_all_share() -> None:
    till = Till(*RIVALS)
    decision = till.one(purchase("e1", 500))
    assert (answer(decision), decision.deferred, decision.applied) == ("accepted", True, ("two", "one"))
    till.night()
    till.send(purchase("e2", 500, day=TUESDAY), purchase("e3", 1000, day=TUESDAY))
    till.night()
    assert late(till) == ["accepted: two points 10 grocer", "accepted: one points 5 grocer", "accepted: one points 10 grocer"]
    wednesday = day("2026-03-04")
    assert answer(till.one(back("r1", "e2", {1: 200}, day=wednesday))) == "accepted: one points -2 grocer"  # though there is room for `two` again:
    assert answer(till.one(back("r2", "e1", {1: 500}, day=wednesday))) == "accepted: two points -10 grocer"
    till.send(purchase("e4", 500, day=wednesday), purchase("e5", 500, day=wednesday))
    till.night()
    assert (of_the_night(till, "e4"), of_the_night(till, "e5")) == ("accepted: two points 10 grocer", "accepted: one points 5 grocer")


def test_what_multiplies_a_group_that_the_night_decides_is_decided_then() -> None:
    till = Till(
        *RIVALS,
        {**BASE, "id": "plain"},
        mechanic("multiplier", "double", factor="2", of=["two", "one"]),
        mechanic("multiplier", "own", factor="2", of=["plain"]),
    )
    till.send(purchase("e1", 500), purchase("e2", 500))
    assert till.balance() == (20, 0)
    till.night()
    assert late(till) == ["accepted: two points 10 grocer, double points 10 grocer", "accepted: one points 5 grocer, double points 5 grocer"]


def test_a_group_whose_multiplier_the_night_decides_is_decided_then_with_what_builds_on_it() -> None:
    multiplier = mechanic("multiplier", "double", factor="3", of=["two"], group="h")
    till = Till(*RIVALS, multiplier, mechanic("fixed_bonus", "seven", points=7, group="h"))
    till.send(purchase("e1", 500), purchase("e2", 500))
    assert till.balance() == (0, 0)
    till.night()
    assert late(till) == ["accepted: two points 10 grocer, double points 20 grocer", "accepted: one points 5 grocer, seven points 7 grocer"]


def test_limits_of_a_member_on_a_rival_keep_the_order_of_receipt_too() -> None:
    first, second = RIVALS
    till = Till({**first, **of_all(points=0, per="ever")}, {**second, "limit": {"points": 5, "per": "ever"}})
    till.send(purchase("e1", 500))
    till.night()
    till.send(purchase("e2", 500, day=TUESDAY), back("r1", "e1", {1: 200}, day=TUESDAY), purchase("e3", 500, day=TUESDAY))
    assert till.used() == {"": 5}
    till.night()
    assert (of_the_night(till, "e2"), of_the_night(till, "e3")) == ("accepted", "accepted: one points 2 grocer")
    assert till.used() == {"": 5}


def test_a_rival_without_a_contract_cannot_win_at_night() -> None:
    first, second = RIVALS
    till = Till(first, {**second, "funding": [{"party": "fuelco", "share": "1"}]}, contracts=(contract("grocer", "0.01"),))
    assert till.send(purchase("e1", 500), purchase("e2", 500)) == ["accepted", "accepted"]
    till.night()
    assert late(till) == ["accepted: two points 10 grocer", "accepted"]
