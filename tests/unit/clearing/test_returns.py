"""Returns and price adjustments: what remains is valued again, the difference is taken back (rules 13 to 15)."""

from typing import Any

import pytest

from tests.short import MONDAY, Json, adjust, back, line, purchase, redeem
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, BOTH, Till, contract, mechanic

DAIRY = {"categories": ["dairy"]}
DOUBLE = mechanic("multiplier", "double", factor="2", when=DAIRY)
TUESDAY = day("2026-03-03")


def shared(*shares: tuple[str, str]) -> list[Json]:
    return [{"party": party, "share": share} for party, share in shares]


def basket(event_id: str = "e1", **terms: Any) -> Json:
    """Two units of dairy for 10.50, bread for 9.70."""
    return purchase(event_id, [line(1, 1050, "dairy", quantity="2"), line(2, 970, "bakery")], **terms)


def test_the_half_that_earned_no_bonus_comes_back_and_the_bonus_stays() -> None:
    till = Till(BASE, DOUBLE)
    till.send(basket())
    assert till.send(back("r1", "e1", {2: (970, "1")})) == ["accepted: base points -10 grocer"]  # 20 − 10, not the 9 of 9.70 alone
    assert till.balance() == (20, 0)
    assert till.send(back("r2", "e1", {1: (525, "1")})) == ["accepted: base points -5 grocer, double points -5 grocer"]
    assert till.balance() == (10, 0)
    assert till.journal()[-3:] == ["return_unspent 10 grocer by base", "return_unspent 5 grocer by base", "return_unspent 5 grocer by double"]


def test_returning_everything_takes_back_everything() -> None:
    till = Till(BASE, DOUBLE, mechanic("fixed_bonus", "hello", points=7))
    till.send(basket())
    assert till.balance() == (37, 0)
    assert till.send(back("r1", "e1", {1: (1050, "2"), 2: (970, "1")})) == [
        "accepted: base points -20 grocer, double points -10 grocer, hello points -7 grocer"
    ]
    assert till.balance() == (0, 0)
    assert till.lots() == []


def test_without_quantities_only_amounts_are_compared() -> None:
    till = Till(BASE, mechanic("fixed_bonus", "units", points=10, each="unit"))
    till.send(basket())
    assert till.send(back("r1", "e1", {1: 525})) == ["accepted: base points -6 grocer"]  # 14.95 are left, and all three units
    assert till.send(back("r2", "e1", {1: 525})) == ["accepted: base points -5 grocer, units points -20 grocer"]  # nothing is left of the line
    assert till.balance() == (9 + 10, 0)


def test_a_price_adjustment_pays_money_back_and_leaves_the_goods() -> None:
    till = Till(BASE, mechanic("fixed_bonus", "units", points=10, each="unit"), mechanic("fixed_bonus", "hello", points=3))
    till.send(basket())
    assert till.send(adjust("a1", "e1", {1: 1050, 2: 270})) == ["accepted: base points -13 grocer"]
    assert till.send(adjust("a2", "e1", {2: 701})) == ["returned-too-much /data/lines/0/amount_minor"]
    assert till.balance() == (7 + 30 + 3, 0)


def test_the_rules_of_the_day_of_the_purchase_apply_not_those_of_the_return() -> None:
    single = {**BASE, "to": MONDAY}
    triple = mechanic("points_on_spend", "base", points=3, per=BASE["per"]) | {"from": TUESDAY}
    till = Till(single, triple)
    till.send(purchase("e1", 2000))
    till.night()
    assert till.send(back("r1", "e1", {1: 1000}, day=TUESDAY)) == ["accepted: base points -10 grocer"]


