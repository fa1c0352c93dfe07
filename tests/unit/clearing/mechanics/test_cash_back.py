"""`cash_back`: percent × amount, half-even for each transaction."""

import pytest

from tests.short import line
from tests.unit.clearing.baskets import compiled, spent, worth


@pytest.mark.parametrize(
    ("percent", "amount", "back"),
    [
        ("2", 10_025, 200),  # 2.005: half to the even cent below
        ("2", 10_075, 202),  # 2.015: half to the even cent above
        ("1.5", 1_000, 15),
        ("0.01", 10_000, 1),  # one cent on a hundred
        ("0.01", 5_000, 0),  # half a cent: to the even one, which is none
        ("0.01", 5_001, 1),
        ("0", 99_999, 0),
    ],
)
def test_cash_back_is_rounded_half_even_for_each_transaction(percent: str, amount: int, back: int) -> None:
    assert compiled("cash_back", percent=percent).value(spent(amount), {}) == back


def test_the_first_rate_that_fits_the_category_applies_and_none_brings_nothing() -> None:
    rated = compiled("cash_back", rates=[{"mcc": "5411", "percent": "3"}, {"mcc": ["5400-5499", "7011"], "percent": "1"}])
    assert [rated.value(spent(1000, mcc), {}) for mcc in ("5411", "5412", "7011", "5541")] == [30, 10, 10, 0]


def test_excluded_categories_and_less_than_the_least_spend_bring_nothing() -> None:
    back = compiled("cash_back", percent="2", exclude_mcc=["quasi_cash"], least_spend="5.00")
    assert [back.value(spent(amount, mcc), {}) for amount, mcc in ((500, "5411"), (499, "5411"), (500, "7995"))] == [10, 0, 0]


def test_when_the_member_is_paid_changes_nothing_of_what_is_earned() -> None:
    paid = compiled("cash_back", percent="2", least_payout="10.00", payout="monthly")
    assert paid.value(spent(500), {}) == 10


def test_without_a_sum_in_the_first_currency_every_currency_counts() -> None:
    crowns = spent(1000, currency="CZK")
    assert compiled("cash_back", percent="2").value(crowns, {}) == 20
    assert compiled("cash_back", percent="2", limit={"times": 3, "per": "day"}).value(crowns, {}) == 20
    for sum_ in (
        {"least_spend": "0.01"},
        {"limit": {"amount": "3.00", "per": "month"}},
        {"budget": {"amount": "9.00", "at_end": "warn"}},
    ):
        assert compiled("cash_back", percent="2", **sum_).value(crowns, {}) == 0
        assert compiled("cash_back", percent="2", **sum_).value(spent(1000), {}) == 20


def test_a_purchase_is_no_card_transaction() -> None:
    assert worth(compiled("cash_back", percent="2"), line(1, 1000)) == 0
