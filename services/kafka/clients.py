"""How clients of Kafka are made: what librdkafka says of itself goes to our log, at debug; what a command or process makes of an error, it says itself."""

import logging
from typing import Any

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from services.logs import KAFKA_CLIENT


class _Said:
    """Stands where the client expects a logger: with the broker away it would write several lines a second, as errors."""

    def log(self, _level: int, message: str, *values: object) -> None:
        """A line of librdkafka."""
        logging.getLogger(KAFKA_CLIENT).debug(message, *values)


SAID: Any = _Said()


def administrator(bootstrap: str) -> AdminClient:
    """A client that manages topics and asks for offsets. What fails is raised; nobody polls it for what it says beside that."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}, logger=SAID)


def consumer(settings: dict[str, Any]) -> Consumer:
    """A consumer with these settings."""
    return Consumer(settings, logger=SAID)
