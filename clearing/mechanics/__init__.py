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
from clearing.mechanics.privilege import Privilege
from clearing.mechanics.round_up import RoundUp
from clearing.mechanics.stamp_card import StampCard
from clearing.mechanics.visit_pass import VisitPass
from schemas import mechanics as spec

__all__ = ["REGISTRY", "Mechanic", "UnsupportedMechanic", "build", "by_name", "not_decided", "on_cards", "sums_of_stamps"]


def _multiplier(entry: spec.Multiplier, before: Sequence[spec.Mechanic]) -> Mechanic:
    named = entry.of or tuple(other.id for other in before if other.kind == "points_on_spend")
    return Multiplier(entry, tuple(dict.fromkeys(named)))  # versions of one mechanic share its id, and one of them is in force


REGISTRY = frozenset(
    {"points_on_spend", "multiplier", "fixed_bonus", "card_discount", "stamp_card", "card_points", "cash_back", "round_up", "pass", "privilege"}
)
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
        case spec.Pass():
            return VisitPass(entry, currency)
        case spec.Privilege():
            return Privilege(entry, currency)
        case _:
            raise UnsupportedMechanic(entry.id, f"the kind {entry.kind}")


def by_name(entry: spec.Mechanic) -> bool:
    """Whether it is about events of its own, which name it: services rendered, passes sold, visits. A purchase or card transaction brings nothing of it."""
    return isinstance(entry, spec.Pass | spec.Privilege)


def on_cards(entry: spec.Mechanic) -> bool:
    """Whether it is about card transactions: by its kind, or because it names banks, or merchant categories and no partners."""
    if by_name(entry):
        return False
    return bool(entry.banks) or (bool(entry.when.mcc) and not entry.partners) or isinstance(entry, spec.CardPoints | spec.CashBack | spec.RoundUp)


class NotDecided(NamedTuple):
    """A field of a mechanic that asks for what is not booked yet, what that is, and the way out."""

    field: str
    what: str
    way_out: str


NO_CARDS = "leave banks and mcc out, or take card_points or cash_back"
LIMIT_MEMBERS = "give each member a limit: `of: member`"


def not_decided(entry: spec.Mechanic) -> NotDecided | None:
    """What is not booked on card transactions, stamps and discounts of banks and a match that shares its limit with the whole programme; and what has no
    meaning for events that name their mechanic.
    """
    if by_name(entry):
        return _not_by_name(entry)
    if not on_cards(entry):
        return None
    if entry.kind in ("stamp_card", "card_discount"):
        return NotDecided("banks" if entry.banks else "when", f"a {entry.kind} on card transactions", NO_CARDS)
    if isinstance(entry, spec.RoundUp) and entry.match is not None and any(limit.of == "programme" for limit in entry.match.limit):
        return NotDecided("match", "a match with a limit of the whole programme", LIMIT_MEMBERS)
    return None


def _shared_limit(entry: spec.Mechanic) -> str | None:
    """The field in which an entry shares a limit or a budget with the whole programme."""
    if any(limit.of == "programme" for limit in entry.limit):
        return "limit"
    return "budget" if entry.budget is not None and entry.budget.at_end == "stop" else None


def _not_by_name(entry: spec.Mechanic) -> NotDecided | None:
    """Such an event names one mechanic, so it has no rivals in a group; it holds no articles, no sum, and no merchant category."""
    if entry.banks:
        return NotDecided("banks", f"a {entry.kind} on card transactions", "leave banks out: its events say who sends them")
    if entry.group is not None:
        return NotDecided("group", f"a {entry.kind} in a group", "leave the group out: whoever sends the event names the mechanic")
    when = entry.when
    if when.categories or when.skus or when.except_.categories or when.except_.skus or when.minimum is not None or when.mcc:
        return NotDecided("when", f"a {entry.kind} with conditions on articles or sums", "take stores, channels, weekdays, hours or days")
    shared = _shared_limit(entry) if isinstance(entry, spec.Pass) else None
    if shared is not None:
        return NotDecided(shared, "a pass with a limit of the whole programme", f"{LIMIT_MEMBERS}; what a member has paid for cannot run out by others")
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