def test_the_member_is_taken_as_it_was_at_the_purchase() -> None:
    till = Till(BASE, mechanic("fixed_bonus", "gold", points=9, for_={"tiers": ["gold"]}))
    till.member().attributes["tier"] = "gold"
    till.send(purchase("e1", 2000))
    till.member().attributes["tier"] = "none"
    till.send(purchase("e2", 2000))
    assert till.send(back("r1", "e1", {1: 1000})) == ["accepted: base points -10 grocer"]
    assert till.send(back("r2", "e1", {1: 1000})) == ["accepted: base points -10 grocer, gold points -9 grocer"]
    till.member().attributes["tier"] = "gold"
    assert till.send(back("r3", "e2", {1: 2000})) == ["accepted: base points -20 grocer"]


def test_the_winner_of_a_group_stays_the_winner() -> None:
    till = Till({**BASE, "group": "g"}, mechanic("fixed_bonus", "fifteen", points=15, group="g"))
    till.send(purchase("e1", 2000))
    assert till.send(back("r1", "e1", {1: 1000})) == ["accepted: base points -10 grocer"]  # though 15 would be more now
    till.send(purchase("e2", 1000))
    assert till.send(back("r2", "e2", {1: 500})) == ["accepted"]
    assert till.balance() == (10 + 15, 0)


def test_a_multiplier_of_what_remains_counts_the_bases_that_applied() -> None:
    half = mechanic("points_on_spend", "half", points=1, per={"amount": "2.00", "currency": "EUR"}, group="g")
    till = Till({**BASE, "group": "g"}, half, mechanic("multiplier", "double", factor="2", of=["base", "half"]))
    till.send(purchase("e1", 2000))
    assert till.send(back("r1", "e1", {1: 1000})) == ["accepted: base points -10 grocer, double points -10 grocer"]


def test_a_bonus_falls_away_when_its_condition_no_longer_holds() -> None:
    till = Till(mechanic("fixed_bonus", "full", points=25, when={"minimum": {"amount": "50.00", "currency": "EUR"}}))
    till.send(purchase("e1", [line(1, 5000), line(2, 100)]))
    assert till.send(back("r1", "e1", {2: 100})) == ["accepted"]
    assert till.send(back("r2", "e1", {1: 1})) == ["accepted: full points -25 grocer"]
    assert till.send(back("r3", "e1", {1: 4999})) == ["accepted"]


def test_what_was_paid_with_points_shrinks_with_its_line() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 2000, tenders={"points": 500, "cash": 1500}))
    assert till.balance() == (15, 0)
    assert till.send(back("r1", "e1", {1: 1000})) == ["accepted: base points -8 grocer"]  # 10.00 − 2.50: 7 points remain


def test_points_are_taken_back_in_proportion_to_what_each_sponsor_still_has() -> None:
    till = Till({**BASE, "funding": shared(("grocer", "0.5"), ("dairyco", "0.25"), ("fuelco", "0.25"))})
    assert till.send(purchase("e1", 1000)) == ["accepted: base points 5 grocer, base points 3 dairyco, base points 2 fuelco"]
    # 3 of 10 over 5, 3, 2: 1.5, 0.9, 0.6: the units that are left over go to 0.9 and 0.6
    assert till.send(back("r1", "e1", {1: 300})) == ["accepted: base points -1 grocer, base points -1 dairyco, base points -1 fuelco"]
    # 3 of 7 over 4, 2, 1: 1.71, 0.86, 0.43
    assert till.send(back("r2", "e1", {1: 300})) == ["accepted: base points -2 grocer, base points -1 dairyco"]
    assert till.send(back("r3", "e1", {1: 400})) == ["accepted: base points -2 grocer, base points -1 dairyco, base points -1 fuelco"]
    assert till.lots() == []


def test_room_under_a_limit_comes_back() -> None:
    till = Till({**BASE, "limit": {"points": 30, "per": "day"}})
    till.send(purchase("e1", 5000))
    assert till.send(back("r1", "e1", {1: 1500})) == ["accepted"]  # 35 would be worth more than the 30 that were given
    assert till.send(back("r2", "e1", {1: 1500})) == ["accepted: base points -10 grocer"]
    assert till.used() == {"2026-03-02": 20}
    assert till.send(purchase("e2", 5000)) == ["accepted: base points 10 grocer"]


