"""Tests of services/demo that need no servers and no data."""
