"""Scenario files: read, turned into events, compared with what came out."""
