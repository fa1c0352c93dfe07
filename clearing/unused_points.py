"""How many of the points that members still have will never be spent, estimated from the programme's own history.

A *cohort* is the points of one month of event dates. Month by month (by its *age*: 0 is the month of earning) some of a cohort's points are taken back, some
are spent, some expire, the rest goes on. Of all cohorts that have been through an age together, the shares that were spent and that expired there are
the development of that age: a chain ladder of what is left, with two ways out. From the last age backwards they say what share of the points that are
still there at each age will never be spent:

    unspent(age) = expired share + (1 − spent share − expired share) × unspent(age + 1)

Beyond the oldest age that any cohort has reached nobody has seen anything. There the estimate takes what was decided so far (expired ÷ (spent +
expired)); its range reaches from "all of it will be spent" to "none of it". The range also holds every estimate that leaves one cohort out. All figures
are exact fractions; the page docs/explanation/unused-points.md works one through by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

ZERO, ONE = Fraction(0), Fraction(1)


class Step(NamedTuple):
    """What a month did to a cohort, in points. `spent` is less what was put back and less what was taken back of spent points, so it may be negative."""

    earned: int = 0
    taken_back: int = 0
    spent: int = 0
    expired: int = 0

    def plus(self, other: "Step") -> "Step":
        """Both together."""
        return Step(*(one + another for one, another in zip(self, other, strict=True)))

    @property
    def left(self) -> int:
        """What it adds to the points that are left."""
        return self.earned - self.taken_back - self.spent - self.expired


class Moved(NamedTuple):
    """What the windows of one month did to the points of one cohort; both are named by their first day."""

    cohort: date
    month: date
    step: Step


Triangle = Mapping[date, Sequence[Step]]
"""By cohort its steps, from age 0 to the age that it has in the last whole month."""


def months_between(earlier: date, later: date) -> int:
    """Whole months from one day's month to another's; negative where `later` is earlier."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def triangle(moved: Iterable[Moved], last: date) -> dict[date, list[Step]]:
    """The history up to the end of the month of `last`, by cohort and age; a cohort that comes later is left out.

    A window can hold events of the next month's first hours (before the cut-off): they count at age 0.
    """
    found: dict[date, list[Step]] = {}
    for cohort, month, step in sorted(moved):
        ages = months_between(cohort, last) + 1
        if ages > 0 and months_between(month, last) >= 0:
            steps = found.setdefault(cohort, [Step()] * ages)
            age = max(0, months_between(cohort, month))
            steps[age] = steps[age].plus(step)
    return found


class Needs(NamedTuple):
    """What a history has to have before an estimate rests on it."""

    months: int
    """Months of earning, at least."""
    undecided: Fraction
    """Share of a cohort's points that nobody has seen the end of, at most."""


NEEDS: Final = Needs(12, Fraction(1, 20))
"""A year, so that every season is in it, and a development seen to its end for all but one point in twenty."""


class Column(NamedTuple):
    """What all cohorts that have been through an age did there, in points: had, spent, and lost by expiry."""

    had: int
    spent: int
    expired: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shares of the points that are left which will never be spent, by age; each `low` ≤ `unspent` ≤ `high`, all within 0 to 1.

    `undecided` is the share of new points that would still be there beyond the oldest age seen; `months` how many cohorts there are. Where the history is not
    `enough`, the figures are shown but nothing is to rest on them.
    """

    unspent: tuple[Fraction, ...]
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]
    undecided: Fraction
    months: int
    enough: bool

    def at(self, age: int) -> Fraction:
        """The share at the beginning of an age; beyond the oldest age seen, that of the end."""
        return self.unspent[min(max(age, 0), len(self.unspent) - 1)]

    def range_at(self, age: int) -> tuple[Fraction, Fraction]:
        """The bounds of the same."""
        place = min(max(age, 0), len(self.unspent) - 1)
        return self.low[place], self.high[place]


def estimate(history: Triangle, needs: Needs = NEEDS) -> Estimate | None:
    """The estimate from a history; None where not one point has been spent or has expired yet, so that there is nothing to go by."""
    every = [_columns(steps) for steps in history.values()]
    ages = max(map(len, every), default=0)
    sums = [_sum(columns[age] for columns in every if age < len(columns)) for age in range(ages)]
    central = _unspent(sums, _decided(sums))
    if central is None:
        return None
    others = [shares for columns in every if (shares := _without(sums, columns)) is not None]
    bounds = [shares for tail in (ZERO, ONE) if (shares := _unspent(sums, tail)) is not None]
    seen = [central, *bounds, *others]
    undecided = _undecided(sums)
    return Estimate(
        unspent=tuple(central),
        low=tuple(min(shares[age] for shares in seen) for age in range(ages + 1)),
        high=tuple(max(shares[age] for shares in seen) for age in range(ages + 1)),
        undecided=undecided,
        months=len(every),
        enough=len(every) >= needs.months and undecided <= needs.undecided,
    )


def _columns(steps: Sequence[Step]) -> list[Column]:
    """By age what a cohort had (what was left, and what came then less what was taken back) and where it went."""
    found, left = [], 0
    for step in steps:
        found.append(Column(left + step.earned - step.taken_back, step.spent, step.expired))
        left += step.left
    return found


def _sum(columns: Iterable[Column]) -> Column:
    had = spent = expired = 0
    for column in columns:
        had, spent, expired = had + column.had, spent + column.spent, expired + column.expired
    return Column(had, spent, expired)


def _shares(column: Column) -> tuple[Fraction, Fraction]:
    """The shares of an age that were spent and that expired, held to 0 to 1: more can be put back than is spent, or come from a lot that had nothing left."""
    if column.had <= 0:
        return ZERO, ZERO
    expired = min(max(Fraction(column.expired, column.had), ZERO), ONE)
    return min(max(Fraction(column.spent, column.had), ZERO), ONE - expired), expired


def _decided(sums: Sequence[Column]) -> Fraction | None:
    """Of the points that were spent or have expired so far, the share that expired; None where there are none."""
    spent, expired = max(0, sum(column.spent for column in sums)), sum(column.expired for column in sums)
    return Fraction(expired, spent + expired) if spent + expired > 0 else None


def _unspent(sums: Sequence[Column], tail: Fraction | None) -> list[Fraction] | None:
    """By age, and beyond the last, the share of what is there that will never be spent, if `tail` is what becomes of points beyond the last age."""
    if tail is None:
        return None
    shares = [tail]
    for column in reversed(sums):
        spent, expired = _shares(column)
        shares.append(expired + (ONE - spent - expired) * shares[-1])
    return shares[::-1]


def _without(sums: Sequence[Column], cohort: Sequence[Column]) -> list[Fraction] | None:
    """The same by all other cohorts. Ages that only this one has reached are then unknown: nothing happens at them."""
    rest = [
        Column(column.had - cohort[age].had, column.spent - cohort[age].spent, column.expired - cohort[age].expired) if age < len(cohort) else column
        for age, column in enumerate(sums)
    ]
    return _unspent(rest, _decided(rest))


def _undecided(sums: Sequence[Column]) -> Fraction:
    left = ONE
    for column in sums:
        spent, expired = _shares(column)
        left *= ONE - spent - expired
    return left
