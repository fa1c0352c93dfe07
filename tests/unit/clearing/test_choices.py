"""`stamp-choice.v1`: the gift of a stamp card, or saving on for a later one; who may ask for it, who owes what, and when it is decided."""

from __future__ import annotations

from typing import Any

from tests.short import MONDAY, Json, choose, enrol, of_member, purchase
from tests.unit.clearing.baskets import day
from tests.unit.clearing.test_shared import of_all, of_the_night
from tests.unit.clearing.till import BASE, BOTH, Till, mechanic

TUESDAY = day("2026-03-03")
TERMS: Json = {"stamp_for": "purchase", "rows": [2, 2], "gift": ["coffee", "cake"], "gift_value": ["2.40", "3.00"]}


def card(**terms: Any) -> Json:
    return mechanic("stamp_card", "card", **{**TERMS, **terms})


def test_a_gift_is_owed_to_the_partner_that_hands_it_out_by_those_who_fund_it() -> None:
    till = Till(card(funding=[{"party": "baker", "share": "0.5"}, {"party": "purchase_partner", "share": "0.5"}]))
    assert till.send(choose("s1", "card", "save"), purchase("e1", 100), purchase("e2", 100)) == ["accepted", *["accepted: card stamp 1"] * 2]
    decision = till.one(choose("g1", "card", "gift", partner="fuelco"))
    assert [(effect.kind, effect.gift, effect.value, effect.sponsor, effect.reason) for effect in decision.effects] == [
        ("gift", "coffee", 120, "baker", "stamp choice"),
        ("gift", "coffee", 120, "fuelco", "stamp choice"),
    ]
    assert till.journal()[-2:] == ["reward 120 EUR baker>fuelco by card", "reward 120 EUR fuelco>fuelco by card"]
    till.night()
    assert till.lines(MONDAY) == ["reward baker>fuelco 1.20 EUR"]


def test_a_gift_without_a_value_is_named_and_owed_by_nobody() -> None:
    till = Till(mechanic("stamp_card", "card", stamp_for="purchase", rows=[1, 9], gift="sticker"))
    till.send(choose("s1", "card", "save"), purchase("e1", 100))
    assert till.send(choose("g1", "card", "gift")) == ["accepted: card gift sticker 1"]
    assert till.journal() == ["stamp 1 stamps grocer by card"]


def test_a_choice_is_kept_with_its_member() -> None:
    till = Till(card())
    till.enrol("m2", "c2")
    till.member().changed = False
    assert till.one(choose("s1", "card", "save")).balance == (0, 0)
    assert till.member().changed
    till.send(*(purchase(f"e{no}", 100, card=shown) for no, shown in enumerate(("c1", "c1", "c2", "c2"))))
    assert (till.member("m1").memory, till.member("m2").memory) == ({"card": {"stamps": 2, "saving": 1}}, {"card": {"stamps": 2, "paid": 1}})


def test_a_choice_names_a_stamp_card_that_its_sender_stamps_on_its_event_date() -> None:
    till = Till(BASE, card(partners=["grocer"], **{"from": "2026-03-02", "to": "2026-03-02"}))
    for event in (
        choose("s1", "cart", "save"),
        choose("s2", "base", "save"),
        choose("s3", "card", "gift", partner="fuelco"),
        choose("s4", "card", "save", day=day("2026-03-01")),
    ):
        decision = till.one(event)
        assert (decision.code, decision.pointer) == ("malformed", "/data/mechanic")
    assert till.one(choose("s5", "cart", "save")).detail == "grocer stamps no card cart on 2026-03-02"
    assert till.send(choose("s6", "card", "save")) == ["accepted"]


def test_the_version_of_the_card_on_the_event_date_says_what_the_gift_is() -> None:
    later = {**card(gift=["tea", "cake"]), "from": "2026-03-03"}
    till = Till(card(to="2026-03-02"), later)
    till.send(choose("s1", "card", "save"), purchase("e1", 100), purchase("e2", 100))
    till.night()
    assert till.send(choose("g1", "card", "gift", day=TUESDAY)) == ["accepted: card gift tea 240 EUR grocer"]


