"""The house's answers, read from `points.accruals.v1` and `events.rejected.v1` from a moment on."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaException, Message, TopicPartition

from schemas.ids import ProgrammeId
from schemas.topics import ACCRUALS_TOPIC, REJECTED_TOPIC, topic_name
from services.kafka.clients import administrator, consumer
from services.kafka.topics import SECONDS, bounds

ANSWERS = (ACCRUALS_TOPIC, REJECTED_TOPIC)
CHUNK = 2_000

Place = tuple[str, int, int]
"""Topic, partition, offset of a record."""


class NoTopics(LookupError):
    """The broker has no such programme."""

    def __init__(self, programme: str) -> None:
        super().__init__(f"the broker has no topics of a programme {programme}")


def expect_topics(bootstrap: str, programme: str) -> None:
    """Raises `NoTopics` where the programme's topics of answers are missing."""
    known = administrator(bootstrap).list_topics(timeout=SECONDS).topics
    if any(topic_name(ProgrammeId(programme), name) not in known for name in ANSWERS):
        raise NoTopics(programme)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer. `event` is None where the house could not read whose event it was; `place`: where the refused record lies."""

    id: str
    outcome: str
    event: tuple[str, str] | None
    place: Place | None
    document: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """What the house says."""
        data: dict[str, Any] = self.document["data"]
        return data

    @property
    def received_ms(self) -> int:
        """When the answered event was received, in milliseconds since 1970."""
        return round(datetime.fromisoformat(self.document["time"]).timestamp() * 1000)

    def concerns(self, party: str) -> bool:
        """Whether the party sent the event, or pays for what it brought."""
        sent = self.event is not None and self.event[0].split("/", 2)[2] == party
        return sent or any(effect["sponsor"] == party for effect in self.data.get("effects", ()))


class AnswerReader:
    """Reads a programme's answers from where they end now, or from their beginning."""

    def __init__(self, bootstrap: str, programme: str, *, from_start: bool = False) -> None:
        expect_topics(bootstrap, programme)
        names = [topic_name(ProgrammeId(programme), name) for name in ANSWERS]
        self._consumer = consumer(
            {"bootstrap.servers": bootstrap, "group.id": f"clh.events.{secrets.token_hex(4)}", "enable.auto.commit": False, "fetch.wait.max.ms": 50}
        )
        found = bounds(bootstrap, names)
        self._consumer.assign([TopicPartition(topic, part, low if from_start else high) for (topic, part), (low, high) in found.items()])

    def read(self, seconds: float) -> Iterator[Answered]:
        """What comes within so many seconds."""
        for message in self._consumer.consume(CHUNK, seconds):
            error = message.error()
            if error is not None:
                if error.fatal():
                    raise KafkaException(error)
                continue
            yield _answered(message)

    def close(self) -> None:
        """Gives up the connection."""
        self._consumer.close()


def _answered(message: Message) -> Answered:
    document = json.loads(message.value() or b"null")
    data = document["data"]
    event = (data["event"]["source"], data["event"]["id"]) if data["event"] is not None else None
    if document["type"] == "rejection.v1":
        record = data["record"]
        return Answered(document["id"], "rejected", event, (record["topic"], record["partition"], record["offset"]), document)
    return Answered(document["id"], data["outcome"], event, None, document)
