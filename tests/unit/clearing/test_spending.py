"""Spending: redemptions, holds at the till, captures, releases and reversals (rules 10 to 12)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.short import MONDAY, back, capture, hold, moment, purchase, redeem, release, reverse
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, BOTH, Till, contract, mechanic

TUESDAY = day("2026-03-03")


def rich(points: int = 100, **terms: Any) -> Till:
    """A member with so many points of the grocer's."""
    till = Till(BASE, **terms)
    till.send(purchase("e0", points * 100))
    till.mark()
    return till


# --- redemptions -------------------------------------------------------------------------------------------------------------------------


def test_points_are_spent_at_the_sender_under_its_contract() -> None:
    till = rich()
    decision = till.one(redeem("x1", 60))
    assert (decision.contract, decision.balance) == (day("2026-01-01"), (40, 0))
    assert till.journal() == ["redemption 60 grocer>fuelco"]
    assert till.rows()[0].what.counter_contract == day("2026-01-01")


def test_effects_of_a_redemption_are_added_up_by_sponsor() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000, day=day("2026-02-01")), purchase("e2", 1000, partner="fuelco", day=day("2026-02-02")), purchase("e3", 1000))
    assert till.send(redeem("x1", 25)) == ["accepted: - points -15 grocer, - points -10 fuelco"]
    assert till.journal()[3:] == ["redemption 10 grocer>fuelco", "redemption 10 fuelco>fuelco", "redemption 5 grocer>fuelco"]


@pytest.mark.parametrize(
    ("partner", "points", "refused"),
    [
        ("opco", 60, "no-contract /source"),
        ("opco", 1, "no-contract /source"),  # the contract is asked first
        ("fuelco", 49, "below-minimum-redemption /data/points"),
        ("fuelco", 50, "accepted: - points -50 grocer"),
        ("fuelco", 100, "accepted: - points -100 grocer"),
        ("fuelco", 101, "insufficient-points /data/points"),
    ],
)
def test_a_redemption_is_refused_in_the_order_of_the_rules(partner: str, points: int, refused: str) -> None:
    assert rich(minimum_redemption=50).send(redeem("x1", points, partner=partner)) == [refused]


def test_the_minimum_comes_before_what_is_there() -> None:
    assert rich(10, minimum_redemption=50).send(redeem("x1", 49)) == ["below-minimum-redemption /data/points"]


def test_refusals_say_the_figures() -> None:
    till = rich(minimum_redemption=50)
    details = [till.one(event).detail for event in (redeem("x1", 60, partner="opco"), redeem("x2", 49), redeem("x3", 101))]
    assert details == [
        "opco has no contract on 2026-03-02 under which it takes points",
        "49 points are less than the 50 that can be spent at once",
        "101 points are more than the 100 that can be spent",
    ]


def test_a_member_who_owes_is_told_that_nothing_can_be_spent() -> None:
    till = rich()
    till.send(redeem("x1", 100), back("r1", "e0", {1: 10_000}))
    assert till.one(redeem("x2", 1)).detail == "1 points are more than the 0 that can be spent"


def test_a_contract_that_is_over_on_the_event_date_takes_no_points() -> None:
    contracts = (contract("grocer", "0.01"), contract("fuelco", None, "0.0085", to=day("2026-03-01")))
    till = rich(contracts=contracts)
    assert till.send(redeem("x1", 10)) == ["no-contract /source"]
    assert till.send(redeem("x2", 10, day=day("2026-03-01"))) == ["accepted: - points -10 grocer"]


def test_points_earned_later_that_day_can_be_spent_by_an_event_with_an_earlier_time() -> None:
    till = rich(10)
    assert till.send(redeem("x1", 10, at="00:05")) == ["accepted: - points -10 grocer"]


def test_pending_points_cannot_be_spent() -> None:
    assert rich(pending_days=1).send(redeem("x1", 10)) == ["insufficient-points /data/points"]


def test_what_has_expired_by_the_event_date_cannot_be_spent() -> None:
    till = Till(BASE, expiry={"kind": "fixed", "month": 3, "day": 2})
    till.send(purchase("e1", 1000, day=day("2026-02-20")))
    assert till.send(redeem("x1", 5, day=TUESDAY, at="00:02")) == ["insufficient-points /data/points"]
    assert till.send(redeem("x2", 5)) == ["accepted: - points -5 grocer"]  # up to and including its day


