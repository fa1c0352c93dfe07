"""Net debit caps and prefunding (product.md E8): how far a party may be in debt, and what becomes of points that it sponsors beyond it.

A limit looks at all windows that are not settled. Points that its sponsor has no room for are `unfunded`: the member sees them, nobody can spend them,
and nobody owes for them until the night funds them, in order of receipt. Spending what others have issued is not stopped.

While a window is open, points are given at once out of the room that the night before it has opened: each partition has a part of its own, so that a
replay gives the same points at once whatever processor does it (ADR 21). All that does not come in order in a partition waits for the night.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from clearing.lines import Obligation, minor
from clearing.member import LotKey
from clearing.netting import positions
from clearing.terms import Terms, issue_price
from schemas.contracts import Contract, PercentOfIssueFee
from schemas.ids import PartyId, RecordId

ROOM_OF_NIGHT: Final = -1
"""The partition under which the night gives."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a party may be in debt: its cap and what it has paid in beforehand, in minor units of one currency."""

    party: PartyId
    currency: str
    cap_minor: int
    funds_minor: int

    @property
    def most_minor(self) -> int:
        """The largest debt."""
        return self.cap_minor + self.funds_minor


Funds = Mapping[tuple[PartyId, str], int]
"""What parties have paid in beforehand, less what was used, in minor units by party and currency; what a contract names as prefunded comes on top."""


def limits_on(terms: Terms, day: date, funds: Funds) -> dict[PartyId, Limit]:
    """The limits in force on a window's day. A limit without a cap is prefunding alone. The operator has none: it is owed."""
    found = {}
    for contract in terms.all_in_force(day):
        limit = contract.limit
        if limit is not None and contract.party != terms.operator:
            paid_in = funds.get((contract.party, limit.currency), 0)
            cap = int(minor(limit.net_debit_cap or Decimal(0), limit.currency))
            found[contract.party] = Limit(contract.party, limit.currency, cap, int(minor(limit.prefunded, limit.currency)) + paid_in)
    return found


def funds_in(party: PartyId, currency: str, limits: Mapping[PartyId, Limit], funds: Funds) -> int:
    """What a party's funds of a currency come to, in minor units, whether it has a limit in that currency or none."""
    limit = limits.get(party)
    return limit.funds_minor if limit is not None and limit.currency == currency else funds.get((party, currency), 0)


def point_cost(contract: Contract, terms: Terms) -> tuple[str, Fraction]:
    """What a point of a contract version costs its sponsor when it is given, exactly, in minor units of a currency: price, fee and tax (rules 16, 21, 22)."""
    price = issue_price(contract)
    issue = minor(price.price * terms.due_at_issue(contract), price.currency)
    fee = sum((issue * Fraction(one.percent) / 100 for one in contract.fees if isinstance(one, PercentOfIssueFee)), Fraction(0))
    vat = contract.vat
    taxed = Fraction(0) if vat is None else (issue if "issue" in vat.applies_to else 0) + (fee if "fees" in vat.applies_to else 0)
    return price.currency, issue + fee + (Fraction(0) if vat is None else taxed * Fraction(vat.percent) / 100)


def owed(paid_net: Mapping[tuple[PartyId, str], int], lines: Iterable[Obligation]) -> dict[tuple[PartyId, str], int]:
    """What every party owes over all windows not settled, in minor units (below zero: it is owed).

    `paid_net`: of netted windows, what is still to be paid to a party less what it has to pay, with what is carried. `lines`: of windows not netted yet.
    """
    sums = {key: -amount for key, amount in paid_net.items()}
    for currency, of_currency in positions(lines).items():
        for party, amount in of_currency.items():
            sums[party, currency] = sums.get((party, currency), 0) - amount
    return sums


@dataclass(slots=True)
class Headroom:
    """What sponsors with a limit may still give, by sponsor and partition, in minor units. Whoever has no limit is not in `limits`."""

    terms: Terms
    limits: Mapping[PartyId, Limit]
    left: dict[tuple[PartyId, int], Fraction] = field(default_factory=dict)
    used: dict[tuple[PartyId, int], Fraction] = field(default_factory=dict)
    at_once: bool = True
    """Whether the event that is booked comes in its order; what was held or waited is decided in the night."""
    _costs: dict[tuple[PartyId, date], tuple[str, Fraction]] = field(default_factory=dict)

    def take(self, lot: LotKey, points: int, entry: RecordId) -> int:
        """Reserves room for points that an event gives; returns for how many there was room."""
        if lot.sponsor not in self.limits:
            return points
        return self.reserve(lot.sponsor, lot.contract, points, entry >> 40) if self.at_once and entry > 0 else 0

    def reserve(self, sponsor: PartyId, contract: date, points: int, part: int) -> int:
        """The same out of one part of the room. Points in another currency than the limit's are not limited by it, nor are those that cost nothing at issue
        as long as there is any room.
        """
        limit = self.limits.get(sponsor)
        currency, cost = self.cost(sponsor, contract)
        if limit is None or currency != limit.currency:
            return points
        left = self.left.get((sponsor, part))
        if left is None or left < 0:
            return 0
        funded = points if not cost else min(points, int(left // cost))
        if funded:
            self.left[sponsor, part] = left - funded * cost
            self.used[sponsor, part] = self.used.get((sponsor, part), Fraction(0)) + funded * cost
        return funded

    def cost(self, sponsor: PartyId, contract: date) -> tuple[str, Fraction]:
        """Currency and cost of a point, by `point_cost`."""
        found = self._costs.get((sponsor, contract))
        if found is None:
            found = self._costs[sponsor, contract] = point_cost(self.terms.version(sponsor, contract), self.terms)
        return found


@dataclass(frozen=True, slots=True)
class Opened:
    """What a night has opened for the next window, and how it came to it: debt of a party with a limit against what it may owe, in minor units."""

    limit: Limit
    owed_minor: int
    """After all that the night has funded, rounded up."""
    room_minor: int
    """Of each partition."""
    parts: int


def opened(limits: Mapping[PartyId, Limit], owes: Mapping[tuple[PartyId, str], Fraction], parts: int) -> dict[PartyId, Opened]:
    """The room of each partition in the next window: what is left of each limit, shared out equally and rounded down."""
    found = {}
    for party, limit in sorted(limits.items()):
        exact = owes.get((party, limit.currency), Fraction(0))
        room = max(Fraction(0), limit.most_minor - exact) / parts if parts else Fraction(0)
        found[party] = Opened(limit, -int(-exact // 1), int(room // 1), parts)
    return found


@dataclass(frozen=True, slots=True)
class Given:
    """What a party with a limit gave in a window, and the room that it had, in minor units of `currency`: while it was open, and in its night."""

    party: PartyId
    currency: str
    most_minor: int
    owed_minor: int
    """Before the night funded anything, all windows not settled."""
    at_once: Fraction
    room: int
    at_night: Fraction
    room_at_night: int
    unfunded: int
    """Points that wait after it."""

    @property
    def within(self) -> bool:
        """Whether every point that was given had room."""
        return self.at_once <= self.room and self.at_night <= max(0, self.room_at_night)
