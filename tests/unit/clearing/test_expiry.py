"""When points expire (rule 8)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from clearing.expiry import NEVER, add_months, effective_expiry, expiry_of, inactivity_months, month_end
from schemas.expiry import Expiry
from tests.unit.clearing.baskets import day

EXPIRY: TypeAdapter[Expiry] = TypeAdapter(Expiry)
dates = st.dates(date(1999, 1, 1), date(2090, 12, 31))


def expires(earned: str, **rule: object) -> str:
    return expiry_of(EXPIRY.validate_python(rule), day(earned)).isoformat()


@pytest.mark.parametrize(
    ("any_day", "last"), [("2026-02-01", "2026-02-28"), ("2028-02-29", "2028-02-29"), ("2026-12-31", "2026-12-31"), ("2026-04-15", "2026-04-30")]
)
def test_the_last_day_of_a_month(any_day: str, last: str) -> None:
    assert month_end(day(any_day)) == day(last)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-01-15", 12, "2027-01-15"),
        ("2026-11-30", 1, "2026-12-30"),
        ("2026-11-30", 2, "2027-01-30"),
        ("2026-12-31", 0, "2026-12-31"),
        ("2026-12-01", 1, "2027-01-01"),
        ("2026-05-31", 25, "2028-06-30"),
    ],
)
def test_months_later_is_the_same_day_or_the_months_last(start: str, months: int, end: str) -> None:
    assert add_months(day(start), months) == day(end)


@given(dates, st.integers(0, 60))
def test_months_later_lies_in_the_month_that_many_later(start: date, months: int) -> None:
    later = add_months(start, months)
    assert (later.year * 12 + later.month) - (start.year * 12 + start.month) == months
    assert later.day == min(start.day, month_end(later).day)


@pytest.mark.parametrize(
    ("earned", "months", "last"),
    [
        ("2026-03-02", 24, "2028-03-31"),
        ("2026-03-31", 1, "2026-04-30"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-12-01", 1, "2027-01-31"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-02-03", 0, "2026-02-28"),
    ],
)
def test_rolling_points_expire_at_the_end_of_the_month_so_many_months_on(earned: str, months: int, last: str) -> None:
    assert expires(earned, kind="rolling", months=months) == last


@pytest.mark.parametrize(
    ("earned", "month", "day_of_month", "last"),
    [
        ("2026-03-02", 6, 30, "2026-06-30"),
        ("2026-06-29", 6, 30, "2026-06-30"),
        ("2026-06-30", 6, 30, "2027-06-30"),  # the first such day after the event date
        ("2026-07-01", 6, 30, "2027-06-30"),
        ("2026-02-20", 2, 29, "2028-02-29"),  # the next year that has one
        ("2027-03-02", 2, 29, "2028-02-29"),
        ("2028-02-28", 2, 29, "2028-02-29"),
        ("2028-02-29", 2, 29, "2032-02-29"),
        ("2096-02-29", 2, 29, "2104-02-29"),
        ("2026-01-01", 12, 31, "2026-12-31"),
        ("2026-12-31", 12, 31, "2027-12-31"),
    ],
)
def test_fixed_points_expire_on_the_first_such_day_after_they_were_earned(earned: str, month: int, day_of_month: int, last: str) -> None:
    assert expires(earned, kind="fixed", month=month, day=day_of_month) == last


def test_points_that_never_expire_carry_the_last_day_there_is() -> None:
    assert expires("2026-03-02", kind="never") == "9999-12-31"
    assert effective_expiry(NEVER, day("2026-03-02"), day("2026-03-02")) == NEVER
    assert inactivity_months(NEVER) is None


def test_inactivity_is_a_marker_that_carries_the_months() -> None:
    marker = expiry_of(EXPIRY.validate_python({"kind": "inactivity", "months": 18}), day("2026-03-02"))
    assert marker == date(9000, 1, 19)
    assert inactivity_months(marker) == 18
    assert expiry_of(EXPIRY.validate_python({"kind": "inactivity", "months": 18}), day("2031-01-01")) == marker


def test_only_days_of_the_four_marked_years_are_markers() -> None:
    assert inactivity_months(date(9000, 1, 1)) == 0
    assert inactivity_months(date(8999, 12, 31)) is None
    assert inactivity_months(date(9003, 12, 31)) == 1459
    assert inactivity_months(date(9004, 1, 1)) is None
    assert inactivity_months(day("2026-03-02")) is None


def test_inactivity_counts_from_the_last_activity_to_a_months_end() -> None:
    marker = date(9000, 1, 1 + 6)
    assert effective_expiry(marker, day("2026-03-02"), day("2026-03-02")) == day("2026-09-30")
    assert effective_expiry(marker, day("2026-05-31"), day("2026-03-02")) == day("2026-11-30")
    assert effective_expiry(marker, day("2026-08-01"), day("2026-03-02")) == day("2027-02-28")


def test_a_lot_earned_after_the_last_activity_counts_from_its_own_day() -> None:
    marker = date(9000, 1, 1 + 6)
    assert effective_expiry(marker, None, day("2026-03-31")) == day("2026-09-30")
    assert effective_expiry(marker, day("2026-03-02"), day("2026-04-30")) == day("2026-10-31")


def test_a_real_day_does_not_depend_on_activity() -> None:
    assert effective_expiry(day("2026-09-30"), day("2027-01-01"), day("2026-03-02")) == day("2026-09-30")


@given(dates, st.integers(1, 60))
def test_a_rolling_lot_lives_so_many_months_at_least(earned: date, months: int) -> None:
    last = expiry_of(EXPIRY.validate_python({"kind": "rolling", "months": months}), earned)
    assert last == month_end(last)
    assert add_months(earned, months) <= last
