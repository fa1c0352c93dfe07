"""Points never to be spent as of the end of a window: by month of earning, with the range, beside the naive rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from clearing.liability import Unspent
from clearing.rounding import half_even
from clearing.unused_points import NEEDS, Estimate, Needs, Step, months_between
from services.accounts.books import Became, Books, estimated, whole_month
from services.report.tables import Named, Rank, Row, Table, Value, figure, text


@dataclass(frozen=True, slots=True)
class Cohort:
    """The points of one month of earning: what became of them, and of those left the share that will never be spent, with its bounds."""

    month: date
    became: Step
    unspent: Fraction | None
    low: Fraction
    high: Fraction

    @property
    def given(self) -> int:
        """What was earned less what was taken back."""
        return self.became.earned - self.became.taken_back

    def never(self, share: Fraction) -> Fraction:
        """Points that have expired, and such a share of those left."""
        return self.became.expired + self.became.left * share


@dataclass(frozen=True, slots=True)
class Unused:
    """The estimate, which rests on the months up to `last`, and its cohorts. Without any point spent or expired there is no estimate."""

    day: date
    last: date
    estimate: Estimate | None
    cohorts: Sequence[Cohort]

    @property
    def naive(self) -> Fraction | None:
        """Expired ÷ given, of everything that was ever given: too low for as long as the programme is young or grows."""
        given = sum(cohort.given for cohort in self.cohorts)
        return Fraction(sum(cohort.became.expired for cohort in self.cohorts), given) if given > 0 else None

    @property
    def share(self) -> tuple[Fraction, Fraction, Fraction] | None:
        """Of everything that was ever given the share that has expired or never will be spent: low, estimated, high."""
        given = sum(cohort.given for cohort in self.cohorts)
        if given <= 0 or self.estimate is None:
            return None
        low, middle, high = (
            sum((cohort.never(share or Fraction(0)) for cohort, share in zip(self.cohorts, shares, strict=True)), Fraction(0)) / given
            for shares in ([cohort.low for cohort in self.cohorts], [cohort.unspent for cohort in self.cohorts], [cohort.high for cohort in self.cohorts])
        )
        return low, middle, high


def unused_of(books: Books, day: date, needs: Needs = NEEDS) -> Unused:
    """The estimate as of the end of a closed window."""
    became = books.became(day)
    last = last_month(books, day)
    found = estimated(became, last, needs)
    by_cohort: dict[date, Step] = {}
    for one in became:
        by_cohort[one.cohort] = by_cohort.get(one.cohort, Step()).plus(one.step)
    cohorts = []
    for month, step in sorted(by_cohort.items()):
        age = months_between(month, last) + 1
        low, high = found.range_at(age) if found else (Fraction(0), Fraction(1))
        cohorts.append(Cohort(month, step, found.at(age) if found else None, low, high))
    return Unused(day, last, found, cohorts)


def last_month(books: Books, day: date) -> date:
    """The last month that is over at the end of that window."""
    assert books.closed is not None, "the day is a closed window"
    return whole_month(day, books.closed[1])


def unspent_at(became: Sequence[Became], day: date, last: date, share: Fraction | None = None, needs: Needs = NEEDS) -> Unspent | None:
    """By age in months at the end of `day` the share of points that will never be spent: the one told, or by the estimate if it has enough to rest on, or None.

    `last` is the last whole month at that day: once it is the day's own, points have been through the age that they have.
    """
    if share is not None:
        told = share
        return lambda _: told
    found = estimated(list(became), last, needs)
    if found is None or not found.enough:
        return None
    ended = months_between(day, last) + 1
    return lambda age: found.at(age + ended)


def verdict(found: Unused, needs: Needs = NEEDS) -> str:
    """In a sentence, whether figures may rest on the estimate."""
    estimate = found.estimate
    if estimate is None:
        return "Too little history: not one point has been spent or has expired up to the end of the last whole month. Nothing rests on an estimate."
    if estimate.enough:
        return f"Figures rest on it: {_months(estimate.months)} of earning, and all but {percent(estimate.undecided)} of a month's points seen to their end."
    return (
        f"Too little history: {_months(estimate.months)} of earning, with {percent(estimate.undecided)} of a month's points not seen to their end; "
        f"at least {needs.months} months, and at most {percent(needs.undecided)}, are needed. "
        "Nothing rests on the estimate: points count as unused when they expire."
    )


def table(found: Unused) -> Table:
    """One row for each month of earning."""
    names = ("earned", "taken_back", "spent", "expired", "left")
    columns = (
        text("cohort", "earned in"), *(figure(name, name.replace("_", " ")) for name in names), figure("never_spent"),
        figure("low", "at least"), figure("high", "at most"), figure("share", "of all given"),
    )  # fmt: skip
    rows = [Row(_cells(f"{cohort.month:%Y-%m}", cohort)) for cohort in found.cohorts]
    if found.cohorts:
        whole = Step()
        for cohort in found.cohorts:
            whole = whole.plus(cohort.became)
        never = [
            sum((cohort.became.left * (of or Fraction(0)) for cohort, of in zip(found.cohorts, shares, strict=True)), Fraction(0)) for shares in _shares(found)
        ]
        points = [half_even(one) if found.estimate else None for one in never]
        share = _share(found.share[1]) if found.share else None
        rows.append(Row(("all", *whole[:4], whole.left, *points, share), Rank.TOTAL))
    return Table("unused", f"Points never to be spent, as of {found.day}", columns, tuple(rows), empty="No point was ever given.")


def _shares(found: Unused) -> list[list[Fraction | None]]:
    return [[getattr(cohort, name) for cohort in found.cohorts] for name in ("unspent", "low", "high")]


def _cells(name: str, cohort: Cohort) -> tuple[Value, ...]:
    became, unspent = cohort.became, cohort.unspent
    if unspent is None:
        return (name, *became[:4], became.left, None, None, None, None)
    never = [half_even(became.left * share) for share in (unspent, cohort.low, cohort.high)]
    share = _share(cohort.never(unspent) / cohort.given) if cohort.given > 0 else None
    return (name, *became[:4], became.left, *never, share)


def _share(share: Fraction) -> Named:
    return Named(_six(share), percent(share))


def percent(share: Fraction) -> str:
    """A share in percent, to one place."""
    tenths = half_even(share * 1000)
    return f"{tenths // 10}.{tenths % 10} %"


def as_json(found: Unused, programme: str) -> dict[str, Any]:
    """All of it in plain types; shares as decimal text, to six places."""
    estimate, shares = found.estimate, found.share
    return {
        "programme": programme, "day": found.day, "last_month": f"{found.last:%Y-%m}",
        "enough": estimate is not None and estimate.enough,
        "months": estimate.months if estimate else 0, "undecided": _six(estimate.undecided) if estimate else None,
        "share": None if shares is None else dict(zip(("low", "estimate", "high"), map(_six, shares), strict=True)),
        "naive": None if found.naive is None else _six(found.naive),
        "cohorts": [
            {
                "month": f"{cohort.month:%Y-%m}", **cohort.became._asdict(), "left": cohort.became.left,
                "unspent": None if cohort.unspent is None else _six(cohort.unspent), "low": _six(cohort.low), "high": _six(cohort.high),
            }
            for cohort in found.cohorts
        ],
        "by_age": [] if estimate is None else [
            {"age": age, "unspent": _six(estimate.at(age)), "low": _six(estimate.low[age]), "high": _six(estimate.high[age])}
            for age in range(len(estimate.unspent))
        ],
    }  # fmt: skip


def _six(share: Fraction) -> str:
    millionths = half_even(share * 10**6)
    sign, size = "-" if millionths < 0 else "", abs(millionths)
    return f"{sign}{size // 10**6}.{size % 10**6:06d}"


def _months(number: int) -> str:
    return f"{number} month{'' if number == 1 else 's'}"
