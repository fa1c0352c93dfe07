"""Tests of the local runtime that need no servers."""