def test_a_later_return_gives_room_back_on_the_day_of_the_purchase() -> None:
    till = Till({**BASE, "limit": {"points": 30, "per": "day"}})
    till.send(purchase("e1", 3000))
    till.night()
    till.send(purchase("e2", 3000, day=TUESDAY), back("r1", "e1", {1: 3000}, day=TUESDAY))
    assert till.used() == {"2026-03-03": 30}


def test_discounts_shrink_with_their_line_and_go_back_to_their_funders() -> None:
    gold = mechanic("card_discount", "gold", percent="5", funding=shared(("bank1", "0.5"), ("purchase_partner", "0.5")))
    till = Till(gold)
    till.send(purchase("e1", [line(1, 1900, quantity="2", discounts={"gold": 100})]))
    assert till.send(back("r1", "e1", {1: (950, "1")})) == ["accepted: gold discount -25 EUR bank1, gold discount -25 EUR grocer"]
    assert till.send(back("r2", "e1", {1: (950, "1")})) == ["accepted: gold discount -25 EUR bank1, gold discount -25 EUR grocer"]
    assert till.journal()[2:] == ["discount_reversal 25 EUR bank1>grocer by gold", "discount_reversal 25 EUR grocer>grocer by gold"] * 2


def test_stamps_are_taken_back_and_gifts_are_not() -> None:
    till = Till(mechanic("stamp_card", "coffee", stamp_for="unit", rows=[4], gift="coffee", gift_value="2.40"))
    till.send(purchase("e1", [line(1, 1500, quantity="5")]))
    assert till.send(back("r1", "e1", {1: (900, "3")})) == ["accepted: coffee stamp -3"]
    assert till.member().memory == {"coffee": {"stamps": 2, "paid": 1}}
    assert till.journal()[2:] == ["stamp_reversal 3 stamps grocer by coffee"]
    assert till.send(purchase("e2", [line(1, 600, quantity="2")])) == ["accepted: coffee stamp 2"]  # the row is full again and was paid


def test_pending_points_are_taken_back_where_they_are() -> None:
    till = Till(BASE, pending_days=3)
    till.send(purchase("e1", 2000))
    assert till.send(back("r1", "e1", {1: 500})) == ["accepted: base points -5 grocer"]
    assert till.balance() == (0, 15)


# --- points that were spent (rules 14, 15) -----------------------------------------------------------------------------------------------


def spent(**terms: Any) -> Till:
    """60 points earned at the grocer, 50 of them spent at fuelco."""
    till = Till(BASE, **terms)
    till.send(purchase("e1", 6000), redeem("x1", 50))
    till.mark()
    return till


def test_with_a_negative_balance_the_member_owes_what_was_spent() -> None:
    till = spent()
    assert till.send(back("r1", "e1", {1: 6000})) == ["accepted: base points -60 grocer"]
    assert till.journal() == ["return_unspent 10 grocer by base", "return_spent 50 grocer>opco by base"]
    assert (till.balance(), till.debts()) == ((-50, 0), ["50 opco"])


def test_in_the_anchor_model_the_sponsor_is_the_bearer_of_the_debt() -> None:
    till = spent(model="anchor")
    till.send(back("r1", "e1", {1: 6000}))
    assert till.debts() == ["50 grocer"]


@pytest.mark.parametrize(("bearer", "party"), [("partner", "grocer"), ("operator", "opco")])
def test_where_partner_or_operator_bears_it_the_member_owes_nothing(bearer: str, party: str) -> None:
    till = spent(spent_points_on_return=bearer)
    assert till.send(back("r1", "e1", {1: 6000})) == ["accepted: base points -60 grocer"]
    assert till.journal() == ["return_unspent 10 grocer by base", f"return_spent 50 grocer>{party} by base"]
    assert (till.balance(), till.debts()) == ((0, 0), [])


