"""Points never to be spent: worked by hand, and what always has to hold."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.unused_points import NEEDS, Moved, Needs, Step, Triangle, estimate, months_between, triangle

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))
ANY = Needs(1, Fraction(1))

# Points live for two months after that of earning. January's 1,000 are seen to their end, February's 800 for two months, March's 500 for one:
#        age 0          age 1         age 2
# Jan    200 spent      300 spent     100 spent, 400 expire
# Feb    200 spent      180 spent
# Mar    150 spent
# Spent of what was there: age 0 550/2300, age 1 480/1400, age 2 100/500; expired there 400/500.
WORKED: Triangle = {
    JAN: [Step(earned=1000, spent=200), Step(spent=300), Step(spent=100, expired=400)],
    FEB: [Step(earned=800, spent=200), Step(spent=180)],
    MAR: [Step(earned=500, spent=150)],
}


def test_the_worked_history_comes_to_what_was_worked_out_by_hand() -> None:
    found = estimate(WORKED)
    assert found is not None
    at_2 = Fraction(4, 5)
    at_1 = (1 - Fraction(480, 1400)) * at_2
    at_0 = (1 - Fraction(550, 2300)) * at_1
    assert found.unspent[:3] == (at_0, at_1, at_2) == (Fraction(2, 5), Fraction(92, 175), Fraction(4, 5))
    assert found.undecided == 0
    assert found.months == 3


def test_ages_past_the_oldest_take_the_share_of_the_end() -> None:
    found = estimate(WORKED)
    assert found is not None
    assert found.at(3) == found.at(99) == Fraction(400, 400 + 550 + 480 + 100)
    assert found.at(-1) == found.at(0)


def test_the_range_holds_what_each_estimate_without_one_month_says() -> None:
    found = estimate(WORKED)
    assert found is not None
    for left_out in WORKED:
        others = estimate({cohort: steps for cohort, steps in WORKED.items() if cohort != left_out})
        assert others is not None
        low, high = found.range_at(0)
        assert low <= others.at(0) <= high
    assert found.low[0] < found.unspent[0] < found.high[0]


def test_the_range_without_each_month_is_what_was_worked_out_by_hand() -> None:
    """Without January nobody has seen age 2, where nothing happens then, and nothing has expired: 0 stay unused. Without February: age 0 350 of 1,500,
    age 1 300 of 800, age 2 100 of 500 spent and 400 expired: 4/5, 1/2, 23/60. Without March: 400 of 1,800, 480 of 1,400: 4/5, 92/175, 92/225.
    """
    found = estimate(WORKED)
    assert found is not None
    assert (found.low[:3], found.high[:3]) == ((Fraction(0),) * 3, (Fraction(92, 225), Fraction(92, 175), Fraction(4, 5)))


def test_a_cohort_of_the_last_month_counts_at_its_first_age() -> None:
    assert triangle([Moved(JAN, JAN, Step(earned=5)), Moved(FEB, FEB, Step(earned=7))], date(2026, 2, 28)) == {
        JAN: [Step(earned=5), Step()],
        FEB: [Step(earned=7)],
    }


def test_three_months_are_too_little_history() -> None:
    found = estimate(WORKED)
    assert found is not None
    assert not found.enough
    generous = estimate(WORKED, Needs(3, Fraction(0)))
    assert generous is not None
    assert generous.enough


def test_a_year_that_has_not_seen_the_end_of_its_points_is_too_little_history() -> None:
    history = {date(2026, month, 1): [Step(earned=100, spent=10), *[Step(spent=1)] * (12 - month)] for month in range(1, 13)}
    found = estimate(history)
    assert found is not None
    assert found.months == NEEDS.months
    assert found.undecided > Fraction(3, 4)
    assert not found.enough
    assert found.range_at(0)[0] == 0
    assert found.range_at(0)[1] == found.undecided


def test_nothing_spent_and_nothing_expired_is_no_history() -> None:
    assert estimate({JAN: [Step(earned=1000)]}) is None
    assert estimate({}) is None


def test_points_taken_back_are_as_if_they_had_never_been_given() -> None:
    taken = {cohort: [step.plus(Step(earned=70, taken_back=70)) if not age else step for age, step in enumerate(steps)] for cohort, steps in WORKED.items()}
    assert estimate(taken) == estimate(WORKED)


def test_windows_before_the_cut_off_count_the_next_months_points_at_age_0() -> None:
    moved = [Moved(FEB, JAN, Step(earned=5)), Moved(FEB, FEB, Step(earned=7, spent=2)), Moved(FEB, APR, Step(expired=3)), Moved(APR, APR, Step(earned=9))]
    assert triangle(moved, JAN) == {}
    assert triangle(moved, MAR) == {FEB: [Step(earned=12, spent=2), Step()]}
    assert triangle(moved, APR)[FEB] == [Step(earned=12, spent=2), Step(), Step(expired=3)]


@pytest.mark.parametrize(("earlier", "later", "months"), [(JAN, APR, 3), (APR, JAN, -3), (date(2025, 12, 31), JAN, 1), (JAN, date(2027, 1, 1), 12)])
def test_months_are_counted_by_the_calendar(earlier: date, later: date, months: int) -> None:
    assert months_between(earlier, later) == months


@st.composite
def histories(draw: st.DrawFn, *, spends: bool = True, expires: bool = True) -> Triangle:
    """Up to six cohorts; what is left at the last age that the oldest reaches is decided there."""
    ages = draw(st.integers(1, 6))
    found: dict[date, list[Step]] = {}
    for young in range(ages):
        left = draw(st.integers(1, 1000))
        steps = []
        for age in range(ages - young):
            earned = left if not age else 0
            spent = draw(st.integers(0, left)) if spends else 0
            expired = draw(st.integers(0, left - spent)) if expires else 0
            if age == ages - 1:
                spent, expired = (left - expired, expired) if spends else (0, left)
            left -= spent + expired
            steps.append(Step(earned=earned, spent=spent, expired=expired))
        found[date(2026, 1 + young, 1)] = steps
    return found


@given(histories(expires=False))
def test_where_all_is_spent_nothing_stays_unused(history: Triangle) -> None:
    found = estimate(history)
    assert found is not None
    assert found.at(0) == 0


@given(histories(spends=False))
def test_where_nothing_is_spent_and_all_expires_everything_stays_unused(history: Triangle) -> None:
    found = estimate(history)
    assert found is not None
    assert found.at(0) == 1


@given(histories())
def test_the_range_holds_the_estimate_at_every_age_and_all_are_shares(history: Triangle) -> None:
    found = estimate(history, ANY)
    assert found is not None
    for age in range(8):
        low, high = found.range_at(age)
        assert 0 <= low <= found.at(age) <= high <= 1


@given(histories(), st.integers(2, 50))
def test_a_programme_so_many_times_as_large_has_the_same_shares(history: Triangle, times: int) -> None:
    larger = {cohort: [Step(*(points * times for points in step)) for step in steps] for cohort, steps in history.items()}
    assert estimate(larger) == estimate(history)


@given(histories())
def test_a_history_of_one_cohort_seen_to_its_end_is_what_became_of_it(history: Triangle) -> None:
    steps = next(iter(history.values()))
    found = estimate({JAN: steps})
    assert found is not None
    assert found.at(0) == Fraction(sum(step.expired for step in steps), steps[0].earned)


steps = st.builds(Step, *[st.integers(0, 200)] * 2, st.integers(-200, 200), st.integers(0, 200))


@given(st.dictionaries(st.sampled_from([JAN, FEB, MAR, APR]), st.lists(steps, min_size=1, max_size=5), max_size=4))
def test_whatever_the_books_say_shares_stay_shares(history: Triangle) -> None:
    found = estimate(history)
    if found is not None:
        assert all(0 <= low <= share <= high <= 1 for low, share, high in zip(found.low, found.unspent, found.high, strict=True))
