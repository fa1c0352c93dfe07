"""`privilege`: services without a price for the member; what each costs is agreed, and its provider claims it from whoever funds them."""

from collections.abc import Mapping
from datetime import date

from clearing.basket import Basket
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from schemas import mechanics as spec
from schemas.ids import MechanicId
from schemas.money import to_minor


class Privilege:
    """Of each service rendered its agreed cost. Such a service is seen as one line whose article is the service, sold by its provider."""

    effect = "privilege"

    def __init__(self, entry: spec.Privilege, currency: str) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.costs_minor = {(service.id, service.provider): to_minor(service.cost, currency) for service in entry.services}

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Minor units to be settled for the basket."""
        return sum(self.costs_minor.get((line.sku or "", basket.seller), 0) for line in self.condition.lines(basket))

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """A service leaves nothing with the member."""
        return ()
