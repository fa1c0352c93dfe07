"""One batch, from top to bottom: fence, window, claim, facts, book, write. All of it is one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import psycopg

from clearing.booking import MEMBERSHIP, Booked, Booking
from clearing.events import Decision, Facts, Outcome, Received, Refused
from clearing.plan import Plan
from schemas.events.answers import RejectionCode
from schemas.ids import PartyId, RecordId
from services.accrual import answers
from services.accrual.accepted import AcceptedLines
from services.accrual.claims import Claims
from services.accrual.facts import FactReader
from services.accrual.incoming import Incoming
from services.journal.entries import EntryRow, entry_line
from services.journal.headroom import room_of_batch, use
from services.journal.names import Names
from services.journal.reading import Reader
from services.journal.writing import Writer

# The fence: whoever books a partition holds its row; what lies below its offset is booked already.
LOCK_PROGRESS = (
    "select topic, part, next_offset from progress where (topic, part) in (select * from unnest(%s::smallint[], %s::int[])) order by topic, part for update"
)
MOVE_PROGRESS = """
update progress p set next_offset = n.next_offset from unnest(%s::smallint[], %s::int[], %s::bigint[], %s::bigint[]) n (topic, part, before, next_offset)
where p.topic = n.topic and p.part = n.part and p.next_offset = n.before
"""
# The oldest window whose night bookings are still to come; share-locked, so that it is not cut in the middle of a batch.
WINDOW = "select day, state, received_at, ends_at from settlement_window where not booked order by day limit 1 for share"
CUTS = "select topic, part, end_offset from cut where day = %s"
NEW_SOURCES = "insert into source (uri) select unnest(%s::text[]) on conflict do nothing"


RECEIVED_AT = attrgetter("received_at")


class LostPartition(Exception):  # no error: the partition has gone on elsewhere, or must be read again
    """Records are missing between the books and what was read: the partitions are to be read again from the books' offsets."""


@dataclass(frozen=True, slots=True)
class Window:
    """The window that is being booked, and where its partitions are cut (empty while it is open)."""

    day: date
    state: str
    received_at: datetime | None
    ends_at: datetime | None
    cuts: dict[tuple[int, int], int]

    def takes(self, incoming: Incoming) -> bool:
        """Whether a record lies before the cut; while none is recorded, the programme's clock says where it will be."""
        if self.state == "open":
            return self.ends_at is None or incoming.received_at < self.ends_at
        return incoming.offset < self.cuts.get((incoming.topic, incoming.partition), 0)


@dataclass(slots=True)
class Progressed:
    """What a batch did: records that lie behind the cut are left; `next_offsets` are committed."""

    booked: int = 0
    left: list[Incoming] = field(default_factory=list)
    next_offsets: dict[tuple[int, int], int] = field(default_factory=dict)
    unreadable: int = 0
    """Records that nobody could have meant: malformed or of an unknown type (the dead-letter cap watches them)."""


