"""The night's funding (product.md E8): points that wait for room under their sponsor's limit are given in order of receipt, as far as there is room."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Generic, TypeVar

from clearing.headroom import ROOM_OF_NIGHT, Funds, Headroom, Opened, limits_on, opened
from clearing.member import LotKey, Member
from clearing.points import Purse
from clearing.postings import Postings
from clearing.terms import Terms
from schemas.ids import MechanicId, MemberNo, PartyId

Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Place]):
    """Points of one event, mechanic and sponsor that wait to be funded; `place` is where the books keep them."""

    place: Place
    member: MemberNo
    lot: LotKey
    mechanic: MechanicId | None
    points: int


class NightFunding:
    """Funds what waits, in the order of the calls; a sponsor whose next point has no room gets no further."""

    def __init__(self, terms: Terms, day: date, funds: Funds, owes: Mapping[tuple[PartyId, str], int]) -> None:
        """`owes`: what every party owes over all windows not settled, this one as far as it is booked, in minor units (below zero: it is owed)."""
        self.terms = terms
        self.funds = funds
        self.limits = limits_on(terms, day, funds)
        self.owes = {(party, limit.currency): owes.get((party, limit.currency), 0) for party, limit in self.limits.items()}
        self._all = owes
        room = {(party, ROOM_OF_NIGHT): Fraction(limit.most_minor - self.owes[party, limit.currency]) for party, limit in self.limits.items()}
        self.headroom = Headroom(terms, self.limits, room)
        self.exhausted = {party for (party, _), left in room.items() if left < 0}

    def fund(self, waiting: Waiting[Place], member: Member, postings: Postings) -> int:
        """Funds as much as there is room for, and the lot still holds; returns the points that go on waiting."""
        sponsor = waiting.lot.sponsor
        lot = (member.lots or {}).get(waiting.lot)
        there = min(waiting.points, lot.points) if lot is not None else 0  # the rest was taken back, or has expired
        if sponsor in self.exhausted or there == 0:
            return there
        points = self.headroom.reserve(sponsor, waiting.lot.contract, there, ROOM_OF_NIGHT)
        if points:
            Purse(postings, member).fund(waiting.lot, points, waiting.mechanic)
        if points < there:
            self.exhausted.add(sponsor)
        return there - points

    def open_next(self, day: date, parts: int, leaving: Funds = MappingProxyType({})) -> dict[PartyId, Opened]:
        """The room of each partition in the next window, after what was funded, by the limits in force then.

        `leaving`: what of the funds is to be paid out, in minor units; no room is opened out of it.
        """
        after: dict[tuple[PartyId, str], Fraction] = {key: Fraction(amount) for key, amount in self._all.items()}
        for (party, _), used in self.headroom.used.items():
            key = (party, self.limits[party].currency)
            after[key] = after.get(key, Fraction(0)) + used
        stay = {key: max(0, amount - leaving.get(key, 0)) for key, amount in self.funds.items()}
        return opened(limits_on(self.terms, day, stay), after, parts)
