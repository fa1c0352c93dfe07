"""What a purchase brings: mechanics in the order of the file, groups, limits, funding, stamps (rules 3 to 9)."""

from datetime import date

import pytest

from clearing.plan import Funding, funding_of
from clearing.purchases import split
from schemas.ids import MechanicId, PartyId
from schemas.mechanics import FundingShare
from tests.short import MONDAY, Json, back, line, purchase
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, BOTH, Till, contract, mechanic

DAIRY = {"categories": ["dairy"]}


def bonus(id_: str, points: int, **terms: object) -> Json:
    return mechanic("fixed_bonus", id_, points=points, **terms)


def shared(*shares: tuple[str, str]) -> list[dict[str, str]]:
    return [{"party": party, "share": share} for party, share in shares]


def test_mechanics_apply_in_the_order_of_the_file_and_add_up() -> None:
    till = Till(bonus("hello", 5), BASE, mechanic("multiplier", "double", factor="2", when=DAIRY))
    lines = [line(1, 1050, "dairy"), line(2, 970, "bakery")]
    assert till.send(purchase("e1", lines)) == ["accepted: hello points 5 grocer, base points 20 grocer, double points 10 grocer"]
    assert till.balance() == (35, 0)
    assert till.journal() == ["accrual 5 grocer by hello", "accrual 20 grocer by base", "accrual 10 grocer by double"]
    assert till.lots() == ["35 grocer"]


def test_a_mechanic_that_gives_nothing_leaves_no_trace() -> None:
    till = Till(BASE)
    assert till.send(purchase("e1", 99)) == ["accepted"]
    assert till.journal() == []
    assert till.member().last_activity is None  # a purchase without points is no activity


def test_points_count_as_activity_of_the_event_date() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 100, day=day("2026-02-20")))
    assert till.member().last_activity == day("2026-02-20")


def test_stamps_and_discounts_are_no_activity() -> None:
    discount = mechanic("card_discount", "gold", percent="5")
    till = Till(mechanic("stamp_card", "coffee", stamp_for="purchase", rows=[10], gift="coffee"), discount)
    assert till.send(purchase("e1", [line(1, 950, discounts={"gold": 50})])) == ["accepted: coffee stamp 1, gold discount 50 EUR grocer"]
    assert till.member().last_activity is None


def test_points_are_split_over_their_funders_by_largest_remainder() -> None:
    till = Till(bonus("hello", 10, funding=shared(("grocer", "0.25"), ("dairyco", "0.25"), ("fuelco", "0.5"))))
    assert till.send(purchase("e1", 100)) == ["accepted: hello points 3 grocer, hello points 2 dairyco, hello points 5 fuelco"]
    assert till.lots() == ["3 grocer", "2 dairyco", "5 fuelco"]


def test_a_share_that_comes_to_nothing_is_left_out() -> None:
    till = Till(bonus("hello", 1, funding=shared(("grocer", "0.5"), ("dairyco", "0.5"))))
    assert till.send(purchase("e1", 100)) == ["accepted: hello points 1 grocer"]


def funding(*shares: tuple[str, str]) -> Funding:
    return funding_of([FundingShare.model_validate({"party": party, "share": share}) for party, share in shares], PartyId("grocer"))


def test_the_split_of_what_a_mechanic_gives() -> None:
    assert split(7, funding(("fuelco", "1"))) == [("fuelco", 7)]
    assert split(7, funding(("fuelco", "0.5"), ("baker", "0.5"))) == [("fuelco", 4), ("baker", 3)]
    assert split(1, funding(("fuelco", "0.2"), ("baker", "0.8"))) == [("baker", 1)]


def test_a_sponsor_whose_share_comes_to_something_needs_an_issuing_contract() -> None:
    till = Till(BASE, bonus("hello", 10, funding=shared(("grocer", "0.9"), ("opco", "0.1"))))
    decision = till.one(purchase("e1", 100))
    assert (decision.code, decision.pointer) == ("no-contract", "/source")
    assert decision.detail == "opco, who funds hello, has no issuing contract on 2026-03-02"
    assert till.journal() == []
    assert till.books.booked_totals(MONDAY) == ()  # not even the purchase is counted


