"""`card_points`: whole steps of what a card was used for × points, at the rate of its category."""

import pytest

from tests.short import line
from tests.unit.clearing.baskets import EURO, compiled, spent, worth

TEN_CROWNS = {"amount": "10.00", "currency": "CZK"}
TWO_EUROS = {"amount": "2.00", "currency": "EUR"}
RATES = [
    {"mcc": ["5411", "5499"], "points": 2, "per": EURO},
    {"mcc": "5500-5599", "points": 3, "per": TWO_EUROS},
    {"mcc": "5411", "points": 1, "per": TEN_CROWNS},
    {"mcc": "0000-9999", "points": 1, "per": TWO_EUROS},
]


@pytest.mark.parametrize(
    ("amount", "mcc", "points"),
    [
        (1099, "5411", 20),  # 10 whole euros × 2
        (99, "5411", 0),
        (1099, "5499", 20),
        (799, "5541", 9),  # 3 whole steps of 2.00 × 3
        (1099, "7011", 5),  # what no other rate fits: 5 steps × 1
        (1099, "5410", 5),
    ],
)
def test_points_are_whole_steps_at_the_first_rate_that_fits_the_category(amount: int, mcc: str, points: int) -> None:
    assert compiled("card_points", rates=RATES).value(spent(amount, mcc), {}) == points


def test_a_rate_is_for_its_own_currency_and_the_next_that_fits_applies() -> None:
    rated = compiled("card_points", rates=RATES)
    assert rated.value(spent(2599, "5411", currency="CZK"), {}) == 2
    assert rated.value(spent(2599, "5541", currency="CZK"), {}) == 0


def test_excluded_categories_bring_nothing_whatever_rate_would_fit() -> None:
    rated = compiled("card_points", rates=RATES, exclude_mcc=["quasi_cash", "5500-5540", "5411"])
    assert [rated.value(spent(1000, mcc), {}) for mcc in ("6011", "5540", "5541", "5411", "5499")] == [0, 0, 15, 0, 20]


def test_conditions_on_category_and_amount_hold_for_the_transaction() -> None:
    rated = compiled("card_points", rates=RATES, when={"mcc": ["5411"], "minimum": {"amount": "10.00", "currency": "EUR"}})
    assert [rated.value(spent(amount, mcc), {}) for amount, mcc in ((1000, "5411"), (999, "5411"), (1000, "5499"))] == [20, 0, 0]
    shops = compiled("card_points", rates=RATES, when={"categories": ["grocery"]})
    assert shops.value(spent(1000), {}) == 0  # a card transaction says nothing of what was bought


def test_a_purchase_is_no_card_transaction() -> None:
    assert worth(compiled("card_points", rates=RATES), line(1, 1000)) == 0
