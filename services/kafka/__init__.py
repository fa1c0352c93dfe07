"""Kafka as all processes use it: topics, where partitions end, and the one way to produce."""