def test_a_sponsor_whose_share_comes_to_nothing_needs_none() -> None:
    till = Till(bonus("hello", 1, funding=shared(("grocer", "0.9"), ("opco", "0.1"))))
    assert till.send(purchase("e1", 100)) == ["accepted: hello points 1 grocer"]
    nothing = Till(mechanic("fixed_bonus", "fuel", points=10, when={"categories": ["fuel"]}, funding=shared(("opco", "1"))))
    assert nothing.send(purchase("e1", 100)) == ["accepted"]


def test_a_single_point_needs_an_issuing_contract_of_its_sponsor() -> None:
    assert Till(bonus("hello", 1, funding=shared(("opco", "1")))).send(purchase("e1", 100)) == ["no-contract /source"]


def test_a_seller_without_a_contract_may_sell_what_brings_nothing() -> None:
    till = Till(BASE, contracts=())
    assert till.send(purchase("e1", 99)) == ["accepted"]
    assert till.send(purchase("e2", 100)) == ["no-contract /source"]


@pytest.mark.parametrize(
    "gift",
    [
        bonus("hello", 1, funding=shared(("fuelco", "1"))),
        mechanic("stamp_card", "coffee", stamp_for="purchase", rows=[9], gift="coffee"),
        mechanic("card_discount", "gold", percent="5", funding=shared(("fuelco", "1"))),
        bonus("all", 1, funding=shared(("fuelco", "1")), limit={"points": 5, "per": "ever", "of": "programme"}),
    ],
    ids=["points", "a stamp", "a discount", "points under a limit of all"],
)
def test_a_seller_without_a_contract_is_refused_whatever_its_purchase_brings_and_whoever_pays(gift: Json) -> None:
    till = Till(gift, contracts=(contract("fuelco", "0.0100"), contract("grocer", since=date(2026, 3, 3))))
    bought = [line(1, 950, discounts={"gold": 50})]
    decision = till.one(purchase("e1", bought))
    assert (decision.code, decision.pointer, decision.detail) == ("no-contract", "/source", "grocer, who sells, has no contract on 2026-03-02")
    assert till.journal() == []
    assert till.books.booked_totals(MONDAY) == ()


def test_a_funder_of_discounts_or_stamps_needs_no_contract() -> None:
    coffee = mechanic("stamp_card", "coffee", stamp_for="purchase", rows=[1], gift="coffee", gift_value="2.40", funding=shared(("bank1", "1")))
    gold = mechanic("card_discount", "gold", percent="5", funding=shared(("bank1", "1")))
    till = Till(coffee, gold, contracts=(contract("grocer"),))
    answer = till.send(purchase("e1", [line(1, 950, discounts={"gold": 50})]))
    assert answer == ["accepted: coffee stamp 1, coffee gift coffee 240 EUR bank1, gold discount 50 EUR bank1"]


def test_a_discount_is_owed_to_the_seller_in_the_currency_of_the_purchase() -> None:
    gold = mechanic("card_discount", "gold", percent="10", funding=shared(("fuelco", "0.5"), ("purchase_partner", "0.5")))
    till = Till(gold)
    assert till.send(purchase("e1", [line(1, 903, discounts={"gold": 101})], currency="CZK")) == [
        "accepted: gold discount 50 CZK fuelco, gold discount 50 CZK grocer"
    ]
    assert till.journal() == ["discount 50 CZK fuelco>grocer by gold", "discount 50 CZK grocer>grocer by gold"]
    rows = till.rows()
    assert [(row.member, row.what.contract) for row in rows] == [(1, None), (1, None)]


def test_every_accepted_purchase_is_counted_under_its_senders_contract() -> None:
    till = Till(BASE, contracts=(contract("grocer", "0.01"), contract("fuelco", "0.01", since=day("2026-03-01"))))
    till.send(purchase("e1", 100), purchase("e2", 100, partner="fuelco"), purchase("e3", 50, partner="fuelco"), purchase("e4", 50, partner="baker"))
    counted = {(total.sponsor, str(total.contract)): (total.quantity, total.events) for total in till.books.booked_totals(MONDAY) if total.unit == "purchases"}
    assert counted == {("grocer", "2026-01-01"): (1, 1), ("fuelco", "2026-03-01"): (2, 2), ("baker", "None"): (1, 1)}


