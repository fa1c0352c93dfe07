"""A programme's topics: made from the catalogue, asked for their ends."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import tenacity
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from schemas.topics import TOPICS, Topic
from services.kafka.clients import administrator

DAY_MS = 86_400_000
SECONDS = 30
PASSING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,  # a broker that was too busy to be heard of leads again, in a new epoch
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError._TRANSPORT,  # noqa: SLF001  # it has no public name
    }
)
"""What a broker that is starting, or a partition that is moving, answers for a moment."""


def create(bootstrap: str, namespace: str, *, partitions: Mapping[str, int] | None = None, replication: int = 1, only: Iterable[str] | None = None) -> None:
    """Makes the topics of a programme that are missing. `partitions`: other numbers than the catalogue's; `only`: these topics."""
    wanted = set(only) if only is not None else {topic.name for topic in TOPICS}
    admin = administrator(bootstrap)
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
    admin = administrator(bootstrap)
    found = [name for name in admin.list_topics(timeout=SECONDS).topics if name.startswith(namespace + ".")]
    for future in admin.delete_topics(found, operation_timeout=SECONDS).values() if found else ():
        future.result(SECONDS)


def partitions_of(bootstrap: str, topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of some topics."""
    return _partitions(administrator(bootstrap), topics)


def _partitions(admin: AdminClient, topics: Iterable[str]) -> list[TopicPartition]:
    known = admin.list_topics(timeout=SECONDS).topics
    return [TopicPartition(topic, part) for topic in topics for part in sorted(known[topic].partitions)]


def bounds(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], tuple[int, int]]:
    """By topic and partition the oldest offset that is kept, and the end."""
    admin = administrator(bootstrap)
    partitions = _partitions(admin, topics)
    oldest, ends = (_offsets(admin, partitions, spec) for spec in (OffsetSpec.earliest(), OffsetSpec.latest()))  # type: ignore[no-untyped-call]
    return {partition: (oldest[partition], ends[partition]) for partition in oldest}


@tenacity.retry(
    retry=tenacity.retry_if_exception(lambda error: isinstance(error, KafkaException) and error.args[0].code() in PASSING),
    wait=tenacity.wait_fixed(0.05),
    stop=tenacity.stop_after_delay(SECONDS),
    reraise=True,
)
def _offsets(admin: AdminClient, partitions: Iterable[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], int]:
    """An offset of each partition. The client has listed its topics before: one that knows no leader yet waits up to 3 s (measured) before it asks."""
    asked = admin.list_offsets({TopicPartition(p.topic, p.partition): spec for p in partitions}, request_timeout=SECONDS)
    return {(partition.topic, partition.partition): future.result(SECONDS).offset for partition, future in asked.items()}


class Ends:
    """Asks where partitions end: now, or at a moment of the broker's time."""

    def __init__(self, bootstrap: str, topics: Mapping[str, int]) -> None:
        """`topics`: Kafka's names → numbers in the books."""
        self._numbers = dict(topics)
        self._admin = administrator(bootstrap)
        self.partitions = _partitions(self._admin, topics)

    def at(self, moment: datetime | None) -> dict[tuple[int, int], int]:
        """By topic number and partition the first offset at or after the moment; its end where there is none, or for None.

        The ends are asked for first: a record that comes between the two questions then lies behind the cut, where its time puts it.
        """
        cuts = _offsets(self._admin, self.partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        if moment is not None:
            from_then_on = OffsetSpec.for_timestamp(int(moment.timestamp() * 1000))
            found = _offsets(self._admin, self.partitions, from_then_on)
            cuts |= {partition: offset for partition, offset in found.items() if offset >= 0}
        return {(self._numbers[topic], part): offset for (topic, part), offset in cuts.items()}

    def close(self) -> None:
        """Gives up the connections."""
        del self._admin
