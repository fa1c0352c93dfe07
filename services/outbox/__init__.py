"""From the outbox to Kafka: what was committed with the books is told afterwards, at least once and in order."""