def test_the_decision_names_the_senders_contract() -> None:
    assert Till(BASE).one(purchase("e1", 100)).contract == day("2026-01-01")
    assert Till(BASE, contracts=()).one(purchase("e1", 10)).contract is None


# --- groups (rule 3) ---------------------------------------------------------------------------------------------------------------------


def test_of_a_group_only_the_mechanic_that_gives_most_applies() -> None:
    till = Till(bonus("small", 5, group="one"), bonus("big", 9, group="one"), bonus("other", 1, group="two"), bonus("always", 2))
    assert till.send(purchase("e1", 100)) == ["accepted: big points 9 grocer, other points 1 grocer, always points 2 grocer"]


def test_of_equals_in_a_group_the_first_in_the_file_applies() -> None:
    till = Till(bonus("one", 5, group="g"), bonus("two", 5, group="g"), bonus("three", 5, group="g"))
    assert till.send(purchase("e1", 100)) == ["accepted: one points 5 grocer"]


def test_a_group_is_decided_after_limits() -> None:
    till = Till(bonus("big", 90, group="g", limit={"points": 100, "per": "day"}), bonus("small", 20, group="g"))
    assert till.send(purchase("e1", 100), purchase("e2", 100), purchase("e3", 100)) == [
        "accepted: big points 90 grocer",
        "accepted: small points 20 grocer",  # 10 are left under the limit
        "accepted: small points 20 grocer",
    ]


def test_the_loser_of_a_group_uses_nothing_of_its_limit() -> None:
    till = Till(bonus("small", 5, group="g", limit={"times": 1, "per": "ever"}), bonus("big", 9, group="g", when=DAIRY))
    till.send(purchase("e1", 100, "dairy"))
    assert till.used() == {}
    assert till.send(purchase("e2", 100)) == ["accepted: small points 5 grocer"]
    assert till.used() == {"": 1}


def test_a_multiplier_counts_only_bases_that_won_their_group() -> None:
    half = mechanic("points_on_spend", "half", points=1, per={"amount": "2.00", "currency": "EUR"}, group="g")
    double = mechanic("multiplier", "double", factor="2", of=["base", "half"])
    till = Till({**BASE, "group": "g"}, half, double)
    assert till.send(purchase("e1", 1000)) == ["accepted: base points 10 grocer, double points 10 grocer"]


def test_a_multiplier_in_a_group_competes_with_what_it_gives_after_its_bases_are_known() -> None:
    double = mechanic("multiplier", "double", factor="2", of=["base"], group="extra")
    till = Till(BASE, double, bonus("fifteen", 15, group="extra"))
    assert till.send(purchase("e1", 1000)) == ["accepted: base points 10 grocer, fifteen points 15 grocer"]
    assert till.send(purchase("e2", 1600)) == ["accepted: base points 16 grocer, double points 16 grocer"]


def test_a_multiplier_in_a_group_has_its_limit_too() -> None:
    double = mechanic("multiplier", "double", factor="2", of=["base"], group="extra", limit={"points": 3, "per": "event"})
    till = Till(BASE, double, bonus("four", 4, group="extra"))
    assert till.send(purchase("e1", 1000)) == ["accepted: base points 10 grocer, four points 4 grocer"]


def test_the_decision_keeps_which_mechanics_applied_where_that_depends_on_a_group_or_the_member() -> None:
    assert Till(BASE).one(purchase("e1", 100)).applied is None
    assert Till(bonus("small", 5, group="g"), bonus("big", 9, group="g"), BASE).one(purchase("e1", 100)).applied == ("big", "base")
    gold = bonus("gold", 9, for_={"tiers": ["gold"]})
    assert Till(gold, BASE).one(purchase("e1", 100)).applied == ("base",)


# --- audience (`for`) --------------------------------------------------------------------------------------------------------------------


def test_a_mechanic_for_some_members_is_for_those_only() -> None:
    till = Till(BASE, bonus("gold", 9, for_={"tiers": ["gold"]}))
    till.enrol("m2", "c2", tier="gold")
    assert till.send(purchase("e1", 100), purchase("e2", 100, card="c2")) == [
        "accepted: base points 1 grocer",
        "accepted: base points 1 grocer, gold points 9 grocer",
    ]


