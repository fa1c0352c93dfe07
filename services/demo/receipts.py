"""A basket as one receipt for each partner that sold something of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.ids import CardId, EventId, MemberId, PartyId
from services.demo.partners import GROCER, SELLERS, SOFT_DRINKS, Article
from services.demo.source import SoldLine


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line of a receipt; money in cents."""

    number: int
    sku: str
    category: str
    quantity: str
    amount_minor: int
    discount_minor: int
    """The card discount that the seller names to the house; 0 where it names none."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one partner sold to one household at one time."""

    id: EventId
    seller: PartyId
    household: int
    basket: int
    store: int
    at: datetime
    lines: tuple[ReceiptLine, ...]

    @property
    def total_minor(self) -> int:
        """What was paid, in cents."""
        return sum(line.amount_minor for line in self.lines)


def card_of(household: int) -> CardId:
    """The household's first card."""
    return CardId(f"hc-{household}")


def member_of(household: int) -> MemberId:
    """The household as a member."""
    return MemberId(f"hh-{household}")


def receipts_of(lines: Sequence[SoldLine], article: Callable[[int], Article], zone: ZoneInfo) -> list[Receipt]:
    """The receipts of a day's lines, in the order in which the baskets were paid, a basket's in the order of `SELLERS`.

    A line without goods and without money says nothing and is left out. All money of the lines is on the receipts.
    """
    baskets: dict[int, dict[PartyId, list[tuple[SoldLine, Article]]]] = {}
    for line in lines:
        if line.quantity or line.paid_minor:
            sold = article(line.product)
            baskets.setdefault(line.basket, {}).setdefault(sold.seller, []).append((line, sold))
    return [_receipt(seller, by_seller[seller], zone) for by_seller in baskets.values() for seller in SELLERS if seller in by_seller]


def _receipt(seller: PartyId, sold: Sequence[tuple[SoldLine, Article]], zone: ZoneInfo) -> Receipt:
    first = sold[0][0]
    lines = tuple(
        ReceiptLine(number, str(line.product), article.category, _quantity(line.quantity, article), line.paid_minor, _named(seller, line, article))
        for number, (line, article) in enumerate(sold, 1)
    )
    return Receipt(EventId(f"{first.basket}-{seller}"), seller, first.household, first.basket, first.store, first.at.replace(tzinfo=zone), lines)


def _quantity(sold: int, article: Article) -> str:
    """Units, or gallons: the pumps write thousandths of them (a few lines say 1 and mean one sale)."""
    if article.by_volume and sold >= 10:
        return f"{sold // 1000}.{sold % 1000:03}"
    return str(sold or 1)


def _named(seller: PartyId, line: SoldLine, article: Article) -> int:
    """The grocer's card price on soft drinks is the house's business; its other reductions are its own."""
    return line.card_discount_minor if seller == GROCER and article.category == SOFT_DRINKS else 0
