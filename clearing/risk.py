"""Solvency (product.md I5): debts against limits, what points outstanding may cost against what was paid for them, and what a failure would cost whom.

All amounts are minor units of one currency; what is in another currency is a report of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from fractions import Fraction
from typing import Final

from clearing.default_loss import LossRule, Unpaid, borne
from clearing.entries import Code
from clearing.headroom import Funds, Limit, funds_in
from clearing.lines import Obligation
from schemas.ids import PartyId

LOW_SHARE: Final = Fraction(4, 5)
"""From here on of its limit, a party is warned that its room runs out."""
STRESS: Final = (1, 2)
"""So many of the largest debtors fail together."""


@unique
class Room(StrEnum):
    """How a party stands to its limit."""

    NO_LIMIT = "no limit"
    AMPLE = "ample"
    LOW = "low"
    """Four fifths and more are used: fund it, or new points wait soon."""
    USED_UP = "used up"
    """New points wait."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a sponsor that members have: how many, what was paid for them at issue, and what they may cost when they are spent."""

    points: int = 0
    paid_minor: int = 0
    cost_minor: int = 0
    unfunded: int = 0
    """Points that wait to be funded; not in `points`."""


def exit_cost(points: Points, owes_minor: int, funds_minor: int) -> int:
    """What a party's exit costs the others at most: its points beyond what was paid for them, and its debts beyond its funds."""
    return max(0, points.cost_minor - points.paid_minor) + max(0, owes_minor - max(0, funds_minor))


@dataclass(frozen=True, slots=True)
class PartyRisk:
    """One party in one currency. `owes_minor`: over all windows not settled, below zero where it is owed; `share`: of all points outstanding."""

    party: PartyId
    owes_minor: int
    limit: Limit | None
    points: Points
    share: Fraction
    funds_minor: int = 0
    """What it has paid in beforehand in this currency, with a limit or without."""

    @property
    def headroom_minor(self) -> int | None:
        """What it may still owe; None without a limit."""
        return None if self.limit is None else self.limit.most_minor - self.owes_minor

    @property
    def room(self) -> Room:
        """How it stands to its limit."""
        if self.limit is None:
            return Room.NO_LIMIT
        if self.owes_minor >= self.limit.most_minor:
            return Room.USED_UP
        return Room.LOW if self.owes_minor >= LOW_SHARE * self.limit.most_minor else Room.AMPLE

    @property
    def exit_minor(self) -> int:
        """What its exit would cost the others at most: what its points may cost beyond what was paid for them, and what it owes beyond its funds."""
        return exit_cost(self.points, self.owes_minor, self.funds_minor)


@dataclass(frozen=True, slots=True)
class Failure:
    """What it would cost if some parties paid nothing of what they owe: by the programme's rule for losses, after their own funds."""

    parties: tuple[PartyId, ...]
    owed_minor: int
    funds_minor: int
    losses: Mapping[PartyId, int]


@dataclass(frozen=True, slots=True)
class Solvency:
    """The whole in one currency: parties by what they owe, largest first; reserve against liability; failures of the largest debtors."""

    currency: str
    parties: Sequence[PartyRisk]
    failures: Sequence[Failure]

    @property
    def liability_minor(self) -> int:
        """What all points outstanding may cost."""
        return sum(one.points.cost_minor for one in self.parties)

    @property
    def reserve_minor(self) -> int:
        """What was paid for them at issue."""
        return sum(one.points.paid_minor for one in self.parties)

    @property
    def coverage(self) -> Fraction | None:
        """Reserve over liability; None where there is no liability."""
        return Fraction(self.reserve_minor, self.liability_minor) if self.liability_minor else None


def solvency(
    currency: str,
    owes: Mapping[PartyId, int],
    limits: Mapping[PartyId, Limit],
    points: Mapping[PartyId, Points],
    lines: Iterable[Obligation],
    operator: PartyId,
    rule: LossRule,
    *,
    funds: Funds | None = None,
    waiting: Mapping[PartyId, Sequence[Obligation]] | None = None,
) -> Solvency:
    """Puts together what is known. The operator is no debtor here.

    `lines`: of all windows not settled; the loss of a failure is shared by them. `waiting`: by party, lines of settled windows that carried its position
    on, so that it still owes for them. `funds`: what parties have paid in, by party and currency.
    """
    every, paid_in = list(lines), funds or {}
    of_currency = {party: limit for party, limit in limits.items() if limit.currency == currency}
    all_points = sum(one.points for one in points.values())
    names = sorted({*owes, *of_currency, *points, *(party for (party, of), amount in paid_in.items() if of == currency and amount)} - {operator})
    parties = [
        PartyRisk(
            party,
            owes.get(party, 0),
            of_currency.get(party),
            points.get(party, Points()),
            Fraction(points[party].points, all_points) if all_points and party in points else Fraction(0),
            funds_in(party, currency, limits, paid_in),
        )
        for party in names
    ]
    parties.sort(key=lambda one: (-one.owes_minor, one.party))
    debtors = [one for one in parties if one.owes_minor > 0]
    failures = []
    for number in STRESS:
        if len(debtors) >= number:
            waits = [line for one in debtors[:number] for line in (waiting or {}).get(one.party, ())]
            failures.append(fail(currency, debtors[:number], [*every, *waits], operator, rule))
    return Solvency(currency, parties, failures)


def fail(currency: str, debtors: Sequence[PartyRisk], lines: Iterable[Obligation], operator: PartyId, rule: LossRule) -> Failure:
    """Some parties pay nothing of what they owe."""
    unpaid = [Unpaid(one.party, currency, one.owes_minor, one.funds_minor) for one in debtors]
    losses: dict[PartyId, int] = {}
    for line in borne(rule, operator, lines, unpaid):
        if line.code is Code.DEFAULT_LOSS:
            losses[line.bearer] = losses.get(line.bearer, 0) + line.amount_minor
    return Failure(
        tuple(one.party for one in debtors), sum(one.amount_minor for one in unpaid), sum(one.used_minor for one in unpaid), dict(sorted(losses.items()))
    )