def test_the_kind_and_the_id_of_a_member_can_be_asked_for() -> None:
    till = Till(bonus("firms", 9, for_={"kinds": ["business"]}), bonus("her", 3, for_={"members": ["m2"]}))
    till.enrol("m2", "c2", kind="business")
    assert till.send(purchase("e1", 100), purchase("e2", 100, card="c2")) == ["accepted", "accepted: firms points 9 grocer, her points 3 grocer"]


def test_a_multiplier_does_not_count_a_base_that_is_not_for_the_member() -> None:
    till = Till(
        {**BASE, "for": {"tiers": ["gold"]}}, mechanic("points_on_spend", "more", points=2, per=BASE["per"]), mechanic("multiplier", "double", factor="2")
    )
    assert till.send(purchase("e1", 1000)) == ["accepted: more points 20 grocer, double points 20 grocer"]


# --- limits ------------------------------------------------------------------------------------------------------------------------------


def test_what_is_over_a_limit_is_cut_off_and_only_that_counts() -> None:
    till = Till({**BASE, "limit": {"points": 50, "per": "day"}})
    assert till.send(purchase("e1", 3000), purchase("e2", 3000), purchase("e3", 3000)) == [
        "accepted: base points 30 grocer",
        "accepted: base points 20 grocer",
        "accepted",
    ]
    assert till.used() == {"2026-03-02": 50}
    assert till.balance() == (50, 0)


def test_each_member_has_limits_of_its_own() -> None:
    till = Till({**BASE, "limit": {"points": 50, "per": "day"}})
    till.enrol("m2", "c2")
    assert till.send(purchase("e1", 9000), purchase("e2", 9000, card="c2")) == ["accepted: base points 50 grocer"] * 2


def test_a_multiplier_counts_points_of_its_base_before_the_bases_limit() -> None:
    till = Till({**BASE, "limit": {"points": 5, "per": "event"}}, mechanic("multiplier", "double", factor="2"))
    assert till.send(purchase("e1", 2000)) == ["accepted: base points 5 grocer, double points 20 grocer"]


def test_what_was_cut_off_is_split_after_the_cut() -> None:
    till = Till(bonus("hello", 90, limit={"points": 3, "per": "event"}, funding=shared(("grocer", "0.5"), ("dairyco", "0.5"))))
    assert till.send(purchase("e1", 100)) == ["accepted: hello points 2 grocer, hello points 1 dairyco"]


# --- stamps ------------------------------------------------------------------------------------------------------------------------------


def coffee(**terms: object) -> Json:
    return mechanic("stamp_card", "coffee", stamp_for="unit", rows=[4], gift="coffee", **terms)


def cups(event_id: str, quantity: str) -> Json:
    return purchase(event_id, [line(1, 300, quantity=quantity)])


def test_a_card_lapses_by_the_event_date_of_the_purchase() -> None:
    till = Till(coffee(months=1))
    till.send(purchase("e1", [line(1, 300, quantity="3")], day=day("2026-01-31")))
    late, today = purchase("e2", [line(1, 300)], day=day("2026-02-28")), cups("e3", "3")
    assert till.send(late, today) == ["accepted: coffee stamp 1", "accepted: coffee stamp 3, coffee gift coffee 1"]
    assert till.member().memory == {"coffee": {"stamps": 4, "lapsed": "2026-02-28", "paid": 1}}
    assert till.send(back("r1", "e1", {1: 300})) == ["accepted: coffee stamp -3"]
    assert till.member().memory[MechanicId("coffee")]["stamps"] == 4  # those were of the card that has lapsed
    assert till.send(back("r3", "e3", {1: 300})) == ["accepted: coffee stamp -3"]
    assert till.member().memory[MechanicId("coffee")]["stamps"] == 1


