"""A programme of a test's own on the servers of the fault tests: books and topics under a name of their own, the programme's id always the same.

The id is part of the report, and the report's hash is what is compared.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, TopicPartition

from clearing.night import run_night
from clearing.plan import Plan
from services.accrual.incoming import SenderKeys
from services.accrual.processor import BATCH_MAX, Processor
from services.accrual.source import consumer_settings
from services.house import House
from services.journal import programmes
from services.journal.members import enrol
from services.journal.migrate import add_month, connect, drop, migrate, schema_of
from services.journal.windows import open_window
from services.kafka import topics
from services.kafka.producer import producer
from services.night.books import PgNight
from services.programme.read import read_programme
from services.runtime.local import Addresses
from tests.faults.points import watch
from tests.faults.workload import DAYS, PARTITIONS, Sent, people

FILE = Path(__file__).with_name("programme.yaml")
Ends = dict[tuple[int, int], int]
QUICK_SESSION_MS = 3000
"""After so long without a sign of life a processor counts as dead, where a test waits for it."""
SMALL_BATCH = 90
"""Records of a batch, so that a window has a dozen of them."""


@dataclass(frozen=True, slots=True)
class Site(House):
    """The house, as it is for one test: everything of it is under `name`."""

    name: str

    @property
    def schema(self) -> str:
        return schema_of(self.name)

    def topic(self, catalogue_name: str) -> str:
        """Kafka's name of a topic."""
        return f"{self.name}.{catalogue_name}"

    # The house

    def books(self, programme: str = "", *, autocommit: bool = True) -> psycopg.Connection:
        """A connection to the books."""
        return connect(self.postgres_uri, self.schema, autocommit=autocommit)

    def processor(
        self, programme: str = "", *, keys: SenderKeys | None = None, batch_max: int = BATCH_MAX, session_ms: int | None = None, uri: str | None = None
    ) -> Processor:
        """A processor. `session_ms`: after so long without a sign of life the group gives its partitions to others. `uri`: another way to the books."""
        consumer = None
        if session_ms is not None:
            quick = {"session.timeout.ms": session_ms, "heartbeat.interval.ms": session_ms // 5}
            consumer = Consumer(consumer_settings(self.kafka_bootstrap, self.group) | quick)
        return Processor(uri or self.postgres_uri, self.kafka_bootstrap, self.schema, keys=keys, batch_max=batch_max, namespace=self.name, consumer=consumer)

    @property
    def group(self) -> str:
        """The consumer group of its processors."""
        return f"clh.accrual.{self.schema}"

    def night(self, programme: str = "", booked_to_cut: Callable[[PgNight, date], None] = lambda _night, _day: None, *, by_hand: bool = True) -> PgNight:
        """As the house has it, with topics of its own."""
        connection = self.books()
        plan = Plan(programmes.load(connection))
        numbers: dict[str, int] = dict(connection.execute("select name, no from topic").fetchall())
        kafka_topics = {no: self.topic(name) for name, no in numbers.items()}
        ends = topics.Ends(self.kafka_bootstrap, {name: no for no, name in kafka_topics.items()})

        def following(day: date) -> tuple[date, datetime | None, datetime | None]:
            add_month(self.postgres_uri, self.schema, day + timedelta(days=1))
            return day + timedelta(days=1), None, None

        night: PgNight
        night = PgNight(connection, plan, kafka_topics, ends.at, lambda day: booked_to_cut(night, day), following, by_hand=by_hand)
        return night

    # What tests do with it

    def publish(self, records: Iterable[Sent]) -> None:
        """Produces records in order and returns when the broker has them all."""
        sender = producer(self.kafka_bootstrap, **{"linger.ms": 1})
        for sent in records:
            sender.produce(self.topic(sent.topic), value=sent.value, key=sent.key, partition=sent.partition)
            sender.poll(0)
        assert sender.flush(60) == 0

    def partitions(self) -> list[TopicPartition]:
        """Every partition that processors read."""
        return topics.partitions_of(self.kafka_bootstrap, [self.topic(name) for name in programmes.INPUT_TOPICS])

    def ends(self) -> Ends:
        """Where the partitions end, by number of the topic and partition."""
        with self.books() as connection:
            numbers = {self.topic(name): no for name, no in connection.execute("select name, no from topic")}
        asked = topics.Ends(self.kafka_bootstrap, numbers)
        try:
            return asked.at(None)
        finally:
            asked.close()

    def progress(self) -> Ends:
        """Where the books stand."""
        with self.books() as connection:
            return _progress(connection)

    @contextmanager
    def reading(self, *, batch_max: int = BATCH_MAX, uri: str | None = None) -> Iterator[Processor]:
        """A processor that reads all partitions, whoever else does."""
        processor = self.processor(batch_max=batch_max, uri=uri)
        processor.source.start(self.partitions())
        try:
            yield processor
        finally:
            processor.source.stop()
            processor.source.consumer.close()
            processor.connection.close()

    def book(self, processor: Processor) -> None:
        """Books up to where the partitions end now."""
        ends = self.ends()
        with self.books() as connection:
            while not reached(_progress(connection), ends):
                processor.step()

    def book_all(self, *, batch_max: int = BATCH_MAX) -> None:
        """The same with a processor for the purpose."""
        with self.reading(batch_max=batch_max) as processor:
            self.book(processor)

    @contextmanager
    def at_night(self, booked_to_cut: Callable[[PgNight, date], None]) -> Iterator[PgNight]:
        """A night that is over in the end."""
        night = self.night(booked_to_cut=booked_to_cut)
        try:
            yield night
        finally:
            night.connection.close()

    def close(self, day: date, processor: Processor, *, tell: Callable[[str, str], None] = lambda _step, _moment: None) -> list[tuple[str, str]]:
        """Cuts a window now, books to the cut and clears it; returns the steps and commit boundaries of that night, in their order."""
        boundaries: list[tuple[str, str]] = []

        def note(step: str, moment: str) -> None:
            boundaries.append((step, moment))
            tell(step, moment)

        def drain(night: PgNight, day: date) -> None:
            while night.behind(day):
                processor.step()

        with self.at_night(drain) as night:
            watch(night, note)
            run_night(day, night.plan.file, night)
        return boundaries

    def play(self, windows: Iterable[Iterable[Sent]], *, batch_max: int = BATCH_MAX, first: int = 0, published: bool = False) -> list[list[tuple[str, str]]]:
        """Publishes, books and clears one window after the other, undisturbed; returns the boundaries of each night.

        `first`: the first of them; `published`: its records are in the topics already.
        """
        nights = []
        with self.reading(batch_max=batch_max) as processor:
            for day, records in zip(DAYS[first:], windows, strict=False):
                if not published:
                    self.publish(records)
                self.book(processor)
                nights.append(self.close(day, processor))
        return nights


def _progress(connection: psycopg.Connection) -> Ends:
    return {(topic, part): at for topic, part, at in connection.execute("select topic, part, next_offset from progress")}


def reached(progress: Ends, ends: Ends) -> bool:
    """Whether the books stand at these ends or behind them."""
    return all(progress.get(partition, 0) >= end for partition, end in ends.items())


@contextmanager
def site(addresses: Addresses) -> Iterator[Site]:
    """Books with members, topics and an open window; gone afterwards."""
    one = Site(addresses.postgres_uri, addresses.kafka_bootstrap, f"f{secrets.token_hex(5)}")
    file = read_programme(FILE)
    migrate(one.postgres_uri, one.schema)
    add_month(one.postgres_uri, one.schema, DAYS[0])
    topics.create(one.kafka_bootstrap, one.name, partitions=PARTITIONS, only=PARTITIONS)
    with connect(one.postgres_uri, one.schema) as connection:
        programmes.store(connection, file, FILE.read_text(encoding="utf-8"))
        open_window(connection, DAYS[0], None)
        enrol(connection, [(p.id, "consumer", {}, (p.a[0], p.b[0])) for p in people()])  # type: ignore[misc]
    try:
        yield one
    finally:
        drop(one.postgres_uri, one.schema)
        topics.delete(one.kafka_bootstrap, one.name)
