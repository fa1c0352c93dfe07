"""Card transactions: what clearings bring, within which limits, and which transaction a refund or chargeback is of."""

from __future__ import annotations

from clearing.events import CardSpend, Chargeback
from schemas.ids import EventId
from tests.short import MONDAY, card, chargeback, enrol, of_member, purchase, recharge, refund, reverse
from tests.unit.clearing.baskets import EURO
from tests.unit.clearing.cards import BACK, POINTS, TUESDAY, UP, till
from tests.unit.clearing.till import BASE, BOTH, Till, contract, mechanic

# --- what a clearing brings ----------------------------------------------------------------------------------------------------------------


def test_a_clearing_brings_points_by_its_category_and_the_cards_bank_pays_them() -> None:
    one = till(POINTS)
    assert one.send(card("t1", 1099), card("t2", 1099, "7011")) == ["accepted: miles points 20 bank1", "accepted: miles points 10 bank1"]
    assert one.balance() == (30, 0)
    assert one.member().last_activity == MONDAY
    one.night()
    assert one.lines(MONDAY) == ["issue bank1>opco 30 x 0.008 = 0.24 EUR"]


def test_cash_back_is_owed_to_its_payer_and_nobody_owes_himself() -> None:
    one = till(BACK, mechanic("cash_back", "paid", percent="1", payer="opco"))
    assert one.send(card("t1", 10_000)) == ["accepted: back cash_back 120 EUR bank1, back cash_back 80 EUR grocer, paid cash_back 100 EUR bank1"]
    one.night()
    assert one.lines(MONDAY) == ["cash_back bank1>opco 1.00 EUR", "cash_back grocer>bank1 0.80 EUR"]
    assert one.member().memory == {"back": {"EUR": 200}, "paid": {"EUR": 100}}


def test_mechanics_of_purchases_and_of_cards_keep_to_their_own_events() -> None:
    one = till(BASE, POINTS, BACK, mechanic("fixed_bonus", "tap", points=5, banks=["bank1"]), mechanic("fixed_bonus", "fuel", points=7, when={"mcc": ["5541"]}))
    assert one.send(purchase("e1", 1000)) == ["accepted: base points 10 grocer"]
    assert one.send(card("t1", 1000, "5541")) == [
        "accepted: miles points 10 bank1, back cash_back 12 EUR bank1, back cash_back 8 EUR grocer, tap points 5 bank1, fuel points 7 bank1"
    ]
    assert one.send(card("t2", 1000)) == ["accepted: miles points 20 bank1, back cash_back 12 EUR bank1, back cash_back 8 EUR grocer, tap points 5 bank1"]


def test_a_mechanic_of_another_bank_does_not_apply() -> None:
    one = till({**POINTS, "banks": ["bank2"]}, {**BACK, "banks": ["bank1"]})
    assert one.send(card("t1", 1000)) == ["accepted: back cash_back 12 EUR bank1, back cash_back 8 EUR grocer"]


def test_a_group_gives_what_is_more_and_its_winner_stays_the_winner() -> None:
    one = till({**POINTS, "group": "g"}, mechanic("fixed_bonus", "fifteen", points=15, banks=["bank1"], group="g"))
    assert one.send(card("t1", 1000)) == ["accepted: miles points 20 bank1"]
    assert one.send(refund("r1", "t1", 500)) == ["accepted: miles points -10 bank1"]  # though 15 would be more now
    assert one.send(card("t2", 500)) == ["accepted: fifteen points 15 bank1"]


def test_a_multiplier_of_what_is_left_counts_the_bases_that_applied() -> None:
    base = mechanic("points_on_spend", "plain", points=1, per=EURO, banks=["bank1"], group="g")
    half = mechanic("points_on_spend", "half", points=1, per={"amount": "2.00", "currency": "EUR"}, banks=["bank1"], group="g")
    one = till(base, half, mechanic("multiplier", "double", factor="2", banks=["bank1"]))
    assert one.send(card("t1", 2000)) == ["accepted: plain points 20 bank1, double points 20 bank1"]
    assert one.send(refund("r1", "t1", 1000)) == ["accepted: plain points -10 bank1, double points -10 bank1"]


def test_an_audience_is_asked_as_the_member_is_then_and_stays_answered() -> None:
    one = till({**POINTS, "for": {"tiers": ["gold"]}})
    assert one.send(card("t1", 1000)) == ["accepted"]
    one.member().attributes["tier"] = "gold"
    assert one.send(card("t2", 1000)) == ["accepted: miles points 20 bank1"]
    one.member().attributes["tier"] = "none"
    assert one.send(refund("r1", "t2", 400)) == ["accepted: miles points -8 bank1"]


