"""Mechanics: how a customer is rewarded. Each kind is a file of its own; `REGISTRY` names those that this version books."""

from collections.abc import Sequence

from clearing.mechanics.base import Mechanic
from clearing.mechanics.card_discount import CardDiscount
from clearing.mechanics.fixed_bonus import FixedBonus
from clearing.mechanics.multiplier import Multiplier
from clearing.mechanics.points_on_spend import PointsOnSpend
from clearing.mechanics.stamp_card import StampCard
from schemas import mechanics as spec

__all__ = ["REGISTRY", "Mechanic", "UnsupportedMechanic", "build", "not_decided"]


def _multiplier(entry: spec.Multiplier, before: Sequence[spec.Mechanic]) -> Mechanic:
    named = entry.of or tuple(other.id for other in before if other.kind == "points_on_spend")
    return Multiplier(entry, tuple(dict.fromkeys(named)))  # versions of one mechanic share its id, and one of them is in force


REGISTRY = frozenset({"points_on_spend", "multiplier", "fixed_bonus", "card_discount", "stamp_card"})
"""Kinds that are booked. A programme file that names another one can be read, but not applied."""


def build(entry: spec.Mechanic, before: Sequence[spec.Mechanic], currency: str) -> Mechanic:
    """Compiles one entry of a programme file; `before` are the entries above it, `currency` the programme's first.

    Raises `UnsupportedMechanic` for a kind that is not in `REGISTRY`.
    """
    if not_decided(entry) is not None:
        raise UnsupportedMechanic(entry.id, "a stamp card with a limit of the whole programme")
    match entry:
        case spec.PointsOnSpend():
            return PointsOnSpend(entry)
        case spec.Multiplier():
            return _multiplier(entry, before)
        case spec.FixedBonus():
            return FixedBonus(entry)
        case spec.CardDiscount():
            return CardDiscount(entry)
        case spec.StampCard():
            return StampCard(entry, currency)
        case _:
            raise UnsupportedMechanic(entry.id, f"the kind {entry.kind}")


def not_decided(entry: spec.Mechanic) -> str | None:
    """The field that asks for what the night run does not decide: stamps under a limit of the whole programme; None: nothing does."""
    if entry.kind != "stamp_card":
        return None
    if any(limit.of == "programme" for limit in entry.limit):
        return "limit"
    return "budget" if entry.budget is not None and entry.budget.at_end == "stop" else None


class UnsupportedMechanic(ValueError):
    """The programme uses what this version does not book: it is refused rather than passed over."""

    def __init__(self, mechanic: str, what: str) -> None:
        super().__init__(f"mechanic {mechanic}: {what} is not booked yet")
        self.mechanic = mechanic
        self.what = what
