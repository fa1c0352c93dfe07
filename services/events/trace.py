"""`clh events trace`: every record in Kafka that carries an id, and what the books made of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import KafkaException, Message, TopicPartition

from schemas.ids import ProgrammeId
from schemas.topics import INPUT_TOPICS, topic_name
from services.accrual.incoming import record_id
from services.explain.event import PLACE, EventExplained, explain_event, find_records, place_name, records_of
from services.explain.ledger import Ledger, NotExplained
from services.kafka.clients import consumer
from services.kafka.topics import SECONDS, bounds
from services.runtime.progress import Progress, silent

SEARCH_MAX = 1_000_000
"""So many records are read at most, those that came soonest after the event first."""
CHUNK = 5_000
IDLE_S = 10.0

Partition = tuple[str, int]

ENTRIES = "select record from entry where record = any(%s)"
PROGRESS = "select t.name, p.part, p.next_offset from progress p join topic t on t.no = p.topic"
# Answers that are still to be sent.
UNSENT = "select exists (select from outbox o, relay r where o.record = %s and (o.xid, o.seq) > (r.xid, r.seq))"


@dataclass(frozen=True, slots=True)
class Found:
    """A record that carries the id."""

    record: int
    source: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class TracedRecord:
    """One record and what became of it: accepted, held, waiting, rejected; or duplicate, or unbooked. `answered`: None where it has no answer yet."""

    place: str
    received_at: datetime
    source: str | None
    outcome: str
    of: str | None
    """Of a duplicate: the record that it repeats."""
    answered: bool | None
    entry: EventExplained | None


@dataclass(frozen=True, slots=True)
class Trace:
    """All records with an id. `searched` were looked through; not `complete`: there are more than that."""

    id: str
    records: tuple[TracedRecord, ...]
    searched: int
    complete: bool

    @property
    def duplicates(self) -> int:
        """How many of them brought nothing new."""
        return sum(record.outcome == "duplicate" for record in self.records)


def trace(ledger: Ledger, bootstrap: str, name: str, *, source: str | None = None, search_max: int = SEARCH_MAX, progress: Progress = silent) -> Trace:
    """Follows an id, or the record at a place `topic/partition/offset`. Raises `NotExplained` where nothing carries it."""
    if PLACE.fullmatch(name):
        records = [_traced(ledger, Found(record, None, datetime.fromtimestamp(0, UTC)), {}) for record in find_records(ledger, name)]
        return Trace(name, tuple(records), 0, complete=True)
    owners = records_of(ledger, name, source)
    search = Search(ledger, bootstrap, name, owners)
    found = [each for each in search.run(search_max, progress) if source is None or each.source == source]
    if not found and not owners:
        raise NotExplained(f"no record carries the id {name}, among the {search.searched:,} that were read")
    booked = {row[0] for row in ledger.connection.execute(ENTRIES, ([each.record for each in found],))}
    known = {each.record for each in found}
    kept = [Found(owner, None, datetime.fromtimestamp(0, UTC)) for owner in owners if owner not in known]  # Kafka keeps them no longer
    first = {each.source: place_name(ledger, each.record) for each in reversed(found) if each.record in booked}
    traced = sorted((_traced(ledger, each, first) for each in (*kept, *found)), key=lambda record: record.received_at)
    return Trace(name, tuple(traced), search.searched, complete=search.complete)


def _traced(ledger: Ledger, found: Found, first: dict[str | None, str]) -> TracedRecord:
    place = place_name(ledger, found.record)
    try:
        entry = explain_event(ledger, found.record)
    except NotExplained:
        topic, part, offset = place.rsplit("/", 2)
        name = topic.removeprefix(f"{ledger.file.programme.id}.")
        booked = any((t, p) == (name, int(part)) and following > int(offset) for t, p, following in ledger.connection.execute(PROGRESS))
        return TracedRecord(
            place, found.received_at, found.source, "duplicate" if booked else "unbooked", first.get(found.source) if booked else None, None, None
        )
    unsent = ledger.connection.execute(UNSENT, (found.record,)).fetchone() == (True,)
    answered = None if entry.outcome == "waiting" else not unsent
    return TracedRecord(place, entry.received_at, entry.source or found.source, entry.outcome, None, answered, entry)


class Search:
    """Looks through the programme's topics for records that carry an id."""

    def __init__(self, ledger: Ledger, bootstrap: str, name: str, owners: Iterable[int]) -> None:
        self.name = name
        self.searched = 0
        self.complete = True
        self._numbers = {topic_name(ProgrammeId(ledger.file.programme.id), topic): ledger.names.topic[topic] for topic in INPUT_TOPICS}
        self._consumer = consumer({"bootstrap.servers": bootstrap, "group.id": "clh.trace", "enable.auto.commit": False, "fetch.message.max.bytes": 4_000_000})
        self._bounds = bounds(bootstrap, self._numbers)
        self._since = min((explain_event(ledger, owner).received_at for owner in owners), default=None)

    def run(self, most: int, progress: Progress) -> Iterator[Found]:
        """The records found. Where nothing says when the event came, the newest of each partition are read; else those since then."""
        starts = self._starts(most)
        ends = {partition: high for partition, (_, high) in self._bounds.items() if starts[partition] < high}
        total = sum(high - starts[partition] for partition, high in ends.items())
        self.complete = self.complete and total <= most
        self._consumer.assign([TopicPartition(topic, part, starts[topic, part]) for topic, part in ends])
        try:
            for message in self._records(dict(ends), min(total, most), progress):
                found = self._match(message)
                if found is not None:
                    yield found
        finally:
            self._consumer.close()

    def _starts(self, most: int) -> dict[Partition, int]:
        if self._since is not None:
            moment = int(self._since.timestamp() * 1000)
            asked = [TopicPartition(topic, part, moment) for topic, part in self._bounds]
            times = self._consumer.offsets_for_times(asked, timeout=SECONDS)
            return {(p.topic, p.partition): p.offset if p.offset >= 0 else self._bounds[p.topic, p.partition][1] for p in times}
        share = max(1, most // max(1, len(self._bounds)))
        starts = {partition: max(low, high - share) for partition, (low, high) in self._bounds.items()}
        self.complete = all(starts[partition] == low for partition, (low, _) in self._bounds.items())
        return starts

    def _records(self, ends: dict[Partition, int], most: int, progress: Progress) -> Iterator[Message]:
        """What lies before the ends, until all of it, or the most, was read."""
        idle_s = 0.0
        while ends and self.searched < most and idle_s < IDLE_S:
            messages = self._consumer.consume(min(CHUNK, most - self.searched), 0.5)
            idle_s = 0.0 if messages else idle_s + 0.5
            for message in messages:
                error = message.error()
                if error is not None:
                    raise KafkaException(error)
                partition, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
                end = ends.get(partition)
                if end is None or offset >= end:
                    ends.pop(partition, None)
                    continue
                self.searched += 1
                yield message
                if offset == end - 1:
                    del ends[partition]
            progress("Searching", self.searched, most)
        self.complete = self.complete and not ends
        progress("Searching", most, most)

    def _match(self, message: Message) -> Found | None:
        value = message.value() or b""
        if self.name.encode() not in value:
            return None
        try:
            document = json.loads(value)
        except ValueError:
            return None
        if not isinstance(document, dict) or document.get("id") != self.name:
            return None
        source = document.get("source")
        record = record_id(self._numbers[message.topic() or ""], message.partition() or 0, message.offset() or 0)
        return Found(record, source if isinstance(source, str) else None, datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC))
