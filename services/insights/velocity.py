"""Cards used more often than they can be. Two rules, on accepted purchases by the time at which they were made:

- *burst*: more than so many purchases with one card within so many seconds, wherever they were made;
- *two stores*: purchases in two stores of one partner with less time between them than the way takes. Stores of different partners are not
  compared: they may share a roof.

A finding stays one, whatever else comes: more purchases can only add findings. So late and early records lead to the same findings, as long as
they lie within `KEPT_S` of the card's latest purchase. A card is found once an hour for each rule.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from schemas.events.answers import EventRef
from schemas.events.insights import Signal
from schemas.ids import CardId, PartyId
from services.insights.reading import HOUR_S, Sent

KEPT_S = 24 * HOUR_S
"""A purchase this much older than its card's latest one is not compared any more."""
USES_MAX = 64
"""Purchases kept of a card, the latest."""
STORE_BITS = 24
STORE_MASK = (1 << STORE_BITS) - 1


@dataclass(frozen=True, slots=True)
class Rules:
    """How often a card can be used."""

    purchases_max: int = 10
    purchases_within_s: int = 600
    stores_within_s: int = 300

    def __post_init__(self) -> None:
        """A burst has to fit into what is kept of a card."""
        assert 1 <= self.purchases_max < USES_MAX


class Found(NamedTuple):
    """A finding: its id is the same whenever it is found."""

    id: str
    signal: Signal


class Cards:
    """The latest purchases of each card, eight bytes for each: when and where."""

    def __init__(self, rules: Rules | None = None, known: Iterable[str] = ()) -> None:
        """`known`: ids of findings that were told before."""
        self.rules = rules or Rules()
        self.uses: dict[CardId, array[int]] = {}
        """Of each card, in order of time: seconds since 1970, and the number of a store."""
        self._last_day: dict[CardId, int] = {}
        self._store_no: dict[tuple[PartyId, str], int] = {}
        self._stores: list[tuple[PartyId, str]] = []
        self._found: dict[str, int | None] = dict.fromkeys(known)

    def used(self, sent: Sent) -> list[Found]:
        """Adds an accepted purchase; returns what is found by it and was not found before."""
        uses = self.uses.setdefault(sent.card, array("Q"))
        use = sent.time_s << STORE_BITS | self._number(sent.party, sent.store)
        insort(uses, use)
        oldest = uses[-1] - (KEPT_S << STORE_BITS)
        while uses[0] < oldest or len(uses) > USES_MAX:
            del uses[0]
        self._last_day[sent.card] = max(sent.day, self._last_day.get(sent.card, 0))
        found = []
        for each in self._findings(sent, use, uses) if len(uses) > 1 else ():
            if each.id not in self._found:
                self._found[each.id] = sent.day
                found.append(each)
        return found

    def drop_before(self, first_day: int) -> None:
        """Forgets cards of whom nothing was received from this day on."""
        for card in [card for card, day in self._last_day.items() if day < first_day]:
            del self.uses[card], self._last_day[card]
        self._found = {each: day for each, day in self._found.items() if day is None or day >= first_day}

    def _number(self, party: PartyId, store: str) -> int:
        number = self._store_no.get((party, store))
        if number is None:
            number = self._store_no[party, store] = len(self._stores)
            assert number < 1 << STORE_BITS
            self._stores.append((party, store))
        return number

    def _findings(self, sent: Sent, new: int, uses: Sequence[int]) -> Iterator[Found]:
        """What holds of the purchases that a new one may have made suspicious: itself, and those that follow it within the times."""
        rules = self.rules
        made = [(use >> STORE_BITS, self._stores[use & STORE_MASK]) for use in uses]
        last_s = sent.time_s + max(rules.purchases_within_s, rules.stores_within_s)
        for place in range(bisect_left(uses, new), len(uses)):
            time_s, (party, store) = made[place]
            if time_s > last_s:
                return
            before = made[: place + 1]
            burst = [each for each in before if each[0] > time_s - rules.purchases_within_s]
            if len(burst) > rules.purchases_max:
                yield _found("burst", sent, burst, rules.purchases_within_s)
            near = [each for each in before if each[1][0] == party and each[0] > time_s - rules.stores_within_s]
            if any(each[1][1] != store for each in near):
                yield _found("two-stores", sent, near, rules.stores_within_s)


def _found(signal: Literal["burst", "two-stores"], noticed_by: Sent, made: list[tuple[int, tuple[PartyId, str]]], within_s: int) -> Found:
    """`made`: the purchases that make it up, time and store, the latest last."""
    at = datetime.fromtimestamp(made[-1][0], UTC)
    stores = tuple(sorted({f"{party}/{store}" for _, (party, store) in made}))
    event = EventRef(source=noticed_by.source, id=noticed_by.id)
    found = Signal(signal=signal, card=noticed_by.card, event=event, at=at, purchases=len(made), within_seconds=within_s, stores=stores)
    return Found(f"{signal}:{noticed_by.card}:{at:%Y-%m-%dT%H}", found)
