"""Kafka and PostgreSQL in containers for the tests, by testcontainers: apache/kafka:4.3.1 and postgres:18, as docker-compose.yml has them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from services.runtime import kafka as kafka_settings
from services.runtime import postgres as postgres_settings
from services.runtime.kafka import broker_answers
from services.runtime.postgres import server_version
from services.runtime.state import Addresses, free_ports

PASSWORD = "only-for-tests"


@contextlib.contextmanager
def servers() -> Iterator[Addresses]:
    """Start both, wait until they answer, and remove them afterwards. Raises DockerException where no engine answers."""
    from testcontainers.core.container import DockerContainer

    (port,) = free_ports(1)
    kafka = DockerContainer(os.environ.get("CLH_TEST_KAFKA_IMAGE", "apache/kafka:4.3.1")).with_bind_ports(9092, port)
    told = {
        **kafka_settings.SETTINGS,
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": "1@localhost:9093",
    }
    for name, value in told.items():
        kafka = kafka.with_env(f"KAFKA_{name.replace('.', '_').upper()}", value)
    postgres = DockerContainer(os.environ.get("CLH_TEST_POSTGRES_IMAGE", "postgres:18")).with_exposed_ports(5432)
    for name, value in (("USER", "clh"), ("PASSWORD", PASSWORD), ("DB", "clh"), ("INITDB_ARGS", " ".join(postgres_settings.INITDB))):
        postgres = postgres.with_env(f"POSTGRES_{name}", value)
    with kafka, postgres:
        uri = f"postgresql://clh:{PASSWORD}@127.0.0.1:{postgres.get_exposed_port(5432)}/clh"
        bootstrap = f"127.0.0.1:{port}"
        await_answers(uri, bootstrap)
        yield Addresses(uri, bootstrap)


def await_answers(uri: str, bootstrap: str) -> None:
    """Ask both until they answer, sixty times at most; Kafka's question waits a second by itself."""
    for _ in range(60):
        if broker_answers(bootstrap, patience_s=1) and server_version(uri) is not None:
            return
    raise TimeoutError("the containers do not answer")
