"""`card_points`: points for card transactions, at a rate for each merchant category."""

from collections.abc import Mapping
from datetime import date

from clearing.basket import Basket
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from clearing.mechanics.mcc import MccList
from schemas import mechanics as spec
from schemas.ids import MechanicId
from schemas.money import to_minor


class CardPoints:
    """Whole steps of the amount × points, at the first rate that fits category and currency; excluded categories bring nothing."""

    effect = "points"

    def __init__(self, entry: spec.CardPoints) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.excluded = MccList(entry.exclude_mcc)
        self.rates = [(MccList(rate.mcc), rate.per.currency, to_minor(rate.per.amount, rate.per.currency), rate.points) for rate in entry.rates]

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Points for what is spent; 0 where no rate fits."""
        lines = self.condition.lines(basket)
        if not lines or basket.mcc is None or basket.mcc in self.excluded:
            return 0
        for codes, currency, step_minor, points in self.rates:
            if basket.mcc in codes and basket.currency == currency:
                return sum(line.base_minor for line in lines) // step_minor * points
        return 0

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Points live in lots, not in the mechanic's memory."""
        return ()
