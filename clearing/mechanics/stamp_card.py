"""`stamp_card`: stamps for purchases, units or sums; a gift at each full row."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from clearing.basket import Basket
from clearing.expiry import add_months
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from schemas import mechanics as spec
from schemas.ids import MechanicId
from schemas.money import to_minor


class StampCard:
    """Whole stamps for each purchase; a row pays once, however stamps fall and rise; a return takes stamps, not gifts."""

    effect = "stamp"

    def __init__(self, entry: spec.StampCard, currency: str) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.rows = tuple(entry.rows)
        values = [entry.value_of(row) for row in range(len(entry.rows))]
        self.gifts = tuple((entry.gift_of(row), to_minor(value, currency) if value is not None else 0) for row, value in enumerate(values))
        self.months = entry.months
        self.currency = currency
        self.stamp_for = entry.stamp_for if isinstance(entry.stamp_for, str) else None
        self.stamp_minor = 0 if isinstance(entry.stamp_for, str) else to_minor(entry.stamp_for.amount, currency)

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Stamps for the basket."""
        lines = self.condition.lines(basket)
        if not lines:
            return 0
        if self.stamp_for == "purchase":
            return 1
        if self.stamp_for == "unit":
            return int(sum((line.quantity for line in lines), Decimal(0)))
        if basket.currency != self.currency:
            return 0
        return sum(line.base_minor for line in lines) // self.stamp_minor

    def on_card(self, memory: Memory) -> int:
        """Stamps on the card now: when the last row is full, the card starts again."""
        return int(memory.get("stamps", 0)) % sum(self.rows)

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Counts all stamps ever and all rows ever paid, so that a row that was emptied by a return is not paid twice.

        `day` is the event date of the purchase. With `months`, stamps of a card that has lapsed are neither given nor taken back.
        """
        if self.months is not None and self._has_lapsed(memory, change, day, self.months):
            return ()
        before = int(memory.get("stamps", 0))
        stamps = max(0, before + change)
        paid = int(memory.get("paid", 0))
        full = self._rows_full(stamps)
        memory["stamps"] = stamps
        if self.months is not None:
            self._begin(memory, before, stamps, day)
        if full <= paid:
            return ()
        memory["paid"] = full
        rows = Counter(self.gifts[row % len(self.rows)] for row in range(paid, full))
        return tuple(Gift(gift, count, value_minor) for (gift, value_minor), count in rows.items())

    def _has_lapsed(self, memory: Memory, change: int, day: date, months: int) -> bool:
        """A card lapses so many months after its first stamp; the next stamp opens a new one. What was bought before that day belongs to it."""
        if "lapsed" in memory and day < date.fromisoformat(str(memory["lapsed"])):
            return True
        if change > 0 and "since" in memory:
            end = add_months(date.fromisoformat(str(memory["since"])), months)
            if day >= end:
                memory.clear()
                memory["lapsed"] = end.isoformat()
        return False

    def _begin(self, memory: Memory, before: int, stamps: int, day: date) -> None:
        """Notes the day of the first stamp on the card; a full card, or an empty one, has none."""
        size = sum(self.rows)
        if stamps % size == 0:
            memory.pop("since", None)
        elif stamps > before and ("since" not in memory or stamps // size > before // size):
            memory["since"] = day.isoformat()

    def _rows_full(self, stamps: int) -> int:
        cards, rest = divmod(stamps, sum(self.rows))
        full = cards * len(self.rows)
        for row in self.rows:
            if rest < row:
                break
            rest -= row
            full += 1
        return full
