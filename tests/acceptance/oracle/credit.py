"""Net debit caps: what a sponsor may still give, points that wait to be funded, and the night that funds them in order of receipt."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.acceptance.oracle import pricing, rules
from tests.acceptance.oracle.programme import Contract, Programme

if TYPE_CHECKING:
    from tests.acceptance.oracle.points import Account, Lot
    from tests.acceptance.oracle.pricing import Months, Priced
    from tests.acceptance.oracle.state import State


@dataclass
class Waiting:
    """Points of one gift that wait; `release`: the day on which they would be released, None where they would be available."""

    place: int
    account: Account
    lot: Lot
    release: date | None
    points: int


@dataclass
class Credit:
    """Debts over all windows, in minor units by party and currency; the room of the open window; what waits."""

    months: Months = field(default_factory=pricing.Months)
    owes: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    room: dict[str, Fraction] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    in_order: bool = False
    at_night: dict[tuple[str, str], Fraction] = field(default_factory=dict)

    def open(self, programme: Programme, day: date) -> None:
        """A window: its room is what the night before it has left, in whole minor units."""
        left = ((party, most(programme, party, day)) for party in programme.parties)
        self.room = {party: Fraction(int(max(Fraction(0), limit[1] - self.at_night.get((party, limit[0]), Fraction(0))))) for party, limit in left if limit}

    def book(self, lines: list[Priced]) -> None:
        """A window is netted; in a scenario nothing is settled."""
        for one in lines:
            for party, amount in ((one.line.debtor, one.amount), (one.line.creditor, -one.amount)):
                key = (party, one.line.currency)
                self.owes[key] = self.owes.get(key, Fraction(0)) + amount


def most(programme: Programme, party: str, day: date) -> tuple[str, Fraction] | None:
    """Currency and sum of what a party may owe on a window's day: cap and prefunding."""
    contract = programme.contract(party, day)
    limit = contract.written.get("limit") if contract else None
    if not limit or party == programme.operator:
        return None
    currency = str(limit["currency"])
    return currency, Fraction(rules.minor(limit.get("net_debit_cap") or "0", currency) + rules.minor(limit.get("prefunded") or "0", currency))


def cost(programme: Programme, contract: Contract) -> Fraction:
    """What a point adds to its sponsor's debt at issue: the price due, its fee, and the tax on both, in minor units."""
    price = contract.issue_price * programme.due(contract) * 10 ** rules.places(contract.issue_currency)
    fee = sum((price * Fraction(one["percent"]) / 100 for one in contract.fees("percent_of_issue")), Fraction(0))
    vat = contract.written.get("vat") or {"percent": "0", "applies_to": []}
    taxed = sum((part for name, part in (("issue", price), ("fees", fee)) if name in vat["applies_to"]), Fraction(0))
    return Fraction(price + fee + taxed * Fraction(vat["percent"]) / 100)


def at_once(state: State, contract: Contract, points: int) -> int:
    """How many of new points there is room for now."""
    limit = most(state.programme, contract.party, state.day)
    if limit is None:
        return points
    if not state.credit.in_order:
        return 0
    if limit[0] != contract.issue_currency:
        return points
    return _use(state.credit.room, contract.party, points, cost(state.programme, contract))


def _use(room: dict[str, Fraction], party: str, points: int, each: Fraction) -> int:
    if room[party] < 0:
        return 0
    given = points if each == 0 else min(points, int(room[party] / each))
    room[party] -= given * each
    return given


def fund(state: State) -> None:
    """The night: in order of receipt, until a sponsor's next point has no room."""
    programme, credit = state.programme, state.credit
    owes = dict(credit.owes)
    now = Credit(owes=owes)
    now.book(pricing.price(programme, state.books.window, deepcopy(credit.months)))
    limits = {party: most(programme, party, state.day) for party in programme.parties}
    room = {party: limit[1] - owes.get((party, limit[0]), Fraction(0)) for party, limit in limits.items() if limit}
    before = dict(room)
    stopped: set[str] = set()
    left = []
    for one in sorted(credit.waiting, key=lambda one: one.place):
        there = min(one.points, one.lot.unfunded.get(one.release, 0))
        contract = one.lot.contract
        limit = limits[contract.party]
        if contract.party in stopped or not there:
            points = 0
        elif limit is None or limit[0] != contract.issue_currency:
            points = there
        else:
            points = _use(room, contract.party, there, cost(programme, contract))
        if points < there:
            stopped.add(contract.party)
            left.append(Waiting(one.place, one.account, one.lot, one.release, there - points))
        if points:
            one.lot.unfunded[one.release] -= points
            state.books.issued(contract, points, None)
            if one.release is None:
                one.account.arrive(one.lot, points, state.books, None)
            else:
                one.lot.pending[one.release] = one.lot.pending.get(one.release, 0) + points
    credit.waiting = left
    for party, rest in room.items():
        limit = limits[party]
        assert limit is not None
        owes[party, limit[0]] = owes.get((party, limit[0]), Fraction(0)) + before[party] - rest
    credit.at_night = owes