def test_a_blocked_card_earns_and_who_has_left_does_not() -> None:
    one = till(POINTS)
    one.send(of_member("card-blocked", "b1", "m1", card="c1", reason="lost"))
    assert one.send(card("t1", 1000)) == ["accepted: miles points 20 bank1"]
    one.send(of_member("member-closed", "x1", "m1", reason="left", erase=False))
    assert one.send(card("t2", 1000), refund("r2", "t2", 1000), refund("r1", "t1", 1000)) == ["accepted", "accepted", "accepted: miles points -20 bank1"]
    assert one.balance() == (0, 0)


def test_pending_card_points_are_released_like_any_others() -> None:
    one = till({**POINTS, "pending_days": 1})
    one.send(card("t1", 1000))
    assert one.balance() == (0, 20)
    one.night()
    one.night()
    assert one.balance() == (20, 0)


def test_a_bank_needs_a_contract_if_its_transaction_brings_anything_and_a_sponsor_of_points_an_issuing_one() -> None:
    one = Till({**POINTS, "funding": [{"party": "grocer", "share": "1"}]}, {**BACK, "when": {"mcc": ["7011"]}})
    assert one.send(card("t1", 99)) == ["accepted"]
    assert one.send(card("t2", 100), card("t3", 100, "7011")) == ["no-contract /source", "no-contract /source"]
    two = till(POINTS, contracts=(*BOTH, {**contract("bank1", None, "0.0070")}))
    assert two.send(card("t1", 100)) == ["no-contract /source"]
    assert two.balance() == (0, 0)


def test_a_transaction_of_nothing_brings_nothing() -> None:
    one = till(POINTS, BACK, UP, mechanic("fixed_bonus", "tap", points=5, banks=["bank1"]))
    assert one.send(card("t1", 0), refund("r1", "t1", 0)) == ["accepted", "accepted"]


# --- limits --------------------------------------------------------------------------------------------------------------------------------


def test_what_is_over_a_limit_is_cut_off_and_a_refund_brings_the_room_back_to_the_month_of_the_transaction() -> None:
    one = till({**POINTS, "limit": [{"points": 50, "per": "month"}, {"points": 30, "per": "event"}]})
    assert one.send(card("t1", 2000), card("t2", 2000), card("t3", 2000)) == [
        "accepted: miles points 30 bank1",  # 40, and 30 for each event
        "accepted: miles points 20 bank1",  # 30, and 20 are left of the month
        "accepted",
    ]
    assert one.send(refund("r1", "t1", 500), card("t4", 1000)) == ["accepted", "accepted"]  # 15.00 are still worth 30
    assert one.send(refund("r2", "t1", 500), card("t5", 1000)) == ["accepted: miles points -10 bank1", "accepted: miles points 10 bank1"]
    assert one.used() == {"2026-03": 50}


def test_a_refund_of_less_than_the_least_spend_left_takes_all_back() -> None:
    one = till({**BACK, "least_spend": "10.00"})
    assert one.send(card("t1", 1500)) == ["accepted: back cash_back 18 EUR bank1, back cash_back 12 EUR grocer"]
    assert one.send(refund("r1", "t1", 500)) == ["accepted: back cash_back -6 EUR bank1, back cash_back -4 EUR grocer"]
    assert one.send(refund("r2", "t1", 1)) == ["accepted: back cash_back -12 EUR bank1, back cash_back -8 EUR grocer"]
    assert one.member().memory == {}


def test_the_rules_of_the_transactions_own_day_apply_to_its_refund() -> None:
    later = mechanic("cash_back", "back", percent="9") | {"from": TUESDAY}
    one = till({**BACK, "to": MONDAY}, later)
    one.send(card("t1", 10_000))
    one.night()
    assert one.send(refund("r1", "t1", 5_000, day=TUESDAY)) == ["accepted: back cash_back -60 EUR bank1, back cash_back -40 EUR grocer"]


def test_cash_back_of_another_currency_is_kept_apart() -> None:
    one = till(BACK)
    one.send(card("t1", 1000), card("t2", 5000, currency="CZK"))
    assert one.member().memory == {"back": {"EUR": 20, "CZK": 100}}
    one.send(refund("r2", "t2", 5000, currency="CZK"))
    assert one.member().memory == {"back": {"EUR": 20}}


# --- which original --------------------------------------------------------------------------------------------------------------------------


