"""The books of one programme in memory: the port `NightBooks` without a database, and a log whose records are booked up to the cut.

What stays the same for all books (the policy) is that of `clearing`; what the database does in SQL (claims, cuts, release, expiry, sums) is done
here once more, naively, row by row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

from clearing.booking import Booked, Booking, lapse
from clearing.card_transactions import left_before
from clearing.checks import Balances, Check, PartitionCount
from clearing.default_loss import Settled
from clearing.entries import POINTS, Code, LineKind, Total, add_up
from clearing.events import Card, CardSpend, Decision, EventKey, Facts, Hold, Outcome, Pending, Received, Refused, Sale
from clearing.expiry import effective_expiry
from clearing.funding import NightFunding, Waiting
from clearing.headroom import Given, Headroom, limits_on, opened, owed, point_cost
from clearing.limits import Used
from clearing.lines import Obligation
from clearing.member import Lot, Member, is_unfunded
from clearing.netting import Carried, Netting
from clearing.obligations import price
from clearing.originals import originals_first
from clearing.plan import Plan
from clearing.points import Purse
from clearing.postings import Movement, Postings, Transfer
from clearing.returns import left_after
from clearing.shared import Before, SharedLimits
from clearing.spending import free_holds
from clearing.window import Event, State, advance
from schemas.events.answers import RejectionCode
from schemas.events.decode import decode
from schemas.ids import CardId, MemberId, MemberNo, PartyId, RecordId

STEPS = ("book_waiting", "free_holds", "release_pending", "lapse_held", "expire_lots", "fund_points")
STAMPS_ONLY = (Code.STAMP, Code.STAMP_REVERSAL)


@dataclass
class Window:
    """One business day: where it stands, when all of it counts as received, and where its partitions are cut."""

    received_at: datetime
    state: State = State.OPEN
    booked: bool = False
    cuts: list[int] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    at_close: Balances | None = None


@dataclass
class Run:
    """What a night kept."""

    obligations: tuple[Obligation, ...]
    netting: Netting
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Record:
    """A record of the log; `order` is its place over all partitions."""

    partition: int
    offset: int
    order: int
    value: bytes


class MemoryBooks:
    """`NightBooks` in memory. `following` names the window after a day; the next calendar day unless told."""

    topic = "partner.transactions.v1"

    def __init__(self, plan: Plan, first: date, *, partitions: int = 1, following: Callable[[date], date | None] | None = None) -> None:
        self.plan = plan
        self.facts = Facts(numbers=map(MemberNo, count(1)))
        self.following = following or (lambda day: day + timedelta(days=1))
        self.log: list[list[Record]] = [[] for _ in range(partitions)]
        self.next_offset = [0] * partitions
        self.windows = {first: self._window(first)}
        self.journal: list[tuple[date, Transfer]] = []
        self.totals: list[tuple[date, Total]] = []
        self.bought: list[tuple[date, PartyId, date | None]] = []
        self.decisions: dict[RecordId, list[tuple[date, Decision]]] = {}
        self.contents: dict[EventKey, Any] = {}
        self.tally: Counter[tuple[date, int, str]] = Counter()
        self.waiting: list[tuple[date, Received]] = []
        self.deferred: list[tuple[date, Decision]] = []
        self.shared: Used = {}
        self.runs: dict[date, Run] = {}
        self.funds: dict[tuple[PartyId, str], int] = {}
        self.unfunded: list[Waiting[RecordId]] = []
        self.rooms = {first: opened(limits_on(plan.terms, first, {}), {}, partitions)}
        self.headrooms: dict[date, Headroom] = {}
        self.nights: dict[date, NightFunding] = {}

    def _window(self, day: date) -> Window:
        return Window(datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=self.plan.zone))

    def enrol(self, member: str, *cards: str, kind: str = "consumer", attributes: dict[str, Any] | None = None) -> Member:
        """A member who was there before everything else."""
        one = Member(next(self.facts.numbers), MemberId(member), kind, attributes=dict(attributes or {}), lots={})
        self.facts.members[one.no] = self.facts.by_id[one.id] = one
        for card in cards:
            self.facts.cards[CardId(card)] = Card(CardId(card), one.no)
        return one

    def append(self, value: bytes, partition: int = 0) -> RecordId:
        """Appends a record to the log, as the broker does."""
        part = self.log[partition]
        part.append(Record(partition, len(part), sum(map(len, self.log)), value))
        return self._record(part[-1])

    @staticmethod
    def _record(record: Record) -> RecordId:
        return RecordId(1 << 56 | record.partition << 40 | record.offset)

    # --- booking, as processors do it -----------------------------------------------------------------------------------------------------

    def book(self) -> list[Decision]:
        """Books what lies before the cut of the oldest window that is not booked, as one batch."""
        day = min((day for day, window in self.windows.items() if not window.booked), default=None)
        if day is None:
            return []
        window = self.windows[day]
        ends = [len(part) for part in self.log] if window.state is State.OPEN else window.cuts
        batch = [record for part, at, end in zip(self.log, self.next_offset, ends, strict=True) for record in part[at:end]]
        self.next_offset = [max(at, end) for at, end in zip(self.next_offset, ends, strict=True)]
        fresh = [received for record in sorted(batch, key=lambda record: record.order) if (received := self._claim(record, day, window)) is not None]
        self.facts.headroom = self._headroom(day)
        booked = Booking(self.plan, day, self.facts, wanted=frozenset(self.contents)).book_all(fresh)
        first: dict[RecordId, Decision] = {}
        for decision in booked.decisions:
            first.setdefault(decision.received.record, decision)
        for received in fresh:
            self.tally[day, received.record >> 40 & 0xFFFF, first[received.record].outcome.value] += 1
        self._enter(day, booked)
        return booked.decisions

    def _claim(self, record: Record, day: date, window: Window) -> Received | None:
        """The event of a record, if nobody sent its id before; the same again is a duplicate, other content is refused."""
        event = decode(record.value)
        content = json.loads(record.value)
        received = Received(self._record(record), window.received_at, event, PartyId(event.source.split("/")[2]), record.value)
        before = self.contents.setdefault(received.key, content)
        if before is content:
            return received
        self.tally[day, record.partition, "duplicate" if before == content else "rejected"] += 1
        if before != content:
            refused = Refused(RejectionCode.ID_REUSED, "", "/id")
            local = event.time.astimezone(self.plan.zone)
            decision = Decision(received, Outcome.REJECTED, local.date(), local, code=refused.code, pointer=refused.pointer)
            self.decisions.setdefault(received.record, []).append((day, decision))
        return None

    def _enter(self, day: date, booked: Booked) -> None:
        self._post(day, booked.postings)
        for decision in booked.decisions:
            received = decision.received
            self.decisions.setdefault(received.record, []).append((day, decision))
            if decision.outcome is Outcome.ACCEPTED and received.event.type == "purchase.v1":
                self.bought.append((day, received.sender, decision.contract))
            if decision.outcome is Outcome.WAITING:
                self.waiting.append((day, received))
            if decision.deferred or decision.sale is not None or decision.room is not None:
                self.deferred.append((day, decision))

    def _post(self, day: date, postings: Postings) -> None:
        self.journal += [(day, transfer) for transfer in postings.transfers]
        for row in postings.transfers:
            if row.what.code is Code.UNFUNDED:
                assert row.member is not None and row.what.lot is not None
                self.unfunded.append(Waiting(row.entry, row.member, row.what.lot, row.what.mechanic, row.amount))
        self.totals += [(day, total) for total in postings.totals if total.code not in STAMPS_ONLY]

    # --- the port -------------------------------------------------------------------------------------------------------------------------

    def state(self, day: date) -> State:
        if day not in self.windows:
            raise LookupError(f"there is no window {day}")
        return self.windows[day].state

    def cut_off(self, day: date) -> None:
        window = self.windows[day]
        if window.state is not State.OPEN:
            return
        window.cuts = [len(part) for part in self.log]
        window.state = advance(window.state, Event.CUT_OFF)
        following = self.following(day)
        if following is not None:
            self.windows.setdefault(following, self._window(following))

    def drain(self, day: date) -> None:
        while self._behind(day):
            self.book()

    def _behind(self, day: date) -> bool:
        return any(at < cut for at, cut in zip(self.next_offset, self.windows[day].cuts, strict=True))

    def _first_time(self, day: date, step: str) -> bool:
        done = step in self.windows[day].steps
        self.windows[day].steps.add(step)
        return not done

    def _postings(self, day: date, step: str) -> Postings:
        postings = Postings()
        postings.begin(RecordId(-(day.toordinal() * 16 + STEPS.index(step) + 1)))
        return postings

    def book_waiting(self, day: date) -> None:
        if not self._first_time(day, "book_waiting"):
            return
        of_day = [received for since, received in self.waiting if since == day]
        self.waiting = [(since, received) for since, received in self.waiting if since != day]
        for received in of_day:
            received.arrived = False
        booked = Booking(self.plan, day, self.facts, wanted=frozenset(self.contents), final=True).book_all(originals_first(of_day))
        for received in of_day:
            part = received.record >> 40 & 0xFFFF
            outcome = next(decision.outcome for decision in booked.decisions if decision.received is received)
            self.tally[day, part, "waiting"] -= 1
            self.tally[day, part, outcome.value] += 1
        self._enter(day, booked)

    def give_shared(self, day: date) -> None:
        if not self._first_time(day, "give_shared"):
            return
        sales = {one.record: one for one in self.facts.originals.values() if isinstance(one, Sale | CardSpend)}
        backs: dict[RecordId, list[Received]] = {}
        in_order = sorted((decision for of_day, decision in self.deferred if of_day == day), key=lambda one: self._place(one, sales))
        for place, put_off in enumerate(in_order):
            assert put_off.member is not None
            received, member = put_off.received, put_off.member
            postings = Postings(Headroom(self.plan.terms, limits_on(self.plan.terms, day, self.funds)) if self.plan.limited else None)
            limits = SharedLimits(self.plan, postings, self.shared)
            if put_off.room is not None:
                limits.room(put_off.room, member)
                continue
            if received.event.type == "stamp-choice.v1":
                decision = limits.choice(received, member)
            elif isinstance(spend := sales[put_off.sale or received.record], CardSpend):
                later = [one.received for one in in_order[place + 1 :] if one.sale == spend.record]
                before = self._before(received.record)
                if put_off.sale is None:
                    decision = limits.clearing(spend, member, before)
                else:
                    decision = limits.card_back(received, spend, left_before(spend, later), member, before)
            elif put_off.sale is None:
                sale = sales[received.record]
                assert isinstance(sale, Sale)
                decision = limits.purchase(sale, member, self._before(received.record))
            else:
                sale = sales[put_off.sale]
                assert isinstance(sale, Sale)
                backs.setdefault(sale.record, []).append(received)
                decision = limits.back(received, sale, left_after(sale, backs[sale.record]), member, self._before(received.record))
            self.decisions[received.record].append((day, decision))
            self._post(day, postings)
        self.deferred = [(of_day, decision) for of_day, decision in self.deferred if of_day != day]

    def _place(self, put_off: Decision, sales: Mapping[RecordId, Sale | CardSpend]) -> tuple[bool, int]:
        """Its place in the order of receipt; a return that came before its purchase comes after all that came in order."""
        order = self._order(put_off.received)
        return put_off.sale is not None and order < self._order(sales[put_off.sale].received), order

    def _before(self, record: RecordId) -> Before:
        rows = [row for _, row in self.journal if row.entry == record]
        return Before(len(rows), frozenset(row.what.key for row in rows))

    def _order(self, received: Received) -> int:
        partition, offset = received.record >> 40 & 0xFFFF, received.record & 0xFFFFFFFFFF
        return self.log[partition][offset].order

    def _headroom(self, day: date) -> Headroom | None:
        """What sponsors with a limit may give at once in a window, and have given."""
        if self.plan.limited and day not in self.headrooms:
            left = {(party, 1 << 16 | part): Fraction(one.room_minor) for party, one in self.rooms.get(day, {}).items() for part in range(one.parts)}
            self.headrooms[day] = Headroom(self.plan.terms, limits_on(self.plan.terms, day, self.funds), left)
        return self.headrooms.get(day)

    def fund_points(self, day: date) -> None:
        if not self.plan.limited or not self._first_time(day, "fund_points"):
            return
        lines = [one for run in self.runs.values() for one in run.obligations]
        unnetted = [other for other, window in self.windows.items() if other <= day and other not in self.runs and window.state is not State.OPEN]
        for other in unnetted:
            lines += price(other, self.plan.file, self.booked_totals(other), self.fees_before(other))
        night = self.nights[day] = NightFunding(self.plan.terms, day, self.funds, owed({}, lines))
        postings = self._postings(day, "fund_points")
        left = []
        for waiting in sorted(self.unfunded, key=lambda one: self.log[one.place >> 40 & 0xFFFF][one.place & 0xFFFFFFFFFF].order):
            points = night.fund(waiting, self.facts.members[waiting.member], postings)
            if points:
                left.append(replace(waiting, points=points))
        self._post(day, postings)
        self.unfunded = left
        following = self.following(day)
        if following is not None:
            self.rooms[following] = night.open_next(following, len(self.log))

    def given_under_limits(self, day: date) -> Sequence[Given]:
        if day not in self.nights:
            return []
        night, terms = self.nights[day], self.plan.terms
        found = []
        for party, limit in sorted(night.limits.items()):
            costs = {True: Fraction(0), False: Fraction(0)}
            for of_day, row in self.journal:
                if of_day == day and row.what.code is Code.ACCRUAL and row.what.sponsor == party:
                    currency, cost = point_cost(terms.version(party, row.what.contract), terms)
                    costs[row.entry > 0] += row.amount * cost if currency == limit.currency else 0
            room = self.rooms[day].get(party)
            owes = night.owes[party, limit.currency]
            lots = [(key, lot) for member in self.facts.members.values() for key, lot in (member.lots or {}).items()]
            waits = sum(lot.points for key, lot in lots if is_unfunded(key) and key.sponsor == party)
            at_once = room.room_minor * room.parts if room is not None else 0
            found.append(Given(party, limit.currency, limit.most_minor, owes, costs[True], at_once, costs[False], limit.most_minor - owes, waits))
        return found

    def free_holds(self, day: date) -> None:
        if not self._first_time(day, "free_holds"):
            return
        postings = self._postings(day, "free_holds")
        end = self.windows[day].received_at
        holds = [one for one in self.facts.originals.values() if isinstance(one, Hold) and one.open and one.expires_at <= end]
        for member in self.facts.members.values():
            free_holds(postings, [hold for hold in holds if hold.member == member.no], member)
        self._post(day, postings)

    def release_pending(self, day: date) -> None:
        if not self._first_time(day, "release_pending"):
            return
        postings = self._postings(day, "release_pending")
        for member in self.facts.members.values():
            released = set()
            for key, lot in list((member.lots or {}).items()):
                if key.release_on is not None and key.release_on <= day and lot.points:
                    postings.post(Movement(Code.RELEASE, POINTS, key.sponsor, key.contract, lot=key), lot.points, member.no)
                    open_key = key._replace(release_on=None)
                    assert member.lots is not None
                    member.lots.setdefault(open_key, Lot(0)).points += lot.points
                    member.pending -= lot.points
                    member.available += lot.points
                    lot.points = 0
                    released.add(open_key)
            purse = Purse(postings, member)
            for key, lot in member.in_spending_order(None):
                if key in released:
                    purse.repay_from(key, lot.points)
        self._post(day, postings)

    def lapse_held(self, day: date) -> None:
        if not self._first_time(day, "lapse_held"):
            return
        for card, events in list(self.facts.held.items()):
            for received in list(events):
                decision = lapse(received, self.plan)
                if decision.day + timedelta(days=self.plan.programme.claim_days) <= day:
                    events.remove(received)
                    self.decisions[received.record].append((day, decision))
                    self.facts.originals[received.key] = Pending(received.record, Outcome.REJECTED, None)
            if not events:
                del self.facts.held[card]

    def expire_lots(self, day: date) -> None:
        if not self._first_time(day, "expire_lots"):
            return
        postings = self._postings(day, "expire_lots")
        for member in self.facts.members.values():
            for key, lot in (member.lots or {}).items():
                if lot.points and effective_expiry(key.expiry, member.last_activity, key.earned) <= day:
                    if is_unfunded(key):
                        Purse(postings, member).expire_unfunded(key, lot.points)
                        continue
                    postings.post(Movement(Code.EXPIRY, POINTS, key.sponsor, key.contract, lot=key), lot.points, member.no)
                    if key.release_on is None:
                        member.available -= lot.points
                    else:
                        member.pending -= lot.points
                    lot.expired += lot.points
                    lot.points = 0
        self._post(day, postings)

    def close(self, day: date) -> None:
        if self._behind(day):
            raise RuntimeError(f"window {day}: a partition is not booked to its cut")
        window = self.windows[day]
        if window.state is not State.DRAINING:
            return
        window.state = advance(window.state, Event.DRAINED)
        window.booked = True
        window.at_close = self.measured()

    def measured(self) -> Balances:
        """Points of members, lots and holds now."""
        members = self.facts.members.values()
        lots = [(key, lot) for member in members for key, lot in (member.lots or {}).items()]
        holds = [original for original in self.facts.originals.values() if isinstance(original, Hold) and original.open]
        return Balances(
            available=sum(member.available for member in members),
            pending=sum(member.pending for member in members),
            held=sum(member.held for member in members),
            lots_available=sum(lot.points for key, lot in lots if key.release_on is None),
            lots_pending=sum(lot.points for key, lot in lots if key.release_on is not None),
            open_holds=sum(points for one in holds for _, points in one.lots),
        )

    def booked_totals(self, day: date) -> Sequence[Total]:
        return add_up(total for of_day, total in self.totals if of_day == day)

    def journal_totals(self, day: date) -> Sequence[Total]:
        rows = [Total(*row.what.key, row.amount, int(row.first)) for of_day, row in self.journal if of_day == day and row.what.code not in STAMPS_ONLY]
        rows += [Total(Code.PURCHASE, party, contract, None, None, "purchases", 1, 1) for of_day, party, contract in self.bought if of_day == day]
        return add_up(rows)

    def sums_by_unit(self, day: date) -> tuple[Mapping[str, int], Mapping[str, int]]:
        sums: Counter[str] = Counter()
        for of_day, transfer in self.journal:
            if of_day == day:
                sums[transfer.what.unit] += transfer.amount
        return dict(sums), dict(sums)

    def balances(self, day: date) -> Balances:
        return self.windows[day].at_close or self.measured()

    def partition_counts(self, day: date) -> Sequence[PartitionCount]:
        found = []
        for part, cut in enumerate(self.windows[day].cuts):
            by = {outcome: self.tally[day, part, outcome] for outcome in ("accepted", "rejected", "held", "duplicate", "waiting")}
            received = sum(by.values())
            found.append(PartitionCount(self.topic, part, cut, self.next_offset[part], received, by["accepted"], by["rejected"], by["held"], by["duplicate"]))
        return found

    def fees_before(self, day: date) -> Mapping[tuple[PartyId, str], int]:
        fees: dict[tuple[PartyId, str], int] = {}
        for of_day, run in self.runs.items():
            for one in run.obligations:
                if day.replace(day=1) <= of_day < day and one.kind is LineKind.FEE and one.detail != "monthly_minimum":
                    paid = one.creditor == self.plan.operator
                    party = one.debtor if paid else one.creditor
                    fees[party, one.currency] = fees.get((party, one.currency), 0) + (one.amount_minor if paid else -one.amount_minor)
        return fees

    def carried_in(self, day: date) -> Mapping[tuple[str, PartyId], Carried]:
        before = max((other for other in self.windows if other < day), default=None)
        return self.runs[before].netting.carried if before in self.runs else {}

    def settled_before(self, day: date) -> Settled | None:
        return None  # nothing goes to a bank from here

    def count_events(self, day: date, lines: Sequence[Obligation]) -> Sequence[Obligation]:
        counted = []
        for one in lines:
            keys = {(t.code, t.sponsor, t.contract, t.counterparty, t.counter_contract, t.unit) for t in one.sources}
            entries = {row.entry for of_day, row in self.journal if of_day == day and row.entry > 0 and row.what.key in keys}
            counted.append(replace(one, events=len(entries) or None) if one.events_may_overlap else one)
        return counted

    def keep(self, day: date, obligations: Sequence[Obligation], netting: Netting, checks: Sequence[Check]) -> None:
        window = self.windows[day]
        if window.state is State.NETTED:
            return
        window.state = advance(window.state, Event.NETTED)
        self.runs[day] = Run(tuple(obligations), netting, tuple(checks))
