"""A programme of a test's own on the real servers: its books and topics are there for one test and gone after it."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Consumer, Message, TopicPartition

from clearing.night import run_night
from schemas.topics import TOPIC_OF_TYPE
from services import logs
from services.accrual.incoming import SenderKeys
from services.house import House
from services.journal.members import enrol
from services.journal.migrate import connect, drop, schema_of
from services.kafka import topics
from services.kafka.producer import producer
from services.night.books import PgNight
from services.outbox.relay import Relay, Sending
from services.programme.read import parse_programme
from services.runtime.local import Addresses
from services.stop import Stop

HARVEST = (Path(__file__).parents[1] / "examples" / "harvest.yaml").read_text(encoding="utf-8")
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Coalition:
    """A programme in force."""

    house: House
    id: str
    schema: str

    @property
    def environment(self) -> dict[str, str]:
        """What commands and processes of a test are told."""
        return {"CLH_POSTGRES_URI": self.house.postgres_uri, "CLH_KAFKA_BOOTSTRAP": self.house.kafka_bootstrap}

    def books(self, *, owner: bool = False) -> psycopg.Connection:
        """A connection to its books; as their owner, who may write what the application may not."""
        return connect(self.house.postgres_uri, self.schema, role=None, autocommit=True) if owner else self.house.books(self.id)

    def enrol(self, *members: tuple[str, str]) -> None:
        """Members with one card each."""
        with self.books() as connection:
            enrol(connection, [(member, "consumer", {}, (card,)) for member, card in members])  # type: ignore[misc]

    def publish(self, *events: Event | bytes) -> None:
        """Sends events, each to the topic of its type; bytes go to the partners' topic as they are."""
        sender = producer(self.house.kafka_bootstrap, **{"linger.ms": 1})
        for event in events:
            if isinstance(event, bytes):
                sender.produce(f"{self.id}.partner.transactions.v1", value=event, key=b"")
                continue
            topic = f"{self.id}.{TOPIC_OF_TYPE.get(event['type'], 'partner.transactions.v1')}"
            sender.produce(topic, value=json.dumps(event), key=event["subject"])
        sender.flush()

    def book(self) -> None:
        """Books what is in the topics up to their ends."""
        self._book(lambda ends, progress: all(progress.get(partition, 0) >= end for partition, end in ends.items()))

    def _book(self, done: Callable[[dict[tuple[int, int], int], dict[tuple[int, int], int]], bool]) -> None:
        processor = self.house.processor(self.id)
        ends = topics.Ends(self.house.kafka_bootstrap, processor.numbers)
        until = ends.at(None)
        ends.close()
        processor.source.start(topics.partitions_of(self.house.kafka_bootstrap, processor.numbers))
        try:
            with self.books() as connection:
                while not done(until, {(t, p): at for t, p, at in connection.execute("select topic, part, next_offset from progress")}):
                    processor.step()
        finally:
            processor.source.stop()
            processor.connection.close()

    def relay(self) -> int:
        """Sends what is in the outbox; returns how many rows that were."""
        with self.books() as connection:
            sending = Sending(connection, producer(self.house.kafka_bootstrap, **{"linger.ms": 1}), self.id, "opco")
            try:
                return sending.send_all()
            finally:
                sending.close()

    @contextmanager
    def running(self, keys: SenderKeys | None = None) -> Iterator[None]:
        """A processor and a relay at work in the background."""
        logs.configure("text", "WARNING")  # standard output belongs to the commands that a test runs
        stop = Stop()
        processor = self.house.processor(self.id, keys=keys)
        relay = Relay(self.house.postgres_uri, self.house.kafka_bootstrap, self.schema)
        threads = [threading.Thread(target=processor.run, args=(stop,)), threading.Thread(target=relay.run, args=(stop,))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def close(self, day: date) -> None:
        """Cuts a window now and clears it."""

        def drain(night: PgNight, _: date) -> None:
            self._book(lambda _ends, _progress: not night.behind(day))

        night = self.house.night(self.id, drain, by_hand=True)
        with night.connection:
            run_night(day, night.plan.file, night)

    def records(self, *names: str) -> list[Message]:
        """Everything that is in topics, by catalogue name."""
        return read_topics(self.house.kafka_bootstrap, [f"{self.id}.{name}" for name in names])


@contextmanager
def coalition(addresses: Addresses, *changes: tuple[str, str], day: date | None = None) -> Iterator[Coalition]:
    """The example programme under a name of its own, with some changes of its text. `day`: its first window; this moment's unless told."""
    name = f"t{secrets.token_hex(5)}"
    text = HARVEST.replace("id: harvest\n", f"id: {name}\n", 1)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    house = House(addresses.postgres_uri, addresses.kafka_bootstrap)
    house.apply(parse_programme(text, "harvest.yaml"), text, first_window=day)
    try:
        yield Coalition(house, name, schema_of(name))
    finally:
        drop(addresses.postgres_uri, schema_of(name))
        topics.delete(addresses.kafka_bootstrap, name)


def read_topics(bootstrap: str, names: Iterable[str]) -> list[Message]:
    """All records of topics, each partition in its order."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False, "auto.offset.reset": "error"})
    try:
        bounds = topics.bounds(bootstrap, names)
        left = sum(high - low for low, high in bounds.values())
        consumer.assign([TopicPartition(topic, part, low) for (topic, part), (low, _) in bounds.items()])
        found: list[Message] = []
        while len(found) < left:
            found += consumer.consume(min(10_000, left - len(found)), 0.2)
        return found
    finally:
        consumer.close()


def event(kind: str, event_id: str, subject: str, data: Event, *, source: str = "/partners/grocer", time: datetime | None = None) -> Event:
    """A full event; it happened now unless told."""
    moment = (time or datetime.now(UTC)).isoformat(timespec="seconds")
    return {"specversion": "1.0", "id": event_id, "source": source, "type": kind, "time": moment, "subject": subject, "data": data}


def purchase(
    event_id: str, card: str, total_minor: int, *, source: str = "/partners/grocer", time: datetime | None = None, category: str = "grocery/soft-drinks"
) -> Event:
    """A purchase of one line."""
    line = {"line": 1, "sku": "1", "category": category, "quantity": "1", "amount_minor": total_minor}
    data = {"store": "1", "receipt": event_id, "card": card, "currency": "EUR", "total_minor": total_minor, "lines": [line]}
    return event("purchase.v1", event_id, card, data, source=source, time=time)


def as_line(value: Event) -> bytes:
    """An event as a line of a file."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