class BatchBooker:
    """Books batches on one connection."""

    def __init__(self, connection: psycopg.Connection, plan: Plan, names: Names, kafka_topics: dict[int, str]) -> None:
        self.connection = connection
        self.plan = plan
        self.names = names
        self.kafka_topics = kafka_topics
        self.claims = Claims(connection, names)
        self.reader = Reader(connection, names)
        self.facts = FactReader(self.reader)
        self.writer = Writer(connection, names)

    def book(self, batch: Sequence[Incoming]) -> Progressed:
        """Books what lies before the cut of the oldest window that is not booked. Raises `LostPartition`, or what the database raises."""
        self._name_sources(batch)
        done = Progressed()
        with self.connection.transaction():
            positions = self._lock_positions(batch)
            window = self.window()
            records, done.left, moves = self._within(batch, positions, window)
            if window is None or not moves:
                return done
            fresh, repeated, broken = self.claims.claim(records, window.day)
            received = [self._received(incoming, window) for incoming in fresh]
            facts, wanted = self.facts.read(received)
            if self.plan.limited:
                facts.headroom = room_of_batch(self.connection, self.plan, self.names, window.day, moves)
            booked = Booking(self.plan, window.day, facts, wanted=wanted).book_all(received)
            self._write(window, booked, facts, fresh, repeated, broken)
            if facts.headroom is not None:
                use(self.connection, self.names, window.day, facts.headroom)
            self._move(moves)
        done.booked = len(records)
        done.next_offsets = {partition: after for partition, (_, after) in moves.items()}
        done.unreadable = sum(1 for _, refusal in broken if refusal.code in (RejectionCode.MALFORMED, RejectionCode.UNKNOWN_TYPE))
        return done

    def window(self) -> Window | None:
        """The oldest window whose night bookings are still to come."""
        row = self.connection.execute(WINDOW).fetchone()
        if row is None:
            return None
        day, state, received_at, ends_at = row
        cuts = {} if state == "open" else {(topic, part): end for topic, part, end in self.connection.execute(CUTS, (day,))}
        return Window(day, state, received_at, ends_at, cuts)

    def _name_sources(self, batch: Iterable[Incoming]) -> None:
        new = sorted({incoming.source for incoming in batch if incoming.source is not None and incoming.source not in self.names.source})
        if new:
            with self.connection.transaction():
                self.connection.execute(NEW_SOURCES, (new,))
            self.names.read(self.connection)

    def _lock_positions(self, batch: Iterable[Incoming]) -> dict[tuple[int, int], int]:
        partitions = sorted({(incoming.topic, incoming.partition) for incoming in batch})
        rows = self.connection.execute(LOCK_PROGRESS, ([topic for topic, _ in partitions], [part for _, part in partitions]))
        return {(topic, part): offset for topic, part, offset in rows}

    def _within(
        self, batch: Iterable[Incoming], positions: dict[tuple[int, int], int], window: Window | None
    ) -> tuple[list[Incoming], list[Incoming], dict[tuple[int, int], tuple[int, int]]]:
        """Divides a batch: what is to be booked now, what lies behind the cut, and from where to where each partition moves."""
        records: list[Incoming] = []
        left: list[Incoming] = []
        moves: dict[tuple[int, int], tuple[int, int]] = {}
        behind: set[tuple[int, int]] = set()
        for incoming in batch:
            partition = (incoming.topic, incoming.partition)
            start, at = moves.get(partition, (positions[partition], positions[partition]))
            if incoming.offset < at:
                continue
            if incoming.before > at and partition not in behind:
                raise LostPartition(partition)
            if window is None or partition in behind or not window.takes(incoming):
                behind.add(partition)
                left.append(incoming)
                continue
            records.append(incoming)
            moves[partition] = (start, incoming.offset + 1)
        records.sort(key=RECEIVED_AT)
        return records, left, moves

    @staticmethod
    def _received(incoming: Incoming, window: Window) -> Received:
        assert incoming.sender is not None
        return Received(incoming.record, window.received_at or incoming.received_at, incoming.event, incoming.sender, incoming.value)

    def _write(
        self,
        window: Window,
        booked: Booked,
        facts: Facts,
        fresh: Sequence[Incoming],
        repeated: Sequence[tuple[Incoming, RecordId, date | None]],
        broken: Sequence[tuple[Incoming, Refused]],
    ) -> None:
        """Writes everything that the batch brought about."""
        party = self.names.party
        counts: dict[tuple[int, int, int | None, str, str | None], int] = defaultdict(int)
        first: dict[RecordId, Decision] = {}
        last: dict[RecordId, Decision] = {}
        if repeated or len(booked.decisions) != len(fresh):
            for decision in booked.decisions:
                first.setdefault(decision.received.record, decision)
                last[decision.received.record] = decision
        plain = len(booked.decisions) == len(fresh)  # nothing that was held became known: one decision for each record, in the same order
        accepted = AcceptedLines(self.names, window.day)
        usual: dict[tuple[int, int, PartyId | None], int] = defaultdict(int)
        waits: list[Decision] = []
        outbox: list[tuple[RecordId, date]] = []
        rows = []
        for place, incoming in enumerate(fresh):
            decision = booked.decisions[place] if plain else last[incoming.record]
            if decision.outcome is Outcome.ACCEPTED:
                rows.append(accepted.line(decision))
                if plain:
                    usual[incoming.topic, incoming.partition, incoming.sender] += 1
                    outbox.append((incoming.record, window.day))
                    continue
            else:
                rows.append(entry_line(self.entry(decision, window.day, incoming)))
                waits.append(decision)
            met = decision if plain else first[incoming.record]
            counts[incoming.topic, incoming.partition, party.get(incoming.sender), met.outcome.value, met.code.value if met.code else None] += 1
            if decision.outcome is not Outcome.WAITING:
                outbox.append((incoming.record, window.day))
        for (topic, part, sender), n in usual.items():
            counts[topic, part, party.get(sender), "accepted", None] += n
        for incoming, refusal in broken:
            rows.append(entry_line(self._refused(incoming, refusal, window.day)))
            counts[incoming.topic, incoming.partition, party.get(incoming.sender), "rejected", refusal.code.value] += 1
            outbox.append((incoming.record, window.day))
        for incoming, record, day in repeated:
            counts[incoming.topic, incoming.partition, party.get(incoming.sender), "duplicate", None] += 1
            if day is not None and (record not in last or last[record].outcome is not Outcome.WAITING):
                outbox.append((record, day))
        self.writer.entries(rows)
        own = {incoming.record for incoming in fresh} if booked.claimed else set()
        late = [last[claimed.record] for claimed in booked.claimed if claimed.record not in own]
        outbox += write_booked(self.connection, self.writer, self, booked, facts, late, window.day)
        self.hold_back([*waits, *late], window.day)
        self.writer.tally(window.day, counts)
        self.writer.outbox(outbox)

    def entry(self, decision: Decision, day: date, incoming: Incoming | None = None) -> EntryRow:
        """The entry of a decided event; `incoming` is None where it was received in an earlier batch."""
        received, event = decision.received, decision.received.event
        outcome = decision.outcome
        if outcome is Outcome.REJECTED:
            assert decision.code is not None
            refusal = Refused(decision.code, decision.detail, decision.pointer)
            answer = answers.rejection(incoming or self.incoming_of(received), refusal, self.kafka_topics[received.record >> 56])
        elif outcome is Outcome.WAITING:
            answer = answers.waiting()
        else:
            answer = answers.accrual(event.source, event.id, decision, day.isoformat())
        sender = received.sender
        contract = self.names.contract[sender, decision.contract] if decision.contract is not None else None
        member = decision.member.no if decision.member is not None and outcome is Outcome.ACCEPTED else None
        return EntryRow(
            received.record, day, day if outcome is Outcome.ACCEPTED else None, outcome.value, event.type, self.names.source[event.source], event.id,
            self.names.party.get(sender), contract, member, decision.card, decision.day, received.received_at,
            decision.code.value if decision.code else None, decision.detail or None, decision.pointer or None,
            ",".join(decision.applied) if decision.applied is not None else None, answer, received.value.decode(), None,
        )  # fmt: skip

    @staticmethod
    def incoming_of(received: Received) -> Incoming:
        """A received event as the record it came in, for its answer."""
        topic, partition, offset = received.record >> 56, received.record >> 40 & 0xFFFF, received.record & 0xFFFFFFFFFF
        event = received.event
        return Incoming(
            received.record,
            topic,
            partition,
            offset,
            offset,
            0,
            received.received_at,
            received.value,
            event,
            event.source,
            event.id,
            received.sender,
            event.type,
        )

    def _refused(self, incoming: Incoming, refusal: Refused, day: date) -> EntryRow:
        """The entry of a record that could not be booked; it owns its id only where it claimed it."""
        body, raw = None, None
        if incoming.keep:
            try:
                body = incoming.value.decode()
            except UnicodeDecodeError:
                raw = incoming.value
            if body is not None and "\0" in body:
                body, raw = None, incoming.value
        source = self.names.source.get(incoming.source) if incoming.source is not None else None
        return EntryRow(
            incoming.record, day, None, "rejected", incoming.type, source, incoming.id, self.names.party.get(incoming.sender), None, None, None, None,
            incoming.received_at, refusal.code.value, refusal.detail, refusal.pointer, None,
            answers.rejection(incoming, refusal, self.kafka_topics[incoming.topic]), body, raw,
        )  # fmt: skip

    def hold_back(self, decisions: Iterable[Decision], day: date) -> None:
        """Keeps what waits: for the owner of a card, or for its original until the window is cut."""
        for decision in decisions:
            received = decision.received
            if decision.outcome is Outcome.HELD:
                self.writer.hold(received.record, day, decision.card, decision.day, received.received_at)
            elif decision.outcome is Outcome.WAITING:
                self.writer.wait(received.record, day, received.received_at)

    def _move(self, moves: dict[tuple[int, int], tuple[int, int]]) -> None:
        """Moves the offsets by compare-and-set: a processor that lost a partition fails here."""
        ordered = sorted(moves.items())
        columns: list[list[Any]] = [[t for (t, _), _ in ordered], [p for (_, p), _ in ordered], [b for _, (b, _) in ordered], [a for _, (_, a) in ordered]]
        if self.connection.execute(MOVE_PROGRESS, columns).rowcount != len(moves):
            raise LostPartition


