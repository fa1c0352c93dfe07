"""`card_discount`: a discount that the seller gave on showing the card, and that others fund in part or whole."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from clearing.basket import Basket
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from clearing.rounding import half_even
from schemas import mechanics as spec
from schemas.ids import MechanicId


class CardDiscount:
    """Of each line the smaller of what the seller names and what is allowed: percent × (amount + all discounts of the line), half-even."""

    effect = "discount"

    def __init__(self, entry: spec.CardDiscount) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.rate = Fraction(entry.percent) / 100

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Minor units to be settled for the basket."""
        total = 0
        for line in self.condition.lines(basket):
            if line.discounts:
                named = sum(amount for mechanic, amount in line.discounts if mechanic == self.id)
                if named:
                    whole = line.amount_minor + sum(amount for _, amount in line.discounts)
                    total += min(named, half_even(self.rate * whole))
        return total

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """A discount leaves nothing with the member."""
        return ()
