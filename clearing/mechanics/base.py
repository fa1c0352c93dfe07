"""The one interface that every mechanic stands behind, and the conditions they share.

A mechanic says what it is worth for a basket, in whole units of its kind (points, minor units of money, stamps).
Everything around that is done once, for all of them: conditions and audience, groups, limits, the split over
who funds it, the journal, and taking back (the same question asked again for what remains of the purchase).
A mechanic that keeps something with the member (stamps, a tier, a set) says so in `remember`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from clearing.basket import Basket
from schemas.ids import MechanicId

Memory = dict[str, int | str]
"""What a mechanic keeps with one member; stored beside the balance and handed back unchanged."""


@dataclass(frozen=True, slots=True)
class Gift:
    """Something handed out besides the mechanic's own unit: `count` gifts called `gift`, each worth `value_minor` (0: no value)."""

    gift: str
    count: int
    value_minor: int


class Mechanic(Protocol):
    """One mechanic of a programme, compiled from its entry in the programme file."""

    id: MechanicId
    effect: str
    """Kind of its effect in answers and reports: points, discount, stamp, …"""

    def value(self, basket: Basket, bases: "Mapping[MechanicId, Mechanic]") -> int:
        """Worth of the basket before limits, in whole units of `effect`; 0 where its conditions do not hold.

        `bases` are the `points_on_spend` mechanics that apply to this purchase, losers of a group left out.
        """

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """Enters `change` units (negative when they are taken back) into what the member keeps; returns the gifts this brings.

        `day` is the event date of the purchase that brought them.
        """
