"""What things mean: money, identifiers, events, the programme file, reports, topics. Knows pydantic and the standard library, nothing else."""
