"""What a programme costs those who pay for it, and what it is worth to members."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from schemas import mechanics as spec
from schemas.contracts import Contract
from schemas.programme import Mechanic, ProgrammeFile
from services.programme.advice.advice import Advice
from services.programme.coverage import FOREVER, days_of, overlap

DISCOUNT_PERCENT_MOST = Decimal(20)
"""A lasting discount of so much or more becomes the price that members expect."""
LASTING_DAYS = 90
POINTS_PERCENT_MOST = Decimal(20)
POINTS_PERCENT_LEAST = Decimal("0.1")


def discounts_are_bearable(file: ProgrammeFile) -> Iterator[Advice]:
    """A lasting discount of 20 % and more."""
    for position, mechanic in enumerate(file.mechanics):
        if not _lasts(mechanic):
            continue
        percents: list[tuple[tuple[str | int, ...], Decimal]] = []
        if isinstance(mechanic, spec.CardDiscount):
            percents.append((("percent",), mechanic.percent))
        elif isinstance(mechanic, spec.CumulativeDiscount):
            percents.extend((("steps", number, "percent"), step.percent) for number, step in enumerate(mechanic.steps))
        for place, percent in percents:
            if percent >= DISCOUNT_PERCENT_MOST:
                reason = f"{percent:f} % off, and {_how_long(mechanic)}: members come to take it for the price, and margins seldom bear it"
                yield Advice(("mechanics", position, *place), "lasting-discount", reason, "end it (to), name its days, or give points instead")


def points_are_worth_something(file: ProgrammeFile) -> Iterator[Advice]:
    """What points are worth, in percent of what is spent: not too much for who pays, not too little for who collects."""
    for position, base in enumerate(file.mechanics):
        if not isinstance(base, spec.PointsOnSpend) or base.per.amount == 0:
            continue
        price = _value_of_a_point(file, base.per.currency)
        if price is None:
            continue
        rate = 100 * base.points * price / base.per.amount
        factor, by = _most_multiplied(file, position, base)
        place = ("mechanics", position, "points")
        if rate * factor >= POINTS_PERCENT_MOST and _lasts(base):
            with_others = f", multiplied by {', '.join(by)}" if by else ""
            reason = f"its points{with_others} are worth {rate * factor:.4g} % of what is spent, and {_how_long(base)}"
            way_out = "give fewer points, or let a point be worth less"
            if rate * factor >= 100:
                way_out = "whoever buys and spends by turns makes money: give fewer points"
            yield Advice(place, "generous-points", reason, way_out)
        elif rate < POINTS_PERCENT_LEAST:
            reason = f"its points are worth {rate:.4g} % of what is spent: members see no value in that"
            yield Advice(place, "points-worth-little", reason, "give more points, or let a point be worth more")


def _lasts(mechanic: Mechanic) -> bool:
    if mechanic.when.days:
        return False
    return mechanic.valid_to is None or (mechanic.valid_to - mechanic.valid_from).days >= LASTING_DAYS


def _how_long(mechanic: Mechanic) -> str:
    return "without an end" if mechanic.valid_to is None else f"for {(mechanic.valid_to - mechanic.valid_from).days + 1} days"


def _value_of_a_point(file: ProgrammeFile, currency: str) -> Decimal | None:
    """The most that a point brings to anybody in a currency: the highest redeem price, or, where none is named, issue price."""
    redeem = [each.redeem.price for each in file.contracts if each.redeem is not None and each.redeem.currency == currency and _redeems(each)]
    issue = [each.issue.price for each in file.contracts if each.issue is not None and each.issue.currency == currency]
    return max(redeem or issue, default=None)


def _redeems(contract: Contract) -> bool:
    return "redeemer" in contract.roles


def _most_multiplied(file: ProgrammeFile, position: int, base: spec.PointsOnSpend) -> tuple[Decimal, list[str]]:
    """What all lasting multipliers of a mechanic together make of its points: 1 + the sum of (factor - 1)."""
    factor = Decimal(1)
    by: list[str] = []
    for other in file.mechanics[position + 1 :]:
        if not isinstance(other, spec.Multiplier) or (other.of is not None and base.id not in other.of) or not _lasts(other):
            continue
        if overlap(days_of(base.valid_from, base.valid_to), days_of(other.valid_from, other.valid_to)) and other.valid_to in (None, FOREVER, base.valid_to):
            factor += other.factor - 1
            by.append(other.id)
    return factor, by


CHECKS = (discounts_are_bearable, points_are_worth_something)
