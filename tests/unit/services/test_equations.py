"""Exact figures as text, and the words for nights, lots and accounts."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.explain.equations import amounts, counts, exact, money
from services.explain.event import lot_name
from services.explain.nights import night_of
from services.night.books import STEPS


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**9), max_value=10**9), st.integers(0, 4))
def test_a_finite_number_is_shown_whole(value: Decimal, places: int) -> None:
    text = exact(Fraction(value), places)
    assert Decimal(text.replace(",", "")) == value
    assert len(text.partition(".")[2]) >= places


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.333333333333…"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(7), "7"),
        (Fraction(12345678, 10), "1,234,567.8"),
        (Fraction(1, 2**20), "0.00000095367431640625"),
    ],
)
def test_numbers_as_text(value: Fraction, text: str) -> None:
    assert exact(value) == text


def test_amounts_have_the_places_of_their_currency() -> None:
    assert (money(107, "EUR"), money(Fraction(107, 2), "EUR"), money(5, "JPY"), money(1234, "KWD")) == ("1.07 EUR", "0.535 EUR", "5 JPY", "1.234 KWD")
    assert amounts("parts", 100, "whole", Fraction(100), "EUR").holds
    assert not amounts("parts", Fraction(1001, 10), "whole", 100, "EUR").holds
    assert (counts("parts", 1000, "whole", 1000).holds, counts("parts", 1, "whole", 2).holds) == (True, False)


@pytest.mark.parametrize("step", STEPS)
def test_nights_by_their_entries(step: str) -> None:
    day = date(2026, 3, 31)
    entry = -(day.toordinal() * 16 + STEPS.index(step) + 1)
    assert night_of(entry) == f"2026-03-31, {step.replace('_', ' ')}"
    assert night_of(entry - 8) == f"2026-03-31, {step.replace('_', ' ')}, repaying"


def test_lots_in_words() -> None:
    earned = date(2026, 3, 2)
    assert lot_name(None, None, None) is None
    assert lot_name(date(2028, 3, 31), earned, date.min) == "earned 2026-03-02, expires 2028-03-31"
    assert lot_name(date(9999, 12, 31), earned, date(2026, 4, 1)) == "earned 2026-03-02, never expires, pending until 2026-04-01"
    assert lot_name(date(9000, 1, 19), earned, date.min) == "earned 2026-03-02, expires by inactivity"
