"""Refunds and chargebacks take back what was given; that a chargeback is reversed leaves nothing changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.short import MONDAY, Json, card, chargeback, purchase, recharge, redeem, refund
from tests.unit.clearing.cards import BACK, BANK, POINTS, TUESDAY, UP, nets, state, till
from tests.unit.clearing.till import BASE, Till


def test_refunds_in_parts_take_back_all_that_was_given_and_never_more() -> None:
    one = till(BACK, POINTS)
    one.send(card("t1", 10_025))  # 2.00: 1.20 and 0.80
    assert one.send(refund("r1", "t1", 3_000)) == ["accepted: back cash_back -36 EUR bank1, back cash_back -24 EUR grocer, miles points -60 bank1"]
    # 40.25 left: 0.805, half-even 0.80 of 1.40; the rest of 0.60 over 0.84 and 0.56
    assert one.send(chargeback("k1", "t1", 3_000)) == ["accepted: back cash_back -36 EUR bank1, back cash_back -24 EUR grocer, miles points -60 bank1"]
    assert one.send(refund("r2", "t1", 4_026)) == ["returned-too-much /data/amount_minor"]
    assert one.send(refund("r3", "t1", 4_025)) == ["accepted: back cash_back -48 EUR bank1, back cash_back -32 EUR grocer, miles points -80 bank1"]
    assert one.send(refund("r4", "t1", 1)) == ["returned-too-much /data/amount_minor"]
    assert one.balance() == (0, 0)
    assert one.member().memory == {}
    one.night()
    assert nets(one) == {}


def test_a_round_up_stays_and_so_does_its_match() -> None:
    one = till(UP)
    assert one.send(card("t1", 1230)) == ["accepted: up round_up 70 EUR, up round_up_match 35 EUR grocer"]
    assert one.send(refund("r1", "t1", 1230)) == ["accepted"]
    assert one.send(card("t2", 1230), chargeback("k2", "t2", 1230), recharge("v2", "k2", 1230)) == [
        "accepted: up round_up 70 EUR, up round_up_match 35 EUR grocer",
        "accepted",
        "accepted",
    ]
    assert one.member().memory == {"up": {"EUR": 140, "since": "2026-03-02"}}
    one.night()
    assert one.lines(MONDAY) == ["round_up_match grocer>bank1 0.70 EUR"]


@pytest.mark.parametrize("named", ["k1", "t1"], ids=["the chargeback", "the transaction"])
def test_the_reversal_of_a_chargeback_leaves_nothing_changed(named: str) -> None:
    one = till({**BACK, "limit": {"amount": "1.70", "per": "month"}}, {**POINTS, "limit": {"times": 1, "per": "day"}}, UP)
    one.send(card("t1", 10_025))
    before = state(one)
    assert one.send(chargeback("k1", "t1", 10_025)) == ["accepted: back cash_back -102 EUR bank1, back cash_back -68 EUR grocer, miles points -200 bank1"]
    assert one.balance() == (0, 0)
    assert one.send(recharge("v1", named, 10_025)) == ["accepted: back cash_back 102 EUR bank1, back cash_back 68 EUR grocer, miles points 200 bank1"]
    assert state(one) == before
    one.night()
    # points 200 x 0.0080 = 1.60; of 1.70 cash-back the grocer 0.68; 0.75 saved, matched by 0.38 (0.375, half-even)
    assert nets(one) == {"bank1": -160 + 68 + 38, "grocer": -68 - 38, "opco": 160}


def test_a_part_of_a_chargeback_is_reversed_and_the_rest_of_it_later() -> None:
    one = till(BACK)
    one.send(card("t1", 10_000), chargeback("k1", "t1", 4_000), chargeback("k2", "t1", 6_000))
    assert one.send(recharge("v1", "k1", 4_001)) == ["returned-too-much /data/amount_minor"]
    assert one.send(recharge("v2", "k1", 1_000)) == ["accepted: back cash_back 12 EUR bank1, back cash_back 8 EUR grocer"]
    assert one.send(recharge("v3", "k1", 3_001)) == ["returned-too-much /data/amount_minor"]
    assert one.send(recharge("v4", "t1", 9_001)) == ["returned-too-much /data/amount_minor"]
    assert one.send(recharge("v5", "t1", 7_000)) == ["accepted: back cash_back 84 EUR bank1, back cash_back 56 EUR grocer"]  # 6,000 of k2, 1,000 of k1
    assert one.send(recharge("v6", "k2", 1)) == ["returned-too-much /data/amount_minor"]
    assert one.send(recharge("v7", "k1", 2_000)) == ["accepted: back cash_back 24 EUR bank1, back cash_back 16 EUR grocer"]
    assert one.send(recharge("v8", "t1", 1)) == ["returned-too-much /data/amount_minor"]
    assert one.member().memory == {"back": {"EUR": 200}}


def test_a_refund_is_not_reversed() -> None:
    one = till(BACK)
    one.send(card("t1", 10_000), refund("r1", "t1", 10_000))
    assert one.send(recharge("v1", "t1", 1), recharge("v2", "r1", 1)) == ["returned-too-much /data/amount_minor", "unknown-original /data/original_id"]


def test_room_that_others_took_meanwhile_is_not_given_twice() -> None:
    one = till({**BACK, "limit": {"amount": "3.00", "per": "month"}})
    one.send(card("t1", 10_000), chargeback("k1", "t1", 10_000))
    assert one.send(card("t2", 12_000)) == ["accepted: back cash_back 144 EUR bank1, back cash_back 96 EUR grocer"]
    assert one.send(recharge("v1", "k1", 10_000)) == ["accepted: back cash_back 36 EUR bank1, back cash_back 24 EUR grocer"]  # 0.60 are left
    assert one.send(refund("r2", "t2", 12_000)) == ["accepted: back cash_back -144 EUR bank1, back cash_back -96 EUR grocer"]
    assert one.used() == {"2026-03": 60}


def test_a_reversal_gives_no_more_than_at_first_though_there_is_more_room_now() -> None:
    one = till({**BACK, "limit": {"amount": "3.00", "per": "month"}})
    one.send(card("t0", 10_000))
    assert one.send(card("t1", 8_000)) == ["accepted: back cash_back 60 EUR bank1, back cash_back 40 EUR grocer"]  # 1.60, and 1.00 is left
    one.send(refund("r0", "t0", 10_000), chargeback("k1", "t1", 8_000))
    assert one.send(recharge("v1", "k1", 8_000)) == ["accepted: back cash_back 60 EUR bank1, back cash_back 40 EUR grocer"]


def test_a_reversal_takes_nothing_though_a_later_version_has_used_more_than_the_limit_of_then() -> None:
    later = {**BACK, "from": TUESDAY, "limit": {"amount": "9.00", "per": "month"}}
    one = till({**BACK, "to": MONDAY, "limit": {"amount": "1.00", "per": "month"}}, later)
    one.send(card("t1", 5_000), chargeback("k1", "t1", 2_500))
    one.night()
    assert one.send(card("t2", 20_000, day=TUESDAY)) == ["accepted: back cash_back 240 EUR bank1, back cash_back 160 EUR grocer"]
    assert one.send(recharge("v1", "k1", 2_500, day=TUESDAY)) == ["accepted"]
    assert one.member().memory == {"back": {"EUR": 450}}


def test_a_times_limit_does_not_stop_what_is_given_again_in_part() -> None:
    one = till({**BACK, "limit": {"times": 1, "per": "day"}})
    one.send(card("t1", 10_000), chargeback("k1", "t1", 5_000))
    assert one.send(card("t2", 10_000)) == ["accepted"]
    assert one.send(recharge("v1", "k1", 5_000)) == ["accepted: back cash_back 60 EUR bank1, back cash_back 40 EUR grocer"]


def test_what_a_member_owes_for_spent_card_points_is_repaid_from_its_other_lots() -> None:
    one = till(BASE, POINTS)
    one.send(purchase("e1", 2_500), card("t1", 2_000), redeem("x1", 40))  # the bank's lot goes first
    assert one.send(chargeback("k1", "t1", 2_000)) == ["accepted: miles points -40 bank1"]
    assert (one.balance(), one.debts(), one.lots()) == ((-15, 0), ["15 opco"], [])
    one.send(purchase("e2", 2_000))
    assert (one.balance(), one.lots()) == ((5, 0), ["5 grocer"])


SPENT = {"negative_balance": "opco", "operator": "opco", "partner": "bank1"}


@pytest.mark.parametrize("bearing", SPENT)
@pytest.mark.parametrize("model", ["independent", "anchor", "hybrid"])
@pytest.mark.parametrize("sponsor", ["bank1", "grocer"])
def test_points_spent_meanwhile_come_to_the_same_with_a_chargeback_and_its_reversal_as_without(bearing: str, model: str, sponsor: str) -> None:
    share = {"hybrid": "0.5", "independent": "1", "anchor": "0"}[model]
    contracts = tuple({**one, "due_at_issue": share} for one in BANK)
    paid = {**POINTS, "funding": [{"party": sponsor, "share": "1"}]}

    def lived(*events: Json) -> Till:
        one = till(paid, contracts=contracts, model=model, spent_points_on_return=bearing)
        one.send(card("t1", 10_000), redeem("x1", 150))
        for event in events:
            (told,) = one.send(event)
            assert told.startswith("accepted"), told
        one.night()
        return one

    plain = lived()
    charged = lived(chargeback("k1", "t1", 10_000), recharge("v1", "k1", 10_000))
    assert charged.balance() == plain.balance() == (50, 0)
    assert charged.debts() == []
    assert nets(charged) == nets(plain)
    in_parts = lived(chargeback("k1", "t1", 10_000), recharge("v1", "k1", 2_500), recharge("v2", "t1", 7_500))
    assert (in_parts.balance(), nets(in_parts)) == (plain.balance(), nets(plain))


@pytest.mark.parametrize("bearing", SPENT)
def test_who_bears_spent_points_is_paid_back_and_the_member_gets_them_once(bearing: str) -> None:
    one = till(POINTS, spent_points_on_return=bearing)
    one.send(card("t1", 10_000), redeem("x1", 150))
    one.mark()
    assert one.send(chargeback("k1", "t1", 10_000)) == ["accepted: miles points -200 bank1"]
    assert one.balance() == ((-150, 0) if bearing == "negative_balance" else (0, 0))
    assert one.send(recharge("v1", "k1", 10_000)) == ["accepted: miles points 200 bank1"]
    taken = ["return_unspent 50 bank1 by miles", f"return_spent 150 bank1>{SPENT[bearing]} by miles"]
    again = ["accrual 200 bank1 by miles", "repayment 150 bank1>opco"]
    borne = [f"return_spent_reversal 150 bank1>{SPENT[bearing]} by miles", "accrual 50 bank1 by miles"]
    assert one.journal() == taken + (again if bearing == "negative_balance" else borne)


def test_points_that_had_expired_are_expired_again_and_cost_nobody_anything() -> None:
    one = till(POINTS, expiry={"kind": "fixed", "month": 3, "day": 3}, contracts=tuple({**each, "unused_points_share": "0.5"} for each in BANK))
    one.send(card("t1", 10_000), redeem("x1", 150))
    one.night(TUESDAY)
    assert one.balance() == (0, 0)
    before, paid = state(one), nets(one)
    one.mark()
    wednesday = TUESDAY + timedelta(days=1)
    assert one.send(chargeback("k1", "t1", 10_000, day=wednesday)) == ["accepted: miles points -150 bank1"]  # 50 had expired
    assert one.debts() == ["150 opco"]
    assert one.send(recharge("v1", "k1", 10_000, day=wednesday)) == ["accepted: miles points 150 bank1"]
    assert state(one) == before
    assert one.journal() == ["return_spent 150 bank1>opco by miles", "accrual 150 bank1 by miles", "repayment 150 bank1>opco"]
    one.night()
    assert nets(one) == paid


def test_pending_points_that_expired_are_expired_again_where_they_were() -> None:
    one = till({**POINTS, "pending_days": 10}, expiry={"kind": "fixed", "month": 3, "day": 3})
    one.send(card("t1", 1000))
    one.night(TUESDAY)
    before = state(one)
    wednesday = TUESDAY + timedelta(days=1)
    assert one.send(chargeback("k1", "t1", 1000, day=wednesday), recharge("v1", "t1", 1000, day=wednesday)) == ["accepted", "accepted"]
    assert state(one) == before


def test_points_pending_at_the_chargeback_are_released_on_their_day_after_it_is_reversed() -> None:
    one = till({**POINTS, "pending_days": 3})
    one.send(card("t1", 1000), chargeback("k1", "t1", 1000))
    assert one.balance() == (0, 0)
    one.send(recharge("v1", "k1", 1000))
    assert one.balance() == (0, 20)
    one.night(MONDAY + timedelta(days=3))
    assert one.balance() == (20, 0)
