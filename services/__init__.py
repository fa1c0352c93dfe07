"""Everything that touches Kafka, PostgreSQL, files, the clock or the environment: one package for each process."""
