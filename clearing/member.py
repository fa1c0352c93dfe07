"""A member as booking sees it: state, lots, debts and what mechanics remember. Read once and written once for each batch."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from clearing.expiry import effective_expiry
from clearing.limits import Used
from clearing.mechanics.base import Memory
from schemas.ids import MechanicId, MemberId, MemberNo, PartyId


class LotKey(NamedTuple):
    """What makes points one lot (rule 7). `release_on` is None for available points, else the day on which pending ones are released."""

    sponsor: PartyId
    contract: date
    expiry: date
    earned: date
    release_on: date | None


WAITING_YEARS: Final = 4000
"""Added to the release day of unfunded points, so that a lot of theirs is a lot of its own and no night releases it; a leap year stays one."""
UNFUNDED_FROM: Final = date(5000, 1, 1)
"""Release days from here on mark unfunded points; this one those that would be available."""


def unfunded(key: LotKey) -> LotKey:
    """The lot in which points of a lot wait to be funded."""
    release = key.release_on
    return key._replace(release_on=UNFUNDED_FROM if release is None else release.replace(year=release.year + WAITING_YEARS))


def funded(key: LotKey) -> LotKey:
    """The lot into which unfunded points go when they are funded."""
    release = key.release_on
    assert release is not None and release >= UNFUNDED_FROM, "the lot holds unfunded points"
    return key._replace(release_on=None if release == UNFUNDED_FROM else release.replace(year=release.year - WAITING_YEARS))


def is_unfunded(key: LotKey) -> bool:
    """Whether a lot holds unfunded points."""
    return key.release_on is not None and key.release_on >= UNFUNDED_FROM


@dataclass(slots=True)
class Lot:
    """Points of one lot that are there now, and how many of it have expired so far."""

    points: int
    expired: int = 0


@dataclass(slots=True)
class Debt:
    """Points that a member owes because they were taken back after they had been spent; oldest first (rule 15)."""

    bearer: PartyId
    points: int


class Member(msgspec.Struct, gc=False):
    """State of one member. Points: `available` lies in lots, `owed` is the sum of the debts, `held` is earmarked at tills; `pending` counts `unfunded` too."""

    no: MemberNo
    id: MemberId
    kind: str = "consumer"
    closed: bool = False
    attributes: dict[str, Any] = {}
    available: int = 0
    pending: int = 0
    held: int = 0
    last_activity: date | None = None
    debts: list[Debt] = []
    used: Used = {}
    memory: dict[MechanicId, Memory] = {}
    unfunded: int = 0
    """Of the pending points, those that wait to be funded."""
    lots: dict[LotKey, Lot] | None = None
    """The member's lots; None where this batch has no need of them."""
    changed: bool = False

    @property
    def owed(self) -> int:
        """Points owed over all debts."""
        return sum(debt.points for debt in self.debts) if self.debts else 0

    @property
    def spendable(self) -> int:
        """What answers and reports call available: points in lots less what is owed."""
        return self.available - self.owed if self.debts else self.available

    @property
    def balance(self) -> tuple[int, int]:
        """What answers tell: points that can be spent less what is owed, and pending ones without those that wait to be funded."""
        return self.spendable, self.pending - self.unfunded

    def active_on(self, day: date) -> None:
        """Earning or spending on an event date; a late event never moves it backwards (rule 8)."""
        if self.last_activity is None or day > self.last_activity:
            self.last_activity = day

    def in_spending_order(self, day: date | None) -> list[tuple[LotKey, Lot]]:
        """Available lots, soonest expiry first, then earlier event date, then sponsor (rule 10); with a day, only what can be spent on it."""
        assert self.lots is not None, "the batch has read this member's lots"
        found = [
            (effective_expiry(key.expiry, self.last_activity, key.earned), key.earned, key.sponsor, key.contract, key, lot)
            for key, lot in self.lots.items()
            if lot.points > 0 and key.release_on is None
        ]
        found.sort(key=lambda item: item[:4])
        return [(key, lot) for expiry, _, _, _, key, lot in found if day is None or day <= expiry]
