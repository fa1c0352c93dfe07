"""What cut off a part of a mechanic's worth, told afterwards from what was given: every bound is asked whether it can have left just that."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from clearing.plan import Plan, Rule
from clearing.purchases import split
from schemas.ids import PartyId
from schemas.mechanics import Limit
from schemas.mechanics.conditions import Budget
from schemas.money import to_minor


@dataclass(frozen=True, slots=True)
class NoContract:
    """Nobody gives without the contracts that rule 6 asks for; of what the night decides, the event itself was accepted."""

    party: PartyId
    sells: bool
    """Whether it is the sender, who needs a contract of any kind; a sponsor of points needs an issuing one."""


Bound = Limit | Budget | NoContract


def bounds_that_cut(plan: Plan, rule: Rule, seller: PartyId, day: date, worth: int, given: int) -> tuple[Bound, ...]:
    """The bounds of a mechanic that can have left `given` of `worth` (points, stamps, minor units), one of which did; none where nothing was cut off.

    How much room a limit had when the event was booked is not kept, so more than one may be named; what cannot have been it is not.
    """
    return tuple(_that_cut(plan, rule, seller, day, worth, given)) if given < worth else ()


def _that_cut(plan: Plan, rule: Rule, seller: PartyId, day: date, worth: int, given: int) -> Iterator[Bound]:
    currency = plan.programme.currencies[0]
    for limit in rule.entry.limit:
        if limit.times is not None:  # it leaves all or nothing; an event by itself is one time
            can = given == 0 and (limit.per != "event" or limit.times < 1)
        else:
            most = _most(limit, currency)
            can = given == most if limit.per == "event" else given <= most
        if can:
            yield limit
    budget = rule.entry.budget
    if budget is not None and budget.at_end == "stop" and given <= _most(budget, currency):
        yield budget
    if rule.late and given == 0:
        if plan.contract(seller, day) is None:
            yield NoContract(seller, sells=True)
        elif rule.mechanic.effect == "points":
            yield from (NoContract(sponsor, sells=False) for sponsor, _ in split(worth, rule.funding) if sponsor not in rule.accruals)


def _most(bound: Limit | Budget, currency: str) -> int:
    """The most that is given, in points or in minor units of the programme's first currency."""
    if bound.points is not None:
        return bound.points
    assert bound.amount is not None, "a limit has points, an amount or times, a budget points or an amount"
    return to_minor(bound.amount, currency)
