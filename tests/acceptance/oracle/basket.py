"""A purchase: what was bought, what is left of it after returns, and what it brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.programme import Written
from tests.acceptance.oracle.reading import Event, quantity

NO_BASE = ("points", "gift_card")


@dataclass(frozen=True)
class Line:
    """What is left of a line: its quantity, what was paid for it, the part that earns, the discounts named in it."""

    sku: str | None
    category: str | None
    quantity: Fraction
    amount: int
    base: int
    discounts: tuple[tuple[str, int], ...]


@dataclass
class Bought:
    """A line as it was bought, with what came back of it."""

    written: Written
    unearning: int
    back: int = 0
    units_back: Fraction = Fraction(0)
    gone: bool = False

    @property
    def amount(self) -> int:
        """What was paid for it."""
        return int(self.written["amount_minor"])

    @property
    def quantity(self) -> Fraction:
        """How many were bought."""
        return quantity(self.written)

    @property
    def units_left(self) -> Fraction:
        """How many may still come back: none when all was paid back without a word of how many."""
        return Fraction(0) if self.gone else self.quantity - self.units_back

    def left(self) -> Line | None:
        """Rule 13: what remains; None when nothing does."""
        rest = self.amount - self.back
        units = self.units_left
        if rest == 0 and units == 0:
            return None
        ratio = Fraction(rest, self.amount) if self.amount else Fraction(1)
        named = tuple((one["mechanic"], rules.half_even(one["amount_minor"] * ratio)) for one in self.written.get("discounts", []))
        base = rest - rules.half_even(self.unearning * ratio)
        return Line(self.written.get("sku"), self.written.get("category"), units, rest, base, named)


@dataclass
class Gift:
    """What one mechanic gave on one purchase, by funder: all that it gave, and what is left of it."""

    mechanic: Written
    unit: str
    had: dict[str, int]
    has: dict[str, int]

    @property
    def total(self) -> int:
        """What is left of it in all."""
        return sum(self.has.values())


@dataclass
class Purchase:
    """A booked purchase."""

    event: Event
    day: date
    time: datetime
    member: str
    facts: Written
    lines: dict[int, Bought]
    losers: set[int] = field(default_factory=set)
    gifts: list[Gift] = field(default_factory=list)
    undecided: bool = False
    """The night has still to decide some of its gifts."""

    @property
    def currency(self) -> str:
        """The currency that was paid in."""
        return str(self.event.data["currency"])

    def left(self) -> list[Line]:
        """The lines of which something remains."""
        return [line for line in (bought.left() for bought in self.lines.values()) if line is not None]


def purchase(event: Event, day: date, time: datetime, member: str, facts: Written) -> Purchase:
    """A purchase not booked yet. Rule 4: what was paid with points and gift cards is split over all lines."""
    lines = event.data["lines"]
    unearning = sum(one["amount_minor"] for one in event.data.get("tenders", []) if one["kind"] in NO_BASE)
    parts = rules.shares(unearning, [line["amount_minor"] for line in lines])
    bought = {int(line["line"]): Bought(line, part) for line, part in zip(lines, parts, strict=True)}
    return Purchase(event, day, time, member, facts, bought)