def test_a_full_row_brings_a_gift_whose_value_its_funders_owe_to_the_seller() -> None:
    till = Till(coffee(gift_value="2.41", funding=shared(("fuelco", "0.5"), ("baker", "0.5"))))
    assert till.send(cups("e1", "3"), cups("e2", "1")) == [
        "accepted: coffee stamp 3",
        "accepted: coffee stamp 1, coffee gift coffee 121 EUR fuelco, coffee gift coffee 120 EUR baker",
    ]
    assert till.journal() == [
        "stamp 3 stamps grocer by coffee",
        "stamp 1 stamps grocer by coffee",
        "reward 121 EUR fuelco>grocer by coffee",
        "reward 120 EUR baker>grocer by coffee",
    ]
    assert till.member().memory == {"coffee": {"stamps": 4, "paid": 1}}
    assert till.member().changed


def test_several_gifts_at_once_are_worth_their_sum() -> None:
    assert Till(coffee(gift_value="2.40")).send(cups("e1", "8")) == ["accepted: coffee stamp 8, coffee gift coffee 480 EUR grocer"]


def test_a_gift_without_a_value_is_counted_and_owed_by_nobody() -> None:
    till = Till(coffee())
    assert till.send(cups("e1", "8")) == ["accepted: coffee stamp 8, coffee gift coffee 2"]
    assert till.journal() == ["stamp 8 stamps grocer by coffee"]


def test_the_value_of_a_gift_is_in_the_programmes_first_currency() -> None:
    till = Till(coffee(gift_value="2.40"))
    bought = purchase("e1", [line(1, 300, quantity="4")], currency="CZK")
    assert till.send(bought) == ["accepted: coffee stamp 4, coffee gift coffee 240 EUR grocer"]


def test_stamps_have_limits_too() -> None:
    till = Till(coffee(limit={"times": 1, "per": "day"}))
    assert till.send(cups("e1", "1"), cups("e2", "1")) == ["accepted: coffee stamp 1", "accepted"]


# --- pending points ----------------------------------------------------------------------------------------------------------------------


def test_points_are_pending_for_as_many_days_as_the_programme_or_the_mechanic_says() -> None:
    till = Till(BASE, bonus("at-once", 5, pending_days=0), bonus("later", 7, pending_days=30), pending_days=14)
    till.send(purchase("e1", 1000))
    assert till.lots() == ["10 grocer from 2026-03-16", "5 grocer", "7 grocer from 2026-04-01"]
    assert till.balance() == (5, 17)


def test_points_of_another_day_lie_in_a_lot_of_their_own() -> None:
    till = Till(BASE, expiry={"kind": "rolling", "months": 1})
    till.send(purchase("e1", 1000), purchase("e2", 500, day=day("2026-02-27")), purchase("e3", 200))
    assert till.lots() == ["12 grocer until 2026-04-30", "5 grocer until 2026-03-31 earned 2026-02-27"]


def test_new_points_repay_in_the_order_of_the_file_and_of_the_funders() -> None:
    till = Till(BASE, bonus("hello", 10, funding=shared(("fuelco", "0.5"), ("baker", "0.5"))))
    till.send(purchase("e1", 2000))
    till.member().lots = {}  # everything was spent
    till.member().available = 0
    till.send(back("r1", "e1", {1: (2000, "1")}))
    assert till.debts() == ["30 opco"]
    till.mark()
    till.send(purchase("e2", 1800))
    assert [row for row in till.journal() if row.startswith("repayment")] == [
        "repayment 18 grocer>opco",
        "repayment 5 fuelco>opco",
        "repayment 5 baker>opco",
    ]
    assert till.debts() == ["2 opco"]


# --- figures of the field ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spent", "points"), [(14_900, 149), (15_000, 150), (900_000, 9_000)])
def test_a_point_for_each_unit_of_money(spent: int, points: int) -> None:
    till = Till(BASE)
    till.send(purchase("e1", spent))
    assert till.balance() == (points, 0)


def test_the_part_paid_with_points_earns_nothing() -> None:
    twentieth = mechanic("points_on_spend", "bonus", points=5, per={"amount": "100.00", "currency": "EUR"}, rounding="proportional")
    till = Till(twentieth, contracts=BOTH)
    till.send(purchase("e1", 900_000))
    assert till.balance() == (450, 0)
    till.send(purchase("e2", 900_000, tenders={"points": 45_000, "cash": 855_000}))
    assert till.balance() == (450 + 427, 0)
