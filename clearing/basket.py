"""What was bought, as the mechanics see it: lines with their earning base (rule 4).

The same type stands for the purchase as it came and for what remains of it after returns, so that a
mechanic is valued by one piece of code in both cases (rule 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import msgspec

from clearing.rounding import half_even, largest_remainder
from schemas.events.purchase import Purchase, PurchaseLine
from schemas.events.quick import QuickLine, QuickPurchase
from schemas.ids import PartyId

EARNS_NOTHING = frozenset({"points", "gift_card"})
"""Kinds of tender that lower the earning base (rule 4)."""


class BasketLine(msgspec.Struct, gc=False):
    """One line: what was paid, what of it earns, how many units, and the discounts that the seller named.

    `amount_minor`, `base_minor` and the discounts are in minor units of the basket's currency.
    """

    line: int
    sku: str | None
    category: str | None
    bought: "PurchaseLine | QuickLine | Remaining"
    """What says how many units there are: few mechanics ask."""
    amount_minor: int
    base_minor: int
    discounts: Sequence[tuple[str, int]]

    @property
    def quantity(self) -> Decimal:
        """Units."""
        return self.bought.quantity


class Basket(msgspec.Struct, gc=False):
    """The lines of one purchase with the facts that conditions ask for: who sold, when and where."""

    seller: PartyId
    currency: str
    local: datetime
    store: str | None
    channel: str | None
    lines: Sequence[BasketLine]
    base_minor: int
    """Earning base of all lines together."""
    mcc: str | None = None
    """Merchant category code of a card transaction, which is seen as one line without an article; None for a purchase."""

    @property
    def day(self) -> date:
        """The event date: the day of the purchase in the programme's time zone (rule 1)."""
        return self.local.date()

    def only(self, lines: Sequence[BasketLine]) -> "Basket":
        """The same purchase as if it had had these lines only (the multiplier's question)."""
        return Basket(self.seller, self.currency, self.local, self.store, self.channel, lines, sum([line.base_minor for line in lines]), self.mcc)


@dataclass(slots=True)
class Remaining:
    """What is left of one line of a purchase after returns and price adjustments."""

    amount_minor: int
    quantity: Decimal

    @property
    def gone(self) -> bool:
        """Nothing is left of the line: neither goods nor money."""
        return self.amount_minor == 0 and self.quantity == 0


def not_earning(purchase: Purchase | QuickPurchase) -> list[int]:
    """Of each line, in minor units, the part that was paid with points or gift cards (rule 4)."""
    blocked = 0
    if purchase.tenders:
        for tender in purchase.tenders:
            if tender.kind in EARNS_NOTHING:
                blocked += tender.amount_minor
    amounts = [line.amount_minor for line in purchase.lines]
    if blocked == 0 or not any(amounts):
        return [0] * len(amounts)
    return largest_remainder(blocked, amounts)


def basket_of(purchase: Purchase | QuickPurchase, seller: PartyId, local: datetime) -> Basket:
    """The basket of a purchase as it came; `local` is its time in the programme's time zone."""
    bought: Sequence[PurchaseLine | QuickLine] = purchase.lines
    lines = [
        BasketLine(
            line.line,
            line.sku,
            line.category,
            line,
            line.amount_minor,
            line.amount_minor,
            [(d.mechanic, d.amount_minor) for d in line.discounts] if line.discounts else (),
        )
        for line in bought
    ]
    base = purchase.total_minor  # what the lines add up to: judged before
    if purchase.tenders:
        for line, part in zip(lines, not_earning(purchase), strict=True):
            line.base_minor -= part
            base -= part
    return Basket(seller, purchase.currency, local, purchase.store, purchase.channel, lines, base)


def remaining_basket(purchase: Purchase | QuickPurchase, seller: PartyId, local: datetime, left: dict[int, Remaining]) -> Basket:
    """What remains of a purchase: the parts paid with points and the named discounts shrink with their line, half-even (rules 4, 13)."""
    bought: Sequence[PurchaseLine | QuickLine] = purchase.lines
    lines = []
    for line, part in zip(bought, not_earning(purchase), strict=True):
        rest = left[line.line]
        if rest.gone:
            continue
        share = Fraction(rest.amount_minor, line.amount_minor) if line.amount_minor else Fraction(1)
        lines.append(
            BasketLine(
                line.line,
                line.sku,
                line.category,
                rest,
                rest.amount_minor,
                rest.amount_minor - half_even(part * share),
                [(d.mechanic, half_even(d.amount_minor * share)) for d in line.discounts or ()],
            )
        )
    return Basket(seller, purchase.currency, local, purchase.store, purchase.channel, lines, sum(line.base_minor for line in lines))
