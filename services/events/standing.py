"""Whether the house has booked a record, as far as Kafka knows: for senders, who ask no database."""

from __future__ import annotations

from confluent_kafka import TopicPartition

from services.events.answers import Place
from services.journal.migrate import schema_of
from services.kafka.clients import consumer

SECONDS = 5.0


def is_booked(bootstrap: str, programme: str, place: Place) -> bool:
    """Whether processors have told Kafka that they are past the record. They tell it a moment after they have booked."""
    asking = consumer({"bootstrap.servers": bootstrap, "group.id": f"clh.accrual.{schema_of(programme)}", "enable.auto.commit": False})
    try:
        (committed,) = asking.committed([TopicPartition(place[0], place[1])], timeout=SECONDS)
    finally:
        asking.close()
    return committed.offset > place[2]
