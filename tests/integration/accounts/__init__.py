"""The operator's accounts on real books."""