def test_the_last_points_go_to_the_first_of_two_tills() -> None:
    till = rich(100)
    assert till.send(redeem("x1", 100), redeem("x2", 100, partner="baker")) == ["accepted: - points -100 grocer", "insufficient-points /data/points"]
    assert till.balance() == (0, 0)


# --- holds -------------------------------------------------------------------------------------------------------------------------------


def test_a_hold_earmarks_points_and_gives_no_effects() -> None:
    till = rich()
    assert till.send(hold("h1", 60)) == ["accepted"]
    assert (till.balance(), till.member().held) == ((40, 0), 60)
    assert till.send(redeem("x1", 41)) == ["insufficient-points /data/points"]
    assert till.send(redeem("x2", 40)) == ["accepted: - points -40 grocer"]


def test_a_hold_is_refused_like_a_redemption() -> None:
    till = rich(minimum_redemption=50)
    assert till.send(hold("h1", 60, partner="opco"), hold("h2", 49), hold("h3", 101)) == [
        "no-contract /source",
        "below-minimum-redemption /data/points",
        "insufficient-points /data/points",
    ]


def test_a_capture_spends_what_is_held() -> None:
    till = rich()
    till.send(hold("h1", 60))
    decision = till.one(capture("x1", "h1", 60))
    assert (decision.contract, decision.balance, till.member().held) == (day("2026-01-01"), (40, 0), 0)
    assert till.journal() == ["hold 60 grocer", "redemption 60 grocer>fuelco"]
    assert till.rows()[1].what.held


def test_a_capture_of_a_part_frees_the_rest() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000, day=day("2026-02-01")), purchase("e2", 1000))
    till.send(hold("h1", 15))
    assert till.send(capture("x1", "h1", 12)) == ["accepted: - points -12 grocer"]
    assert till.journal()[2:] == ["hold 10 grocer", "hold 5 grocer", "redemption 10 grocer>fuelco", "redemption 2 grocer>fuelco", "hold_release 3 grocer"]
    assert till.balance() == (8, 0)
    assert till.lots() == ["8 grocer"]


def test_a_hold_is_captured_or_released_once() -> None:
    till = rich()
    till.send(hold("h1", 60))
    assert till.send(capture("x1", "h1", 10), capture("x2", "h1", 10), release("x3", "h1")) == [
        "accepted: - points -10 grocer",
        "unknown-original /data/original_id",
        "unknown-original /data/original_id",
    ]
    till.send(hold("h2", 60))
    assert till.send(release("x4", "h2"), capture("x5", "h2", 10)) == ["accepted", "unknown-original /data/original_id"]
    assert till.balance() == (90, 0)


def test_no_more_than_is_held_can_be_captured() -> None:
    till = rich()
    till.send(hold("h1", 60))
    decision = till.one(capture("x1", "h1", 61))
    assert (decision.code, decision.pointer, decision.detail) == ("insufficient-points", "/data/points", "61 points are more than the 60 that are held")
    assert till.member().held == 60


def test_a_capture_counts_by_its_own_time_against_the_holds_end() -> None:
    till = rich()
    till.send(hold("h1", 60, until=moment(at="11:30")), hold("h2", 40, until=moment(at="11:30")))
    assert till.send(capture("x1", "h1", 60, at="11:30")) == ["accepted: - points -60 grocer"]
    decision = till.one(capture("x2", "h2", 40, at="11:30:01"))
    assert (decision.code, decision.pointer) == ("insufficient-points", "/time")
    assert decision.detail == "the hold ran out at 2026-03-02T11:30:00+01:00"


def test_a_release_counts_by_its_own_time_and_what_has_run_out_is_freed_in_the_night() -> None:
    till = rich()
    till.send(hold("h1", 60, until=moment(at="11:30")), hold("h2", 40, until=moment(at="11:30")))
    assert till.send(release("x1", "h1", at="11:30")) == ["accepted"]
    decision = till.one(release("x2", "h2", at="11:30:01"))
    assert (decision.code, decision.pointer, decision.detail) == ("insufficient-points", "/time", "the hold ran out at 2026-03-02T11:30:00+01:00")
    assert (till.member().held, till.balance()) == (40, (60, 0))
    till.night()
    assert (till.member().held, till.balance()) == (0, (100, 0))


def test_a_capture_is_priced_on_its_own_date() -> None:
    contracts = (contract("grocer", "0.01"), contract("fuelco", None, "0.0085", to=MONDAY), contract("fuelco", None, "0.0090", since=TUESDAY))
    till = rich(contracts=contracts)
    till.send(hold("h1", 60, until=moment(TUESDAY, "12:00")))
    till.night()
    assert till.one(capture("x1", "h1", 60, day=TUESDAY)).contract == TUESDAY
    till.night()
    assert till.lines(TUESDAY) == ["redemption opco>fuelco 60 x 0.009 = 0.54 EUR @2026-03-03"]


