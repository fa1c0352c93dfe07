"""Days on which a party has a contract, and days on which it lacks one.

Rule 1: of the versions that have begun, the latest counts; when its last day has passed there is no contract, whatever the earlier ones say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from schemas.contracts import Contract
from schemas.ids import PartyId

_DAY = dt.timedelta(days=1)
FOREVER = dt.date.max


@dataclass(frozen=True, slots=True)
class Days:
    """A stretch of days, both ends included; `FOREVER` as its last day means that it goes on."""

    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        if self.last == FOREVER:
            return f"from {self.first} on"
        return f"on {self.first}" if self.first == self.last else f"from {self.first} to {self.last}"


def days_of(first: dt.date, last: dt.date | None) -> Days:
    """The days of a contract version or mechanic that may go on without end."""
    return Days(first, last or FOREVER)


def in_force(contracts: Sequence[Contract], party: PartyId) -> Iterator[tuple[Contract, Days]]:
    """The versions of a party's contract, each with the days on which it is the one that counts."""
    versions = sorted((each for each in contracts if each.party == party), key=lambda each: each.valid_from)
    for position, version in enumerate(versions):
        last = version.valid_to or FOREVER
        if position + 1 < len(versions):
            last = min(last, versions[position + 1].valid_from - _DAY)
        if version.valid_from <= last:
            yield version, Days(version.valid_from, last)


def gaps(needed: Days, contracts: Sequence[Contract], party: PartyId, suits: Callable[[Contract], bool]) -> list[Days]:
    """The days of `needed` on which the party has no contract that suits."""
    missing = []
    first = needed.first
    for version, days in in_force(contracts, party):
        if not suits(version) or days.last < first or days.first > needed.last:
            continue
        if days.first > first:
            missing.append(Days(first, days.first - _DAY))
        if days.last >= needed.last:
            return missing
        first = days.last + _DAY
    return [*missing, Days(first, needed.last)]


def overlap(one: Days, other: Days) -> bool:
    """Whether two stretches have a day in common."""
    return one.first <= other.last and other.first <= one.last