def test_the_day_of_a_choice_is_that_of_the_programmes_time_zone() -> None:
    till = Till(card(months=1), day=day("2026-04-02"))
    till.send(choose("s1", "card", "save"), purchase("e1", 100), purchase("e2", 100))
    assert till.send(choose("g1", "card", "gift", day=day("2026-04-02"), at="00:30")) == ["accepted"]  # 1 April 22:30 in UTC, when the card still lived
    till.send(choose("s2", "card", "save"), purchase("e3", 100, card="c1", day=day("2026-04-02")), purchase("e4", 100, day=day("2026-04-02")))
    assert till.member().memory == {"card": {"stamps": 2, "paid": 1, "since": "2026-04-02", "lapsed": "2026-04-02"}}


def test_who_hands_a_gift_out_needs_a_contract_and_who_notes_that_a_member_saves_does_not() -> None:
    till = Till(card(), contracts=tuple(one for one in BOTH if one["party"] != "grocer"))
    assert till.send(choose("s1", "card", "save")) == ["accepted"]
    refused = till.one(choose("g1", "card", "gift"))
    assert (refused.code, refused.pointer) == ("no-contract", "/source")
    assert refused.detail == "grocer, who hands the gift out, has no contract on 2026-03-02"


def test_a_choice_of_an_unknown_card_is_held_and_made_at_its_place_when_the_card_becomes_known() -> None:
    till = Till(card())
    assert till.send(choose("s1", "card", "save", card="c9"), purchase("e1", 100, card="c9"), purchase("e2", 100, card="c9")) == ["held"] * 3
    assert till.send(enrol("n1", "m9", "c9")) == ["accepted", "accepted", "accepted: card stamp 1", "accepted: card stamp 1"]
    assert till.send(choose("g1", "card", "gift", card="c9")) == ["accepted: card gift coffee 240 EUR grocer"]


def test_who_has_left_chooses_nothing_any_more() -> None:
    till = Till(card())
    till.send(choose("s1", "card", "save"), purchase("e1", 100), purchase("e2", 100), of_member("member-closed", "x1", "m1", reason="", erase=False))
    assert till.send(choose("g1", "card", "gift")) == ["accepted"]
    assert till.member().memory == {"card": {"stamps": 2, "saving": 1}}


def test_a_choice_for_a_card_that_the_night_decides_is_made_there_in_order_of_receipt() -> None:
    till = Till(card(**of_all(points=9, per="day")))
    events = [purchase("e1", 100), choose("s1", "card", "save"), purchase("e2", 100), choose("g1", "card", "gift"), purchase("e3", 100), purchase("e4", 100)]
    assert till.send(*events) == ["accepted"] * 6
    assert till.member().memory == {}
    till.night()
    assert [of_the_night(till, one) for one in ("e1", "s1", "e2", "g1", "e3", "e4")] == [
        "accepted: card stamp 1",
        "accepted",
        "accepted: card stamp 1",
        "accepted: card gift coffee 240 EUR grocer",
        "accepted: card stamp 1",
        "accepted: card stamp 1, card gift cake 300 EUR grocer",
    ]
    assert till.lines(MONDAY) == []  # the grocer funds what it hands out
    choice = next(found[-1][1] for found in till.books.decisions.values() if found[-1][1].received.event.id == "g1")
    assert (choice.balance, choice.member) == ((0, 0), till.member())


def test_the_rows_of_a_gift_chosen_at_night_are_those_of_its_own_entry() -> None:
    till = Till(card(**of_all(points=9, per="day")))
    till.send(choose("s1", "card", "save"), purchase("e1", 100), purchase("e2", 100), choose("g1", "card", "gift"))
    till.night()
    assert [(row.entry & 0xFF, row.line, row.what.code.name) for row in till.rows()] == [(1, 0, "STAMP"), (2, 0, "STAMP"), (3, 0, "REWARD")]
