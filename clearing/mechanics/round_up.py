"""`round_up`: what a card transaction lacks to the next whole multiple is saved, and a party may add to it."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from clearing.basket import Basket
from clearing.expiry import add_months
from clearing.limits import Limits, Used
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from clearing.rounding import half_even
from schemas import mechanics as spec
from schemas.ids import MechanicId, PartyId
from schemas.money import to_minor


class RoundUp:
    """The difference to the next multiple, nothing for a transaction that is one. A round-up stays, whatever becomes of the transaction."""

    effect = "round_up"

    def __init__(self, entry: spec.RoundUp, currency: str) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.currency = currency
        self.multiple_minor = to_minor(entry.multiple, currency)
        self.match = None if entry.match is None else Match(entry.id, entry.match, currency)

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Minor units that are saved; 0 where the transaction is in another currency than `multiple`."""
        lines = self.condition.lines(basket)
        if not lines or basket.mcc is None or basket.currency != self.currency:
            return 0
        return -sum(line.base_minor for line in lines) % self.multiple_minor

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Notes the event date of the first saving, from which the months of the match are counted; a late one before it is the first then."""
        since = memory.get("since")
        if change > 0 and (since is None or day.isoformat() < str(since)):
            memory["since"] = day.isoformat()
        return ()


class Match:
    """What a party adds to each saving: percent of it, half-even (rule 25), within limits of its own, for some months from the first saving."""

    def __init__(self, mechanic: MechanicId, entry: spec.RoundUpMatch, currency: str) -> None:
        self.party: PartyId = entry.party
        self.rate = Fraction(entry.percent) / 100
        self.months = entry.months
        self.limits = match_limits(mechanic, entry, currency)

    def value(self, saved_minor: int, memory: Memory, used: Used, day: date) -> int:
        """Minor units added to a saving of an event date. `memory` is what the round-up has remembered, this saving included."""
        if self.months is not None and day >= add_months(date.fromisoformat(str(memory["since"])), self.months):
            return 0
        return self.limits.cut(half_even(self.rate * saved_minor), used, day)


def match_limits(mechanic: MechanicId, entry: spec.RoundUpMatch, currency: str) -> Limits:
    """The limits of a match, under names of their own beside those of the round-up."""
    return Limits(MechanicId(f"{mechanic}:match"), entry.limit, currency)
