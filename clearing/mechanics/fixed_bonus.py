"""`fixed_bonus`: a fixed number of points for an event, or for each unit of the qualifying goods."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from clearing.basket import Basket
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from schemas import mechanics as spec
from schemas.ids import MechanicId


class FixedBonus:
    """Points once, or × the whole quantity of qualifying units; falls away when its condition no longer holds (rule 13)."""

    effect = "points"

    def __init__(self, entry: spec.FixedBonus) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.points = entry.points
        self.each = entry.each

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Points for the basket; a purchase whose base is zero still gets them."""
        lines = self.condition.lines(basket)
        if not lines:
            return 0
        if self.each == "event":
            return self.points
        return int(sum((line.quantity for line in lines), Decimal(0))) * self.points

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Points live in lots, not in the mechanic's memory."""
        return ()
