"""Cards used more often than they can be. Two rules, on accepted purchases by the time at which they were made:

- *burst*: more than so many purchases with one card within so many seconds, wherever they were made;
- *two stores*: purchases in two stores of one partner with less time between them than the way takes. Stores of different partners are not
  compared: they may share a roof.

A finding stays one, whatever else comes: more purchases can only add findings. So late and early records lead to the same findings, as long as
they lie within `KEPT_S` of the card's latest purchase. A card is found once an hour for each rule.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from schemas.events.answers import EventRef
from schemas.events.insights import Signal
from schemas.ids import CardId, EventId, PartyId
from services.insights.reading import HOUR_S, Sent

KEPT_S = 24 * HOUR_S
"""A purchase this much older than its card's latest one is not compared any more."""
USES_MAX = 64
"""Purchases kept of a card, the latest."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How often a card can be used."""

    purchases_max: int = 10
    purchases_within_s: int = 600
    stores_within_s: int = 300

    def __post_init__(self) -> None:
        """A burst has to fit into what is kept of a card."""
        assert 1 <= self.purchases_max < USES_MAX


class Use(NamedTuple):
    """An accepted purchase with a card."""

    time_s: int
    party: PartyId
    store: str
    source: str
    id: EventId
    day: int
    """Day of receipt."""


class Found(NamedTuple):
    """A finding: its id is the same whenever it is found."""

    id: str
    signal: Signal


class Cards:
    """The latest purchases of each card."""

    def __init__(self, rules: Rules | None = None, known: Iterable[str] = ()) -> None:
        """`known`: ids of findings that were told before."""
        self.rules = rules or Rules()
        self._uses: dict[CardId, list[Use]] = {}
        self._found: dict[str, int | None] = dict.fromkeys(known)

    def used(self, sent: Sent) -> list[Found]:
        """Adds an accepted purchase; returns what is found by it and was not found before."""
        use = Use(sent.time_s, sent.party, sent.store, sent.source, sent.id, sent.day)
        uses = self._uses.setdefault(sent.card, [])
        insort(uses, use)
        oldest_s = uses[-1].time_s - KEPT_S
        while uses[0].time_s < oldest_s or len(uses) > USES_MAX:
            del uses[0]
        found = []
        for each in _findings(sent.card, uses, use, self.rules):
            if each.id not in self._found:
                self._found[each.id] = use.day
                found.append(each)
        return found

    def drop_before(self, first_day: int) -> None:
        """Forgets what was received before this day."""
        for card in list(self._uses):
            kept = [use for use in self._uses[card] if use.day >= first_day]
            if kept:
                self._uses[card] = kept
            else:
                del self._uses[card]
        self._found = {each: day for each, day in self._found.items() if day is None or day >= first_day}


def _findings(card: CardId, uses: list[Use], new: Use, rules: Rules) -> Iterator[Found]:
    """What holds of the purchases that a new one may have made suspicious: itself, and those that follow it within the times."""
    last_s = new.time_s + max(rules.purchases_within_s, rules.stores_within_s)
    for place, use in enumerate(uses):
        if use < new or use.time_s > last_s:
            continue
        before = uses[: place + 1]
        burst = [each for each in before if each.time_s > use.time_s - rules.purchases_within_s]
        if len(burst) > rules.purchases_max:
            yield _found("burst", card, burst, rules.purchases_within_s)
        near = [each for each in before if each.party == use.party and each.time_s > use.time_s - rules.stores_within_s]
        if any(each.store != use.store for each in near):
            yield _found("two-stores", card, near, rules.stores_within_s)


def _found(signal: Literal["burst", "two-stores"], card: CardId, uses: list[Use], within_s: int) -> Found:
    """`uses`: the purchases that make it up, the latest last."""
    last = uses[-1]
    at = datetime.fromtimestamp(last.time_s, UTC)
    stores = tuple(sorted({f"{use.party}/{use.store}" for use in uses}))
    event = EventRef(source=last.source, id=last.id)
    found = Signal(signal=signal, card=card, event=event, at=at, purchases=len(uses), within_seconds=within_s, stores=stores)
    return Found(f"{signal}:{card}:{at:%Y-%m-%dT%H}", found)
