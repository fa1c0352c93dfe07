"""Kafka and PostgreSQL on this machine, without Docker and without anything installed."""
