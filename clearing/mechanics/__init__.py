"""Mechanics: how a customer is rewarded. Each kind is a file of its own; `REGISTRY` names those that this version books."""

from collections.abc import Sequence
from typing import NamedTuple

from clearing.mechanics.base import Mechanic
from clearing.mechanics.card_discount import CardDiscount
from clearing.mechanics.card_points import CardPoints
from clearing.mechanics.cash_back import CashBack
from clearing.mechanics.fixed_bonus import FixedBonus
from clearing.mechanics.multiplier import Multiplier
from clearing.mechanics.points_on_spend import PointsOnSpend
from clearing.mechanics.round_up import RoundUp
from clearing.mechanics.stamp_card import StampCard
from schemas import mechanics as spec

__all__ = ["REGISTRY", "Mechanic", "UnsupportedMechanic", "build", "not_decided", "on_cards", "sums_of_stamps"]


def _multiplier(entry: spec.Multiplier, before: Sequence[spec.Mechanic]) -> Mechanic:
    named = entry.of or tuple(other.id for other in before if other.kind == "points_on_spend")
    return Multiplier(entry, tuple(dict.fromkeys(named)))  # versions of one mechanic share its id, and one of them is in force


REGISTRY = frozenset({"points_on_spend", "multiplier", "fixed_bonus", "card_discount", "stamp_card", "card_points", "cash_back", "round_up"})
"""Kinds that are booked. A programme file that names another one can be read, but not applied."""


def build(entry: spec.Mechanic, before: Sequence[spec.Mechanic], currency: str) -> Mechanic:
    """Compiles one entry of a programme file; `before` are the entries above it, `currency` the programme's first.

    Raises `UnsupportedMechanic` for a kind that is not in `REGISTRY`, for what `not_decided` names, and for a stamp card whose limits
    are sums of money.
    """
    lacking = not_decided(entry)
    if lacking is not None:
        raise UnsupportedMechanic(entry.id, lacking.what)
    if sums_of_stamps(entry):
        raise UnsupportedMechanic(entry.id, "a stamp card with a limit or budget in money")
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
        case spec.CardPoints():
            return CardPoints(entry)
        case spec.CashBack():
            return CashBack(entry, currency)
        case spec.RoundUp():
            return RoundUp(entry, currency)
        case _:
            raise UnsupportedMechanic(entry.id, f"the kind {entry.kind}")


def on_cards(entry: spec.Mechanic) -> bool:
    """Whether it is about card transactions: by its kind, or because it names banks, or merchant categories and no partners. All others: purchases."""
    return bool(entry.banks) or (bool(entry.when.mcc) and not entry.partners) or isinstance(entry, spec.CardPoints | spec.CashBack | spec.RoundUp)


class NotDecided(NamedTuple):
    """A field of a mechanic that asks for what is not booked yet, and what that is."""

    field: str
    what: str


def not_decided(entry: spec.Mechanic) -> NotDecided | None:
    """What the night run does not decide, limits of the whole programme on card transactions; and stamps and discounts of banks."""
    if not on_cards(entry):
        return None
    if entry.kind in ("stamp_card", "card_discount"):
        return NotDecided("banks" if entry.banks else "when", f"a {entry.kind} on card transactions")
    what = "a mechanic on card transactions with a limit of the whole programme"
    if any(limit.of == "programme" for limit in entry.limit):
        return NotDecided("limit", what)
    if entry.budget is not None and entry.budget.at_end == "stop":
        return NotDecided("budget", what)
    if isinstance(entry, spec.RoundUp) and entry.match is not None and any(limit.of == "programme" for limit in entry.match.limit):
        return NotDecided("match", what)
    return None


def sums_of_stamps(entry: spec.Mechanic) -> tuple[tuple[str | int, ...], ...]:
    """Where an entry cuts stamps off by a sum of money, which cannot be compared with them: paths of fields in it.

    `points` of a limit or budget counts stamps, whole ones, as `times` counts purchases. A budget that only warns cuts nothing off.
    """
    if entry.kind != "stamp_card":
        return ()
    found: list[tuple[str | int, ...]] = [("limit", place, "amount") for place, limit in enumerate(entry.limit) if limit.amount is not None]
    if entry.budget is not None and entry.budget.at_end == "stop" and entry.budget.amount is not None:
        found.append(("budget", "amount"))
    return tuple(found)


class UnsupportedMechanic(ValueError):
    """The programme uses what this version does not book: it is refused rather than passed over."""

    def __init__(self, mechanic: str, what: str) -> None:
        super().__init__(f"mechanic {mechanic}: {what} is not booked yet")
        self.mechanic = mechanic
        self.what = what