def test_another_card_of_the_member_will_do_and_one_of_another_member_will_not() -> None:
    one = till(POINTS)
    one.enrol("m2", "c2")
    one.send(of_member("card-linked", "l1", "m1", card="c3"), card("t1", 1000))
    assert one.send(refund("r1", "t1", 500, token="c2")) == ["original-of-other-card /data/card_token"]
    assert one.send(refund("r2", "t1", 500, token="c3")) == ["accepted: miles points -10 bank1"]


def test_what_a_refund_cannot_be_of_is_unknown() -> None:
    one = till(POINTS)
    one.send(card("t1", 1000), refund("r1", "t1", 100), chargeback("k1", "t1", 100))
    unknown = ["unknown-original /data/original_id"]
    assert one.send(refund("r2", "r1", 100)) == unknown
    assert one.send(refund("r3", "k1", 100)) == unknown  # only a reversal may name the chargeback
    assert one.send(card("r4", 100, kind="refund")) == unknown  # it names nothing
    one.send(purchase("e1", 500))
    assert one.send({**refund("r5", "e1", 100), "source": "/partners/grocer"}) == unknown
    assert one.send({**reverse("r6", "t1", 5), "source": "/banks/bank1"}) == unknown
    assert one.send(refund("r7", "t1", 100, currency="CZK")) == ["currency-not-accepted /data/currency"]
    assert one.send(refund("r8", "t1", 100, bank="bank2")) == ["waiting"]  # the other bank has no transaction of that id


def test_a_clearing_that_names_something_is_a_clearing() -> None:
    one = till(POINTS)
    assert one.send(card("t1", 1000, original="whatever")) == ["accepted: miles points 20 bank1"]


def test_a_refund_waits_for_its_transaction_until_the_windows_end() -> None:
    one = till(POINTS)
    assert one.send(recharge("v1", "k1", 500), chargeback("k1", "t1", 500), refund("r9", "t9", 5)) == ["waiting", "waiting", "waiting"]
    one.send(card("t1", 1000))
    one.night()
    decided = {decision.received.event.id: str(decision.code or decision.outcome) for of in one.books.decisions.values() for _, decision in of}
    assert decided == {"v1": "accepted", "k1": "accepted", "r9": "unknown-original", "t1": "accepted"}
    assert one.balance() == (20, 0)


def test_an_unknown_token_is_held_with_all_that_names_it_and_booked_in_order_when_it_is_known() -> None:
    one = till(POINTS)
    events = [recharge("v1", "k1", 500), chargeback("k1", "t1", 500), card("t1", 1000), refund("r1", "t1", 300)]
    unknown = [{**event, "data": {**event["data"], "card_token": "c7"}, "subject": "c7"} for event in events]
    assert one.send(*unknown[2:], *unknown[1::-1]) == ["held"] * 4
    assert one.send(enrol("n1", "m7", "c7")) == [
        "accepted",
        "accepted: miles points 20 bank1",
        "accepted: miles points -6 bank1",
        "accepted: miles points -10 bank1",
        "accepted: miles points 10 bank1",
    ]
    assert one.balance("m7") == (14, 0)


def test_held_events_that_came_in_the_wrong_order_are_booked_each_behind_the_one_it_names() -> None:
    one = till(POINTS)
    early = [recharge("v1", "k1", 500, token="c7"), chargeback("k1", "t1", 500, token="c7"), card("t1", 1000, token="c7")]
    assert one.send(*early) == ["waiting", "waiting", "held"]
    one.night()
    assert one.send(enrol("n1", "m7", "c7", day=TUESDAY)) == [
        "accepted",
        "accepted: miles points 20 bank1",
        "accepted: miles points -10 bank1",
        "accepted: miles points 10 bank1",
    ]


def test_a_refund_of_a_transaction_that_lapsed_is_unknown() -> None:
    one = till(POINTS, claim_days=1)
    one.send(card("t1", 1000, token="c7"))
    one.night(TUESDAY)
    assert one.send(refund("r1", "t1", 500, token="c7", day=TUESDAY)) == ["unknown-original /data/original_id"]


def test_a_chargeback_leads_to_its_transaction() -> None:
    one = till(POINTS)
    one.send(card("t1", 1000), chargeback("k1", "t1", 400))
    spend, charged = (one.books.facts.originals["/banks/bank1", EventId(name)] for name in ("t1", "k1"))
    assert isinstance(spend, CardSpend)
    assert isinstance(charged, Chargeback)
    assert (spend.left_minor, spend.charged, spend.changed, charged.of) == (600, {"k1": 400}, True, ("/banks/bank1", "t1"))