def test_a_capture_without_a_contract_on_its_date_is_refused_and_the_hold_stays() -> None:
    contracts = (contract("grocer", "0.01"), contract("fuelco", None, "0.0085", to=MONDAY))
    till = rich(contracts=contracts)
    till.send(hold("h1", 60, until=moment(TUESDAY, "12:00")))
    till.night()
    decision = till.one(capture("x1", "h1", 60, day=TUESDAY))
    assert (decision.code, decision.pointer) == ("no-contract", "/source")
    assert decision.detail == "fuelco has no contract on 2026-03-03 under which it takes points"
    assert till.member().held == 60


def test_only_holds_can_be_captured_and_only_by_their_member() -> None:
    till = rich()
    till.enrol("m2", "c2")
    till.send(hold("h1", 60), redeem("x0", 10))
    assert till.send(capture("x1", "x0", 10), capture("x2", "nothing", 10), release("x3", "nothing"), capture("x4", "h1", 10, card="c2")) == [
        "unknown-original /data/original_id",
        "unknown-original /data/original_id",
        "unknown-original /data/original_id",
        "original-of-other-card /subject",
    ]
    assert till.one(capture("x5", "nothing", 10)).detail == "no open hold has the id nothing"
    assert till.one(release("x6", "h1", card="c2")).detail == "the hold belongs to another member"


def test_freed_points_go_back_into_their_lots_and_repay() -> None:
    till = rich()
    till.send(hold("h1", 60))
    till.send(back("r1", "e0", {1: 10_000}))  # 40 are there, 60 are held: what is held counts as spent
    assert till.debts() == ["60 opco"]
    assert till.send(release("x1", "h1")) == ["accepted"]
    assert till.journal()[-2:] == ["hold_release 60 grocer", "repayment 60 grocer>opco"]
    assert (till.debts(), till.balance()) == ([], (0, 0))


def test_a_hold_that_ran_out_is_freed_in_the_night() -> None:
    till = rich()
    till.send(hold("h1", 60, until=moment(MONDAY, "11:30")), hold("h2", 30, until=moment(TUESDAY, "11:30")))
    till.night()
    assert (till.balance(), till.member().held) == ((70, 0), 30)
    assert till.journal()[-1] == "hold_release 60 grocer"
    assert till.send(capture("x1", "h1", 10, day=TUESDAY)) == ["unknown-original /data/original_id"]


# --- reversals (rule 12) -----------------------------------------------------------------------------------------------------------------


def two_lots() -> Till:
    """10 of the grocer's, earned first, and 10 of fuelco's; 15 are spent."""
    till = Till(BASE)
    till.send(purchase("e1", 1000, day=day("2026-02-01")), purchase("e2", 1000, partner="fuelco"), redeem("x1", 15))
    till.mark()
    return till


def test_a_reversal_puts_back_what_was_spent_last_first() -> None:
    till = two_lots()
    assert till.send(reverse("v1", "x1", 7)) == ["accepted: - points 5 fuelco, - points 2 grocer"]
    assert till.journal() == ["redemption_reversal 5 fuelco>fuelco", "redemption_reversal 2 grocer>fuelco"]
    assert till.rows()[0].what.counter_contract == day("2026-01-01")
    assert till.send(reverse("v2", "x1", 8)) == ["accepted: - points 8 grocer"]
    assert till.balance() == (20, 0)


def test_no_more_is_put_back_than_is_left_of_the_redemption() -> None:
    till = two_lots()
    till.send(reverse("v1", "x1", 7))
    decision = till.one(reverse("v2", "x1", 9))
    assert (decision.code, decision.pointer, decision.detail) == (
        "returned-too-much",
        "/data/points",
        "9 points are more than the 8 that are left of the redemption",
    )
    assert till.balance() == (12, 0)


def test_a_reversal_repays_what_is_owed() -> None:
    till = two_lots()
    till.send(back("r1", "e1", {1: 1000}))
    assert till.debts() == ["5 opco"]  # 10 owed, of which the 5 that were left of fuelco's repaid
    assert till.send(reverse("v1", "x1", 15)) == ["accepted: - points 5 fuelco, - points 10 grocer"]
    assert till.journal()[-1] == "repayment 5 fuelco>opco"
    assert till.lots() == ["10 grocer earned 2026-02-01"]


