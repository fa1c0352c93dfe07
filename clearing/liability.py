"""What the points that members have may cost: by sponsor, contract version, age and month of expiry, at the price paid and at the price expected (I1).

Quantities come from the journal as of the end of a window. Prices are exact; the amount of all a sponsor's points of one contract version is rounded once,
half-even, and split over its lines by largest remainder, so that the lines add up to it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique
from fractions import Fraction
from typing import Final, NamedTuple

from clearing.lines import minor
from clearing.rounding import half_even, largest_remainder, rest_of
from clearing.terms import Terms, issue_price
from clearing.unused_points import months_between
from schemas.ids import PartyId


@unique
class Held(StrEnum):
    """In what state a member has points."""

    AVAILABLE = "available"
    PENDING = "pending"
    HELD = "held"


class Outstanding(NamedTuple):
    """Points of members that agree in all of this. `earned` and `expires` are the first days of the months of their event and expiry dates (None: never)."""

    sponsor: PartyId
    contract: date
    held: Held
    earned: date
    expires: date | None
    points: int


AGES: Final = ((0, 2), (3, 5), (6, 11), (12, 23), (24, None))
"""Age buckets in months since the month of earning, first and last."""


class Bucket(NamedTuple):
    """What a line of the liability is: the ages from `first` to `last` months (None: and older)."""

    sponsor: PartyId
    contract: date
    first: int
    last: int | None
    expires: date | None

    @property
    def ages(self) -> str:
        """The ages in words: `3-5`, `24+`."""
        return f"{self.first}+" if self.last is None else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class LiabilityLine:
    """Points outstanding in one bucket and what they may cost, in minor units by currency.

    `paid`: what the sponsor has paid for them at issue. `cost`: what they cost if every one is spent, at the expected redemption price. `expected`: the same of
    those that will be spent by the estimate, which leaves `unused` points; both None where there is no estimate to rest on.
    """

    bucket: Bucket
    available: int
    pending: int
    held: int
    unused: int | None
    paid: Mapping[str, int]
    cost: Mapping[str, int]
    expected: Mapping[str, int] | None

    @property
    def points(self) -> int:
        """All of them."""
        return self.available + self.pending + self.held


Unspent = Callable[[int], Fraction]
"""By age in months the share of points that will never be spent."""


def bucket_of(row: Outstanding, day: date) -> Bucket:
    """The bucket of some points at the end of a day; points of the next month's first hours are new."""
    age = max(0, months_between(row.earned, day))
    first, last = next((first, last) for first, last in AGES if age >= first and (last is None or age <= last))
    return Bucket(row.sponsor, row.contract, first, last, row.expires)


def liability(rows: Iterable[Outstanding], terms: Terms, day: date, prices: Mapping[str, Fraction], unspent: Unspent | None = None) -> list[LiabilityLine]:
    """The lines, sorted by sponsor, contract version, age (youngest first) and month of expiry.

    `prices`: the expected redemption price of a point, by currency, in minor units; in the anchor model, where a sponsor pays the redeeming partner its own
    issue price, they are not looked at. Raises MissingTermsError where a contract version, or its issue price, is not in the programme file.
    """
    by_version: dict[tuple[PartyId, date], list[Outstanding]] = {}
    for row in rows:
        by_version.setdefault((row.sponsor, row.contract), []).append(row)
    return [line for version in sorted(by_version) for line in _of_version(version, by_version[version], terms, day, prices, unspent)]


def _of_version(
    version: tuple[PartyId, date], rows: Sequence[Outstanding], terms: Terms, day: date, prices: Mapping[str, Fraction], unspent: Unspent | None
) -> Iterator[LiabilityLine]:
    contract = terms.version(*version)
    issue, due = issue_price(contract), terms.due_at_issue(contract)
    whole = minor(issue.price, issue.currency)
    spent_at = {issue.currency: whole * Fraction(rest_of(due))} if terms.model == "anchor" else prices
    buckets: dict[Bucket, list[Outstanding]] = {}
    for row in rows:
        buckets.setdefault(bucket_of(row, day), []).append(row)
    order = sorted(buckets, key=lambda bucket: (bucket.first, bucket.expires or date.max))
    points = [_sum(buckets[bucket]) for bucket in order]
    paid = _split(points, {issue.currency: whole * Fraction(due)})
    cost = _split(points, spent_at)
    unused = [sum((row.points * unspent(months_between(row.earned, day)) for row in buckets[bucket]), Fraction(0)) for bucket in order] if unspent else None
    expected = _split([have - never for have, never in zip(points, unused, strict=True)], spent_at) if unused is not None else None
    never = _whole(unused) if unused is not None else None
    for place, bucket in enumerate(order):
        states = {state: _sum(row for row in buckets[bucket] if row.held is state) for state in Held}
        yield LiabilityLine(
            bucket, states[Held.AVAILABLE], states[Held.PENDING], states[Held.HELD], never[place] if never is not None else None,
            paid[place], cost[place], expected[place] if expected is not None else None,
        )  # fmt: skip


def _sum(rows: Iterable[Outstanding]) -> int:
    return sum(row.points for row in rows)


def _whole(parts: Sequence[Fraction]) -> list[int]:
    """Their sum, rounded once, split over them."""
    return largest_remainder(half_even(sum(parts, Fraction(0))), parts)


def _split(points: Sequence[int] | Sequence[Fraction], prices: Mapping[str, Fraction]) -> list[dict[str, int]]:
    """The amount of each, by currency; those of a currency add up to that of all, which is rounded once."""
    amounts: list[dict[str, int]] = [{} for _ in points]
    for currency, price in sorted(prices.items()):
        for line, amount in zip(amounts, _whole([count * price for count in points]), strict=True):
            line[currency] = amount
    return amounts


def totals(lines: Iterable[LiabilityLine]) -> dict[str, dict[str, int]]:
    """The sums of `paid`, `cost` and, where it is estimated, `expected`, by currency."""
    sums: dict[str, dict[str, int]] = {"paid": {}, "cost": {}}
    for line in lines:
        for name, amounts in (("paid", line.paid), ("cost", line.cost), ("expected", line.expected)):
            for currency, amount in (amounts or {}).items():
                of = sums.setdefault(name, {})
                of[currency] = of.get(currency, 0) + amount
    return sums
