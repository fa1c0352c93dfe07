"""What limits cut off a card transaction's rewards, and why one brought nothing: told to the card's bank beside what was given."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from clearing.card_transactions import card_basket
from clearing.events import Received
from clearing.limits import period
from clearing.mechanics.card_points import CardPoints
from clearing.mechanics.cash_back import CashBack
from clearing.plan import Plan
from schemas.ids import MechanicId


class Cap(NamedTuple):
    """The limits of one mechanic as they met one transaction, and the units (points, minor units) that they cut off.

    `bucket` holds the names under which they are counted, each with its period: `everyday:0:2026-03`.
    """

    bucket: str
    cut_units: int


def caps_of(plan: Plan, received: Received, local: datetime, applied: frozenset[str] | None, given: Mapping[MechanicId, int]) -> dict[MechanicId, Cap]:
    """Of each limited mechanic that applied to a clearing: its limits, and what they cut: its worth without them less what was given.

    `applied` names the mechanics that applied where that depended on the member or a group, else None; `given` the units of each. `local` is the event's
    time in the programme's time zone. Of a member who had left nothing is to be asked: none applied.
    """
    day = local.date()
    rules = plan.card_rules(received.sender, day)
    limited = [rule for rule in rules.all if (rule.limits is not None or rule.shared is not None) and (applied is None or rule.mechanic.id in applied)]
    if not limited:
        return {}
    basket = card_basket(received, local, received.event.data.amount_minor)
    bases = {name: mechanic for name, mechanic in rules.bases.items() if applied is None or name in applied}
    found = {}
    for rule in limited:
        name = rule.mechanic.id
        worth = rule.mechanic.value(basket, bases) if basket.lines else 0
        if worth:
            terms = [term for limits in (rule.limits, rule.shared) if limits is not None for term in limits.terms]
            bucket = " ".join(begin + (period(per, day) if per != "event" else "event") for begin, per, _ in terms)
            found[name] = Cap(bucket, max(0, worth - given.get(name, 0)))
    return found


def why_nothing(plan: Plan, received: Received, local: datetime, *, left: bool) -> str:
    """Why a clearing that no limit cut brought nothing: its member had `left` (`LEFT`), its category is excluded (`MCC`), or no rule fits (`NO_RULE`)."""
    if left:
        return "LEFT"
    excluding = [rule.mechanic.excluded for rule in plan.card_rules(received.sender, local.date()).all if isinstance(rule.mechanic, CardPoints | CashBack)]
    return "MCC" if excluding and all(received.event.data.mcc in excluded for excluded in excluding) else "NO_RULE"
