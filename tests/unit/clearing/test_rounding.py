"""Rules 5 and 25: splitting by largest remainder, rounding half-even, exact products."""

from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.rounding import half_even, largest_remainder, product, rest_of


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (Decimal("42.5"), 42),
        (Decimal("43.5"), 44),
        (Decimal("-42.5"), -42),
        (Decimal("-43.5"), -44),
        (Decimal("42.50001"), 43),
        (Decimal("0.4"), 0),
        (Decimal("1E+2"), 100),
        (Fraction(5, 2), 2),
        (Fraction(7, 2), 4),
        (Fraction(10**30 * 2 + 1, 2), 10**30),
    ],
)
def test_a_half_goes_to_the_even_neighbour(value: Decimal | Fraction, rounded: int) -> None:
    assert half_even(value) == rounded


def test_rounding_and_products_do_not_depend_on_the_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 3
        assert half_even(Decimal("12345678901234567890.5")) == 12345678901234567890
        assert product(Decimal("0.123456"), Decimal("1.000001")) == Decimal("0.123456123456")
        assert rest_of(Decimal("0.1234567")) == Decimal("0.8765433")


@pytest.mark.parametrize(
    ("factors", "text"),
    [
        (("0.0100", "0.5"), "0.005"),
        (("100.00", "1"), "100"),
        (("1E+2",), "100"),
        (("0.0120", "0.5", "0.5"), "0.003"),
        (("0.0120", "0"), "0"),
        (("-0.00",), "0"),
    ],
)
def test_equal_prices_are_written_alike(factors: tuple[str, ...], text: str) -> None:
    assert str(product(*map(Decimal, factors))) == text


def test_a_product_that_would_have_to_be_rounded_is_refused() -> None:
    with pytest.raises(Inexact):
        product(Decimal("1." + "0" * 150 + "1"), Decimal("1." + "0" * 150 + "1"))


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (54, [Decimal("0.25"), Decimal("0.25"), Decimal("0.5")], [14, 13, 27]),  # 13.5, 13.5, 27: the tie to the first named
        (55, [Decimal("0.25"), Decimal("0.25"), Decimal("0.5")], [14, 14, 27]),  # 13.75, 13.75, 27.5: two units to the two larger fractions
        (85, [147, 147], [43, 42]),
        (105, [104, 105], [52, 53]),  # 52.249, 52.751
        (1, [1, 1, 1], [1, 0, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [0, 3, 0, 1], [0, 8, 0, 2]),  # 7.5, 2.5: the tie to the first
        (7, [5], [7]),
        (7, [Fraction(1, 3), Fraction(2, 3)], [2, 5]),
        (0, [1, 2], [0, 0]),
        (0, [0, 0], [0, 0]),
        (0, [0], [0]),
        (0, [], []),
    ],
)
def test_units_left_over_go_to_the_largest_fractions(total: int, weights: list[int | Decimal | Fraction], shares: list[int]) -> None:
    assert largest_remainder(total, weights) == shares


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (-1, [1, 2]), (1, []), (1, [0]), (1, [0, 0]), (1, [2, -1]), (0, [1, -1]), (1, [-1])])
def test_what_cannot_be_split_is_refused(total: int, weights: list[int | Decimal | Fraction]) -> None:
    with pytest.raises(ValueError, match=r"^a negative total is not split: -1$|^a weight is negative$|no weight is above zero$"):
        largest_remainder(total, weights)


weights_lists = st.lists(st.one_of(st.integers(0, 10**12), st.decimals(0, 1, places=4), st.fractions(0, 3, max_denominator=50)), min_size=1, max_size=8)


@given(total=st.integers(0, 10**15), weights=weights_lists.filter(lambda weights: any(weight > 0 for weight in weights)))
def test_shares_add_up_and_lie_within_one_unit_of_their_exact_value(total: int, weights: list[int | Decimal | Fraction]) -> None:
    shares = largest_remainder(total, weights)
    exact = [total * Fraction(weight) / sum(Fraction(weight) for weight in weights) for weight in weights]
    assert sum(shares) == total
    assert all(0 <= share - (part.numerator // part.denominator) <= 1 for share, part in zip(shares, exact, strict=True))
    fractions_up = [part % 1 for share, part in zip(shares, exact, strict=True) if share > part.numerator // part.denominator]
    fractions_down = [part % 1 for share, part in zip(shares, exact, strict=True) if share == part.numerator // part.denominator]
    assert min(fractions_up, default=Fraction(1)) >= max(fractions_down, default=Fraction(0))


@given(total=st.integers(0, 10**6), weights=weights_lists.filter(lambda weights: any(weight > 0 for weight in weights)), factor=st.integers(1, 1000))
def test_the_scale_of_the_weights_does_not_matter(total: int, weights: list[int | Decimal | Fraction], factor: int) -> None:
    assert largest_remainder(total, weights) == largest_remainder(total, [Fraction(weight) * factor for weight in weights])
