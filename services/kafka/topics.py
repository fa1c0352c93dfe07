"""A programme's topics: made from the catalogue, asked for their ends."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from schemas.topics import TOPICS, Topic

DAY_MS = 86_400_000
SECONDS = 30


def create(bootstrap: str, namespace: str, *, partitions: Mapping[str, int] | None = None, replication: int = 1, only: Iterable[str] | None = None) -> None:
    """Makes the topics of a programme that are missing. `partitions`: other numbers than the catalogue's; `only`: these topics."""
    wanted = set(only) if only is not None else {topic.name for topic in TOPICS}
    admin = AdminClient({"bootstrap.servers": bootstrap})
    new = [
        NewTopic(
            f"{namespace}.{topic.name}",
            num_partitions=(partitions or {}).get(topic.name, topic.partitions),
            replication_factor=replication,
            config=_config(topic),
        )
        for topic in TOPICS
        if topic.name in wanted
    ]
    for future in admin.create_topics(new, operation_timeout=SECONDS).values():
        try:
            future.result(SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def _config(topic: Topic) -> dict[str, str]:
    config = {"retention.ms": str(topic.retention_days * DAY_MS), "message.timestamp.type": "LogAppendTime", "max.message.bytes": "4194304"}
    if topic.latest_only:  # small segments: only closed ones are compacted
        config |= {"cleanup.policy": "compact,delete", "segment.bytes": str(16 << 20), "segment.ms": str(DAY_MS // 24), "min.cleanable.dirty.ratio": "0.2"}
    return config


def delete(bootstrap: str, namespace: str) -> None:
    """Removes all topics of a namespace of scenarios or tests."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    found = [name for name in admin.list_topics(timeout=SECONDS).topics if name.startswith(namespace + ".")]
    for future in admin.delete_topics(found, operation_timeout=SECONDS).values() if found else ():
        future.result(SECONDS)


def partitions_of(bootstrap: str, topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of some topics."""
    known = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=SECONDS).topics
    return [TopicPartition(topic, part) for topic in topics for part in sorted(known[topic].partitions)]


def bounds(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], tuple[int, int]]:
    """By topic and partition the oldest offset that is kept, and the end. The admin client asks again where a leader is still being found."""
    partitions = partitions_of(bootstrap, topics)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    found = [
        {(p.topic, p.partition): future.result(SECONDS).offset for p, future in admin.list_offsets(dict.fromkeys(partitions, spec)).items()}
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
    ]
    return {partition: (oldest, found[1][partition]) for partition, oldest in found[0].items()}


class Ends:
    """Asks where partitions end: now, or at a moment of the broker's time."""

    def __init__(self, bootstrap: str, topics: Mapping[str, int]) -> None:
        """`topics`: Kafka's names → numbers in the books."""
        self._numbers = dict(topics)
        self.partitions = partitions_of(bootstrap, topics)
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "clh.ends", "enable.auto.commit": False})

    def at(self, moment: datetime | None) -> dict[tuple[int, int], int]:
        """By topic number and partition the first offset at or after the moment; its end where there is none, or for None."""
        if moment is not None:
            asked = [TopicPartition(p.topic, p.partition, int(moment.timestamp() * 1000)) for p in self.partitions]
            found = {(p.topic, p.partition): p.offset for p in self._consumer.offsets_for_times(asked, timeout=SECONDS)}
        else:
            found = {}
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        ends = self._admin.list_offsets({TopicPartition(p.topic, p.partition): latest for p in self.partitions})
        cuts = {}
        for partition, future in ends.items():
            end = future.result(SECONDS).offset
            offset = found.get((partition.topic, partition.partition), -1)
            cuts[self._numbers[partition.topic], partition.partition] = offset if offset >= 0 else end
        return cuts

    def close(self) -> None:
        """Gives up the connections."""
        self._consumer.close()
