"""Money: whole minor units and decimal text, exactly one for the other."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import MINOR_MAX, MoneyError, currency_places, to_minor, to_text

CURRENCIES = st.sampled_from(["EUR", "USD", "CZK", "JPY", "KWD", "CLF"])


@given(minor=st.integers(-MINOR_MAX, MINOR_MAX), currency=CURRENCIES)
def test_text_of_minor_units_is_read_back_the_same(minor: int, currency: str) -> None:
    text = to_text(minor, currency)
    assert to_minor(text, currency) == minor
    assert to_minor(Decimal(text), currency) == minor


@given(minor=st.integers(-MINOR_MAX, MINOR_MAX), currency=CURRENCIES)
def test_text_has_the_places_of_the_currency(minor: int, currency: str) -> None:
    _, _, fraction = to_text(minor, currency).partition(".")
    assert len(fraction) == currency_places(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("-0.54", "EUR", -54), ("54.30", "EUR", 5430), ("54.3", "EUR", 5430), ("0.500", "EUR", 50), ("7", "JPY", 7), ("1.234", "KWD", 1234), ("-0.00", "EUR", 0)],
)
def test_decimal_text_becomes_minor_units(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize("text", ["0.005", "1,50", "", ".5", "5.", "1e2", "NaN", " 1", "+1", "--1", "10000000000000.01", "١"])
def test_text_that_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        to_minor(text, "EUR")


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), Decimal("0.001"), Decimal("1e60"), Decimal("1e-60")])
def test_decimals_that_are_no_sum_are_refused(amount: Decimal) -> None:
    with pytest.raises(MoneyError):
        to_minor(amount, "EUR")


def test_a_currency_that_is_not_in_use_is_refused() -> None:
    with pytest.raises(MoneyError):
        currency_places("XXX")
