"""The one way to produce: acknowledged by all replicas, idempotent, keys placed as every other client places them."""

from typing import Any

from confluent_kafka import Producer

from services.kafka.clients import SAID


def producer_settings(bootstrap: str, **more: Any) -> dict[str, Any]:
    """Settings of a producer that loses nothing and repeats nothing."""
    return {
        "bootstrap.servers": bootstrap,
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "zstd",
        "linger.ms": 10,
        "message.max.bytes": 4_000_000,
        "queue.buffering.max.messages": 200_000,
        **more,
    }


def producer(bootstrap: str, **more: Any) -> Producer:
    """A producer with these settings."""
    return Producer(producer_settings(bootstrap, **more), logger=SAID)
