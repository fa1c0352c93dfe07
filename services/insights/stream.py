"""Kafka beside Faust: where a stretch of the stream begins and ends, and what a topic holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from services.insights.state import Place
from services.kafka.clients import consumer as kafka_consumer
from services.kafka.topics import SECONDS, Ends

POLL_S = 0.2
REPLAY_BATCH_MAX = 2_000

Count = Callable[[str, int, int, int, bytes | None], None]
"""Gets a record: topic, partition, offset, the broker's time in milliseconds, value."""


def begins_and_ends(bootstrap: str, topics: Iterable[str], since: datetime) -> tuple[dict[Place, int], dict[Place, int]]:
    """By partition, the first offset that the broker received at or after a moment, and the end now. Raises KeyError for an unknown topic."""
    names = list(topics)
    ends = Ends(bootstrap, {name: no for no, name in enumerate(names)})
    begins, now = ends.at(since), ends.at(None)
    ends.close()
    return {(names[no], part): at for (no, part), at in begins.items()}, {(names[no], part): at for (no, part), at in now.items()}


def ends_now(admin: AdminClient, places: Iterable[Place]) -> dict[Place, int]:
    """Where partitions end. Raises KafkaException, TimeoutError."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = admin.list_offsets({TopicPartition(topic, part): latest for topic, part in places}, request_timeout=SECONDS)
    return {(place.topic, place.partition): future.result(SECONDS).offset for place, future in asked.items()}


def replay(bootstrap: str, begins: Mapping[Place, int], ends: Mapping[Place, int], count: Count) -> None:
    """Reads a stretch of the stream as fast as it can be read. Raises KafkaException."""
    open_places = {place for place, end in ends.items() if begins[place] < end}
    consumer = kafka_consumer(_reader(bootstrap))
    consumer.assign([TopicPartition(topic, part, begins[topic, part]) for topic, part in sorted(open_places)])
    waited = 0.0
    while open_places:
        messages = consumer.consume(REPLAY_BATCH_MAX, POLL_S)
        waited = 0.0 if messages else waited + POLL_S
        if waited > SECONDS:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  # the constant has no public name
        for message in messages:
            error, place = message.error(), (message.topic() or "", message.partition() or 0)
            offset = message.offset() or 0
            if error is None:
                count(*place, offset, message.timestamp()[1], message.value())
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                if error.retriable():
                    continue
                raise KafkaException(error)
            if error is not None or offset + 1 >= ends.get(place, 0):
                open_places.discard(place)
    consumer.close()


def _reader(bootstrap: str) -> dict[str, Any]:
    """Settings of a consumer that shares nothing with anybody and commits nothing."""
    return {
        "bootstrap.servers": bootstrap,
        "group.id": "clh.insights.reader",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
    }


class Tail:
    """Reads one partition: what is in it, then what comes."""

    def __init__(self, bootstrap: str, topic: str, offset: int = 0, partition: int = 0) -> None:
        self._consumer = kafka_consumer(_reader(bootstrap))
        self._consumer.assign([TopicPartition(topic, partition, offset)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives up the connection."""
        self._consumer.close()

    def present(self) -> Iterator[Message]:
        """Everything up to the end. Raises KafkaException when the broker does not answer."""
        waited = 0.0
        while True:
            message = self._consumer.poll(POLL_S)
            error = message.error() if message is not None else None
            if message is None:
                waited += POLL_S
                if waited > SECONDS:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  # the constant has no public name
            elif error is None:
                waited = 0.0
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                return
            elif not error.retriable():
                raise KafkaException(error)

    def next(self, seconds: float) -> Message | None:
        """What comes next within so many seconds."""
        message = self._consumer.poll(seconds)
        return message if message is not None and message.error() is None else None


def keys_and_values(bootstrap: str, topic: str, since: datetime | None = None) -> Iterator[tuple[bytes, bytes | None]]:
    """The records of a topic, or those from a moment on, up to the ends now."""
    begins, ends = begins_and_ends(bootstrap, [topic], since or datetime.fromtimestamp(0, UTC))
    for (name, partition), begin in begins.items():
        if begin < ends[name, partition]:
            with Tail(bootstrap, name, begin, partition) as tail:
                for message in tail.present():
                    key = message.key()
                    yield (key if isinstance(key, bytes) else b""), message.value()
