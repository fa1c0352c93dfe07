"""Deferred revenue: worked by hand, and rolled forward over random months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.deferred import (
    AT_EXPIRY,
    Amount,
    Change,
    Factors,
    Movement,
    Pool,
    PoolKey,
    Price,
    Rolled,
    UnexplainedError,
    deferred_minor,
    factors,
    movements,
    roll,
)
from clearing.entries import Code
from clearing.liability import Unspent
from clearing.rounding import half_even
from clearing.terms import Terms
from schemas.ids import PartyId
from tests.unit.clearing.coalition import FIRST, contract, programme

GROCER = PartyId("grocer")
MARCH, MARCH_END = date(2026, 3, 1), date(2026, 3, 31)
POOL = PoolKey(GROCER, FIRST, MARCH)
TERMS = Terms(programme(contract("grocer", "0.0100"), contract("baker", "0.0073", unused_points_share="0.4"), contract("opco", "0.0100")))


def change(code: Code, points: int, day: date = MARCH, *, pool: PoolKey = POOL, by_operator: bool = True) -> Change:
    return Change(day, pool, code, by_operator, points)


def share(of: str | int) -> Unspent:
    """The same share at every age."""
    return lambda _: Fraction(of)


def rolled(*changes: Change, opening: Unspent | None, closing: Unspent | None, terms: Terms = TERMS) -> Rolled:
    (one,) = roll({}, changes, terms, MARCH, MARCH_END, opening, closing)
    return one


def sums(one: Rolled) -> dict[str, int]:
    return {movement.value: one.sum_of(movement) for movement in Movement if one.sum_of(movement)}


# 1,000 points at 1 cent: 10.00 are deferred. A fifth is expected never to be spent. 400 are spent: 4.00 become revenue, and with them 400 x 0.2 / 0.8 x 0.01 =
# 1.00 for the points never to be spent. 5.00 stay: of the 600 points left 400 will be spent, at 10.00 / 800 = 0.0125 each.
GIVEN = change(Code.ACCRUAL, 1000)
SPENT = change(Code.REDEMPTION, 400)


def test_what_sponsors_paid_becomes_revenue_with_the_points_spent_and_their_share_of_those_that_never_will_be() -> None:
    # of the 600 left, a third: 200 + 0 expired of 1,000 are the fifth
    one = rolled(GIVEN, SPENT, opening=share("0.2"), closing=share("1/3"))
    assert sums(one) == {"issued": 1000, "redeemed": -400, "unused": -100}
    assert (one.opening_minor, one.closing_minor) == (0, 500)


def test_a_new_estimate_is_caught_up_in_full_at_once() -> None:
    # 300 of the 600 left will never be spent: b = 0.3, so 400 x 0.3 / 0.7 x 0.01 = 1.714 should be revenue by now, 1.00 is; 10.00 x (1 - 400/700) = 4.286 stay
    one = rolled(GIVEN, SPENT, opening=share("0.2"), closing=share("1/2"))
    assert sums(one) == {"issued": 1000, "redeemed": -400, "unused": -100, "caught_up": -71}
    assert one.closing_minor == 429


def test_an_estimate_that_falls_takes_revenue_back() -> None:
    one = rolled(GIVEN, SPENT, opening=share("0.2"), closing=share(0))
    assert sums(one) == {"issued": 1000, "redeemed": -400, "unused": -100, "caught_up": 100}
    assert one.closing_minor == 600


def test_without_an_estimate_points_never_spent_become_revenue_when_they_expire() -> None:
    one = rolled(GIVEN, SPENT, change(Code.EXPIRY, 150), opening=None, closing=None)
    assert sums(one) == {"issued": 1000, "redeemed": -400, "unused": -150}
    assert one.closing_minor == 450


def test_a_return_reverses_at_the_original_price() -> None:
    one = rolled(GIVEN, change(Code.RETURN_UNSPENT, 250), opening=None, closing=None)
    assert sums(one) == {"issued": 1000, "reversed": -250}
    assert one.closing_minor == 750


def test_the_return_of_spent_points_that_the_operator_bears_takes_their_revenue_back() -> None:
    one = rolled(GIVEN, SPENT, change(Code.RETURN_SPENT, 400), opening=share("0.2"), closing=share("0.2"))
    assert sums(one) == {"issued": 1000, "reversed": -400}
    assert one.closing_minor == 600


def test_the_return_of_spent_points_that_the_seller_bears_is_between_it_and_the_sponsor() -> None:
    one = rolled(GIVEN, SPENT, change(Code.RETURN_SPENT, 400, by_operator=False), opening=None, closing=None)
    assert sums(one) == {"issued": 1000, "redeemed": -400}


def test_what_is_paid_back_for_expired_points_is_no_revenue() -> None:
    # baker: 0.73 cents, 0.4 of it back. 1,000 x 0.73 = 730. 500 expire: 500 x 0.73 x 0.4 = 146 to the sponsor, 219 revenue.
    baker = PoolKey(PartyId("baker"), FIRST, MARCH)
    one = rolled(change(Code.ACCRUAL, 1000, pool=baker), change(Code.EXPIRY, 500, pool=baker), opening=None, closing=None)
    assert sums(one) == {"issued": 730, "unused": -219, "paid_back": -146}
    assert one.closing_minor == 365


def test_points_that_the_operator_gives_itself_are_paid_by_nobody() -> None:
    own = PoolKey(PartyId("opco"), FIRST, MARCH)
    assert roll({own: Pool(100)}, [change(Code.ACCRUAL, 1000, pool=own)], TERMS, MARCH, MARCH_END, None, None) == []


def test_in_the_anchor_model_nothing_is_deferred() -> None:
    terms = Terms(programme(contract("grocer", "0.0100"), model="anchor"))
    assert roll({}, [GIVEN, SPENT], terms, MARCH, MARCH_END, None, None) == []


def test_amounts_of_windows_are_rounded_once_and_what_that_leaves_is_told() -> None:
    terms = Terms(programme(contract("grocer", "0.0050")))
    one = rolled(*(change(Code.ACCRUAL, 1, date(2026, 3, day)) for day in range(1, 6)), opening=None, closing=None, terms=terms)
    assert [moved.amount_minor for moved in one.moved] == [2]  # five times half a cent: each to the even 0, together 2.5, to the even 2
    assert (one.sum_of(Movement.ROUNDING), one.closing_minor) == (2, 2)


@pytest.mark.parametrize(
    ("pool", "unspent", "expected"),
    [
        (Pool(1000, 400), Fraction(1, 3), Factors(Fraction(1, 4), Fraction(0))),
        (Pool(1000, 400, 600), Fraction(0), Factors(Fraction(3, 2), Fraction(0))),
        (Pool(1000, 0, 1000), Fraction(0), AT_EXPIRY),
        (Pool(1000, 0, 10), Fraction(0), AT_EXPIRY),
        (Pool(), Fraction(1, 5), Factors(Fraction(1, 4), Fraction(0))),
        (Pool(1000), Fraction(1), AT_EXPIRY),
        (Pool(0, -50), Fraction(1, 5), AT_EXPIRY),
        (Pool(1000, 400), None, AT_EXPIRY),
    ],
)
def test_how_points_never_to_be_spent_become_revenue(pool: Pool, unspent: Fraction | None, expected: Factors) -> None:
    assert factors(pool, unspent) == expected


def test_a_movement_that_is_not_in_the_pools_is_not_explained_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(change: Change, price: Price, by: Factors) -> dict[Movement, Amount]:
        return {movement: Amount(amount.points, amount.minor * 2) for movement, amount in movements(change, price, by).items()}

    monkeypatch.setattr("clearing.deferred.movements", wrong)
    with pytest.raises(UnexplainedError, match="1000 minor units are not explained"):
        rolled(GIVEN, opening=None, closing=None)


def test_the_points_of_a_movement_times_the_price_are_its_amount() -> None:
    one = rolled(GIVEN, SPENT, change(Code.REDEMPTION_REVERSAL, 30), change(Code.RETURN_UNSPENT, 50), opening=share("0.2"), closing=share("0.2"))
    found = {moved.movement: (moved.points, moved.amount_minor) for moved in one.moved}
    assert (found[Movement.ISSUED], found[Movement.REDEEMED], found[Movement.REVERSED]) == ((1000, 1000), (-370, -370), (-50, -50))
    assert found[Movement.UNUSED][0] is None


# --- random months ------------------------------------------------------------------------------------------------------------------------

SPONSORS = (GROCER, PartyId("baker"))
shares = st.none() | st.fractions(0, 1, max_denominator=20)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[date, list[Change], Fraction | None]]:
    """Up to five months: what happens to pools in each, never more than there is, and the estimate it closes with."""
    pools: dict[PoolKey, Pool] = {}
    months = []
    for no in range(1, draw(st.integers(1, 5)) + 1):
        month = date(2026, no, 1)
        changes = []
        for _ in range(draw(st.integers(0, 6))):
            key = PoolKey(draw(st.sampled_from(SPONSORS)), FIRST, date(2026, draw(st.integers(1, no)), 1))
            pool = pools.get(key, Pool())
            code = draw(st.sampled_from([Code.ACCRUAL, Code.REDEMPTION, Code.EXPIRY, Code.RETURN_UNSPENT, Code.RETURN_SPENT, Code.REDEMPTION_REVERSAL]))
            most = 500 if code is Code.ACCRUAL else pool.spent if code in (Code.RETURN_SPENT, Code.REDEMPTION_REVERSAL) else pool.left
            if most > 0:
                one = Change(month + timedelta(days=draw(st.integers(0, 27))), key, code, draw(st.booleans()), draw(st.integers(1, most)))
                pools[key] = pool.plus(one.of_pool)
                changes.append(one)
        months.append((month, changes, draw(shares)))
    return months


def rolls(months: Sequence[tuple[date, list[Change], Fraction | None]]) -> list[tuple[dict[PoolKey, Pool], list[Rolled], Fraction | None]]:
    """Each month rolled forward; and the pools at its end."""
    pools: dict[PoolKey, Pool] = {}
    estimate: Fraction | None = None
    found = []
    for month, changes, following in months:
        ends = [None if of is None else share(str(of)) for of in (estimate, following)]
        one = roll(pools, changes, TERMS, month, month + timedelta(days=27), *ends)
        pools = dict(pools)
        for change in changes:
            pools[change.pool] = pools.get(change.pool, Pool()).plus(change.of_pool)
        found.append((pools, one, following))
        estimate = following
    return found


@given(histories())
def test_opening_and_movements_come_to_closing_which_is_the_next_opening(months: list[tuple[date, list[Change], Fraction | None]]) -> None:
    closed: dict[object, int] = {}
    for _, accounts, _ in rolls(months):
        assert {one.account: one.opening_minor for one in accounts if one.opening_minor} == {account: minor for account, minor in closed.items() if minor}
        for one in accounts:
            assert one.opening_minor + sum(one.sum_of(movement) for movement in Movement) == one.closing_minor
            assert abs(one.sum_of(Movement.ROUNDING)) <= (len(one.moved) + 2) / 2
        closed = {one.account: one.closing_minor for one in accounts}


@given(histories())
def test_what_is_deferred_is_what_is_still_to_be_earned_of_what_was_paid(months: list[tuple[date, list[Change], Fraction | None]]) -> None:
    """Worked out in another way: what was paid, times the share of the points to be spent that are not spent yet."""
    prices = {GROCER: (Fraction(1), Fraction(0)), SPONSORS[1]: (Fraction(73, 100), Fraction(2, 5))}
    for pools, accounts, unspent in rolls(months):
        for one in accounts:
            price, back = prices[one.account.sponsor]
            deferred = Fraction(0)
            for key, pool in pools.items():
                if key.sponsor != one.account.sponsor:
                    continue
                if unspent is None or pool.spent == 0:  # nothing is earned yet but by expiry
                    deferred += pool.left if unspent is None or pool.expired else pool.given
                    continue
                never = pool.expired + pool.left * unspent
                of_spent = pool.given - never  # points that will have been spent in the end
                to_earn = (of_spent + never * (1 - back)) * (1 - pool.spent / of_spent)
                to_pay_back = (never - pool.expired) * back
                deferred += to_earn + to_pay_back
            assert one.closing_minor == half_even(deferred * price)


@given(histories())
def test_never_less_than_nothing_is_deferred_and_nothing_where_no_points_are_left(months: list[tuple[date, list[Change], Fraction | None]]) -> None:
    for pools, accounts, _ in rolls(months):
        left = {sponsor: sum(pool.left for key, pool in pools.items() if key.sponsor == sponsor) for sponsor in SPONSORS}
        for one in accounts:
            assert one.closing_minor >= 0
            assert left[one.account.sponsor] or one.closing_minor == 0


@given(st.integers(1, 10**6), st.integers(0, 10**6), shares)
def test_by_either_way_nothing_is_deferred_once_all_points_are_spent_or_expired(spent: int, expired: int, unspent: Fraction | None) -> None:
    pool = Pool(spent + expired, spent, expired)
    assert deferred_minor(pool, Price("EUR", Fraction(7, 3), Fraction(1, 4)), factors(pool, unspent)) == 0
