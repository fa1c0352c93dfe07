"""A scenario played through Kafka, the processor and the night run, whose books stay for as long as a test looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Consumer

from services.accrual.source import consumer_settings
from services.journal.migrate import connect
from services.kafka.producer import producer
from services.runtime.local import Addresses
from services.scenario.read import read_scenario
from services.scenario.run import Lines, Run, namespace


@dataclass(frozen=True, slots=True)
class Played:
    """The namespace that a scenario was played in: `name` is what commands take for the programme."""

    addresses: Addresses
    name: str
    schema: str
    outcome: dict[str, Any]

    def owner(self, *, autocommit: bool = True) -> psycopg.Connection:
        """A connection with all rights, for tests that break the books."""
        return connect(self.addresses.postgres_uri, self.schema, role=None, autocommit=autocommit)


@contextmanager
def played(path: Path, addresses: Addresses) -> Iterator[Played]:
    """Plays a scenario file; its schema and topics go when the block ends."""
    scenario, file = read_scenario(path)
    consumer = Consumer(consumer_settings(addresses.kafka_bootstrap, "clh.test"))
    lines = Lines(addresses, producer(addresses.kafka_bootstrap, **{"linger.ms": 1}), consumer)
    try:
        with namespace(file, addresses) as (name, schema):
            run = Run(scenario, file, lines, name, schema)
            try:
                outcome = run.to_the_end(path.parent)
            finally:
                run.close()
            yield Played(addresses, name, schema, outcome)
    finally:
        consumer.close()