def test_the_seller_bears_it_not_the_sponsor() -> None:
    funded = {**BASE, "funding": shared(("dairyco", "1"))}
    till = Till(funded, spent_points_on_return="partner")
    till.send(purchase("e1", 6000), redeem("x1", 50))
    till.send(back("r1", "e1", {1: 6000}))
    assert till.journal()[-1] == "return_spent 50 dairyco>grocer by base"


def test_a_debt_is_repaid_from_other_lots_after_all_that_the_return_takes_back() -> None:
    till = spent()
    till.send(purchase("e2", 3500, partner="fuelco"))
    till.mark()
    till.send(back("r1", "e1", {1: 6000}))
    assert till.journal() == ["return_unspent 10 grocer by base", "return_spent 50 grocer>opco by base", "repayment 35 fuelco>opco"]
    assert (till.balance(), till.debts()) == ((-15, 0), ["15 opco"])


def test_lots_whose_day_has_passed_by_the_returns_date_repay_nothing() -> None:
    till = Till(
        {**BASE, "partners": ["grocer"]}, mechanic("fixed_bonus", "short", points=20, partners=["fuelco"], expiry={"kind": "fixed", "month": 3, "day": 2})
    )
    till.send(purchase("e1", 6000), redeem("x1", 60), purchase("e2", 10, partner="fuelco", day=day("2026-02-20")))
    assert till.lots() == ["20 fuelco until 2026-03-02 earned 2026-02-20"]
    till.send(back("r1", "e1", {1: 6000}, day=TUESDAY, at="00:02"))  # after midnight, before the window's end
    assert (till.debts(), till.balance()) == (["60 opco"], (-40, 0))


# --- expired points (rule 14) ------------------------------------------------------------------------------------------------------------


def test_what_has_expired_is_neither_owed_nor_reversed() -> None:
    till = Till(BASE, expiry={"kind": "fixed", "month": 3, "day": 3})
    till.send(purchase("e1", 6000), redeem("x1", 20))
    till.night(TUESDAY)
    till.mark()
    assert till.balance() == (0, 0)
    # 60 are to be taken back: 40 have expired, 20 were spent
    assert till.send(back("r1", "e1", {1: 3000}, day=day("2026-03-04"))) == ["accepted"]
    assert till.journal() == []
    assert till.send(back("r2", "e1", {1: 3000}, day=day("2026-03-04"))) == ["accepted: base points -20 grocer"]
    assert till.journal() == ["return_spent 20 grocer>opco by base"]


# --- refusals ----------------------------------------------------------------------------------------------------------------------------


def test_no_more_may_come_back_than_was_bought_over_all_returns() -> None:
    till = Till(BASE)
    till.send(basket())
    assert till.send(back("r1", "e1", {1: (525, "1")})) == ["accepted: base points -6 grocer"]
    assert till.send(back("r2", "e1", {2: 1, 1: (526, "1")})) == ["returned-too-much /data/lines/1/amount_minor"]
    assert till.send(back("r3", "e1", {1: (100, "1.5")})) == ["returned-too-much /data/lines/0/quantity"]
    assert till.send(back("r4", "e1", {1: (525, "1"), 7: 1})) == ["returned-too-much /data/lines/1/line"]
    assert till.balance() == (14, 0)  # nothing of what was refused was taken back
    assert till.send(back("r5", "e1", {1: (525, "1")})) == ["accepted: base points -5 grocer"]


def test_a_refusal_says_which_line_and_what_came_too_much() -> None:
    till = Till(BASE)
    till.send(basket())
    too_much: tuple[dict[int, int | tuple[int, str]], ...] = ({7: 1}, {1: 1051}, {1: (1, "3")})
    details = [till.one(back(f"r{no}", "e1", lines)).detail for no, lines in enumerate(too_much)]
    assert details == [
        "the purchase has no line 7",
        "more money comes back on line 1 than was left of it",
        "more units come back on line 1 than were left of it",
    ]


