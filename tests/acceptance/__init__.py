"""Scenarios and commands, run on the real path."""
