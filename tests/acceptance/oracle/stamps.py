"""A member's stamp cards of one mechanic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.programme import Written


@dataclass
class Stamps:
    """All stamps since a card last lapsed, over cards that were full and began again, and the rows paid for them."""

    count: int = 0
    rows_paid: int = 0
    first_on: date | None = None
    """Event date of the first stamp on the card now; None where it is empty."""
    lapsed_on: date | None = None
    saving: bool = False
    """The member saves on, on the card now."""

    def on_card(self, mechanic: Written) -> int:
        """Stamps on the card now."""
        return int(self.count % sum(mechanic["rows"]))

    def give(self, mechanic: Written, stamps: int, day: date) -> int:
        """Enters stamps; says how many rows are full for the first time."""
        if self._of_a_lapsed_card(day):
            return 0
        self._lapse(mechanic, day)
        cards = self.count // sum(mechanic["rows"])
        self.count += stamps
        if not self.on_card(mechanic):
            self.first_on = None
        elif self.first_on is None or self.count // sum(mechanic["rows"]) > cards:
            self.first_on = day
        full, paid = rows_full(mechanic, self.count), self.rows_paid
        if self.saving:
            whole_card = len(mechanic["rows"]) * (paid // len(mechanic["rows"]) + 1)
            if full < whole_card:
                return 0
            self.saving, self.rows_paid = False, full
            return 1 + full - whole_card
        self.rows_paid = max(full, paid)
        return self.rows_paid - paid

    def choose(self, mechanic: Written, choice: str, day: date) -> int:
        """Saves on, or takes the gift of the latest full row that was not paid: says whether (1 or 0) there is one."""
        if self._of_a_lapsed_card(day):
            return 0
        self._lapse(mechanic, day)
        self.saving = choice == "save"
        full, paid = rows_full(mechanic, self.count), self.rows_paid
        if self.saving or full <= paid:
            return 0
        self.rows_paid = full
        return 1

    def _lapse(self, mechanic: Written, day: date) -> None:
        months = mechanic.get("months")
        if months and self.first_on and day >= rules.months_later(self.first_on, months):
            self.count, self.rows_paid, self.saving = 0, 0, False
            self.lapsed_on, self.first_on = rules.months_later(self.first_on, months), None

    def take(self, mechanic: Written, stamps: int, day: date) -> None:
        """Takes stamps of a purchase of that day back, unless they were on a card that has lapsed."""
        if not self._of_a_lapsed_card(day):
            self.count -= stamps
            if not self.on_card(mechanic):
                self.first_on = None

    def _of_a_lapsed_card(self, day: date) -> bool:
        return self.lapsed_on is not None and day < self.lapsed_on


def rows_full(mechanic: Written, stamps: int) -> int:
    """How many rows so many stamps fill, the card starting again after its last."""
    cards, rest = divmod(stamps, sum(mechanic["rows"]))
    row, full = 0, 0
    for size in mechanic["rows"]:
        row += size
        full += row <= rest
    return int(cards * len(mechanic["rows"]) + full)
