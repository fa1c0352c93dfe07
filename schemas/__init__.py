"""What things mean: money, identifiers, events, the programme file, scenarios, reports, topics."""
