"""`points_on_spend`: points for each step of what was spent (the earning base of the qualifying lines)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from clearing.basket import Basket
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from schemas import mechanics as spec
from schemas.ids import MechanicId
from schemas.money import currency_places


class PointsOnSpend:
    """Earning base ÷ `per`: `down` and `half_up` count whole steps × points; `proportional` keeps the fraction of a step and rounds down at the end."""

    effect = "points"

    def __init__(self, entry: spec.PointsOnSpend) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.points = entry.points
        self.rounding = entry.rounding
        self.currency = entry.per.currency
        step: Decimal = entry.per.amount.scaleb(currency_places(entry.per.currency))
        self.step_numerator, self.step_denominator = step.as_integer_ratio()

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Points for the basket; 0 where it is in another currency than `per`."""
        if basket.currency != self.currency:
            return 0
        lines = self.condition.lines(basket)
        base = basket.base_minor if lines is basket.lines else sum([line.base_minor for line in lines])
        scaled = base * self.step_denominator
        match self.rounding:
            case "down":
                return scaled // self.step_numerator * self.points
            case "half_up":
                return (2 * scaled + self.step_numerator) // (2 * self.step_numerator) * self.points
            case "proportional":
                return scaled * self.points // self.step_numerator

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Points live in lots, not in the mechanic's memory."""
        return ()