def write_booked(
    connection: psycopg.Connection, writer: Writer, booker: BatchBooker, booked: Booked, facts: Facts, late: Sequence[Decision], day: date
) -> list[tuple[RecordId, date]]:
    """Writes the books' side of what was booked; `late`: decisions on events received before. Returns the answers they call for."""
    writer.journal(booked.postings, day)
    writer.lots(booked.postings.lots)
    changed = [member for member in facts.members.values() if member.changed]
    profiles = {
        d.member.no: d.member for d in booked.decisions if d.member is not None and d.received.event.type in MEMBERSHIP and d.outcome is Outcome.ACCEPTED
    }
    if profiles:
        writer.profiles(profiles.values())
    writer.members(changed)
    writer.cards([card for card in facts.cards.values() if card.changed])
    writer.defer(booked.decisions, day)
    writer.originals([original for original in facts.originals.values() if getattr(original, "changed", False)])
    if not late:
        return []
    rows = [booker.entry(decision, day) for decision in late]
    writer.decide(rows)
    done = [decision.received.record for decision in late if decision.outcome not in (Outcome.HELD, Outcome.WAITING)]
    connection.execute("delete from held where record = any(%s)", (done,))
    return list(connection.execute("select record, day from entry where record = any(%s) order by received_at, record", (done,)))
