"""Exact arithmetic: half-even rounding (rule 25), splitting by largest remainder (rule 5), products of decimals. No float comes in."""

from collections.abc import Sequence
from decimal import Clamped, Context, Decimal, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow, Subnormal, Underflow
from fractions import Fraction
from math import lcm
from typing import Final

_EXACT: Final = Context(prec=200, traps=[Clamped, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow, Subnormal, Underflow])


def half_even(value: Decimal | Fraction) -> int:
    """The nearest whole number; of two equally near ones the even one. Exact however many digits the value has."""
    return round(value)


def product(*factors: Decimal) -> Decimal:
    """The exact product, without trailing zeros and without an exponent above zero, so that equal prices are written alike.

    Raises `decimal.Inexact` above 200 digits instead of rounding.
    """
    result = Decimal(1)
    for factor in factors:
        result = _EXACT.multiply(result, factor)
    result = result.normalize(_EXACT)
    return result if result.as_integer_ratio()[1] > 1 else Decimal(int(result))


def rest_of(share: Decimal) -> Decimal:
    """1 − share, exactly."""
    return _EXACT.subtract(Decimal(1), share)


def largest_remainder(total: int, weights: Sequence[int | Decimal | Fraction]) -> list[int]:
    """Split `total` in proportion to `weights`: each share rounded down, the units left over one each to the largest fractions (rule 5).

    Of equal fractions the one named first gets the unit. The shares add up to `total`, in the order of `weights`.
    Raises ValueError for a negative total or weight, and for a total that no weight above zero can take.
    """
    if total < 0:
        raise ValueError(f"a negative total is not split: {total}")
    count = len(weights)
    if count == 1 and weights[0] > 0:
        return [total]
    if count and weights[0] > 0 and weights.count(weights[0]) == count:
        share, left_over = divmod(total, count)
        return [share + 1] * left_over + [share] * (count - left_over)
    whole = _whole(weights)
    if min(whole, default=0) < 0:
        raise ValueError("a weight is negative")
    weight_sum = sum(whole)
    if weight_sum == 0:
        if total:
            raise ValueError(f"{total} cannot be split: no weight is above zero")
        return [0] * count
    parts = [divmod(total * weight, weight_sum) for weight in whole]
    shares = [share for share, _ in parts]
    left_over = total - sum(shares)
    if left_over:
        for place in sorted(range(count), key=lambda place: -parts[place][1])[:left_over]:  # sorted is stable: ties to the first
            shares[place] += 1
    return shares


def _whole(weights: Sequence[int | Decimal | Fraction]) -> list[int]:
    """The weights times their least common denominator."""
    ratios = [weight.as_integer_ratio() for weight in weights]
    scale = lcm(*(denominator for _, denominator in ratios))
    return [numerator * (scale // denominator) for numerator, denominator in ratios]
