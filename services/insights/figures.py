"""Live figures: what partners' events brought about, by partner and hour. Counting, and nothing else: no clock, no Kafka.

An event is counted when both it and its answer were read, whichever came first: the event says what was sold, when and for how much, the answer
says that it was accepted and what it gave. So the figures are a function of the set of records, not of their order or of how often each came, and
reading the same stretch of the stream again gives the same figures.

What is kept goes by the day on which the broker received the event (UTC). A day that leaves the window takes with it what was counted of it and
the identities by which a repetition of its events is known.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.events.answers import RejectionCode
from schemas.events.insights import HourFigures, Turnover
from schemas.ids import PartyId
from services.insights.reading import HOUR_S, Answered, Identity, Refusal, Sent

HOURS_MAX = 744
"""Hours of one partner that are shown, the latest: a month."""

PURCHASE = "purchase.v1"


@dataclass(slots=True)
class Count:
    """What was counted for one partner and one hour (see `HourFigures`)."""

    purchases: int = 0
    turnover: Counter[str] = field(default_factory=Counter)
    returns: int = 0
    returned: Counter[str] = field(default_factory=Counter)
    points: int = 0
    redemptions: int = 0
    points_redeemed: int = 0
    held: int = 0
    rejections: Counter[RejectionCode] = field(default_factory=Counter)

    def accept(self, sent: Sent, answer: Answered) -> None:
        """Counts an accepted event; types without figures of their own only count with their points."""
        match sent.type:
            case "purchase.v1":
                self.purchases += 1
                self.turnover[sent.currency] += sent.amount_minor
            case "return.v1" | "price-adjustment.v1":
                self.returns += 1
                self.returned[sent.currency] += sent.amount_minor
            case "redemption.v1" | "redemption-capture.v1":
                self.redemptions += 1
                self.points_redeemed += answer.spent
            case "redemption-reversal.v1":
                self.points_redeemed += answer.spent
            case _:
                pass
        self.points += answer.given

    def add(self, other: "Count") -> None:
        """Adds what was counted of the same hour on another day of receipt."""
        self.purchases += other.purchases
        self.turnover.update(other.turnover)
        self.returns += other.returns
        self.returned.update(other.returned)
        self.points += other.points
        self.redemptions += other.redemptions
        self.points_redeemed += other.points_redeemed
        self.held += other.held
        self.rejections.update(other.rejections)


@dataclass(slots=True)
class Day:
    """What the broker received on one day."""

    counts: dict[PartyId, dict[int, Count]] = field(default_factory=dict)
    """By partner and hour (in hours since 1970)."""
    done: set[Identity] = field(default_factory=set)
    """Events that were counted, and refusals."""
    sent: dict[Identity, Sent] = field(default_factory=dict)
    """Events that wait for their answer, those among them that are held included."""
    answered: dict[Identity, Answered] = field(default_factory=dict)
    """Answers that wait for their event."""
    held: set[Identity] = field(default_factory=set)
    """Events that are held now."""

    def count(self, party: PartyId, hour: int) -> Count:
        """What was counted for a partner and an hour, to be counted on."""
        hours = self.counts.setdefault(party, {})
        found = hours.get(hour)
        if found is None:
            found = hours[hour] = Count()
        return found


class Figures:
    """The figures of one programme, over a window of days of receipt."""

    def __init__(self, first_day: int, on_purchase: Callable[[Sent], None] | None = None) -> None:
        """`first_day`: what was received before it is passed over. `on_purchase` gets each accepted purchase once."""
        self.first_day = first_day
        self.days: dict[int, Day] = {}
        self.parties: set[PartyId] = set()
        """All partners of whom anything was ever counted."""
        self.changed: set[PartyId] = set()
        """Partners whose figures changed since somebody took them out of here."""
        self._on_purchase = on_purchase

    def sent(self, sent: Sent) -> None:
        """An event was sent. A repetition of one that is known changes nothing."""
        identity = sent.identity
        if sent.day < self.first_day or any(identity in day.sent or identity in day.done for day in self.days.values()):
            return
        self._day(sent.day).sent[identity] = sent
        for day in self.days.values():
            answer = day.answered.pop(identity, None)
            if answer is not None:
                self.answered(answer)
                return

    def answered(self, answer: Answered) -> None:
        """An event was answered."""
        identity = answer.identity
        if answer.day < self.first_day or any(identity in day.done for day in self.days.values()):
            return
        day = next((day for day in self.days.values() if identity in day.sent), None)
        if day is None:
            before = self._day(answer.day).answered.get(identity)
            if before is None or answer.accepted:
                self._day(answer.day).answered[identity] = answer
        elif answer.accepted:
            self._accept(day, answer)
        elif identity not in day.held:
            day.held.add(identity)
            self._count(day, day.sent[identity]).held += 1

    def _accept(self, day: Day, answer: Answered) -> None:
        self._not_held(day, answer.identity)
        sent = day.sent.pop(answer.identity)
        day.done.add(answer.identity)
        self._count(day, sent).accept(sent, answer)
        if sent.type == PURCHASE and self._on_purchase is not None:
            self._on_purchase(sent)

    def refused(self, refusal: Refusal) -> None:
        """An event was refused. One that is refused again for the same reason is the same refusal."""
        if refusal.day < self.first_day or any(refusal.key in day.done for day in self.days.values()):
            return
        day = self._day(refusal.day)
        day.done.add(refusal.key)
        day.count(refusal.party, refusal.hour).rejections[refusal.code] += 1
        self._mark(refusal.party)
        if refusal.code is RejectionCode.CLAIM_EXPIRED and refusal.identity is not None:
            for each in self.days.values():
                self._not_held(each, refusal.identity)

    def _not_held(self, day: Day, identity: Identity) -> None:
        if identity in day.held:
            day.held.remove(identity)
            self._count(day, day.sent[identity]).held -= 1

    def drop_before(self, first_day: int) -> None:
        """The window moves on: what was received before this day is forgotten."""
        self.first_day = max(first_day, self.first_day)
        for number in [number for number in self.days if number < self.first_day]:
            self.changed.update(self.days.pop(number).counts)

    def of(self, party: PartyId) -> tuple[HourFigures, ...]:
        """A partner's figures, hour by hour, the earliest first."""
        return tuple(_figures(hour, count) for hour, count in self._hours(party))

    def _hours(self, party: PartyId) -> Iterable[tuple[int, Count]]:
        hours: dict[int, Count] = {}
        for day in self.days.values():
            for hour, count in day.counts.get(party, {}).items():
                hours.setdefault(hour, Count()).add(count)
        return sorted((hour, count) for hour, count in hours.items() if count != Count())[-HOURS_MAX:]

    def _day(self, number: int) -> Day:
        found = self.days.get(number)
        if found is None:
            found = self.days[number] = Day()
        return found

    def _count(self, day: Day, sent: Sent) -> Count:
        self._mark(sent.party)
        return day.count(sent.party, sent.time_s // HOUR_S)

    def _mark(self, party: PartyId) -> None:
        self.parties.add(party)
        self.changed.add(party)


def _figures(hour: int, count: Count) -> HourFigures:
    return HourFigures(
        hour=datetime.fromtimestamp(hour * HOUR_S, UTC),
        purchases=count.purchases,
        turnover=_amounts(count.turnover),
        returns=count.returns,
        returned=_amounts(count.returned),
        points=count.points,
        redemptions=count.redemptions,
        points_redeemed=count.points_redeemed,
        held=count.held,
        rejections=dict(sorted(count.rejections.items())),
    )


def _amounts(amounts: Counter[str]) -> tuple[Turnover, ...]:
    return tuple(Turnover(amount_minor=amount, currency=currency) for currency, amount in sorted(amounts.items()))
