"""What members do besides buying, by fixed rules: they enrol, spend points, bring goods back, get second cards.

Nothing here is drawn at random: what happens follows from the receipts and from checksums of their ids, so every run tells the same story.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

from schemas.ids import CardId
from services.demo import messages
from services.demo.mistakes import Sent, mistakes_of
from services.demo.partners import FUEL
from services.demo.receipts import Receipt, card_of, member_of, receipts_of
from services.demo.source import Purchases
from services.scenario.expand import Outgoing

ZONE = ZoneInfo("America/New_York")
NEWCOMER_OF = 20
"""One household in so many enrols only on the morning after its first purchase, which is held until then."""
RETURN_OF = 40
"""Of one receipt in so many something comes back, one to three days later."""
POINTS_STEP = 100
"""Points are spent in hundreds, as in programmes with certificates; a hundred points pay for a dollar."""
EARNS_NOTHING = ("gift-cards/", "tobacco/")


@dataclass(frozen=True, slots=True)
class DemoDay:
    """A day's events, in order: those about members come first, and have to be booked before the others."""

    day: date
    members: tuple[Outgoing, ...]
    events: tuple[Outgoing, ...]
    lines: int
    """Lines of the source behind them."""


@dataclass(slots=True)
class _Back:
    """A line that comes back: when, how much, and how many units (None: not said)."""

    at: datetime
    receipt: Receipt
    line: int
    amount_minor: int
    quantity: str | None


@dataclass(slots=True)
class Story:
    """The days of a stretch of purchases, told once from the first to the last."""

    purchases: Purchases
    saved: dict[int, int] = field(default_factory=dict)
    """Points that a household has at least: from `base` and `fuel-base`, less what it spent and brought back."""
    newcomers: set[int] = field(default_factory=set)
    mornings: dict[date, list[Outgoing]] = field(default_factory=dict)
    """Member events of days to come."""
    backs: dict[date, list[_Back]] = field(default_factory=dict)

    def days(self) -> Iterator[DemoDay]:
        """Every day of the stretch."""
        start = messages.morning(self.purchases.first, ZONE, 0)
        households = self.purchases.households()
        self.newcomers = {household for household in households if is_newcomer(household)}
        self.mornings[self.purchases.first] = [messages.enrolment(member_of(h), card_of(h), start) for h in households if h not in self.newcomers]
        for day, lines in self.purchases.days():
            receipts = receipts_of(lines, self.purchases.article, ZONE)
            members = tuple(self.mornings.pop(day, ()))
            yield DemoDay(day, members, tuple(self._events(day, receipts)), len(lines))

    def _events(self, day: date, receipts: list[Receipt]) -> Iterator[Outgoing]:
        tomorrow = messages.morning(day + timedelta(days=1), ZONE, 9)
        unknown = {receipt.household for receipt in receipts} & self.newcomers
        known = [receipt for receipt in receipts if receipt.household not in unknown]
        with_second = min(known, key=lambda receipt: crc32(receipt.id.encode()), default=None)
        sent: list[Sent] = []
        todo: list[Receipt | _Back] = sorted([*self.backs.pop(day, ()), *receipts], key=lambda each: each.at)
        for each in todo:
            if isinstance(each, _Back):
                yield self._bring_back(each)
            elif each.household in unknown:
                yield messages.purchase(each, card_of(each.household))
            elif each is with_second:
                card = CardId(f"{card_of(each.household)}-{day:%m%d}")
                yield messages.purchase(each, card)
                self._tomorrow(messages.second_card(member_of(each.household), card, tomorrow), tomorrow)
            else:
                yield from self._sell(each, sent)
        for household in sorted(unknown):
            self.newcomers.remove(household)
            self._tomorrow(messages.enrolment(member_of(household), card_of(household), tomorrow), tomorrow)
        yield from mistakes_of(sent)

    def _tomorrow(self, event: Outgoing, at: datetime) -> None:
        self.mornings.setdefault(at.date(), []).append(event)

    def _sell(self, receipt: Receipt, sent: list[Sent]) -> Iterator[Outgoing]:
        """A purchase; whoever has saved enough pays a part of it with points."""
        household, card = receipt.household, card_of(receipt.household)
        points = self._points_to_spend(receipt)
        if points:
            event_id = f"{receipt.id}-points"
            yield messages.redemption(receipt.seller, event_id, receipt.at, card, receipt.store, receipt.basket, points)
        self.saved[household] = self.saved.get(household, 0) - points + _points_at_least(receipt, points)
        event = messages.purchase(receipt, card, points)
        sent.append(Sent(receipt, card, event))
        yield event
        if not points:
            self._plan_return(receipt)

    def _points_to_spend(self, receipt: Receipt) -> int:
        """Households save up to one, two or three hundred points; then they spend what they have, in hundreds, up to the receipt's dollars."""
        saved = self.saved.get(receipt.household, 0)
        if saved < POINTS_STEP * (1 + crc32(member_of(receipt.household).encode()) % 3):
            return 0
        return min(saved // POINTS_STEP, receipt.total_minor // 100) * POINTS_STEP

    def _plan_return(self, receipt: Receipt) -> None:
        chance = crc32(f"back-{receipt.id}".encode())
        paid = [line for line in receipt.lines if line.amount_minor]
        if chance % RETURN_OF or receipt.seller == FUEL or not paid:
            return
        chance //= RETURN_OF
        line = paid[chance % len(paid)]
        units = int(line.quantity)
        amount, quantity = line.amount_minor, line.quantity
        if units > 1 and chance % 2 and amount >= units:
            amount, quantity = amount // units, "1"
        day = receipt.at.date() + timedelta(days=1 + chance % 3)
        back = _Back(messages.morning(day, ZONE, 10), receipt, line.number, amount, quantity if chance % 5 else None)
        self.backs.setdefault(day, []).append(back)

    def _bring_back(self, back: _Back) -> Outgoing:
        receipt = back.receipt
        self.saved[receipt.household] -= _points_at_least(receipt, 0) - _points_at_least(receipt, 0, back)
        return messages.goods_back(receipt, back.at, card_of(receipt.household), back.line, back.amount_minor, back.quantity)


def is_newcomer(household: int) -> bool:
    """Whether the household enrols late."""
    return crc32(card_of(household).encode()) % NEWCOMER_OF == 0


def _points_at_least(receipt: Receipt, points_minor: int, back: _Back | None = None) -> int:
    """Points that `base` or `fuel-base` surely gives for a receipt (less a line that comes back); other mechanics only add to it."""
    earning = sum(line.amount_minor for line in receipt.lines if not line.category.startswith(EARNS_NOTHING))
    if back is not None and not receipt.lines[back.line - 1].category.startswith(EARNS_NOTHING):
        earning -= back.amount_minor
    return max(0, earning - points_minor) // (200 if receipt.seller == FUEL else 100)
