"""`privilege-rendered.v1`: who may claim what from whom, what conditions and limits leave, and what a cancellation takes back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.short import MONDAY, Json, back, cancel, enrol, of_member, purchase, rendered
from tests.unit.clearing.baskets import day
from tests.unit.clearing.test_shared import of_all, of_the_night
from tests.unit.clearing.till import BASE, BOTH, Till, answer, mechanic

TUESDAY = day("2026-03-03")
SERVICES = [{"id": "delivery", "provider": "fuelco", "cost": "4.99"}, {"id": "wash", "provider": "baker", "cost": "7.00"}]
HALVES = [{"party": "grocer", "share": "0.5"}, {"party": "dairyco", "share": "0.5"}]


def gold(**terms: Any) -> Json:
    return mechanic("privilege", "gold", **{"services": SERVICES, "funding": HALVES, **terms})


def delivery(event_id: str, **terms: Any) -> Json:
    return rendered(event_id, "gold", "delivery", **terms)


def taken_back(event_id: str, original: str, **terms: Any) -> Json:
    return cancel(event_id, "privilege-rendered", original, **terms)


def test_the_provider_claims_the_agreed_cost_from_those_who_fund_it() -> None:
    till = Till(BASE, gold())
    decision = till.one(delivery("e1"))
    assert [(effect.kind, effect.value, effect.currency, effect.sponsor, effect.reason) for effect in decision.effects] == [
        ("privilege", 250, "EUR", "grocer", "privilege"),
        ("privilege", 249, "EUR", "dairyco", "privilege"),
    ]
    assert till.journal() == ["privilege 250 EUR grocer>fuelco by gold", "privilege 249 EUR dairyco>fuelco by gold"]
    assert (decision.applied, str(decision.contract)) == (("gold",), "2026-01-01")
    till.night()
    assert till.lines(MONDAY) == ["privilege dairyco>fuelco 2.49 EUR", "privilege grocer>fuelco 2.50 EUR"]


def test_a_service_that_nobody_else_funds_is_owed_by_nobody() -> None:
    till = Till(gold(funding=None))
    assert till.send(delivery("e1")) == ["accepted: gold privilege 499 EUR fuelco"]
    till.night()
    assert till.lines(MONDAY) == []


def test_purchases_bring_nothing_of_a_privilege_whatever_the_article_is_called() -> None:
    till = Till(BASE, gold(**of_all(amount="9.00", per="day")))
    event = purchase("e1", [{"line": 1, "sku": "delivery", "quantity": "1", "amount_minor": 100}], partner="fuelco")
    assert till.send(event) == ["accepted: base points 1 fuelco"]
    assert not till.books.deferred


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (rendered("e1", "silver", "delivery"), "/data/mechanic"),
        (rendered("e1", "base", "delivery"), "/data/mechanic"),
        (rendered("e1", "ten", "delivery"), "/data/mechanic"),
        (delivery("e1", day=day("2026-03-01")), "/data/mechanic"),
        (rendered("e1", "gold", "wash", partner="baker"), "/data/mechanic"),
        (rendered("e1", "gold", "valet"), "/data/service"),
        (rendered("e1", "gold", "wash"), "/data/service"),
        (delivery("e1", partner="grocer"), "/data/service"),
    ],
)
def test_a_service_is_one_that_its_sender_renders_on_the_event_date(event: Json, pointer: str) -> None:
    ten = mechanic("pass", "ten", visits=2, price={"amount": "9.00", "currency": "EUR"}, months=1, partners=[{"party": "fuelco", "per_visit": "1.00"}])
    till = Till(BASE, ten, {**gold(partners=["fuelco", "grocer"]), "from": "2026-03-02"})
    assert till.send(event) == [f"malformed {pointer}"]
    assert till.journal() == []


def test_a_provider_that_is_owed_something_needs_a_contract_and_a_funder_none() -> None:
    till = Till(gold(), contracts=tuple(one for one in BOTH if one["party"] == "baker"))
    refused = till.one(delivery("e1"))
    assert (answer(refused), refused.detail) == ("no-contract /source", "fuelco, who claims the cost, has no contract on 2026-03-02")
    assert till.send(rendered("e2", "gold", "wash", partner="baker")) == ["accepted: gold privilege 350 EUR grocer, gold privilege 350 EUR dairyco"]
    free = Till(gold(services=[{"id": "delivery", "provider": "fuelco", "cost": "0.00"}]), contracts=())
    assert free.send(delivery("e1")) == ["accepted"]


def test_whom_it_is_not_for_gets_nothing_and_neither_does_anybody_where_its_conditions_do_not_hold() -> None:
    till = Till(gold(for_={"kinds": ["business"]}, when={"weekdays": ["mon"], "channels": ["app"]}))
    till.enrol("m2", "c2", kind="business")
    app = {"card": "c2", "channel": "app"}
    events = [delivery("e1", channel="app"), delivery("e2", card="c2"), delivery("e3", day=day("2026-03-01"), **app), delivery("e4", **app)]
    assert till.send(*events) == ["accepted", "accepted", "accepted", "accepted: gold privilege 250 EUR grocer, gold privilege 249 EUR dairyco"]
    assert till.send(taken_back("x1", "e1")) == ["accepted"]


def test_who_has_left_gets_no_service_and_the_provider_is_told() -> None:
    till = Till(gold())
    till.send(delivery("e1"), of_member("member-closed", "l1", "m1", reason="", erase=False))
    assert till.send(delivery("e2")) == ["member-closed /data/card"]
    assert till.send(taken_back("x1", "e1")) == ["accepted: gold privilege -250 EUR grocer, gold privilege -249 EUR dairyco"]


def test_what_is_over_a_limit_is_cut_off_and_room_comes_back_with_a_cancellation() -> None:
    till = Till(gold(funding=HALVES[:1] and [{"party": "grocer", "share": "1"}], limit=[{"amount": "6.00", "per": "month"}, {"times": 2, "per": "day"}]))
    assert till.send(delivery("e1"), delivery("e2"), delivery("e3")) == [
        "accepted: gold privilege 499 EUR grocer",
        "accepted: gold privilege 101 EUR grocer",
        "accepted",
    ]
    assert till.member().used == {"gold:0:2026-03": 600, "gold:1:2026-03-02": 2}
    assert till.send(taken_back("x1", "e1")) == ["accepted: gold privilege -499 EUR grocer"]
    assert till.member().used == {"gold:0:2026-03": 101, "gold:1:2026-03-02": 1}
    assert till.send(delivery("e4")) == ["accepted: gold privilege 499 EUR grocer"]


def test_a_cancellation_takes_back_all_that_the_service_brought_once() -> None:
    till = Till(gold())
    till.send(delivery("e1"))
    till.night()
    till.mark()
    decision = till.one(taken_back("x1", "e1", day=TUESDAY))
    assert answer(decision) == "accepted: gold privilege -250 EUR grocer, gold privilege -249 EUR dairyco"
    assert {effect.reason for effect in decision.effects} == {"cancellation"}
    assert till.journal() == ["privilege_reversal 250 EUR grocer>fuelco by gold", "privilege_reversal 249 EUR dairyco>fuelco by gold"]
    assert till.send(taken_back("x2", "e1", day=TUESDAY)) == ["returned-too-much /data/original_id"]
    till.night()
    assert till.lines(TUESDAY) == ["privilege_reversal fuelco>dairyco 2.49 EUR", "privilege_reversal fuelco>grocer 2.50 EUR"]


def test_a_cancellation_names_a_service_of_its_sender_and_its_member() -> None:
    till = Till(BASE, gold())
    till.enrol("m2", "c2")
    till.send(purchase("p1", 100, partner="fuelco"), delivery("e1"), taken_back("x0", "e1"), delivery("e2"))
    events = [
        taken_back("x1", "p1"),
        taken_back("x2", "x0"),
        cancel("x3", "pass-visit", "e2"),
        taken_back("x4", "e2", card="c2"),
        back("r1", "e2", {1: 0}, partner="fuelco"),
    ]
    assert till.send(*events) == [
        "unknown-original /data/original_id",
        "unknown-original /data/original_id",
        "unknown-original /data/original_id",
        "original-of-other-card /data/card",
        "unknown-original /data/original_id",
    ]
    assert till.send(taken_back("x5", "e2", partner="baker")) == ["waiting"]


def test_a_cancellation_that_comes_first_waits_for_its_service_until_the_end_of_the_window() -> None:
    till = Till(gold())
    assert till.send(taken_back("x1", "e1"), taken_back("x2", "e9")) == ["waiting", "waiting"]
    assert till.send(delivery("e1")) == ["accepted: gold privilege 250 EUR grocer, gold privilege 249 EUR dairyco"]
    till.night()
    assert [of_the_night(till, one) for one in ("x1", "x2")] == [
        "accepted: gold privilege -250 EUR grocer, gold privilege -249 EUR dairyco",
        "unknown-original /data/original_id",
    ]


def test_a_service_to_an_unknown_card_is_held_with_its_cancellation_and_booked_when_the_card_becomes_known() -> None:
    till = Till(gold())
    assert till.send(delivery("e1", card="c9"), taken_back("x1", "e1", card="c9"), delivery("e2", card="c9")) == ["held"] * 3
    assert till.send(enrol("n1", "m9", "c9")) == [
        "accepted",
        "accepted: gold privilege 250 EUR grocer, gold privilege 249 EUR dairyco",
        "accepted: gold privilege -250 EUR grocer, gold privilege -249 EUR dairyco",
        "accepted: gold privilege 250 EUR grocer, gold privilege 249 EUR dairyco",
    ]


def test_a_budget_is_given_in_the_night_in_order_of_receipt_and_room_comes_back_for_what_comes_later() -> None:
    till = Till(gold(funding=[{"party": "grocer", "share": "1"}], budget={"amount": "10.00", "at_end": "stop"}))
    assert till.send(delivery("e1"), delivery("e2"), delivery("e3"), taken_back("x1", "e1"), delivery("e4"), delivery("e5")) == ["accepted"] * 6
    assert till.journal() == []
    till.night()
    assert [of_the_night(till, one) for one in ("e1", "e2", "e3", "x1", "e4", "e5")] == [
        "accepted: gold privilege 499 EUR grocer",
        "accepted: gold privilege 499 EUR grocer",
        "accepted: gold privilege 2 EUR grocer",
        "accepted: gold privilege -499 EUR grocer",
        "accepted: gold privilege 499 EUR grocer",
        "accepted",
    ]
    assert till.send(taken_back("x2", "e2", day=TUESDAY), delivery("e6", day=TUESDAY)) == ["accepted: gold privilege -499 EUR grocer", "accepted"]
    till.night()
    assert of_the_night(till, "e6") == "accepted: gold privilege 499 EUR grocer"
    assert till.books.shared == {"gold:0:": 1000}


def test_the_version_of_the_event_date_says_what_a_service_costs_also_when_it_is_taken_back() -> None:
    dearer = [{**SERVICES[0], "cost": "6.00"}]
    till = Till(
        gold(funding=[{"party": "grocer", "share": "1"}], to="2026-03-02"),
        {**gold(services=dearer, funding=[{"party": "baker", "share": "1"}]), "from": "2026-03-03"},
    )
    assert till.send(delivery("e1")) == ["accepted: gold privilege 499 EUR grocer"]
    till.night()
    assert till.send(delivery("e2", day=TUESDAY), taken_back("x1", "e1", day=TUESDAY)) == [
        "accepted: gold privilege 600 EUR baker",
        "accepted: gold privilege -499 EUR grocer",
    ]
