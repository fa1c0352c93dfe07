"""Consumer groups, as the broker sees them."""

from confluent_kafka.admin import AdminClient

SECONDS = 10


def members_of(bootstrap: str, group: str) -> int:
    """How many consumers are in a group now; a group that never was has none."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    described = admin.describe_consumer_groups([group], request_timeout=SECONDS)[group].result(SECONDS + 5)
    return len(described.members)
