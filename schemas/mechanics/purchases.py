"""Mechanics that give points or discounts on purchases."""

import itertools
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.document import Count, Document, Factor, MechanicRef, Months, Percent, PositiveCount, Sum, Word
from schemas.mechanics.base import MechanicBase
from schemas.mechanics.conditions import PositiveMoney

Period = Literal["calendar_year", "rolling_12_months", "ever"]


class PointsOnSpend(MechanicBase):
    """Points for each step of the earning base of the qualifying lines."""

    kind: Literal["points_on_spend"] = Field(description="Points for money spent.")
    points: PositiveCount = Field(description="Points for each step.")
    per: PositiveMoney = Field(description="Size of a step; the mechanic counts purchases in this currency.")
    rounding: Literal["down", "half_up", "proportional"] = Field(
        "down", description="down, half_up: whole steps; proportional: the fraction of a step counts, then rounded down."
    )


class Multiplier(MechanicBase):
    """(factor - 1) times what other mechanics would give for the lines that qualify here, rounded down."""

    kind: Literal["multiplier"] = Field(description="More of the points of other mechanics.")
    factor: Factor = Field(description='By how much they are multiplied in all, as decimal text: "2" doubles.')
    of: tuple[MechanicRef, ...] | None = Field(None, min_length=1, description="The points_on_spend that it multiplies; left out: all before it in the file.")


class FixedBonus(MechanicBase):
    """Points once, or for each unit."""

    kind: Literal["fixed_bonus"] = Field(description="A fixed number of points.")
    points: PositiveCount = Field(description="Points for each event or unit.")
    each: Literal["event", "unit"] = Field("event", description="event: once; unit: times the whole quantity of the qualifying lines.")


class CardDiscount(MechanicBase):
    """Percent off at the till; the smaller of what the seller names and what is allowed is settled."""

    kind: Literal["card_discount"] = Field(description="A discount that the seller gives at the till.")
    percent: Percent = Field(description="Per hundred of the line before its discounts, as decimal text.")


class DiscountStep(Document):
    """A percentage from a turnover or a number of units on."""

    threshold: Sum | Count = Field(alias="from", description="Turnover as decimal text, or a whole number of units.")
    percent: Percent = Field(description="Per hundred, as decimal text.")
    gift: Word | None = Field(None, description="A gift when the step is reached.")


class CumulativeDiscount(MechanicBase):
    """As card_discount; the percentage follows what was bought before."""

    kind: Literal["cumulative_discount"] = Field(description="A discount that grows with what was bought before.")
    measure: Literal["turnover", "units"] = Field(description="What is counted.")
    steps: tuple[DiscountStep, ...] = Field(min_length=1, description="Steps, rising.")
    idle_months: Months | None = Field(None, description="A step down for each so many months without a purchase.")
    period: Period = Field("ever", description="Over what time it is counted.")

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        expected = Decimal if self.measure == "turnover" else int
        thresholds = [step.threshold for step in self.steps]
        if not all(isinstance(threshold, expected) for threshold in thresholds):
            raise ValueError("steps of turnover begin at decimal text, steps of units at a whole number")
        if any(later <= earlier for earlier, later in itertools.pairwise(thresholds)):
            raise ValueError("the steps must rise")
        return self


class Gift(MechanicBase):
    """A gift with the purchase."""

    kind: Literal["gift"] = Field(description="A gift with the purchase.")
    gift: Word = Field(description="Name of the gift.")
    value: Sum | None = Field(None, description="What the partner that hands it out is owed, decimal text.")
