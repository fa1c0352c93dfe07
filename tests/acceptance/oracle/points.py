"""A member's points: lots, pending points, what is held, and debts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.books import Books
from tests.acceptance.oracle.programme import Contract, Written, expiry


@dataclass
class Lot:
    """Points of one sponsor's contract version, expiry and event date (rule 7). `idle_months`: it moves with the member's activity."""

    contract: Contract
    day: date
    expires: date | None
    idle_months: int | None
    available: int = 0
    expired: int = 0
    pending: dict[date, int] = field(default_factory=dict)
    unfunded: dict[date | None, int] = field(default_factory=dict)
    """What waits for its sponsor's limit, by the day of its release; None: it would be available."""

    def order(self) -> tuple[date, date, str, date]:
        """Rule 10: soonest expiry, then earlier event date, then sponsor id."""
        return self.expires or date.max, self.day, self.contract.party, self.contract.start


@dataclass
class Debt:
    """Points that a member owes, and who gets them."""

    points: int
    bearer: str


@dataclass
class Part:
    """Points of one lot, as far as they have not been put back."""

    lot: Lot
    points: int


@dataclass
class Taking:
    """Points taken out of lots by a redemption, or earmarked by a hold, in the order of taking."""

    member: str
    redeemer: Contract
    parts: list[Part] = field(default_factory=list)
    expires: datetime | None = None

    @property
    def points(self) -> int:
        """What has not been put back."""
        return sum(part.points for part in self.parts)


@dataclass
class Account:
    """All points of a member."""

    lots: list[Lot] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    active: date = date.min
    dropped: int = 0
    """Unfunded points that the last taking back took."""

    @property
    def owed(self) -> int:
        """What the member owes in all."""
        return sum(debt.points for debt in self.debts)

    def balance(self) -> Written:
        """What can be spent less what is owed, and what is pending."""
        unfunded = sum(sum(lot.unfunded.values()) for lot in self.lots)
        return {
            "available": sum(lot.available for lot in self.lots) - self.owed,
            "pending": sum(sum(lot.pending.values()) for lot in self.lots),
        } | ({"unfunded": unfunded} if unfunded else {})

    def touch(self, day: date) -> None:
        """Rule 8, `inactivity`: an earning or a spending moves the lots, never backwards."""
        self.active = max(self.active, day)
        for lot in self.lots:
            if lot.idle_months is not None:
                lot.expires = rules.month_end(self.active, lot.idle_months)

    def lot(self, contract: Contract, day: date, rule: Written) -> Lot:
        """The lot that points of this event date go into."""
        idle = int(rule["months"]) if rule["kind"] == "inactivity" else None
        expires = expiry(rule, self.active if idle is not None else day)
        for lot in self.lots:
            if (lot.contract, lot.day, lot.expires, lot.idle_months) == (contract, day, expires, idle):
                return lot
        self.lots.append(Lot(contract, day, expires, idle))
        return self.lots[-1]

    def arrive(self, lot: Lot, points: int, books: Books, event: str | None) -> None:
        """Rule 7: points that become available repay first; the rest is in the lot."""
        while points and self.debts:
            debt = self.debts[0]
            repaid = min(points, debt.points)
            points, debt.points = points - repaid, debt.points - repaid
            books.spent(lot.contract, repaid, event, None, debt.bearer)
            if not debt.points:
                self.debts.pop(0)
        lot.available += points

    def spendable(self, day: date) -> list[Lot]:
        """Rule 10: the lots that can be spent on a day, in order."""
        return sorted((lot for lot in self.lots if lot.available and (lot.expires is None or lot.expires >= day)), key=Lot.order)

    def take(self, points: int, day: date) -> list[Part] | None:
        """Takes points out of the lots; None, and nothing is taken, when there are too few."""
        lots = self.spendable(day)
        if sum(lot.available for lot in lots) - self.owed < points:
            return None
        parts = []
        for lot in lots:
            part = min(points, lot.available)
            if part:
                lot.available -= part
                points -= part
                parts.append(Part(lot, part))
        return parts

    def repay(self, day: date, books: Books, event: str) -> None:
        """Rule 15: what is owed is repaid from the lots, in the order of rule 10."""
        for lot in self.spendable(day):
            points, lot.available = lot.available, 0
            self.arrive(lot, points, books, event)

    def take_back(self, lot: Lot, points: int) -> tuple[int, int]:
        """Rule 14: pending before available; of what is missing expired points count first. Gives what was unspent and what was spent.

        What waits to be funded goes first of all, and nobody pays for it: it is in neither.
        """
        before = points
        for key in sorted(lot.unfunded, key=lambda one: one or date.min):
            part = min(points, lot.unfunded[key])
            lot.unfunded[key] -= part
            points -= part
        self.dropped = before - points
        unspent = 0
        for release in sorted(lot.pending):
            part = min(points - unspent, lot.pending[release])
            lot.pending[release] -= part
            unspent += part
        part = min(points - unspent, lot.available)
        lot.available -= part
        unspent += part
        expired = min(points - unspent, lot.expired)
        lot.expired -= expired
        return unspent, points - unspent - expired
