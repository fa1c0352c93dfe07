"""`multiplier`: extra points on what other mechanics give (double points on named goods, at an hour, for a segment)."""

from collections.abc import Mapping
from datetime import date

from clearing.basket import Basket
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from schemas import mechanics as spec
from schemas.ids import MechanicId


class Multiplier:
    """(factor − 1) × the points its bases would give if the purchase had only the lines that qualify here, rounded down."""

    effect = "points"

    def __init__(self, entry: spec.Multiplier, bases: tuple[MechanicId, ...]) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.numerator, self.denominator = (entry.factor - 1).as_integer_ratio()
        self.bases = bases

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Extra points; limits of the bases are not applied, losers of a group are not among `bases`."""
        lines = self.condition.lines(basket)
        if not lines:
            return 0
        part = basket if lines is basket.lines else basket.only(lines)
        points = 0
        for name in self.bases:
            base = bases.get(name)
            if base is not None:
                points += base.value(part, bases)
        return points * self.numerator // self.denominator

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Points live in lots, not in the mechanic's memory."""
        return ()
