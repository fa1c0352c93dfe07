"""Reads records from Kafka and decodes them in a thread of its own, while the database works on the batch before.

What comes while a batch is being booked is one batch: the longer booking takes, the larger the next one is, up to a bound, and the less of its
time goes into what each batch costs however small it is. Nothing waits for a batch to fill.

Positions come from the books: on every assignment reading starts where the books are, and Kafka's own committed offsets only show the lag.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import structlog
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.accrual.incoming import Incoming, Reading, record_id

log = structlog.get_logger()

ANSWER_S = 10.0
"""How long the broker may take to tell of its topics."""

Positions = Callable[[Iterable[tuple[str, int]]], dict[tuple[str, int], int]]
"""Asks the books where partitions stand (Kafka's topic name and partition → offset)."""


def consumer_settings(bootstrap: str, group: str) -> dict[str, Any]:
    """Settings of the consumer that books; the books are the authority on offsets."""
    return {
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "max.poll.interval.ms": 600_000,
        "session.timeout.ms": 10_000,
        "partition.assignment.strategy": "range",
        "fetch.message.max.bytes": 1_048_576,
        "fetch.max.bytes": 4_194_304,
        "queued.max.messages.kbytes": 8_192,
        "fetch.queue.backoff.ms": 5,
        "fetch.wait.max.ms": 20,
        "topic.metadata.refresh.fast.interval.ms": 20,
        "reconnect.backoff.ms": 10,
        "fetch.error.backoff.ms": 10,
        "retry.backoff.ms": 20,
        "socket.nagle.disable": True,
    }


class Source:
    """Batches of decoded records: one that waits and grows, and what is being read."""

    def __init__(self, consumer: Consumer, topics: dict[str, int], reading: Reading, positions: Positions, batch_max: int) -> None:
        self.consumer = consumer
        self.topics = topics
        self.reading = reading
        self.positions = positions
        self.batch_max = batch_max
        self.generation = 0
        self.failure: BaseException | None = None
        self._shared = True
        self._at: dict[tuple[str, int], int] = {}
        self._handed: dict[tuple[str, int], int] = {}
        self._ready: list[Incoming] = []
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._again = threading.Event()
        self._told: dict[tuple[str, int], int] = {}
        self._thread = threading.Thread(target=self._run, name="read", daemon=True)

    def start(self, fixed: Iterable[TopicPartition] | None = None) -> None:
        """Joins the group and begins to read; with `fixed`, reads these partitions and shares them with nobody."""
        if fixed is None:
            self.consumer.subscribe(list(self.topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        else:
            self._shared = False
            self._assigned(self.consumer, list(fixed))
            for topic in self.topics:  # asked for, or the client notices only once a second that it knows nothing of a new topic
                self.consumer.list_topics(topic, ANSWER_S)
        self._thread.start()

    def has_read(self, ends: dict[tuple[str, int], int]) -> bool:
        """Whether every partition was read up to its end, and is in the batch that waits or in one before it."""
        return all(self._handed.get(partition, 0) >= end for partition, end in ends.items())

    def stop(self) -> None:
        """Stops reading and leaves the group; a consumer that was lent for fixed partitions stays connected."""
        self._stop.set()
        self._drop()
        self._thread.join()
        if self._shared:
            self.consumer.close()
        else:
            self.consumer.unassign()

    def batch(self, seconds: float) -> list[Incoming]:
        """The next batch, or an empty one after so many seconds. Raises what the reading failed with."""
        with self._changed:
            if not self._ready and seconds > 0:
                self._changed.wait_for(lambda: self._ready or self.failure is not None, seconds)
            batch, self._ready = self._ready, []
            self._changed.notify_all()
        if not batch and self.failure is not None:
            raise self.failure
        return batch

    def read_again(self) -> None:
        """Goes back to where the books are: what was read and not booked is dropped."""
        self.generation += 1
        self._again.set()
        self._drop()

    def tell(self, booked: dict[tuple[str, int], int]) -> None:
        """Says how far the books are; told to Kafka by the reading thread, for lag tools only: the books are the authority."""
        if self._shared:
            self._told = {**self._told, **booked}

    def _tell_kafka(self) -> None:
        told, self._told = self._told, {}
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in told.items() if (topic, partition) in self._at]
        if offsets:
            try:
                self.consumer.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                log.debug("offsets were not told to Kafka", error=str(error))

    def _drop(self) -> None:
        with self._changed:
            self._ready = []
            self._changed.notify_all()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        at = self.positions([(p.topic, p.partition) for p in partitions])
        self._at, self._handed = dict(at), dict(at)
        consumer.assign([TopicPartition(topic, partition, offset) for (topic, partition), offset in at.items()])
        log.debug("partitions assigned", partitions=len(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        self._at, self._handed = {}, {}
        log.debug("partitions revoked", partitions=len(partitions))

    def _rewind(self) -> None:
        self._again.clear()
        at = self.positions(self._at)
        self._at, self._handed = dict(at), dict(at)
        for (topic, partition), offset in at.items():
            self.consumer.seek(TopicPartition(topic, partition, offset))

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if self._again.is_set():
                    self._rewind()
                messages = self.consumer.consume(self.batch_max, 0.02)
                if messages:
                    self._hand_over(self._decode(messages))
                self._tell_kafka()
        except BaseException as error:  # noqa: BLE001  # handed to the processor, which ends with it
            with self._changed:
                self.failure = error
                self._changed.notify_all()

    def _decode(self, messages: list[Message]) -> list[Incoming]:
        read = self.reading.read
        batch = []
        at_ms, received_at = -1, datetime.fromtimestamp(0, UTC)
        for message in messages:
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF or error.retriable():  # noqa: SLF001  # the constant has no public name
                    continue
                raise KafkaException(error)
            topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset()
            if offset is None or offset == OFFSET_INVALID or (topic, partition) not in self._at:
                continue
            ms = message.timestamp()[1]
            if ms != at_ms:
                at_ms, received_at = ms, datetime.fromtimestamp(ms / 1000, UTC)
            no = self.topics[topic]
            before, self._at[topic, partition] = self._at[topic, partition], offset + 1
            incoming = Incoming(record_id(no, partition, offset), no, partition, offset, before, self.generation, received_at, message.value() or b"")
            headers = message.headers()
            batch.append(read(incoming, list(headers.items()) if isinstance(headers, dict) else headers))
        return batch

    def _hand_over(self, batch: list[Incoming]) -> None:
        """Adds what was read to the batch that waits, once it has room."""
        with self._changed:
            while self._ready and len(self._ready) + len(batch) > self.batch_max and not self._stop.is_set() and not self._again.is_set():
                self._changed.wait(0.05)
            if self._stop.is_set() or self._again.is_set():
                return
            self._ready += batch
            self._handed = dict(self._at)
            self._changed.notify_all()