def test_points_put_back_after_their_day_expire_again_in_the_night() -> None:
    till = Till(BASE, expiry={"kind": "fixed", "month": 3, "day": 2})
    till.send(purchase("e1", 1000, day=day("2026-02-20")), redeem("x1", 10))
    till.night()
    assert till.send(reverse("v1", "x1", 4, day=TUESDAY)) == ["accepted: - points 4 grocer"]
    assert till.balance() == (4, 0)
    till.night()
    assert till.balance() == (0, 0)
    assert till.journal()[-1] == "expiry 4 grocer"


def test_a_capture_can_be_reversed_and_a_hold_cannot() -> None:
    till = rich()
    till.send(hold("h1", 60), capture("x1", "h1", 50))
    assert till.send(reverse("v1", "h1", 10), reverse("v2", "x1", 50)) == ["unknown-original /data/original_id", "accepted: - points 50 grocer"]
    assert till.balance() == (100, 0)


def test_what_is_no_accepted_redemption_cannot_be_reversed() -> None:
    till = rich()
    till.enrol("m2", "c2")
    till.send(redeem("x1", 101), redeem("x2", 10))
    assert till.send(reverse("v1", "x1", 10), reverse("v2", "x2", 10, card="c2")) == ["unknown-original /data/original_id", "original-of-other-card /subject"]
    assert till.send(reverse("v3", "e0", 10, partner="grocer")) == ["unknown-original /data/original_id"]
    assert till.one(reverse("v4", "x1", 10)).detail == "no accepted redemption has the id x1"
    assert till.one(reverse("v5", "x2", 10, card="c2")).detail == "the redemption belongs to another member"


def test_a_reversal_waits_for_a_redemption_that_has_not_come() -> None:
    till = rich()
    assert till.send(reverse("v1", "x9", 10)) == ["waiting"]


def test_a_hold_of_a_member_lasts_over_the_night_until_its_time() -> None:
    till = rich()
    till.send(hold("h1", 60, until=moment(MONDAY, "23:59:59") + timedelta(seconds=1)))
    till.night()
    assert till.member().held == 60


def test_a_discount_cannot_be_spent() -> None:
    till = Till(mechanic("card_discount", "gold", percent="5"), contracts=BOTH)
    till.send(purchase("e1", 1000))
    assert till.send(redeem("x1", 1)) == ["insufficient-points /data/points"]


# --- lots whose day has passed, and several lots -----------------------------------------------------------------------------------------


def put_back_too_late() -> Till:
    """4 points lie in a lot that could be spent until Monday, 10 in one that lasts; it is Tuesday."""
    short = {**BASE, "partners": ["grocer"], "expiry": {"kind": "fixed", "month": 3, "day": 2}}
    long = mechanic("fixed_bonus", "long", points=10, partners=["fuelco"])
    till = Till(short, long)
    till.send(purchase("e1", 1000, day=day("2026-03-01")), redeem("x1", 10))
    till.night()
    till.send(reverse("v1", "x1", 4, day=TUESDAY), purchase("e2", 100, partner="fuelco", day=TUESDAY))
    till.mark()
    return till


def test_points_whose_day_has_passed_are_neither_spent_nor_held() -> None:
    till = put_back_too_late()
    assert till.one(redeem("x2", 11, day=TUESDAY)).detail == "11 points are more than the 10 that can be spent"
    assert till.send(redeem("x3", 6, day=TUESDAY)) == ["accepted: - points -6 fuelco"]
    till.send(hold("h1", 4, day=TUESDAY, until=moment(TUESDAY, "12:00")))
    assert till.journal() == ["redemption 6 fuelco>fuelco", "hold 4 fuelco"]
    assert till.lots() == ["4 grocer until 2026-03-02 earned 2026-03-01"]


def test_a_redemption_is_reversed_bit_by_bit_last_spent_first() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000, day=day("2026-02-01")), purchase("e2", 1000, partner="baker", day=day("2026-02-02")), purchase("e3", 1000, partner="fuelco"))
    assert till.send(redeem("x1", 30)) == ["accepted: - points -10 grocer, - points -10 baker, - points -10 fuelco"]
    back_in = till.send(reverse("v1", "x1", 5), reverse("v2", "x1", 8), reverse("v3", "x1", 17))
    assert back_in == [
        "accepted: - points 5 fuelco",
        "accepted: - points 5 fuelco, - points 3 baker",
        "accepted: - points 7 baker, - points 10 grocer",
    ]
