"""Limits and budgets of the whole programme on card transactions: decided at night, in order of receipt, with what refunds and chargebacks bring back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.short import MONDAY, card, chargeback, recharge, refund
from tests.unit.clearing.cards import BACK, POINTS, TUESDAY, UP, till
from tests.unit.clearing.till import Till, answer

LIMIT = "miles:0:2026-03-02"


def of_all(**limit: Any) -> dict[str, Any]:
    return {"limit": {**limit, "of": "programme"}}


def late(one: Till) -> list[str]:
    """What the night decided, in order of the log."""
    return [answer(decisions[-1][1]) for decisions in one.books.decisions.values() if len(decisions) > 1]


def test_what_is_limited_for_all_is_given_in_the_night_in_order_of_receipt() -> None:
    one = till({**POINTS, **of_all(points=70, per="day")}, BACK)
    one.enrol("m2", "c2")
    back = "accepted: back cash_back 24 EUR bank1, back cash_back 16 EUR grocer"
    assert one.send(card("t1", 2000), card("t2", 2000, token="c2")) == [back, back]
    one.send(card("t3", 1000))
    assert one.balance() == (0, 0)
    one.night()
    assert late(one) == ["accepted: miles points 40 bank1", "accepted: miles points 30 bank1", "accepted"]
    assert one.books.shared == {LIMIT: 70}
    assert (one.balance("m1"), one.balance("m2")) == ((40, 0), (30, 0))
    assert "issue bank1>opco 70 x 0.008 = 0.56 EUR" in one.lines(MONDAY)


def test_a_refund_before_the_night_brings_room_for_what_was_received_after_it() -> None:
    one = till({**POINTS, **of_all(points=70, per="day")})
    assert one.send(card("t1", 2000), refund("r1", "t1", 1000), card("t2", 3000)) == ["accepted"] * 3
    one.night()
    assert late(one) == ["accepted: miles points 40 bank1", "accepted: miles points -20 bank1", "accepted: miles points 50 bank1"]
    assert one.books.shared == {LIMIT: 70}
    assert one.balance() == (70, 0)


def test_a_refund_of_what_an_earlier_night_gave_takes_back_in_its_own_night_and_brings_room() -> None:
    one = till({**POINTS, **of_all(points=70, per="month")})
    one.send(card("t1", 4000))
    one.night()
    assert one.balance() == (70, 0)  # 80, and 70 are left
    one.send(refund("r1", "t1", 1000, day=TUESDAY), card("t2", 2000, day=TUESDAY))
    assert one.balance() == (70, 0)
    one.night()
    assert late(one)[1:] == ["accepted: miles points -10 bank1", "accepted: miles points 10 bank1"]
    assert one.books.shared == {"miles:0:2026-03": 70}


def test_the_reversal_of_a_chargeback_gives_again_what_the_limit_leaves_at_its_place() -> None:
    one = till({**POINTS, **of_all(points=50, per="day")})
    one.send(card("t1", 2000), chargeback("k1", "t1", 2000), card("t2", 1000), recharge("v1", "k1", 2000))
    one.night()
    assert late(one) == [
        "accepted: miles points 40 bank1",
        "accepted: miles points -40 bank1",
        "accepted: miles points 20 bank1",
        "accepted: miles points 30 bank1",
    ]
    assert one.books.shared == {LIMIT: 50}
    assert one.balance() == (50, 0)


def test_a_budget_of_cash_back_ends_and_its_funders_owe_no_more_than_it() -> None:
    one = till({**BACK, "budget": {"amount": "1.00", "at_end": "stop"}})
    one.send(card("t1", 10_000), card("t2", 10_000))
    one.night()
    assert late(one) == ["accepted: back cash_back 60 EUR bank1, back cash_back 40 EUR grocer", "accepted"]
    assert one.lines(MONDAY) == ["cash_back grocer>bank1 0.40 EUR"]
    assert [*one.member().memory.values()] == [{"EUR": 100}]


def test_savings_may_share_a_limit_and_their_match_is_of_what_was_saved() -> None:
    one = till({**UP, **of_all(amount="0.70", per="day")})
    one.send(card("t1", 450), card("t2", 430))
    one.night()
    assert [one_.split("up round_up ")[1].split()[0] for one_ in late(one)] == ["50", "20"]
    assert one.lines(MONDAY) == ["round_up_match grocer>bank1 0.35 EUR"]


def test_a_limit_of_the_member_is_looked_at_beside_that_of_all() -> None:
    one = till({**POINTS, "limit": [{"points": 100, "per": "day", "of": "programme"}, {"points": 30, "per": "day"}]})
    one.enrol("m2", "c2")
    one.send(card("t1", 2000), card("t2", 2000), card("t3", 2000, token="c2"))
    one.night()
    assert late(one) == ["accepted: miles points 30 bank1", "accepted", "accepted: miles points 30 bank1"]


def test_who_wins_a_group_is_found_in_the_night_and_stays_the_winner() -> None:
    much = {
        **POINTS,
        "id": "much",
        "group": "best",
        "rates": [{"mcc": "5411", "points": 5, "per": {"amount": "1.00", "currency": "EUR"}}],
        **of_all(points=60, per="day"),
    }
    one = till(much, {**POINTS, "group": "best"})
    one.send(card("t1", 1000), card("t2", 1000))
    one.night()
    assert late(one) == ["accepted: much points 50 bank1", "accepted: miles points 20 bank1"]  # of much only 10 were left
    one.send(refund("r1", "t2", 500, day=TUESDAY))
    one.night()
    assert late(one)[-1] == "accepted: miles points -10 bank1"
    assert one.balance() == (60, 0)


def test_who_has_left_gets_nothing_in_the_night_either() -> None:
    one = till({**POINTS, **of_all(points=70, per="day")})
    one.member().closed = True
    one.send(card("t1", 2000), refund("r1", "t1", 500))
    one.night()
    assert one.books.shared == {}
    assert one.balance() == (0, 0)


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5000), st.booleans()), max_size=6),
    st.integers(1, 200),
    st.booleans(),
)
def test_never_more_than_the_limit_is_out_and_refunding_all_takes_all_back(
    amounts: list[int], backs: list[tuple[int, int, bool]], most: int, between: bool
) -> None:
    one = till({**POINTS, **of_all(points=most, per="month")}, BACK)
    left = list(amounts)
    one.send(*(card(f"t{no}", amount) for no, amount in enumerate(amounts)))
    if between:
        one.night()
        assert one.balance()[0] <= most
    day = TUESDAY if between else MONDAY
    for no, (which, amount, charged) in enumerate(backs):
        of = which % len(left)
        taken = min(amount, left[of])
        if taken:
            left[of] -= taken
            one.send((chargeback if charged else refund)(f"r{no}", f"t{of}", taken, day=day))
    one.night()
    assert 0 <= one.balance()[0] <= most
    assert sum(one.books.shared.values()) == one.balance()[0]
    one.send(*(refund(f"z{no}", f"t{no}", rest, day=TUESDAY) for no, rest in enumerate(left) if rest))
    one.night()
    assert (one.balance(), one.books.shared) == ((0, 0), {})
