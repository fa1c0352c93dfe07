"""`stamp_card`: stamps for purchases, units or sums; a gift at each full row, or, if the member saves on, that of a later row."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

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
        memory["stamps"] = stamps
        if self.months is not None:
            self._begin(memory, before, stamps, day)
        return self._gifts_due(memory, self._rows_full(stamps))

    def _gifts_due(self, memory: Memory, full: int) -> tuple[Gift, ...]:
        """The gifts of rows that are full and not paid. Who saves on gets none before the card's last row, and its gift in the place of those before it."""
        paid = int(memory.get("paid", 0))
        last = (paid // len(self.rows) + 1) * len(self.rows)
        if (full < last and "saving" in memory) or full <= paid:
            return ()
        rows: Counter[tuple[str, int]] = Counter()
        if memory.pop("saving", None) is not None:  # the choice was for this card; the next one begins without
            rows[self.gifts[-1]] = 1
            paid = last
        memory["paid"] = full
        rows.update(self.gifts[row % len(self.rows)] for row in range(paid, full))
        return tuple(Gift(gift, count, value_minor) for (gift, value_minor), count in rows.items())

    def choose(self, memory: Memory, choice: Literal["gift", "save"], day: date) -> tuple[Gift, ...]:
        """`save`: from now on, full rows of this card bring no gift until its last one. `gift`: takes the gift of the latest row that is full and
        not paid, which pays all before it too; from then on every full row brings its gift again. Returns what is handed out.

        `day` is the event date of the choice: one for a card that has lapsed means nothing any more.
        """
        if self.months is not None and self._has_lapsed(memory, 1, day, self.months):
            return ()
        if choice == "save":
            memory["saving"] = 1
            return ()
        memory.pop("saving", None)
        full = self._rows_full(int(memory.get("stamps", 0)))
        if full <= int(memory.get("paid", 0)):
            return ()
        memory["paid"] = full
        gift, value_minor = self.gifts[(full - 1) % len(self.rows)]
        return (Gift(gift, 1, value_minor),)

    def _has_lapsed(self, memory: Memory, change: int, day: date, months: int) -> bool:
        """A card lapses so many months after its first stamp; the next stamp, or choice, opens a new one. What was bought before that day belongs to it."""
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
