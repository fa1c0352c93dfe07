"""Consumer groups, as the broker sees them."""

import tenacity
from confluent_kafka import KafkaError, KafkaException

from services.kafka.clients import administrator

SECONDS = 10
PASSING = frozenset({KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS})
"""What a broker answers until the topic of its groups is there: on a fresh one it is made by the first question."""


@tenacity.retry(
    retry=tenacity.retry_if_exception(lambda error: isinstance(error, KafkaException) and error.args[0].code() in PASSING),
    wait=tenacity.wait_fixed(0.1),
    stop=tenacity.stop_after_delay(SECONDS),
    reraise=True,
)
def members_of(bootstrap: str, group: str) -> int:
    """How many consumers are in a group now; a group that never was has none."""
    admin = administrator(bootstrap)
    described = admin.describe_consumer_groups([group], request_timeout=SECONDS)[group].result(SECONDS + 5)
    return len(described.members)
