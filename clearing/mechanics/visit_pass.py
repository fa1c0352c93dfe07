"""`pass`: visits paid in advance at a seller, used at any partner of the pass, settled visit by visit; what is unused expires to the seller."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from clearing.basket import Basket
from clearing.expiry import add_months
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from schemas import mechanics as spec
from schemas.ids import EventId, MechanicId, PartyId
from schemas.money import to_minor


class PassKey(NamedTuple):
    """One pass of a member: it can be used up to the day before `end`, and passes are used in this order."""

    end: date
    sold: date
    """Event date of the sale, whose version of the mechanic holds for all visits."""
    seller: PartyId
    event: EventId
    """The seller's id of the sale."""

    @property
    def text(self) -> str:
        """As the member's memory and the books name it."""
        return f"{self.end}/{self.sold}/{self.seller}/{self.event}"

    @staticmethod
    def read(text: str) -> "PassKey":
        """The pass that a text names."""
        end, sold, seller, event = text.split("/", 3)
        return PassKey(date.fromisoformat(end), date.fromisoformat(sold), PartyId(seller), EventId(event))


class VisitPass:
    """The value of a visit is what the partner visited is promised for it. A visit is seen as one line without an article, sold by that partner."""

    effect = "pass_visit"

    def __init__(self, entry: spec.Pass, currency: str) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.visits = entry.visits
        self.months = entry.months
        self.per_visit_minor = {partner.party: to_minor(partner.per_visit, currency) for partner in entry.visited}

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Minor units to be settled for a visit."""
        return self.per_visit_minor.get(basket.seller, 0) if self.condition.lines(basket) else 0

    def holds(self, basket: Basket) -> bool:
        """Whether a visit at this partner and time is one that the pass is for, whatever it is worth."""
        return basket.seller in self.per_visit_minor and bool(self.condition.lines(basket))

    def key(self, sold: date, seller: PartyId, event: EventId) -> PassKey:
        """The pass that a sale makes; it lives like a stamp card, until the same day so many months later, and not on it."""
        return PassKey(add_months(sold, self.months), sold, seller, event)

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Visits are kept by pass: `enter`."""
        return ()


def passes(memory: Memory) -> list[PassKey]:
    """The passes on which visits are left, soonest end first, then the earlier sold, then by seller and id; those that have ended among them."""
    return sorted(map(PassKey.read, memory))


def visits_left(memory: Memory, day: date) -> int:
    """Visits that can be used on a day or later."""
    return sum(int(memory[key.text]) for key in passes(memory) if day < key.end)


def enter(memory: Memory, key: PassKey, change: int) -> None:
    """Enters visits that come onto a pass, or, below zero, leave it; of an empty one nothing is kept."""
    left = int(memory.get(key.text, 0)) + change
    if left:
        memory[key.text] = left
    else:
        memory.pop(key.text, None)
