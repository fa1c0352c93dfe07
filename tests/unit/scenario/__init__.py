"""Tests of services/scenario."""