def test_a_return_that_takes_nothing_back_still_uses_up_its_lines() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 90))
    assert till.send(back("r1", "e1", {1: (90, "1")}), back("r2", "e1", {1: (1, "1")})) == ["accepted", "returned-too-much /data/lines/0/amount_minor"]


def test_the_money_of_a_line_may_come_back_without_its_goods_and_the_goods_later_for_nothing() -> None:
    till = Till(mechanic("fixed_bonus", "units", points=10, each="unit"))
    till.send(purchase("e1", [line(1, 300, quantity="3")]))
    assert till.send(adjust("a1", "e1", {1: 300}), back("r1", "e1", {1: (0, "1")})) == ["accepted", "accepted: units points -10 grocer"]


def test_only_the_member_who_bought_may_bring_back_with_any_of_its_cards() -> None:
    till = Till(BASE)
    till.enrol("m2", "c2")
    till.books.facts.cards.update(Till(BASE).books.facts.cards)
    till.send(purchase("e1", 1000))
    assert till.send(back("r1", "e1", {1: 500}, card="c2")) == ["original-of-other-card /subject"]
    assert till.one(back("r2", "e1", {1: 500}, card="c2")).detail == "the purchase belongs to another member"


def test_a_return_in_another_currency_is_refused() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000))
    decision = till.one(back("r1", "e1", {1: 500}, currency="CZK"))
    assert (decision.code, decision.pointer, decision.detail) == ("currency-not-accepted", "/data/currency", "the purchase was made in another currency")


def test_a_return_may_name_a_purchase_of_another_partner() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000, partner="fuelco"))
    assert till.send(back("r1", "e1", {1: 500}, original_source="/partners/fuelco")) == ["accepted: base points -5 fuelco"]
    assert till.send(back("r2", "e1", {1: 500})) == ["waiting"]


def test_what_is_no_accepted_purchase_cannot_be_returned() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 6000), redeem("x1", 50, partner="grocer"), purchase("e2", 100, currency="USD"))
    assert till.send(back("r1", "x1", {1: 1})) == ["unknown-original /data/original_id"]
    assert till.send(back("r2", "e2", {1: 1})) == ["unknown-original /data/original_id"]
    assert till.one(back("r3", "x1", {1: 1})).detail == "no accepted purchase has the id x1"


def test_a_partner_that_left_takes_back_at_the_contract_of_the_purchase() -> None:
    till = Till(BASE, contracts=(contract("grocer", "0.0100", to=MONDAY), *BOTH[1:]))
    till.send(purchase("e1", 1000))
    till.night()
    assert till.send(back("r1", "e1", {1: 1000}, day=TUESDAY)) == ["accepted: base points -10 grocer"]
    till.night()
    assert till.lines(TUESDAY) == ["issue_reversal opco>grocer 10 x 0.01 = 0.10 EUR"]


# --- one mechanic beside another ---------------------------------------------------------------------------------------------------------


def test_a_mechanic_that_gave_nothing_or_loses_nothing_does_not_shield_the_next() -> None:
    nothing = mechanic("fixed_bonus", "bread", points=9, when={"categories": ["bakery"]})
    till = Till(nothing, mechanic("fixed_bonus", "hello", points=7), BASE)
    till.send(purchase("e1", 2000, "dairy"))
    assert till.send(back("r1", "e1", {1: 1000})) == ["accepted: base points -10 grocer"]
    assert till.balance() == (10 + 7, 0)


def test_a_single_point_that_has_expired_is_forgotten() -> None:
    till = Till(BASE, expiry={"kind": "fixed", "month": 3, "day": 2})
    till.send(purchase("e1", 100, day=day("2026-03-01")))
    assert till.balance() == (1, 0)
    till.night()
    assert till.balance() == (0, 0)
    assert till.send(back("r1", "e1", {1: 100}, day=TUESDAY)) == ["accepted"]
    assert (till.balance(), till.debts()) == ((0, 0), [])
